package verify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Retention is how long records are kept. The zero value stands for the defaults.
type Retention struct {
	// Records is the age at which verifications, attempts, challenges and their jobs are dropped,
	// counted from their start. It must be longer than a verification can live (MaxCodeTTL) and is
	// remembered, and than the day for which challenges are counted.
	Records time.Duration
	// Payments is how long the amount and the payee of a payment are kept after the verification's
	// time was up. The verification outlives them.
	Payments time.Duration
}

// The default ages.
const (
	DefaultRetention        = 30 * 24 * time.Hour
	DefaultPaymentRetention = 24 * time.Hour
)

func (r Retention) records() time.Duration { return cmp.Or(r.Records, DefaultRetention) }

// sweepChunk bounds the time that one step of Sweep keeps the writer busy to about a millisecond.
const sweepChunk = 100

// wholeSweep is the time between two walks over all verifications that are over. Those in between pass
// over what was held at the time when it could have been forgotten.
const wholeSweep = time.Hour

// swept is how far the sweeps of this process have come: the ends of the verifications that were expired
// and that were forgotten, and when a sweep last went over all. After a start nothing is known.
type swept struct {
	mu                      sync.Mutex
	expired, forgot, wholly time.Time
}

// Sweep ends the verifications whose time is up, and forgets those whose time was up a while ago. Nothing
// depends on it being punctual, because every operation looks at the clock itself; it wipes the codes of
// verifications that nobody asks about any more and keeps the indexes of current ones small.
//
// It looks at those alone whose time has been up, or up a while, since the last time, and at all of them
// once in an hour.
func (e *Engine) Sweep(ctx context.Context) error {
	now := e.Now()
	forget := now.Add(-remembered)
	e.swept.mu.Lock()
	defer e.swept.mu.Unlock()
	walks := []Expiry{{After: e.swept.forgot, Until: forget}, {After: e.swept.expired, Until: now}}
	whole := now.Sub(e.swept.wholly).Abs() >= wholeSweep
	if whole {
		walks = []Expiry{{Until: now}}
	}
	for _, w := range walks {
		w.Now, w.Forget = now, forget
		if err := e.expire(ctx, w); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	e.swept.expired, e.swept.forgot = now, forget
	if whole {
		e.swept.wholly = now
	}
	return nil
}

// ForgetTime has the engine not go by what it remembers of the clock: how far sweeps have come, and who read
// how often. It is for a clock that was set back, together with the store.
func (e *Engine) ForgetTime() {
	e.swept.mu.Lock()
	e.swept.expired, e.swept.forgot, e.swept.wholly = time.Time{}, time.Time{}, time.Time{}
	e.swept.mu.Unlock()
	e.calls.mu.Lock()
	e.calls.young, e.calls.mature = nil, nil
	e.calls.mu.Unlock()
	e.forgotten.Store(0)
}

// expire goes along a walk, step by step. First it ends those whose end somebody wants to know of, because
// the others are ended without being read.
func (e *Engine) expire(ctx context.Context, w Expiry) error {
	if err := e.expireAnnounced(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	for more := true; more; {
		var rest Expiry
		err := e.Store.Update(ctx, func(tx Tx) (err error) {
			rest, more, err = tx.ExpireVerifications(w, sweepChunk)
			return err
		})
		if err != nil || more && !pause(ctx, e.SweepRest) {
			return err
		}
		w = rest
	}
	return nil
}

// announceChunk bounds the Updates of expireAnnounced that are under way at once: each reads a verification with
// its attempts.
const announceChunk = 10

// expireAnnounced goes along a walk and ends, one by one, the pending verifications of services that
// subscribe, each with its event in the same commit. It looks for them without the writer, so that those of
// other services pay nothing for it.
func (e *Engine) expireAnnounced(ctx context.Context, w Expiry) error {
	if !e.Announced[VerificationExpired] {
		return nil
	}
	for more := true; more; {
		var pending []VerificationPlace
		var rest Expiry
		if err := e.Store.View(ctx, func(tx Tx) (err error) {
			pending, rest, more, err = tx.PendingVerifications(w, sweepChunk)
			return err
		}); err != nil {
			return err
		}
		var ends []announcedEnd
		for _, v := range pending {
			s, err := e.directory.service(ctx, v.AccountSID, v.ServiceSID)
			switch {
			case errors.Is(err, ErrNotFound): // deleted meanwhile
			case err != nil:
				return err
			case s.VerifyEventSubscription:
				ends = append(ends, announcedEnd{v, s})
			}
		}
		for chunk := range slices.Chunk(ends, announceChunk) {
			if err := e.endByAge(ctx, chunk, w.Now); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		if more && !pause(ctx, e.SweepRest) {
			return nil
		}
		w = rest
	}
	return nil
}

// announcedEnd is a verification whose end its service wants to be told.
type announcedEnd struct {
	VerificationPlace
	service *Service
}

// endByAge ends verifications whose time is up, each by an Update of its own, which the store commits together.
//
// now is the time of the walk, so that none is left for the end without an event that follows.
func (e *Engine) endByAge(ctx context.Context, ends []announcedEnd, now time.Time) error {
	errs := make([]error, len(ends))
	var all sync.WaitGroup
	for i, end := range ends {
		all.Go(func() {
			errs[i] = e.Store.Update(ctx, func(tx Tx) error { return e.endOneByAge(tx, end, now) })
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// endOneByAge ends a verification whose time is up. One that somebody else has ended meanwhile, on this node or
// another, was told by him. It is read as a start reads it: two ways to name what is locked would be two orders.
func (e *Engine) endOneByAge(tx Tx, end announcedEnd, now time.Time) error {
	v, err := tx.CurrentVerification(end.ServiceSID, end.Recipient)
	if err != nil {
		return ignoreNotFound(err)
	}
	if v.SID != end.SID || !v.Expire(now) {
		return nil
	}
	tx.PutVerification(v)
	return e.announce(tx, end.service, v, nil, now)
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return ctx.Err() == nil
}

// DropOld blanks the payments, and drops the records and the counters of attempts that have reached
// their age.
func (e *Engine) DropOld(ctx context.Context) error {
	now := e.Now()
	upAt := now.Add(-cmp.Or(e.Retention.Payments, DefaultPaymentRetention))
	err := e.inSteps(ctx, func(tx Tx) (more bool, err error) { return tx.BlankPayments(upAt, sweepChunk) })
	before := now.Add(-e.Retention.records())
	return errors.Join(err, e.forgetCounts(ctx), e.Store.DropBefore(ctx, now, before))
}

// inSteps takes a step again and again, in a transaction of its own each, until nothing is left.
func (e *Engine) inSteps(ctx context.Context, step func(Tx) (more bool, err error)) (err error) {
	for more := true; more && err == nil && ctx.Err() == nil; {
		err = e.Store.Update(ctx, func(tx Tx) (err error) {
			more, err = step(tx)
			return err
		})
	}
	return err
}
