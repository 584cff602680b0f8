package verify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// chained is a world whose service has a chain.
func chained(t *testing.T, chain string, p verify.ServiceParams) *world {
	t.Helper()
	p.Fallback = &chain
	return newWorld(t, p)
}

// claim takes the one job of a kind that is due, if there is one.
func (w *world) claim(kind string) (job verify.Job, found bool) {
	w.t.Helper()
	jobs, err := w.store.Claim(w.t.Context(), kind, w.clock(), w.clock().Add(time.Minute), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(jobs) == 0 {
		return job, false
	}
	return jobs[0], true
}

// delivered ends the delivery of the one attempt that waits on a channel.
func (w *world) delivered(channel string, state verify.AttemptState) *verify.Attempt {
	w.t.Helper()
	job, found := w.claim(channel)
	if !found {
		w.t.Fatalf("no message waits for %s", channel)
	}
	d, ok, err := w.Delivery(w.t.Context(), job.Ref)
	if err != nil || !ok {
		w.t.Fatal(ok, err)
	}
	r := verify.SendResult{State: state, HandOvers: 1, Provider: "p", ProviderID: "1", ReportKey: verify.ReportKey("p", job.Ref)}
	if err := w.RecordSend(w.t.Context(), job, d.Attempt, r); err != nil {
		w.t.Fatal(err)
	}
	return d.Attempt
}

// fallBack carries out the fallback that is due, and says whether there was one.
func (w *world) fallBack() bool {
	w.t.Helper()
	job, found := w.claim(verify.Fallback)
	if !found {
		return false
	}
	if err := (verify.Fallbacks{Engine: w.Engine}).Work(w.t.Context(), job); err != nil {
		w.t.Fatal(err)
	}
	return true
}

func (w *world) read(v *verify.Verification) (after *verify.Verification) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		after, err = tx.Verification(v.SID)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return after
}

func (w *world) whyOf(attemptSID string) string {
	w.t.Helper()
	var a *verify.Attempt
	if err := w.store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		a, err = tx.Attempt(attemptSID)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	steps := a.Story.Steps()
	if len(steps) == 0 || steps[len(steps)-1].Kind != verify.StepFallback {
		return ""
	}
	return steps[len(steps)-1].Why
}

func TestACodeGoesOnByTheNextChannel(t *testing.T) {
	w := chained(t, "whatsapp,sms,call", verify.ServiceParams{})
	v := w.mustStart(ana, "whatsapp")
	code := w.code(v)
	w.delivered("whatsapp", verify.AttemptFailed)
	if !w.fallBack() {
		t.Fatal("a message that failed goes nowhere")
	}
	v = w.read(v)
	if len(v.Sends) != 2 || v.Sends[1].Channel != verify.SMS || v.Channel != verify.SMS || !v.ExpiresAt.Equal(start.Add(10*time.Minute)) {
		t.Fatalf("%+v", v)
	}
	if why := w.whyOf(v.Sends[0].AttemptSID); why != "goes on by sms, attempt "+v.Sends[1].AttemptSID {
		t.Errorf("the story says %q", why)
	}
	if got := w.code(v); got != code {
		t.Errorf("the code is %s, was %s", got, code)
	}
	w.delivered("sms", verify.AttemptSent)
	if err := w.report(v.Sends[1].AttemptSID, verify.AttemptUndelivered); err != nil {
		t.Fatal(err)
	}
	if !w.fallBack() {
		t.Fatal("a message that did not arrive goes nowhere")
	}
	if v = w.read(v); len(v.Sends) != 3 || v.Sends[2].Channel != verify.Call {
		t.Fatalf("%+v", v.Sends)
	}
	a := w.delivered("call", verify.AttemptFailed)
	if w.fallBack() || !a.Options.PressKey {
		t.Error("the chain goes on behind its end, or the call is not as the service wants it")
	}
	if v, got, err := w.check(ana, code); err != nil || got != verify.CodeRight || v.Status != verify.Approved {
		t.Errorf("the code: %v, %v", got, err)
	}
}

// codeOf is what the carrier says besides.
var codeOf = map[verify.AttemptState]string{verify.AttemptUndelivered: "30005"}

