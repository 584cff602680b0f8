package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

// recalled carries out the fallback that is due, with a carrier that says of its one message what say
// returns, and reports whether there was one.
func (w *world) recalled(say func(a *verify.Attempt) verify.RevocationOutcome) bool {
	w.t.Helper()
	job, found := w.claim(verify.Fallback)
	if !found {
		return false
	}
	f := verify.Fallbacks{Engine: w.Engine, Revoke: func(_ context.Context, a *verify.Attempt) verify.Revocations {
		return verify.Revocations{{Provider: "p", At: verify.MillisOf(w.clock()), Took: 7, Outcome: say(a), Code: "c", Detail: "d"}}
	}}
	if err := f.Work(w.t.Context(), job); err != nil {
		w.t.Fatal(err)
	}
	return true
}

func always(o verify.RevocationOutcome) func(*verify.Attempt) verify.RevocationOutcome {
	return func(*verify.Attempt) verify.RevocationOutcome { return o }
}

func (w *world) attemptNow(sid string) (a *verify.Attempt) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		a, err = tx.Attempt(sid)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// steps are the story of an attempt in short: what, what came of it, what follows.
func (w *world) steps(attemptSID string) (lines []string) {
	w.t.Helper()
	for _, s := range w.attemptNow(attemptSID).Story.Steps() {
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", s.Kind, s.Outcome, s.Decision)), " "))
		if s.Why == "" && s.Decision != "" {
			w.t.Errorf("a step without a reason: %+v", s)
		}
	}
	return lines
}

// A code goes on when the carrier has confirmed that the message before will not arrive, and only then.
func TestACodeGoesOnWhenItsMessageIsTakenBack(t *testing.T) {
	const revoked, kept, unclear = verify.Revoked, verify.Kept, verify.Unclear
	for _, c := range []struct {
		name    string
		says    []verify.RevocationOutcome // of one try after the other
		between func(w *world, v *verify.Verification)
		goesOn  bool
		state   verify.AttemptState
		after   time.Duration // since the first try
		want    []string
	}{
		{name: "confirmed", says: []verify.RevocationOutcome{revoked}, goesOn: true, state: verify.AttemptUndelivered,
			want: []string{"revoke revoked other", "fallback other"}},
		{name: "it has arrived, or may", says: []verify.RevocationOutcome{kept}, state: verify.AttemptSent,
			want: []string{"revoke kept stop"}},
		{name: "nobody says", says: []verify.RevocationOutcome{unclear, unclear, unclear, unclear, unclear}, state: verify.AttemptSent, after: 15 * time.Second,
			want: []string{"revoke unclear retry", "revoke unclear retry", "revoke unclear retry", "revoke unclear retry", "revoke unclear stop"}},
		{name: "in the end", says: []verify.RevocationOutcome{unclear, unclear, revoked}, goesOn: true, state: verify.AttemptUndelivered, after: 3 * time.Second,
			want: []string{"revoke unclear retry", "revoke unclear retry", "revoke revoked other", "fallback other"}},
		{name: "in the end it was too late", says: []verify.RevocationOutcome{unclear, kept}, state: verify.AttemptSent, after: time.Second,
			want: []string{"revoke unclear retry", "revoke kept stop"}},
		// The carrier may deliver in the moment in which it takes the message back.
		{name: "it arrives meanwhile", says: []verify.RevocationOutcome{revoked}, state: verify.AttemptDelivered,
			between: func(w *world, v *verify.Verification) {
				if err := w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered); err != nil {
					w.t.Fatal(err)
				}
			}, want: []string{"report delivered", "revoke revoked other"}},
		{name: "the person asks again meanwhile", says: []verify.RevocationOutcome{revoked}, state: verify.AttemptUndelivered,
			between: func(w *world, v *verify.Verification) { w.mustStart(ana, "rcs") },
			want:    []string{"revoke revoked other", "fallback stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := chained(t, "rcs,sms", verify.ServiceParams{FallbackAfter: new(30)})
			v := w.mustStart(ana, "rcs")
			first := v.Sends[0].AttemptSID
			w.delivered("rcs", verify.AttemptSent)
			w.advance(30 * time.Second)
			begun := w.clock()
			for i, says := range c.says {
				ok := w.recalled(func(*verify.Attempt) verify.RevocationOutcome {
					if c.between != nil {
						c.between(w, v)
					}
					return says
				})
				if !ok {
					t.Fatalf("try %d: there is no job", i+1)
				}
				if i < len(c.says)-1 {
					w.advance(time.Second << i)
				}
			}
			if w.recalled(always(revoked)) {
				t.Error("it goes on after its end")
			}
			var got []string
			for _, line := range w.steps(first) {
				got = append(got, strings.TrimSuffix(line, " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the story:\n%s", diff)
			}
			v = w.read(v)
			if goesOn := v.Sends[len(v.Sends)-1].Channel == verify.SMS; goesOn != c.goesOn || w.attemptNow(first).State != c.state || w.clock().Sub(begun) != c.after {
				t.Errorf("goes on: %v, %s, after %s", goesOn, w.attemptNow(first).State, w.clock().Sub(begun))
			}
		})
	}
}

