package factor

import (
	"context"
	"errors"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// Engine has the operations on entities, factors and challenges. It remembers nothing: services, settings,
// store, keys and clock are those of the engine that it stands on.
type Engine struct{ verify *verify.Engine }

// NewEngine is the engine of factors that stands on another one.
func NewEngine(on *verify.Engine) *Engine { return &Engine{on} }

// view and update are those of the store.
func (e *Engine) view(ctx context.Context, fn func(Tx) error) error {
	return e.verify.Store.View(ctx, InTx(fn))
}

func (e *Engine) update(ctx context.Context, fn func(Tx) error) error {
	return e.verify.Store.Update(ctx, InTx(fn))
}

// ServiceOf is the service (VA…) that a record belongs to, "" where there is no such record. It knows the
// records that jobs and messages refer to: challenges and notifications, and those of verify.Engine.ServiceOf.
func (e *Engine) ServiceOf(ctx context.Context, recordSID string) (serviceSID string, err error) {
	ofChallenge := sid.Valid(sid.Challenge, recordSID)
	if !ofChallenge && !sid.Valid(sid.Notification, recordSID) {
		return e.verify.ServiceOf(ctx, recordSID)
	}
	err = e.view(ctx, func(tx Tx) error {
		if ofChallenge {
			c, err := tx.Challenge(recordSID)
			if err == nil {
				serviceSID = c.ServiceSID
			}
			return err
		}
		n, err := tx.Notification(recordSID)
		if err == nil {
			serviceSID = n.ServiceSID
		}
		return err
	})
	if errors.Is(err, verify.ErrNotFound) {
		return "", nil
	}
	return serviceSID, err
}
