package verify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

var errDown = errors.New("the database is away")

// blind is a store that cannot read what a new record would take the place of.
type blind struct{ verify.Store }

func (b blind) Update(ctx context.Context, fn func(verify.Tx) error) error {
	return b.Store.Update(ctx, func(tx verify.Tx) error { return fn(blindTx{tx}) })
}

type blindTx struct{ verify.Tx }

func (blindTx) Service(string) (*verify.Service, error) { return nil, errDown }

func (blindTx) SafeNumber(string, string) (*verify.SafeNumber, error) { return nil, errDown }

// Whoever makes a record is told that it is there only if it is: a refusal would not be tried again.
func TestAFaultIsNotWhatExists(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.Store = blind{w.Store}
	_, safe := w.AddSafeNumber(t.Context(), w.account, new(ana))
	_, service := w.CreateService(t.Context(), w.account, verify.ServiceParams{FriendlyName: new("Acme")})
	for name, err := range map[string]error{"a safe number": safe, "a service": service} {
		if !errors.Is(err, errDown) || errors.Is(err, verify.ErrExists) || refusal(err) != nil {
			t.Errorf("%s: %v, want the fault", name, err)
		}
	}
}
