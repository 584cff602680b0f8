package verify

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// At is the same engine with another clock, on a view of its store. What the two remember of the store they
// remember together; their limits of reading calls are counted together too. It is for a service of a
// verifyd dev whose time was moved on.
func (e *Engine) At(now func() time.Time, store Store) *Engine {
	at := *e
	at.Now, at.Store = now, store
	return &at
}

// ServiceOf is the service (VA…) that a record belongs to, "" where there is no such record. It knows the
// records of verifications that jobs refer to, and the deliveries of events; factor.Engine.ServiceOf knows more.
func (e *Engine) ServiceOf(ctx context.Context, recordSID string) (serviceSID string, err error) {
	err = e.Store.View(ctx, func(tx Tx) error {
		switch {
		case sid.Valid(sid.Verification, recordSID):
			v, err := tx.Verification(recordSID)
			return owned(&serviceSID, err, func() string { return v.ServiceSID })
		case sid.Valid(sid.Attempt, recordSID):
			a, err := tx.Attempt(recordSID)
			return owned(&serviceSID, err, func() string { return a.ServiceSID })
		case sid.Valid(sid.EventDelivery, recordSID):
			d, err := tx.EventDelivery(recordSID)
			return owned(&serviceSID, err, func() string { return d.ServiceSID })
		}
		return nil
	})
	return serviceSID, err
}

// owned notes the service of a record that was read; one that is gone has none.
func owned(serviceSID *string, err error, of func() string) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		*serviceSID = of()
	}
	return err
}