// While the carrier is asked, it may report that the message failed. The job of that report has the place of
// the one that asks, and goes on.
func TestAReportThatComesWhileAMessageIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		says  verify.RevocationOutcome
		again bool // another route is tried
		want  []string
	}{
		{"it was taken back already", verify.Kept, false, []string{"report undelivered stop", "revoke kept stop", "fallback other"}},
		{"nobody says", verify.Unclear, false, []string{"report undelivered stop", "revoke unclear retry", "fallback other"}},
		{"both", verify.Revoked, false, []string{"report undelivered stop", "revoke revoked other", "fallback other"}},
		{"it goes by another route", verify.Kept, true, []string{"report undelivered next", "revoke kept stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := chained(t, "rcs,sms", verify.ServiceParams{FallbackAfter: new(10)})
			v := w.mustStart(ana, "rcs")
			first := v.Sends[0].AttemptSID
			w.delivered("rcs", verify.AttemptSent)
			w.advance(10 * time.Second)
			w.recalled(func(*verify.Attempt) verify.RevocationOutcome {
				r := verify.Report{Provider: "p", ID: first, State: verify.AttemptUndelivered, Class: "temporary"}
				if _, err := w.Report(t.Context(), r, func(*verify.Attempt) bool { return c.again }); err != nil {
					t.Fatal(err)
				}
				return c.says
			})
			if w.fallBack() == c.again {
				t.Errorf("another job was left: %v", !c.again)
			}
			if diff := cmp.Diff(c.want, w.steps(first)); diff != "" {
				t.Errorf("the story:\n%s", diff)
			}
			_, waits := w.claim("rcs")
			if sent := len(w.read(v).Sends) == 2; sent == c.again || waits != c.again {
				t.Errorf("it goes on: %v; the other route has its job: %v", sent, waits)
			}
		})
	}
}

// Nothing is taken back from a person who would get nothing instead.
func TestNothingIsTakenBackInVain(t *testing.T) {
	cancel := "canceled"
	for name, c := range map[string]struct {
		params  verify.ServiceParams
		between func(w *world, v *verify.Verification, code string)
	}{
		"the code is used": {between: func(w *world, v *verify.Verification, code string) {
			if _, _, err := w.check(ana, code); err != nil {
				w.t.Fatal(err)
			}
		}},
		"canceled": {between: func(w *world, v *verify.Verification, code string) {
			if _, err := w.UpdateVerification(w.t.Context(), w.account, w.service, v.SID, &cancel); err != nil {
				w.t.Fatal(err)
			}
		}},
		"asked again":               {between: func(w *world, _ *verify.Verification, _ string) { w.mustStart(ana, "rcs") }},
		"no send is left":           {params: verify.ServiceParams{MaxSends: new(1)}},
		"the next channel is off":   {params: verify.ServiceParams{DisabledChannels: new("sms")}},
		"the code has no time left": {between: func(w *world, _ *verify.Verification, _ string) { w.advance(9 * time.Minute) }},
		"it arrived": {between: func(w *world, v *verify.Verification, code string) {
			_ = w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered)
		}},
		"the person has enough of them": {between: func(w *world, _ *verify.Verification, _ string) { w.Limits = verify.BuiltIn(); w.fill(ana) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := chained(t, "rcs,sms", c.params)
			v := w.mustStart(ana, "rcs")
			code := w.code(v)
			w.delivered("rcs", verify.AttemptSent)
			if c.between != nil {
				c.between(w, v, code)
			}
			w.advance(20 * time.Second)
			w.recalled(func(*verify.Attempt) verify.RevocationOutcome {
				t.Error("it was taken back")
				return verify.Revoked
			})
		})
	}
}

// fill sends an address as many messages as it may have, in verifications of another service.
func (w *world) fill(to string) {
	w.t.Helper()
	service := w.service
	w.anotherService()
	w.bombard(to, "sms")
	w.service = service
}

