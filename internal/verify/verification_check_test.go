package verify_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestAPersonIsVerified(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	if v.Status != verify.Pending || len(v.Sends) != 1 || v.ExpiresAt != start.Add(10*time.Minute) || v.Country != "ES" {
		t.Fatalf("started %+v", v)
	}
	code := w.code(v)
	got, outcome, err := w.check(ana, other(code))
	if err != nil || outcome != verify.CodeWrong || got.Status != verify.Pending || got.Checks != 1 {
		t.Fatalf("wrong code: %+v, %d, %v", got, outcome, err)
	}
	got, outcome, err = w.check(ana, code)
	if err != nil || outcome != verify.CodeRight || got.Status != verify.Approved || got.SID != v.SID {
		t.Fatalf("right code: %+v, %d, %v", got, outcome, err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonApproved)
	_, err = w.Verification(t.Context(), w.account, w.service, v.SID)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonApproved)
	if next := w.mustStart(ana, "sms"); next.SID == v.SID || next.Checks != 0 {
		t.Errorf("the next start gave the approved verification")
	}
}

func TestAResendKeepsSIDCodeAndEnd(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	first := w.mustStart(ana, "sms")
	code := w.code(first)
	for i, channel := range []string{"call", "whatsapp", "rcs", "sms"} {
		w.advance(time.Minute)
		v := w.mustStart(ana, channel)
		if v.SID != first.SID || len(v.Sends) != i+2 || v.Channel != verify.Channel(channel) || v.ExpiresAt != first.ExpiresAt {
			t.Fatalf("resend by %s gave %+v", channel, v)
		}
		if got := w.code(v); got != code {
			t.Fatalf("resend by %s has code %s, want %s", channel, got, code)
		}
	}
	_, err := w.start(ana, "sms")
	wantCode(t, err, verify.CodeMaxSends, "")
	if refused, _ := errors.AsType[*verify.Error](err); refused.RetryAfter != 6*time.Minute {
		t.Errorf("told to try again in %s, want the six minutes that are left", refused.RetryAfter)
	}
	if v, err := w.Verification(t.Context(), w.account, w.service, ana); err != nil || len(v.Sends) != 5 {
		t.Errorf("the refused send counts: %+v, %v", v, err)
	}
}

func TestSixthCheckIsRefusedEvenWithTheRightCode(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	for i := range 5 {
		if _, outcome, err := w.check(ana, other(code)); err != nil || outcome != verify.CodeWrong {
			t.Fatalf("check %d: %d, %v", i+1, outcome, err)
		}
	}
	_, _, err := w.check(ana, code)
	wantCode(t, err, verify.CodeMaxChecks, "")
	_, err = w.start(ana, "sms")
	wantCode(t, err, verify.CodeMaxChecks, "")
	if got, err := w.Verification(t.Context(), w.account, w.service, v.SID); err != nil || got.Status != verify.MaxAttemptsReached {
		t.Fatalf("fetch: %+v, %v", got, err)
	}
	w.advance(10 * time.Minute)
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonMaxAttempts)
	w.mustStart(ana, "sms")
}

func TestAnExpiredCodeIsRefusedBeforeAndAfterTheSweep(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	w.advance(10 * time.Minute)
	_, _, err := w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
	if _, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); ok || err != nil {
		t.Errorf("an expired code would still be sent: %v, %v", ok, err)
	}
	w.advance(2 * time.Hour)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonNeverExisted)
	_, err = w.Verification(t.Context(), w.account, w.service, v.SID)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
}

func TestCancelFreesTheNumber(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	canceled := "canceled"
	got, err := w.UpdateVerification(t.Context(), w.account, w.service, ana, &canceled)
	if err != nil || got.Status != verify.Canceled {
		t.Fatalf("cancel by number: %+v, %v", got, err)
	}
	if _, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); ok || err != nil {
		t.Errorf("a canceled code would still be sent: %v, %v", ok, err)
	}
	_, err = w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &canceled)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonCanceled)
	if got, err := w.Verification(t.Context(), w.account, w.service, v.SID); err != nil || got.Status != verify.Canceled {
		t.Errorf("fetch: %+v, %v", got, err)
	}
	if next := w.mustStart(ana, "sms"); next.SID == v.SID {
		t.Error("the next start gave the canceled verification")
	}
}

// Half of the callers hang up, which must not make a guess free.
func TestFiftySimultaneousChecksCompareFiveTimes(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	code := other(w.code(w.mustStart(ana, "sms")))
	var wrong, spent atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				go cancel()
			}
			to := ana
			_, outcome, err := w.CheckVerification(ctx, w.account, w.service, verify.CheckParams{To: &to, Code: &code})
			refused, isRefusal := errors.AsType[*verify.Error](err)
			switch {
			case err == nil && outcome == verify.CodeWrong:
				wrong.Add(1)
			case isRefusal && refused.Code == verify.CodeMaxChecks:
				spent.Add(1)
			case !errors.Is(err, context.Canceled):
				t.Errorf("check %d: %d, %v", i, outcome, err)
			}
		})
	}
	all.Wait()
	v, err := w.Verification(t.Context(), w.account, w.service, ana)
	if err != nil || v.Checks != 5 || v.Status != verify.MaxAttemptsReached || wrong.Load() > 5 {
		t.Errorf("%d compared, %d answered wrong, status %s, %v; want exactly 5 compared", v.Checks, wrong.Load(), v.Status, err)
	}
}
