package verify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

// messages are the events about messages, sorted.
func (w *world) messages() []string {
	w.t.Helper()
	return append([]string{}, mapped(w.announced(
		"message.sent", "message.delivered", "message.read", "message.undelivered", "message.failed",
		"attempt-dlr.sent", "attempt-dlr.delivered", "attempt-dlr.read", "attempt-dlr.undelivered", "attempt-dlr.failed",
	))...)
}

// mapped takes the verification out of what announced returns.
func mapped(list []string) (kinds []string) {
	for _, line := range list {
		kind, _, _ := strings.Cut(line, " ")
		kinds = append(kinds, kind)
	}
	return kinds
}

func TestAMessageIsAnnouncedAsItMoves(t *testing.T) {
	for _, c := range []struct {
		name    string
		sent    verify.AttemptState
		reports []verify.AttemptState
		want    []string
	}{
		{"sent", verify.AttemptSent, nil, []string{"message.sent"}},
		{"failed", verify.AttemptFailed, nil, []string{"message.failed"}},
		{"nobody knows", verify.AttemptUnknown, nil, []string{}},
		{"to be tried again", verify.AttemptQueued, nil, []string{}},
		{"delivered, and again", verify.AttemptSent, []verify.AttemptState{verify.AttemptDelivered, verify.AttemptDelivered}, []string{"message.delivered", "message.sent"}},
		{"read", verify.AttemptSent, []verify.AttemptState{verify.AttemptDelivered, verify.AttemptRead, verify.AttemptDelivered}, []string{"message.delivered", "message.read", "message.sent"}},
		{"undelivered", verify.AttemptSent, []verify.AttemptState{verify.AttemptUndelivered, verify.AttemptUndelivered}, []string{"message.sent", "message.undelivered"}},
		{"delivered after all", verify.AttemptUnknown, []verify.AttemptState{verify.AttemptUndelivered, verify.AttemptDelivered}, []string{"message.delivered", "message.undelivered"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := subscribed(t, verify.ServiceParams{})
			w.announces("message.*")
			v := w.mustStart(ana, "sms")
			w.delivered("sms", c.sent)
			for _, state := range c.reports {
				if err := w.report(v.Sends[0].AttemptSID, state); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, w.messages()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A message that goes out by another route was not undelivered: it is announced when that is known.
func TestAnotherRouteIsNoEnd(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{})
	w.announces("message.*")
	v := w.mustStart(ana, "sms")
	w.delivered("sms", verify.AttemptSent)
	r := verify.Report{Provider: "p", ID: v.Sends[0].AttemptSID, State: verify.AttemptUndelivered}
	if _, err := w.Report(t.Context(), r, func(*verify.Attempt) bool { return true }); err != nil {
		t.Fatal(err)
	}
	w.delivered("sms", verify.AttemptSent)
	if err := w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"message.delivered", "message.sent", "message.sent"}, w.messages()); diff != "" {
		t.Error(diff)
	}
}

// A report that came while the message was handed over once more is not told a second time.
func TestAReportDuringASendIsToldOnce(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{})
	w.announces("message.*")
	v := w.mustStart(ana, "sms")
	w.delivered("sms", verify.AttemptSent)
	a := v.Sends[0].AttemptSID
	r := verify.Report{Provider: "p", ID: a, State: verify.AttemptUndelivered}
	if _, err := w.Report(t.Context(), r, func(*verify.Attempt) bool { return true }); err != nil {
		t.Fatal(err)
	}
	job, found := w.claim("sms")
	if !found {
		t.Fatal("the message is not sent again")
	}
	d, ok, err := w.Delivery(t.Context(), job.Ref)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := w.report(a, verify.AttemptDelivered); err != nil {
		t.Fatal(err)
	}
	if err := w.RecordSend(t.Context(), job, d.Attempt, verify.SendResult{State: verify.AttemptSent, HandOvers: 1, Provider: "p", ProviderID: "2"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"message.delivered", "message.sent"}, w.messages()); diff != "" {
		t.Error(diff)
	}
}

// Nothing is told to a service that does not subscribe, or that is gone, whether or not this node has it in
// memory.
func TestMessagesOfOthersAreNotAnnounced(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"no subscriber": func(w *world) {
			if _, err := w.UpdateService(w.t.Context(), w.account, w.service, verify.ServiceParams{VerifyEventSubscription: new(false)}); err != nil {
				w.t.Fatal(err)
			}
		},
		"no service": func(w *world) {
			if err := w.DeleteService(w.t.Context(), w.account, w.service); err != nil {
				w.t.Fatal(err)
			}
		},
		"no sink": func(w *world) { w.Announced = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := subscribed(t, verify.ServiceParams{})
			v := w.mustStart(ana, "sms")
			w.delivered("sms", verify.AttemptSent)
			before := len(w.told())
			change(w)
			if err := w.report(v.Sends[0].AttemptSID, verify.AttemptDelivered); err != nil {
				t.Fatal(err)
			}
			if told := w.told(); len(told) != before {
				t.Errorf("told %v", kindsOf(told))
			}
		})
	}
}

