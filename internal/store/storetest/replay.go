package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// Replay runs every function of an Update twice and throws the first run away. An Update whose function does
// not keep to the order of locks (see verify.Tx) fails, whatever the store beneath locks.
type Replay struct{ verify.Store }

var errThrownAway = errors.New("first run, thrown away")

// Update implements verify.Store.
func (r Replay) Update(ctx context.Context, fn func(verify.Tx) error) error {
	err := r.Store.Update(ctx, factor.InTx(func(tx factor.Tx) error {
		locks := &locks{}
		err := fn(lockingTx{tx, locks})
		switch {
		case locks.err != nil:
			return locks.err
		case err != nil:
			return err
		}
		return errThrownAway
	}))
	if !errors.Is(err, errThrownAway) {
		return err
	}
	return r.Store.Update(ctx, fn)
}

// locks are the records that a function has locked by reading them.
type locks struct {
	verification, attempt string // their SIDs
	meters                bool
	err                   error // the first that came out of order
}

func (l *locks) outOfOrder(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("the order of locks (verify.Tx): "+format, args...)
	}
}

func (l *locks) addVerification(v *verify.Verification) {
	switch {
	case v == nil || v.SID == l.verification:
		return
	case l.verification != "":
		l.outOfOrder("verification %s after verification %s", v.SID, l.verification)
	case l.meters:
		l.outOfOrder("verification %s after meters", v.SID)
	case l.attempt != "":
		l.outOfOrder("verification %s after attempt %s", v.SID, l.attempt)
	}
	l.verification = v.SID
}

func (l *locks) addMeters(ids []int64) {
	switch {
	case len(ids) == 0:
		return
	case l.meters:
		l.outOfOrder("meters after meters")
	case l.attempt != "":
		l.outOfOrder("meters after attempt %s", l.attempt)
	}
	l.meters = true
}

func (l *locks) addAttempt(a *verify.Attempt) {
	if a == nil || a.SID == l.attempt {
		return
	}
	if l.attempt != "" {
		l.outOfOrder("attempt %s after attempt %s", a.SID, l.attempt)
	}
	l.attempt = a.SID
}

// lockingTx notes what is read to be changed.
type lockingTx struct {
	factor.Tx
	locks *locks
}

func (tx lockingTx) Verification(sid string) (*verify.Verification, error) {
	v, err := tx.Tx.Verification(sid)
	tx.locks.addVerification(v)
	return v, err
}

func (tx lockingTx) CurrentVerification(serviceSID, recipient string) (*verify.Verification, error) {
	v, err := tx.Tx.CurrentVerification(serviceSID, recipient)
	tx.locks.addVerification(v)
	return v, err
}

func (tx lockingTx) CurrentAndMeters(serviceSID, recipient string, ids []int64) (*verify.Verification, []*verify.Meter, error) {
	v, meters, err := tx.Tx.CurrentAndMeters(serviceSID, recipient, ids)
	tx.locks.addVerification(v)
	tx.locks.addMeters(ids)
	return v, meters, err
}

func (tx lockingTx) Meters(ids []int64) ([]*verify.Meter, error) {
	tx.locks.addMeters(ids)
	return tx.Tx.Meters(ids)
}

func (tx lockingTx) Attempt(sid string) (*verify.Attempt, error) {
	a, err := tx.Tx.Attempt(sid)
	tx.locks.addAttempt(a)
	return a, err
}