// Without a word of the service a message of RCS is given twenty seconds; others wait for ever.
func TestHowLongAMessageOfRCSIsGiven(t *testing.T) {
	w := chained(t, "rcs,sms", verify.ServiceParams{})
	v := w.mustStart(ana, "rcs")
	w.delivered("rcs", verify.AttemptSent)
	w.advance(20*time.Second - time.Millisecond)
	if w.recalled(always(verify.Revoked)) {
		t.Fatal("it went on too early")
	}
	w.advance(time.Millisecond)
	w.recalled(always(verify.Revoked))
	if v = w.read(v); len(v.Sends) != 2 || v.Sends[1].Channel != verify.SMS {
		t.Errorf("%+v", v.Sends)
	}
}

// Where RCS does not reach a telephone, or a report says that the message was taken back, nothing is left
// to take back.
func TestWhatHasFailedIsNotTakenBack(t *testing.T) {
	w := chained(t, "rcs,sms", verify.ServiceParams{})
	v := w.mustStart(ana, "rcs")
	w.delivered("rcs", verify.AttemptSent)
	r := verify.Report{Provider: "p", ID: v.Sends[0].AttemptSID, State: verify.AttemptUndelivered, Class: "temporary", Code: "TTL_EXPIRATION_REVOKED"}
	if _, err := w.Report(t.Context(), r, func(*verify.Attempt) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if !w.fallBack() {
		t.Fatal("a message that its carrier took back goes nowhere")
	}
	if v = w.read(v); len(v.Sends) != 2 || v.Sends[1].Channel != verify.SMS {
		t.Errorf("%+v", v.Sends)
	}
	want := []string{"report undelivered stop", "fallback other"}
	if diff := cmp.Diff(want, w.steps(v.Sends[0].AttemptSID)); diff != "" {
		t.Errorf("the story:\n%s", diff)
	}
}

// A carrier that could not take a message back at the end of its life says so: it is told once, and
// nothing goes on.
func TestAMessageThatTheCarrierCouldNotTakeBack(t *testing.T) {
	w := chained(t, "rcs,sms", verify.ServiceParams{})
	v := w.mustStart(ana, "rcs")
	w.delivered("rcs", verify.AttemptSent)
	for range 2 {
		if err := w.report(v.Sends[0].AttemptSID, verify.AttemptSent); err != nil {
			t.Fatal(err)
		}
	}
	if w.fallBack() {
		t.Error("it goes on at once")
	}
	if diff := cmp.Diff([]string{"report not_revoked stop"}, w.steps(v.Sends[0].AttemptSID)); diff != "" {
		t.Errorf("the story:\n%s", diff)
	}
	if err := w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered); err != nil {
		t.Fatal(err)
	}
	if err := w.report(v.Sends[0].AttemptSID, verify.AttemptSent); err != nil {
		t.Fatal(err)
	}
	if got := w.attemptNow(v.Sends[0].AttemptSID); got.State != verify.AttemptDelivered || len(got.Story.Steps()) != 2 {
		t.Errorf("%s, %+v", got.State, got.Story.Steps())
	}
}

// A code that goes on is a message to its address as any other: 60626 bounds them together.
func TestACodeThatGoesOnCountsForTheLimitOfMessages(t *testing.T) {
	w := limited(t, verify.ServiceParams{Fallback: new("whatsapp,sms,call")})
	for sent := 0; sent < 10; sent += 2 {
		v := w.mustStart(ana, "whatsapp")
		w.delivered("whatsapp", verify.AttemptFailed)
		if !w.fallBack() {
			t.Fatal("it goes nowhere")
		}
		if got := w.read(v).Sends; got[len(got)-1].Channel != verify.SMS {
			t.Fatalf("after %d messages: %+v", sent, got)
		}
		w.cancel(v)
		w.advance(time.Second)
	}
	_, err := w.start(ana, "sms")
	if refused := refusal(err); refused == nil || refused.Code != verify.CodeNumberLimit {
		t.Errorf("the eleventh: %v", err)
	}
}

// Where one limit is reached the channels of another are left, and at the end of them nothing.
func TestAChannelWhoseLimitIsReachedIsPassedOver(t *testing.T) {
	w := limited(t, verify.ServiceParams{Fallback: new("whatsapp,sms,call")})
	v := w.mustStart(ana, "whatsapp")
	w.delivered("whatsapp", verify.AttemptFailed)
	w.fill(ana)
	if !w.fallBack() {
		t.Fatal("it goes nowhere")
	}
	got := w.read(v).Sends
	if got[len(got)-1].Channel != verify.Call {
		t.Errorf("%+v", got)
	}
	if why := w.whyOf(got[0].AttemptSID); !strings.HasPrefix(why, "sms is refused (60626); goes on by call") {
		t.Errorf("the story says %q", why)
	}
}
