package plivo

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// A call is made without words (https://www.plivo.com/docs/voice/api/call/make-a-call): Plivo asks at
// report_url what to say, first when somebody answers, and for each page behind it. Those calls are
// proved by X-Plivo-Signature-V3, which is over the URL and the body.

// callRequest is the body of a call.
type callRequest struct {
	From         string `json:"from"`
	To           string `json:"to"`
	AnswerURL    string `json:"answer_url"`
	AnswerMethod string `json:"answer_method"`
	HangupURL    string `json:"hangup_url"`
	HangupMethod string `json:"hangup_method"`
	SendDigits   string `json:"send_digits,omitempty"`
	TimeLimit    int    `json:"time_limit"`
	HangupOnRing int    `json:"hangup_on_ring"`
}

func (p *Provider) callRequest(m provider.Message) (callRequest, *provider.Error) {
	script, failed := callscript.Compose(m, p.callFrom, p.from)
	if failed != nil {
		return callRequest{}, failed
	}
	if p.reportURL == nil {
		return callRequest{}, &provider.Error{Class: provider.BadRequest, Detail: "report_url is missing: a call asks there what to say"}
	}
	if _, ok := newVoice(script); !ok {
		return callRequest{}, &provider.Error{Class: provider.BadRequest, Detail: "plivo does not speak the language of the message"}
	}
	return callRequest{
		From: strings.TrimPrefix(script.From, "+"), To: strings.TrimPrefix(m.To, "+"),
		AnswerURL: p.page(script, script.First, m.Key), AnswerMethod: http.MethodPost,
		HangupURL: p.page(script, callscript.Page{}, m.Key), HangupMethod: http.MethodPost,
		SendDigits: script.SendDigits, // w and W are Plivo's own
		TimeLimit:  callscript.Talk, HangupOnRing: callscript.Ring,
	}, nil
}

// page is where a page is asked for.
func (p *Provider) page(s callscript.Script, page callscript.Page, key string) string {
	return callscript.At(p.reportURL, p.seal.Close(s, page, key))
}

// voices are those of Amazon Polly for languages that Plivo's own voice, WOMAN, does not speak
// (https://www.plivo.com/docs/voice/concepts/ssml-overview).
var voices = map[string]string{"ja-JP": "Polly.Mizuki", "ko-KR": "Polly.Seoyeon", "nb-NO": "Polly.Liv", "cmn-CN": "Polly.Zhiyu"}

var tags = callscript.Tags{"ca": "", "fi": "", "zh-HK": "", "zh": "cmn-CN", "zh-CN": "cmn-CN"}

// newVoice is what the script is spoken in; ok is false where Plivo does not speak its language.
func newVoice(s callscript.Script) (v callscript.Markup, ok bool) {
	tag, ok := tags.Tag(s.Language)
	v = callscript.Markup{Say: "Speak", Pause: "Wait", Attributes: ` language="` + tag + `"`}
	if name := voices[tag]; name != "" {
		v.Attributes += ` voice="` + name + `"`
	}
	return v, ok
}

func document(inside string) string { return "<Response>" + inside + "</Response>" }

// xml is a page. A key is waited for twice; who presses none is hung up on.
func (p *Provider) xml(v callscript.Markup, s callscript.Script, page callscript.Page, key string) string {
	if page.Then == nil {
		return document(v.Lines(page.Say) + "<Hangup/>")
	}
	next := callscript.Escape(p.page(s, *page.Then, key))
	if page.Ask != "" {
		return document(`<GetDigits action="` + next + `" method="POST" timeout="5" numDigits="1" retries="2" redirect="true" finishOnKey="none" log="false">` +
			v.Sentence(page.Ask) + `</GetDigits><Hangup/>`)
	}
	return document(v.Lines(page.Say) + `<Redirect method="POST">` + next + `</Redirect>`)
}

// ended are the CallStatus of a call that is over.
var ended = []string{"busy", "no-answer", "timeout", "cancel", "failed", "completed"}

// answer is the XML that a call is to go on with: nothing for a report.
func (p *Provider) answer(r *http.Request, body []byte) (mediaType, text string) {
	form, _ := url.ParseQuery(string(body)) // was read before
	if !ofCall(r, form) || slices.Contains(ended, form.Get("CallStatus")) {
		return "", ""
	}
	script, page, key, ok := p.asked(r, form)
	v, spoken := newVoice(script)
	if !ok || !spoken {
		return "text/xml; charset=utf-8", document("<Hangup/>")
	}
	return "text/xml; charset=utf-8", p.xml(v, script, page, key)
}

func ofCall(r *http.Request, form url.Values) bool {
	return form.Has("CallUUID") || r.URL.Query().Has(callscript.Param)
}

func (p *Provider) asked(r *http.Request, form url.Values) (s callscript.Script, page callscript.Page, key string, ok bool) {
	return p.seal.Open(r.URL.Query().Get(callscript.Param), form.Get("Digits") != "", p.now())
}

// readCall reads what a call reports: that its code was said, by asking for the page behind it, or how
// it ended. The end of a call that was heard comes behind its delivery, and changes nothing then.
func (p *Provider) readCall(r *http.Request, form url.Values) []provider.Report {
	_, page, key, ok := p.asked(r, form)
	report := provider.Report{Key: key}
	if key == "" { // the code has expired meanwhile
		for _, name := range []string{"ALegRequestUUID", "RequestUUID", "CallUUID"} {
			if report.ID == "" {
				report.ID = httpsend.ID(form.Get(name))
			}
		}
	}
	status := form.Get("CallStatus")
	switch {
	case slices.Contains(ended, status):
		report.State, report.Class, report.Code = provider.Failed, provider.Temporary, status
		if cause := form.Get("HangupCauseCode"); cause != "" {
			report.Code = httpsend.ID(status + " " + cause)
		}
		report.Price = httpsend.Price(form.Get("TotalCost"), "USD")
	case ok && page.Said:
		report.State = provider.Delivered
	}
	if report.State == 0 || report.ID == "" && report.Key == "" {
		return nil
	}
	return []provider.Report{report}
}

// proveCall checks X-Plivo-Signature-V3, https://www.plivo.com/docs/voice/concepts/signature-validation.
// Several signatures may stand in the header, one for each token of the account.
func (p *Provider) proveCall(r *http.Request, form url.Values) error {
	nonce := r.Header.Get("X-Plivo-Signature-V3-Nonce")
	mac := httpreport.MAC(sha256.New, p.authToken, signedCall(httpreport.PublicURL(p.reportURL, r), form), ".", nonce)
	given := r.Header.Get("X-Plivo-Signature-V3") + "," + r.Header.Get("X-Plivo-Signature-Ma-V3")
	for signature := range strings.SplitSeq(given, ",") {
		if nonce != "" && httpreport.EqualBase64(mac, strings.TrimSpace(signature)) {
			return nil
		}
	}
	return httpreport.ErrProof
}

// signedCall is the URL with its query sorted, and behind it the names and values of the form.
func signedCall(u *url.URL, form url.Values) string {
	bare := *u
	bare.RawQuery = ""
	text := bare.String()
	query := pairs(u.Query(), "=", "&")
	if query != "" || len(form) > 0 {
		text += "?" + query
	}
	if query != "" && len(form) > 0 {
		text += "."
	}
	return text + pairs(form, "", "")
}

// pairs are the names and values in their order.
func pairs(values url.Values, equals, and string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Sorted(slices.Values(values[name])) {
			all = append(all, name+equals+value)
		}
	}
	return strings.Join(all, and)
}
