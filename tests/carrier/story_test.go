//go:build full

package carrier

import (
	"fmt"
	"strings"
	"testing"
)

// texts are the providers of text messages, each by the numbers of a country.
var texts = []struct{ provider, country, number, state string }{
	{"smpp", "ES", "+34612345678", "delivered"},
	{"twilio", "FR", "+33612345678", "delivered"},
	{"vonage", "DE", "+4915123456789", "delivered"},
	{"infobip", "IT", "+393123456789", "delivered"},
	{"telnyx", "PT", "+351912345678", "delivered"},
	{"plivo", "NL", "+31612345678", "delivered"},
	{"sinch", "BE", "+32470123456", "delivered"},
	{"africastalking", "KE", "+254712123456", "delivered"},
	{"msg91", "IN", "+919812345678", "delivered"},
	{"http", "AT", "+436641234567", "delivered"},
	{"aws", "SE", "+46701234567", "sent"}, // has no report that could be proved
	{"httpapi", "PL", "+48512345678", "sent"},
}

func TestEveryProviderDeliversAndItsReportIsInTheAttempt(t *testing.T) {
	routes := "[routes]\ncall = [\"sip\"]\nemail = [\"smtp\"]\nwhatsapp = [\"whatsapp\"]\n"
	for _, x := range texts {
		routes += fmt.Sprintf("[[routes.sms]]\ncountry = %q\nproviders = [%q]\n", x.country, x.provider)
	}
	w := newWorld(t, routes+"[[routes.sms]]\ncountry = \"*\"\nproviders = [\"smpp\"]\n")
	attempts := map[string]string{}
	for _, x := range texts {
		attempts[x.provider] = w.start(x.number, "sms")
	}
	attempts["whatsapp"] = w.start("+447400123456", "whatsapp")
	attempts["sip"] = w.start("+34600000001", "call")
	attempts["smtp"] = w.start("ann@acme.example", "email")
	w.ask("PUT", w.carrier+"/knobs", `{"knobs":[{"provider":"smtp","to":"*@bounce.example","report":["bad_recipient"]}]}`)
	bounced := w.start("ann@bounce.example", "email")

	for _, x := range texts {
		got := w.messages(x.number, "")
		if len(got) != 1 || got[0].Provider != x.provider {
			t.Errorf("%s: %+v", x.provider, got)
		}
		w.until(attempts[x.provider], `(?m)^provider +`+x.provider+`$`, `(?m)^state +`+x.state+`$`)
	}
	w.until(attempts["whatsapp"], `(?m)^state +delivered$`)
	w.until(attempts["sip"], `(?m)^state +delivered$`)
	w.until(attempts["smtp"], `(?m)^state +sent$`)
	w.until(bounced, `(?m)^state +undelivered$`, `5\.1\.1`)
	if got := w.messages("ann@acme.example", ""); len(got) != 1 || !strings.Contains(got[0].Text, "Acme") {
		t.Errorf("smtp: %+v", got)
	}
	if got := w.messages("+34600000001", ""); len(got) != 1 || !strings.Contains(got[0].Text, "pressed 1") {
		t.Errorf("sip: %+v", got)
	} else if sound := w.ask("GET", fmt.Sprintf("%s/messages/%d/recording", w.carrier, got[0].Number), ""); !strings.HasPrefix(sound, "RIFF") {
		t.Error("the recording is no WAV")
	}
}

// TestWhatVerifydMakesOfEachKnob turns the knob of the first of two routes, and looks at which of them the
// message arrives, and at what the attempt's story says.
func TestWhatVerifydMakesOfEachKnob(t *testing.T) {
	w := newWorld(t, "[routes]\nsms = [\"smpp\", \"vonage\"]\n")
	for i, c := range []struct {
		knob  string
		by    string // the provider by which it arrives, "" for none
		story []string
	}{
		{`{"provider":"smpp","latency":"200ms"}`, "smpp", []string{`(?m)^state +delivered$`}},
		{`{"provider":"smpp","report":["sent","delivered","delivered"]}`, "smpp", []string{`(?m)^state +delivered$`}},
		{`{"provider":"smpp","report":["delivered","failed"],"report_after":"100ms"}`, "smpp", []string{`(?m)^state +delivered$`}},
		{`{"provider":"smpp","report_first":true}`, "smpp", []string{`(?m)^state +delivered$`}},
		{`{"provider":"smpp","report":[]}`, "smpp", []string{`(?m)^state +sent$`}},
		{`{"provider":"smpp","answer":"temporary"}`, "vonage", []string{`smpp +[0-9.ms]+ +temporary`, `(?m)^provider +vonage$`}},
		{`{"provider":"smpp","answer":"bad_request"}`, "vonage", []string{`smpp +[0-9.ms]+ +bad_request`, `(?m)^state +delivered$`}},
		{`{"provider":"smpp","answer":"bad_recipient"}`, "", []string{`(?m)^state +failed$`, `bad_recipient`}},
		// A report that it failed moves the message to the other route: a lie costs a second message.
		{`{"provider":"smpp","report":["failed"]}`, "smpp vonage", []string{`(?m)^provider +vonage$`, `(?m)^state +delivered$`}},
		{`{"provider":"smpp","arrives":false,"report":["failed"]}`, "vonage", []string{`(?m)^state +delivered$`}},
		// A lie the other way costs the person their message.
		{`{"provider":"smpp","arrives":false,"report":["delivered"]}`, "", []string{`(?m)^state +delivered$`}},
		// Perhaps sent: the other route after eight seconds in which no code came back.
		{`{"provider":"smpp","answer":"dropped"}`, "vonage", []string{`smpp +[0-9.ms]+ +unknown`, `(?m)^state +delivered$`}},
		{`{"provider":"smpp","answer":"closed"}`, "vonage", []string{`smpp +[0-9.ms]+ +temporary`, `(?m)^state +delivered$`}},
		{`{"provider":"smpp","tps":0,"answer":"throttled"}`, "vonage", []string{`(?m)^provider +vonage$`, `(?m)^state +delivered$`}},
	} {
		w.ask("PUT", w.carrier+"/knobs", `{"knobs":[`+c.knob+`]}`)
		to := fmt.Sprintf("+346123456%02d", i)
		story := w.until(w.start(to, "sms"), c.story...)
		var by []string
		for _, m := range w.messages(to, "&all=true") {
			if m.Arrived {
				by = append(by, m.Provider)
			}
		}
		if got := strings.Join(by, " "); got != c.by {
			t.Errorf("%s: it arrived by %q, want %q\n%s", c.knob, got, c.by, story)
		}
	}
}