func (w *world) report(attemptSID string, state verify.AttemptState) error {
	_, err := w.Report(w.t.Context(), verify.Report{Provider: "p", ID: attemptSID, State: state, Code: codeOf[state], Final: true}, func(*verify.Attempt) bool { return false })
	return err
}

func TestWhenACodeDoesNotGoOn(t *testing.T) {
	cancel := "canceled"
	for _, c := range []struct {
		name    string
		chain   string
		params  verify.ServiceParams
		state   verify.AttemptState
		between func(w *world, v *verify.Verification)
		want    string // of the story; "" where nobody is asked
	}{
		{name: "no chain", state: verify.AttemptFailed},
		{name: "a chain of other channels", chain: "whatsapp,rcs", state: verify.AttemptFailed},
		{name: "it was sent", chain: "sms,call", state: verify.AttemptSent},
		{name: "perhaps it was", chain: "sms,call", state: verify.AttemptUnknown},
		{name: "canceled", chain: "sms,call", state: verify.AttemptFailed, want: "the verification is over", between: func(w *world, v *verify.Verification) {
			if _, err := w.UpdateVerification(w.t.Context(), w.account, w.service, v.SID, &cancel); err != nil {
				w.t.Fatal(err)
			}
		}},
		{name: "asked again", chain: "sms,call", state: verify.AttemptFailed, want: "the person asked for another code meanwhile",
			between: func(w *world, _ *verify.Verification) { w.mustStart(ana, "sms") }},
		{name: "too late", chain: "sms,call", state: verify.AttemptFailed, want: "the code has no time left",
			between: func(w *world, _ *verify.Verification) { w.advance(9*time.Minute + time.Second) }},
		{name: "no send left", chain: "sms,call", params: verify.ServiceParams{MaxSends: new(1)}, state: verify.AttemptFailed, want: "no send is left"},
		{name: "switched off", chain: "sms,call", params: verify.ServiceParams{DisabledChannels: new("call")}, state: verify.AttemptFailed, want: "no other channel: call is refused (60223)"},
		{name: "nobody carries it any more", chain: "sms,call", state: verify.AttemptFailed, want: "no other channel: call is refused (60223)",
			between: func(w *world, _ *verify.Verification) {
				w.Routed = func(c verify.Channel) bool { return c == verify.SMS }
			}},
		{name: "the country is closed", chain: "sms,call", state: verify.AttemptFailed, want: "no other channel: call is refused (60605)",
			between: func(w *world, _ *verify.Verification) {
				if _, err := w.ChangeGeography(w.t.Context(), w.account, verify.GeoChange{Channels: []string{"call"}, Countries: []string{"ES"}, Permission: verify.Deny}); err != nil {
					w.t.Fatal(err)
				}
			}},
		{name: "the service is gone", chain: "sms,call", state: verify.AttemptFailed, want: "the verification is over",
			between: func(w *world, _ *verify.Verification) {
				if err := w.DeleteService(w.t.Context(), w.account, w.service); err != nil {
					w.t.Fatal(err)
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := chained(t, c.chain, c.params)
			v := w.mustStart(ana, "sms")
			w.delivered("sms", c.state)
			if c.between != nil {
				c.between(w, v)
			}
			if asked := w.fallBack(); asked != (c.want != "") {
				t.Fatalf("a fallback was left: %v", asked)
			}
			if got := w.whyOf(v.Sends[0].AttemptSID); got != c.want {
				t.Errorf("the story says %q, want %q", got, c.want)
			}
			if _, found := w.claim("call"); found {
				t.Error("a call was made")
			}
		})
	}
}

// What one channel refuses, the next may take: a payment's code is never read out by a call.
func TestARefusedChannelIsPassedOver(t *testing.T) {
	w := chained(t, "rcs,call,sms", verify.ServiceParams{PSD2Enabled: new(true)})
	w.payment = true
	v := w.mustStart(ana, "rcs")
	w.delivered("rcs", verify.AttemptFailed)
	w.fallBack()
	if v = w.read(v); len(v.Sends) != 2 || v.Sends[1].Channel != verify.SMS {
		t.Fatalf("%+v", v.Sends)
	}
	if why := w.whyOf(v.Sends[0].AttemptSID); !strings.HasPrefix(why, "call is refused (") || !strings.Contains(why, "goes on by sms") {
		t.Errorf("the story says %q", why)
	}
}

// A receipt that comes between the failure and the next channel spares it.
func TestALateReceiptSparesTheNextChannel(t *testing.T) {
	w := chained(t, "sms,call", verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	w.delivered("sms", verify.AttemptSent)
	for _, state := range []verify.AttemptState{verify.AttemptUndelivered, verify.AttemptDelivered} {
		if err := w.report(v.Sends[0].AttemptSID, state); err != nil {
			t.Fatal(err)
		}
	}
	w.fallBack()
	if v = w.read(v); len(v.Sends) != 1 {
		t.Errorf("%+v", v.Sends)
	}
}

func TestAChainThatCannotWorkIsRefused(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.Routed = func(c verify.Channel) bool { return c == verify.SMS || c == verify.WhatsApp }
	for chain, ok := range map[string]bool{
		"whatsapp,sms": true, "": true, "call,sms": true, // whose call is refused at its start already
		"sms": false, "sms,email": false, "email,sms": false, "sms,call": false, "sms,fax": false, "sms,sms": false,
	} {
		_, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{Fallback: &chain})
		if refused := refusal(err); (refused == nil) != ok || refused != nil && refused.Param != "Verifyd.Fallback" {
			t.Errorf("%q: %v", chain, err)
		}
	}
	// What was set is no reason to refuse another change later, whatever has become of the routes.
	chain := "whatsapp,sms"
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{Fallback: &chain}); err != nil {
		t.Fatal(err)
	}
	w.Routed = func(verify.Channel) bool { return false }
	name := "Other"
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{FriendlyName: &name}); err != nil {
		t.Error(err)
	}
}

