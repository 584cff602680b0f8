//go:build full

package carrier

import (
	"fmt"
	"net/url"
	"regexp"
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

// calls are the providers of calls, each by the numbers of a country, and what a person does who is called.
// Infobip cannot wait for a key.
var calls = []struct{ provider, country, number, did string }{
	{"sip", "ES", "+34600000001", "pressed 1"},
	{"twilio", "FR", "+33612345670", "(pressed 1)"},
	{"vonage", "DE", "+4915123456780", "(pressed 1)"},
	{"infobip", "IT", "+393123456780", ""},
	{"telnyx", "PT", "+351912345670", "(pressed 1)"},
	{"plivo", "NL", "+31612345670", "(pressed 1)"},
	{"sinch", "BE", "+32470123450", "(pressed 1)"},
}

// mails are the providers of mail, in the order of the route. One that is not to have a mail refuses it.
var mails = []struct{ provider, state string }{
	{"smtp", "sent"}, // a relay says only what bounces
	{"postmark", "delivered"}, {"sendgrid", "delivered"}, {"ses", "sent"},
}

func TestEveryProviderDeliversAndItsReportIsInTheAttempt(t *testing.T) {
	routes := "[routes]\nemail = [\"smtp\", \"postmark\", \"sendgrid\", \"ses\"]\nwhatsapp = [\"whatsapp\"]\nrcs = [\"rcs\"]\n"
	for _, x := range texts {
		routes += fmt.Sprintf("[[routes.sms]]\ncountry = %q\nproviders = [%q]\n", x.country, x.provider)
	}
	for _, x := range calls {
		routes += fmt.Sprintf("[[routes.call]]\ncountry = %q\nproviders = [%q]\n", x.country, x.provider)
	}
	w := newWorld(t, routes+"[[routes.sms]]\ncountry = \"*\"\nproviders = [\"smpp\"]\n[[routes.call]]\ncountry = \"*\"\nproviders = [\"sip\"]\n")
	knobs := []string{`{"provider":"smtp","to":"*@bounce.example","report":["bad_recipient"]}`}
	for i, before := range mails {
		for _, x := range mails[i+1:] {
			knobs = append(knobs, fmt.Sprintf(`{"provider":%q,"to":"*@%s.example","answer":"bad_request"}`, before.provider, x.provider))
		}
	}
	w.ask("PUT", w.carrier+"/knobs", `{"knobs":[`+strings.Join(knobs, ",")+`]}`)
	sent := map[string]string{} // attempts by their destinations
	for _, x := range texts {
		sent[x.number] = w.start(x.number, "sms")
	}
	for _, x := range mails {
		sent["ann@"+x.provider+".example"] = w.start("ann@"+x.provider+".example", "email")
	}
	for to, channel := range map[string]string{"+447400123456": "whatsapp", "+447400123457": "rcs", "ann@bounce.example": "email"} {
		sent[to] = w.start(to, channel)
	}
	said := w.post("/v2/Services", url.Values{"FriendlyName": {"Said"}, "DtmfInputRequired": {"false"}})["sid"].(string)
	for _, x := range calls {
		service := w.service
		if x.did == "" {
			service = said
		}
		sent[x.number] = w.startBy(service, x.number, "call")
	}

	for _, x := range texts {
		w.came(x.provider, x.number, "")
		w.until(sent[x.number], `(?m)^provider +`+x.provider+`$`, `(?m)^state +`+x.state+`$`)
	}
	for _, x := range mails {
		to := "ann@" + x.provider + ".example"
		w.came(x.provider, to, "Acme")
		w.until(sent[to], `(?m)^provider +`+x.provider+`$`, `(?m)^state +`+x.state+`$`)
	}
	for _, x := range calls {
		heard := w.came(x.provider, x.number, x.did)
		w.until(sent[x.number], `(?m)^provider +`+x.provider+`$`, `(?m)^state +delivered$`)
		if spoken := regexp.MustCompile(`[0-9]{3} [0-9]{3}`); x.provider != "sip" && len(spoken.FindAllString(heard.Text, -1)) < 2 {
			t.Errorf("%s: the person heard no code twice: %s", x.provider, heard.Text)
		} else if x.provider == "sip" {
			if sound := w.ask("GET", fmt.Sprintf("%s/messages/%d/recording", w.carrier, heard.Number), ""); !strings.HasPrefix(sound, "RIFF") {
				t.Error("the recording is no WAV")
			}
		}
	}
	w.came("whatsapp", "+447400123456", "")
	w.until(sent["+447400123456"], `(?m)^state +delivered$`)
	w.came("rcs", "+447400123457", "Acme")
	w.until(sent["+447400123457"], `(?m)^provider +rcs$`, `(?m)^state +delivered$`)
	w.until(sent["ann@bounce.example"], `(?m)^state +undelivered$`, `5\.1\.1`)
}

// came is the message that a provider brought to somebody, with words in it.
func (w *world) came(provider, to, words string) message {
	w.Helper()
	got := w.messages(to, "")
	if len(got) != 1 || got[0].Provider != provider || !strings.Contains(got[0].Text, words) {
		w.Errorf("%s: %+v, want one with %q", provider, got, words)
		return message{}
	}
	return got[0]
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
