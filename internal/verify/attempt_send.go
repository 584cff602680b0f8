package verify

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
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
	Price      string
	Currency   string
	Steps      []Step // of the story, those of this turn
	ReportKey  string // see Attempt
}

// send is a message on its way from the operation that wants it to the worker.
type send struct {
	engine *Engine
	*Reservation
}

// newSend reserves a place on a channel, if there is one.
func (e *Engine) newSend(c Channel) *send { return &send{e, e.Reserve(string(c))} }

// add commits an attempt and its job with everything else. It may run more than once.
func (s *send) add(tx Tx, v *Verification, a *Attempt) error {
	tx.AddAttempt(a)
	tx.Count(tally(v, AttemptCount{Made: 1}))
	job := Job{ID: sid.Key(a.SID), Kind: string(a.Channel), Ref: a.SID, Due: a.CreatedAt}
	return s.Enqueue(tx, job, func(j *Job) error {
		d, err := s.engine.deliveryOf(v, a)
		j.Delivery = &d
		return err
	})
}

func (e *Engine) deliveryOf(v *Verification, a *Attempt) (Delivery, error) {
	code, err := e.Keys.Open(keyring.PasscodeSeal, v.CodeSealed, v.SID)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{
		Attempt: a, Code: code, Amount: v.Amount, Payee: v.Payee,
		TTL: v.ExpiresAt.Sub(v.CreatedAt), Deadline: v.ExpiresAt,
	}, nil
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
	d, err = e.deliveryOf(v, d.Attempt)
	return d, err == nil, err
}

// RecordSend writes what became of a delivery and finishes or defers its job, in one commit.
//
// The first turn of an attempt writes without a look at what is stored: nobody else changes a queued
// attempt then, because its reports wait (see Report). Later a report may have come meanwhile; what it
// says stays.
func (e *Engine) RecordSend(ctx context.Context, job Job, a *Attempt, r SendResult) error {
	story := a.Story.Add(r.Steps...)
	s, err := e.subscriberOf(ctx, a)
	if err != nil {
		return err
	}
	return e.Store.Update(ctx, func(tx Tx) error {
		next, r, before := *a, r, a.State
		next.Story = story
		if a.HandOvers > 0 {
			stored, err := tx.Attempt(a.SID)
			switch {
			case errors.Is(err, ErrNotFound): // of its age
			case err != nil:
				return err
			default:
				before = stored.State
				if stored.State.arrived() {
					r.State = stored.State
				}
				next.MCC, next.MNC = stored.MCC, stored.MNC
				if stored.Story != a.Story {
					next.Story = stored.Story.Add(r.Steps...)
				}
			}
		}
		next.UpdatedAt = e.Now()
		next.State = r.State
		next.Route = r.Route
		next.HandOvers += r.HandOvers
		if r.Provider != "" {
			next.Provider = r.Provider
		}
		next.ProviderID, next.ErrorCode, next.ErrorClass = r.ProviderID, r.ErrorCode, r.ErrorClass
		next.Price, next.Currency = r.Price, r.Currency
		next.ReportKey = r.ReportKey
		tx.PutAttempt(&next)
		if r.State == AttemptQueued {
			tx.DeferJob(job, r.RetryAt)
		} else {
			endAttempt(tx, job, &next, next.UpdatedAt)
		}
		return e.announceMessage(tx, s, before, &next, next.UpdatedAt)
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
