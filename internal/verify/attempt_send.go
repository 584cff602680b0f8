package verify

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
)

// Delivery is an attempt with what a worker needs to carry it out.
type Delivery struct {
	Attempt  *Attempt
	Code     string
	Amount   string
	Payee    string
	TTL      time.Duration // the code's whole life, for messages that speak of it
	Deadline time.Time     // the end of the code's life
}

// SendResult is what became of one turn of a delivery.
type SendResult struct {
	State      AttemptState // Queued if it is to be tried again
	RetryAt    time.Time    // when, if State is Queued
	Route      int
	Provider   string
	ProviderID string
	ErrorCode  string
	ErrorClass string
	HandOvers  int // providers that were given the message in this turn
}

// Delivery reads an attempt that is to be sent. ok is false if there is nothing to send any more:
// the verification was approved, canceled or deleted, or its time is up; RecordDrop says so in
// the attempt.
func (e *Engine) Delivery(ctx context.Context, attemptSID string) (d Delivery, ok bool, err error) {
	var v *Verification
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		d = Delivery{}
		if d.Attempt, err = tx.Attempt(attemptSID); err != nil {
			return err
		}
		v, err = tx.Verification(d.Attempt.VerificationSID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	if v.StatusAt(e.Now()) != Pending || d.Attempt.State != AttemptQueued {
		return d, false, nil
	}
	d.Code, err = e.Keys.Open(keyring.PasscodeSeal, v.CodeSealed, v.SID)
	if err != nil {
		return d, false, err
	}
	d.Amount, d.Payee = v.Amount, v.Payee
	d.TTL, d.Deadline = v.ExpiresAt.Sub(v.CreatedAt), v.ExpiresAt
	return d, true, nil
}

// RecordSend writes what became of a delivery and finishes or defers its job, in one commit.
func (e *Engine) RecordSend(ctx context.Context, job Job, a *Attempt, r SendResult) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		next := *a
		next.UpdatedAt = e.Now()
		next.State = r.State
		next.Route = r.Route
		next.HandOvers += r.HandOvers
		if r.Provider != "" {
			next.Provider = r.Provider
		}
		next.ProviderID, next.ErrorCode, next.ErrorClass = r.ProviderID, r.ErrorCode, r.ErrorClass
		tx.PutAttempt(&next)
		if r.State == AttemptQueued {
			tx.DeferJob(job, r.RetryAt)
		} else {
			tx.FinishJob(job)
		}
		return nil
	})
}

// RecordDrop finishes the job of an attempt that there is no reason to send any more. a is nil if
// the attempt is gone with its service.
func (e *Engine) RecordDrop(ctx context.Context, job Job, a *Attempt) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		if a != nil && a.State == AttemptQueued {
			next := *a
			next.State = AttemptDropped
			next.UpdatedAt = e.Now()
			tx.PutAttempt(&next)
		}
		tx.FinishJob(job)
		return nil
	})
}
