package twilio

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// A call is a Call resource with its first page inline (https://www.twilio.com/docs/voice/api/
// call-resource). For the pages behind it Twilio asks at report_url, with the page in the query; it
// proves itself there as it does for every report.

// callRefusals are the codes of an answer that creates no call, https://www.twilio.com/docs/api/errors.
// Others are judged by the status.
var callRefusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "21211 21217",                                           // not a number
	provider.BadRequest:   "20003 21210 21212 21213 21214 21215 21216 21219 21220", // caller, country, not reached, trial
	provider.Throttled:    "20429",
	provider.Unknown:      "20500",
})

const maxTwiML = 4000 // characters of the parameter Twiml

// callForm is the request of a call.
func (p *Provider) callForm(m provider.Message) (url.Values, *provider.Error) {
	script, failed := callscript.Compose(m, p.callFrom, p.from)
	if failed != nil {
		return nil, failed
	}
	say, ok := newVoice(script)
	if !ok {
		return nil, &provider.Error{Class: provider.BadRequest, Detail: "twilio does not speak the language of the message"}
	}
	twiml := ""
	if p.reportURL != nil {
		twiml = p.twiml(say, script, script.First, m.Key)
	} else {
		all, ok := script.All()
		if !ok {
			return nil, &provider.Error{Class: provider.BadRequest, Detail: "report_url is missing: a call that waits for a key asks there what to say"}
		}
		twiml = document(say.Lines(all) + "<Hangup/>")
	}
	if len([]rune(twiml)) > maxTwiML {
		return nil, &provider.Error{Class: provider.BadRequest, Detail: "the message is too long for a call"}
	}
	form := url.Values{
		"To": {m.To}, "From": {script.From}, "Twiml": {twiml}, "Timeout": {strconv.Itoa(callscript.Ring)}, "TimeLimit": {strconv.Itoa(callscript.Talk)},
	}
	if script.SendDigits != "" {
		form.Set("SendDigits", script.SendDigits) // w and W are Twilio's own
	}
	if p.reportURL != nil {
		form.Set("StatusCallback", p.reportURL.String()) // called when the call has ended, unless more is asked for
	}
	return form, nil
}

// ownVoice is a name of https://www.twilio.com/docs/voice/twiml/say/text-speech. A service may have set
// one that is somebody else's: a name that Twilio does not know is an error in the middle of a call.
var ownVoice = regexp.MustCompile(`^(man|woman|alice|(Polly|Google)\.[A-Za-z0-9.-]{1,60})$`)

// newVoice is what the script is spoken in; ok is false where Twilio does not speak its language.
func newVoice(s callscript.Script) (v callscript.Markup, ok bool) {
	tag, ok := callscript.Tags{}.Tag(s.Language)
	v = callscript.Markup{Say: "Say", Pause: "Pause", Attributes: ` language="` + tag + `"`}
	if ownVoice.MatchString(s.Voice) {
		v.Attributes += ` voice="` + s.Voice + `"`
	}
	return v, ok
}

func document(inside string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Response>` + inside + `</Response>`
}

// twiml is a page. A key is waited for twice; who presses none is hung up on.
func (p *Provider) twiml(v callscript.Markup, s callscript.Script, page callscript.Page, key string) string {
	if page.Then == nil {
		return document(v.Lines(page.Say) + "<Hangup/>")
	}
	next := callscript.Escape(callscript.At(p.reportURL, p.seal.Close(s, *page.Then, key)))
	if page.Ask != "" {
		return document(`<Gather input="dtmf" numDigits="1" finishOnKey="" timeout="5" method="POST" action="` + next + `">` +
			v.Sentence(page.Ask) + `<Pause length="5"/>` + v.Sentence(page.Ask) + `</Gather><Hangup/>`)
	}
	return document(v.Lines(page.Say) + `<Redirect method="POST">` + next + `</Redirect>`)
}

// asked is the page that a call asks for, if it does; ok is false where it asks for none that it may
// have.
func (p *Provider) asked(r *http.Request, form url.Values) (s callscript.Script, page callscript.Page, key string, ok bool) {
	return p.seal.Open(r.URL.Query().Get(callscript.Param), form.Get("Digits") != "", p.now())
}

// answer is the TwiML that a call is to go on with: nothing for a report.
func (p *Provider) answer(r *http.Request, body []byte) (mediaType, text string) {
	if !r.URL.Query().Has(callscript.Param) {
		return "", ""
	}
	form, _ := url.ParseQuery(string(body)) // was read before
	script, page, key, ok := p.asked(r, form)
	say, spoken := newVoice(script)
	if !ok || !spoken {
		return "text/xml; charset=utf-8", document("<Hangup/>")
	}
	return "text/xml; charset=utf-8", p.twiml(say, script, page, key)
}

// readCall reads what a call reports: that its code was said, by asking for the page behind it, or how
// it ended. The end of a call that was heard is reported too, as a failure; it comes behind the
// delivery, and changes nothing then.
func (p *Provider) readCall(r *http.Request, form url.Values) ([]provider.Report, error) {
	report := provider.Report{ID: httpsend.ID(form.Get("CallSid"))}
	if report.ID == "" {
		return nil, errors.New("the form is of no call")
	}
	if r.URL.Query().Has(callscript.Param) {
		_, page, _, ok := p.asked(r, form)
		if !ok || !page.Said {
			return nil, nil
		}
		report.State = provider.Delivered
		return []provider.Report{report}, nil
	}
	status := form.Get("CallStatus")
	switch status {
	case "busy", "no-answer", "canceled", "completed":
		report.Class = provider.Temporary
	case "failed":
		code, _ := strconv.Atoi(form.Get("SipResponseCode")) // none is 0
		report.Class = callscript.SIPClass(code, provider.Temporary)
		if code != 0 {
			status += " " + strconv.Itoa(code)
		}
	default: // queued, ringing, in-progress
		return nil, nil
	}
	report.State, report.Code = provider.Failed, status
	return []provider.Report{report}, nil
}
