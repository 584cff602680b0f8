package verify

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// Carried is what an attempt says of the provider that carried it.
type Carried struct {
	Channel   Channel
	Country   string // ISO 3166-1 alpha-2, "" for e-mail
	Provider  string // who was given the message last, "" if nobody was
	State     AttemptState
	Converted bool
}

// Taken reports whether the provider said that it takes the message, whatever came of it.
func (c Carried) Taken() bool {
	switch c.State {
	case AttemptSent, AttemptDelivered, AttemptRead, AttemptUndelivered:
		return true
	}
	return false
}

// Carried lists what the attempts of all accounts say of their providers that were made at a time or after
// it and before another, on whatever node; oldest first, at most limit of them.
func (e *Engine) Carried(ctx context.Context, from, before time.Time, limit int) (list []Carried, err error) {
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.CarriedAttempts(sid.KeyAt(from), sid.KeyAt(before), limit)
		return err
	})
	return list, err
}
