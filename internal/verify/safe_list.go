package verify

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/sid"
)

// SafeNumber is a number on an account's safe list: text messages to it are never held back
// because of the country (core reference, section 12), nor by the limit of messages to one address. All
// other limits hold for it as for any number.
type SafeNumber struct {
	SID        string // GN…
	AccountSID string
	Number     string // E.164
	CreatedAt  time.Time
}

// AddSafeNumber puts a number on the list. nil is "not sent".
func (e *Engine) AddSafeNumber(ctx context.Context, accountSID string, number *string) (*SafeNumber, error) {
	now := e.Now()
	if err := e.calls.spend(e.Limits.SafeList, accountSID+"/SafeList", now); err != nil {
		return nil, err
	}
	if number == nil {
		return nil, missing("PhoneNumber")
	}
	n, ok := phone.Parse(restorePlus(*number))
	if !ok {
		return nil, invalid("PhoneNumber")
	}
	safeSID, err := sid.New(sid.SafeNumber, now, e.Random)
	if err != nil {
		return nil, err
	}
	s := &SafeNumber{SID: safeSID, AccountSID: accountSID, Number: n.E164(), CreatedAt: now}
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.SafeNumber(accountSID, s.Number); vacant(err) != nil {
			return vacant(err)
		}
		tx.AddSafeNumber(s)
		return nil
	})
	if errors.Is(err, ErrExists) {
		return nil, &Error{Code: CodeSafeNumberExists}
	}
	return s, err
}

// SafeNumber fetches a number of the list.
func (e *Engine) SafeNumber(ctx context.Context, accountSID, number string) (*SafeNumber, error) {
	if err := e.calls.spend(e.Limits.SafeList, accountSID+"/SafeList", e.Now()); err != nil {
		return nil, err
	}
	var s *SafeNumber
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.SafeNumber(accountSID, safeNumberInPath(number))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, &Error{Code: CodeNotFound}
	}
	return s, err
}

// RemoveSafeNumber takes a number off the list.
func (e *Engine) RemoveSafeNumber(ctx context.Context, accountSID, number string) error {
	if err := e.calls.spend(e.Limits.SafeList, accountSID+"/SafeList", e.Now()); err != nil {
		return err
	}
	err := e.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.SafeNumber(accountSID, safeNumberInPath(number))
		if err != nil {
			return err
		}
		tx.DeleteSafeNumber(s)
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return &Error{Code: CodeNotFound}
	}
	return err
}

// safeNumberInPath is the number in the form in which the list has it. What is no number is on no
// list.
func safeNumberInPath(s string) string {
	n, _ := phone.Parse(restorePlus(s))
	return n.E164()
}
