package verify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/verifyd/verifyd/internal/verify"
)

func (w *world) dropOld() {
	w.t.Helper()
	if err := w.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.DropOld(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestRecordsAreKeptAsLongAsConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		retention verify.Retention
		records   time.Duration
	}{
		"by default":    {verify.Retention{}, 30 * 24 * time.Hour},
		"as configured": {verify.Retention{Records: 100 * time.Hour}, 100 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, verify.ServiceParams{})
			w.Retention = c.retention
			v := w.mustStart(ana, "sms")
			attempt := v.Sends[0].AttemptSID
			w.advance(c.records)
			w.dropOld()
			_, err := w.Verification(t.Context(), w.account, w.service, v.SID)
			wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)

			w.advance(time.Microsecond)
			w.dropOld()
			_, err = w.Verification(t.Context(), w.account, w.service, v.SID)
			wantCode(t, err, verify.CodeNotFound, verify.ReasonNeverExisted)
			_, err = w.Verification(t.Context(), w.account, w.service, ana)
			wantCode(t, err, verify.CodeNotFound, verify.ReasonNeverExisted)
			if _, found, err := w.store.NextDue(t.Context(), "sms"); found || err != nil {
				t.Errorf("the job is still there: %v", err)
			}
			// A worker that had the job already finds nothing to send.
			d, ok, err := w.Delivery(t.Context(), attempt)
			if ok || err != nil {
				t.Errorf("delivery of a dropped attempt: %v, %v", ok, err)
			}
			if err := w.RecordDrop(t.Context(), verify.Job{ID: 1, Kind: "sms", Ref: attempt}, d.Attempt); err != nil {
				t.Error(err)
			}
			if again := w.mustStart(ana, "sms"); again.SID == v.SID {
				t.Error("a dropped verification was started again")
			}
		})
	}
}

func TestAPaymentIsForgottenBeforeItsVerification(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		retention verify.Retention
		payments  time.Duration
	}{
		"by default":    {verify.Retention{}, 24 * time.Hour},
		"as configured": {verify.Retention{Payments: time.Hour}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, verify.ServiceParams{PSD2Enabled: &yes})
			w.Retention = c.retention
			to, channel, canceled := ana, "sms", string(verify.Canceled)
			v, err := w.StartVerification(t.Context(), w.account, w.service,
				verify.StartParams{To: &to, Channel: &channel, Amount: "€ 39.99", Payee: "Acme"})
			if err != nil {
				t.Fatal(err)
			}
			if v, err = w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &canceled); err != nil {
				t.Fatal(err)
			}
			fetch := func() *verify.Verification {
				t.Helper()
				got, err := w.Verification(t.Context(), w.account, w.service, v.SID)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			w.advance(10*time.Minute + c.payments - time.Second)
			w.dropOld()
			if got := fetch(); got.Amount != "€ 39.99" || got.Payee != "Acme" {
				t.Errorf("too early the payment is %q to %q", got.Amount, got.Payee)
			}
			w.advance(time.Second)
			w.dropOld()
			if got := fetch(); got.Amount != "" || got.Payee != "" || got.Status != verify.Canceled || !got.UpdatedAt.Equal(v.UpdatedAt) {
				t.Errorf("afterwards the verification is %+v, want it as it was without its payment", got)
			}
		})
	}
}

// A walk over many verifications rests between its steps, and whoever stops the server does not wait
// for the rests.
func TestTheWalkRestsBetweenItsSteps(t *testing.T) {
	const rest = time.Second
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, verify.ServiceParams{})
		for i := range 250 {
			w.mustStart(fmt.Sprintf("+346%08d", 12345600+i), "sms")
		}
		w.SweepRest = rest
		w.advance(time.Hour)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), rest/2)
		defer cancel()
		if err := w.Sweep(ctx); err != nil || time.Since(began) != rest/2 {
			t.Errorf("a walk that is stopped in its first rest: %v after %s", err, time.Since(began))
		}
		began = time.Now()
		if err := w.Sweep(t.Context()); err != nil || time.Since(began) != 2*rest {
			t.Errorf("three steps took %s, %v; want two rests of %s", time.Since(began), err, rest)
		}
	})
}

// walked is a store that notes the walks over verifications that are over, and may fail them.
type walked struct {
	verify.Store
	walks *[]verify.Expiry
	err   error
}

type walkedTx struct {
	verify.Tx
	walked
}

func (s walked) Update(ctx context.Context, fn func(verify.Tx) error) error {
	return s.Store.Update(ctx, func(tx verify.Tx) error { return fn(walkedTx{tx, s}) })
}

func (t walkedTx) ExpireVerifications(w verify.Expiry, limit int) (verify.Expiry, bool, error) {
	if t.err != nil {
		return w, false, t.err
	}
	*t.walks = append(*t.walks, w)
	return t.Tx.ExpireVerifications(w, limit)
}

// A sweep goes over what has come due since the last one that succeeded, and once in an hour over all.
func TestASweepLooksAtWhatIsDue(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	var walks []verify.Expiry
	store := walked{Store: w.store, walks: &walks}
	sweep := func(want ...verify.Expiry) {
		t.Helper()
		walks, w.Engine.Store = nil, store
		if err := w.Sweep(t.Context()); !errors.Is(err, store.err) {
			t.Fatal(err)
		}
		for i := range want {
			want[i].Now, want[i].Forget = w.clock(), w.clock().Add(-time.Hour)
		}
		if diff := cmp.Diff(want, walks, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("walks:\n%s", diff)
		}
	}
	since := func(last time.Time) []verify.Expiry {
		now := w.clock()
		return []verify.Expiry{{After: last.Add(-time.Hour), Until: now.Add(-time.Hour)}, {After: last, Until: now}}
	}
	first := w.clock()
	sweep(verify.Expiry{Until: first}) // nothing is known after a start
	w.advance(time.Minute)
	sweep(since(first)...)
	second := w.clock()
	w.advance(time.Minute)
	store.err = errors.New("the disk is on fire")
	sweep()
	store.err = nil
	w.advance(time.Minute)
	sweep(since(second)...)
	w.advance(57 * time.Minute)
	sweep(verify.Expiry{Until: w.clock()})
	w.advance(-2 * time.Hour) // a clock that was ahead
	sweep(verify.Expiry{Until: w.clock()})
}

// However sweeps fall, a verification has lost its code once one has come by after its end, and is
// forgotten once one has come by an hour later.
func TestNothingDueEscapesTheSweep(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 6))
		ttl := 120 + r.IntN(7200)
		w := newWorld(t, verify.ServiceParams{CodeTTL: &ttl})
		var all []*verify.Verification
		for i := range 150 {
			w.advance(time.Duration(r.IntN(180)) * time.Second)
			if i < 100 {
				all = append(all, w.mustStart(fmt.Sprintf("+346%08d", 12345600+i), "sms"))
			}
			if r.IntN(3) > 0 {
				continue
			}
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, v := range all {
				var got *verify.Verification
				if err := w.store.View(t.Context(), func(tx verify.Tx) (err error) {
					got, err = tx.Verification(v.SID)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				over, forgotten := !w.clock().Before(v.ExpiresAt), !w.clock().Before(v.ExpiresAt.Add(time.Hour))
				if (got.CodeSealed == nil) != over || (got.Status == verify.Expired) != over || got.Current == forgotten {
					t.Fatalf("seed %d, %s after the end of %s: %s, current %v", seed, w.clock().Sub(v.ExpiresAt), v.SID, got.Status, got.Current)
				}
			}
		}
	}
}
