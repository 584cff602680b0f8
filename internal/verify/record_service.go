package verify

import (
	"context"
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
			if err == nil {
				serviceSID = v.ServiceSID
			}
			return err
		case sid.Valid(sid.Attempt, recordSID):
			a, err := tx.Attempt(recordSID)
			if err == nil {
				serviceSID = a.ServiceSID
			}
			return err
		case sid.Valid(sid.EventDelivery, recordSID):
			d, err := tx.EventDelivery(recordSID)
			if err == nil {
				serviceSID = d.ServiceSID
			}
			return err
		}
		return nil
	})
	return serviceSID, ignoreNotFound(err)
}
