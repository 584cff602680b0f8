package verify_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

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
