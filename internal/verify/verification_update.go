package verify

import (
	"context"

	"github.com/verifyd/verifyd/internal/sid"
)

// Verification fetches a verification by its SID, or by the address it went to. One that is
// approved or expired is not found; the error says which.
func (e *Engine) Verification(ctx context.Context, accountSID, serviceSID, sidOrAddress string) (*Verification, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	t := inPath(sidOrAddress)
	var v *Verification
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		v, err = find(tx, s, t)
		return err
	})
	if err != nil {
		return nil, t.refusal(err)
	}
	now := e.Now()
	if err := e.calls.spend(e.Limits.Fetches, v.SID, now); err != nil {
		return nil, err
	}
	switch v.StatusAt(now) {
	case Pending, Canceled, Replaced:
		return v, nil
	case MaxAttemptsReached:
		if v.Open(now) {
			return v, nil
		}
	}
	return nil, &Error{Code: CodeNotFound, Reason: v.Reason(now)}
}

// UpdateVerification approves a verification by the customer's word, or cancels it. Status is what
// was sent; nil is nothing.
func (e *Engine) UpdateVerification(ctx context.Context, accountSID, serviceSID, sidOrAddress string, status *string) (*Verification, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	if status == nil {
		return nil, missing("Status")
	}
	next := Status(*status)
	if next != Approved && next != Canceled {
		return nil, invalid("Status")
	}
	many, err := e.manyServices(ctx, s)
	if err != nil {
		return nil, err
	}
	t := inPath(sidOrAddress)
	var v *Verification
	err = e.Store.Update(ctx, func(tx Tx) (err error) {
		if v, err = find(tx, s, t); err != nil {
			return err
		}
		now := e.Now()
		done := false
		if next == Approved {
			done = v.Approve(now)
		} else {
			done = v.Cancel(now)
		}
		if !done {
			return &Error{Code: CodeNotFound, Reason: v.Reason(now)}
		}
		tx.PutVerification(v)
		if next == Approved {
			charged, err := e.guessMeters(tx, s, v, many)
			if err != nil {
				return err
			}
			charged.approved(tx, v, now)
			convert(tx, v)
		}
		return e.announce(tx, s, v, nil, now)
	})
	if err != nil {
		return nil, t.refusal(err)
	}
	return v, nil
}

// StatusOf is the status of a verification now, for the development inbox.
func (e *Engine) StatusOf(ctx context.Context, verificationSID string) (Status, error) {
	var v *Verification
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		v, err = tx.Verification(verificationSID)
		return err
	})
	if err != nil {
		return "", err
	}
	return v.StatusAt(e.Now()), nil
}

// inPath is the target of the last part of a path. What is no SID is an address, as in Twilio's
// own examples.
func inPath(s string) target {
	if sid.Valid(sid.Verification, s) {
		return target{sid: s}
	}
	return byAddress(s)
}