// A carrier that took the message and says nothing more is given the time that the service says.
func TestACodeGoesOnAfterAWhileWithoutAReceipt(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   verify.AttemptState
		between func(w *world, v *verify.Verification, code string)
		goesOn  bool
	}{
		{"nothing is heard", verify.AttemptSent, nil, true},
		{"nobody knows whether it was sent", verify.AttemptUnknown, nil, true},
		{"it arrived", verify.AttemptSent, func(w *world, v *verify.Verification, _ string) {
			if err := w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered); err != nil {
				w.t.Fatal(err)
			}
		}, false},
		{"the code came back", verify.AttemptSent, func(w *world, _ *verify.Verification, code string) {
			if _, _, err := w.check(ana, code); err != nil {
				w.t.Fatal(err)
			}
		}, false},
		{"asked again", verify.AttemptSent, func(w *world, _ *verify.Verification, _ string) { w.mustStart(ana, "sms") }, false},
		{"another route is being tried", verify.AttemptSent, func(w *world, v *verify.Verification, _ string) {
			r := verify.Report{Provider: "p", ID: v.Sends[0].AttemptSID, State: verify.AttemptUndelivered}
			if _, err := w.Report(w.t.Context(), r, func(*verify.Attempt) bool { return true }); err != nil {
				w.t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := chained(t, "sms,call", verify.ServiceParams{FallbackAfter: new(30)})
			v := w.mustStart(ana, "sms")
			code := w.code(v)
			w.delivered("sms", c.state)
			w.advance(10 * time.Second)
			if c.between != nil {
				c.between(w, v, code)
			}
			w.advance(20*time.Second - time.Millisecond)
			if w.fallBack() {
				t.Fatal("it went on too early")
			}
			w.advance(time.Millisecond)
			w.fallBack()
			v = w.read(v)
			if calls := v.Sends[len(v.Sends)-1].Channel == verify.Call; calls != c.goesOn {
				t.Errorf("goes on: %v, want %v; the story says %q", calls, c.goesOn, w.whyOf(v.Sends[0].AttemptSID))
			}
		})
	}
	// Without that time it waits for ever.
	w := chained(t, "sms,call", verify.ServiceParams{})
	w.mustStart(ana, "sms")
	w.delivered("sms", verify.AttemptSent)
	w.advance(8 * time.Minute)
	if w.fallBack() {
		t.Error("it goes on though nobody wanted that")
	}
}