// The members and their order are those of the factors reference, section 9, and error_code and tags those of
// Twilio's published schemas AccountSecurity.MessageStatusEvent and AccountSecurity.VerifyEventStreamDLREvent.
func TestTheBodiesOfMessageEvents(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{Fallback: new("sms,call")})
	to, sms := ana, "sms"
	v, err := w.StartVerification(t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &sms, Tags: `{"order":"17"}`})
	if err != nil {
		t.Fatal(err)
	}
	w.delivered("sms", verify.AttemptSent)
	r := verify.Report{Provider: "p", ID: v.Sends[0].AttemptSID, State: verify.AttemptUndelivered, Code: "30005", MCC: "214", MNC: "07", Final: true}
	if _, err := w.Report(t.Context(), r, func(*verify.Attempt) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if !w.fallBack() {
		t.Fatal("the code goes nowhere")
	}
	w.delivered("call", verify.AttemptFailed)
	event := func(kind, schema, data string) string {
		return `[{"specversion":"1.0","type":"com.twilio.accountsecurity.verify.` + kind + `","source":"…","id":"…",` +
			`"dataschema":"https://events-schemas.twilio.com/AccountSecurity.` + schema + `","datacontenttype":"application/json","time":"2026-11-24T12:00:00.000Z",` +
			`"data":{"channel":` + data + `}}]`
	}
	about, of := `"verification_sid":"…","attempt_sid":"…","to":"+34612345678",`, `"account_sid":"…","service_sid":"…",`
	made := `"created_at":"2026-11-24T12:00:00.000000Z"`
	for kind, want := range map[string]string{
		"message.sent": event("message.sent", "MessageStatusEvent/1",
			`"SMS",`+about+`"message_status":"SENT",`+of+`"mcc":"","mnc":"","has_fallback":true,"is_fallback":false,`+made+`,"tags":{"order":"17"}`),
		"message.undelivered": event("message.undelivered", "MessageStatusEvent/1",
			`"SMS",`+about+`"message_status":"UNDELIVERED",`+of+`"mcc":"214","mnc":"07","has_fallback":true,"is_fallback":false,`+made+`,"error_code":"30005","tags":{"order":"17"}`),
		"attempt-dlr.undelivered": event("attempt-dlr.undelivered", "VerifyEventStreamDLREvent/1",
			`"SMS",`+about+`"dlr_status":"UNDELIVERED",`+of+`"mcc":"214","mnc":"07","has_fallback":true,"is_fallback":false,`+made+`,"error_code":"30005","tags":{"order":"17"}`),
		"message.failed": event("message.failed", "MessageStatusEvent/1",
			`"CALL",`+about+`"message_status":"FAILED",`+of+`"mcc":"","mnc":"","has_fallback":false,"is_fallback":true,`+made+`,"tags":{"order":"17"}`),
	} {
		if diff := cmp.Diff(want, w.body(kind)); diff != "" {
			t.Errorf("%s:\n%s", kind, diff)
		}
	}
}

// A message that was taken back is at its end, as if its carrier had reported that it did not arrive.
func TestAMessageThatIsTakenBackIsAnnounced(t *testing.T) {
	for says, want := range map[verify.RevocationOutcome][]string{
		verify.Revoked: {"message.sent", "message.undelivered"},
		verify.Kept:    {"message.sent"},
		verify.Unclear: {"message.sent"},
	} {
		w := chained(t, "rcs,sms", verify.ServiceParams{FallbackAfter: new(30), VerifyEventSubscription: new(true)})
		w.announces("message.*")
		w.mustStart(ana, "rcs")
		w.delivered("rcs", verify.AttemptSent)
		w.advance(30 * time.Second)
		if !w.recalled(always(says)) {
			t.Fatal("there is no job")
		}
		if diff := cmp.Diff(want, w.messages()); diff != "" {
			t.Errorf("%s:\n%s", says, diff)
		}
	}
}
