package vonage

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// A call is made by an application, https://developer.vonage.com/en/api/voice, with an NCCO: what
// Vonage is to do, one after the other. Where it waits for a key it tells report_url which one, and is
// answered with the NCCO that has the code in it. That call is a signed webhook, or is refused.

// callRequest is the body of a call.
type callRequest struct {
	To           []endpoint `json:"to"`
	From         endpoint   `json:"from"`
	NCCO         []action   `json:"ncco"`
	EventURL     []string   `json:"event_url,omitempty"`
	EventMethod  string     `json:"event_method,omitempty"`
	RingingTimer int        `json:"ringing_timer"`
	LengthTimer  int        `json:"length_timer"`
}

type endpoint struct {
	Type       string `json:"type"`
	Number     string `json:"number"`
	DTMFAnswer string `json:"dtmfAnswer,omitempty"`
}

// action is one of an NCCO, https://developer.vonage.com/en/voice/voice-api/ncco-reference.
type action struct {
	Action   string            `json:"action"` // "talk", "input", "notify"
	Text     string            `json:"text,omitempty"`
	Language string            `json:"language,omitempty"`
	BargeIn  bool              `json:"bargeIn,omitempty"` // a key ends the talk
	Type     []string          `json:"type,omitempty"`
	DTMF     *dtmf             `json:"dtmf,omitempty"`
	Payload  map[string]string `json:"payload,omitempty"`
	EventURL []string          `json:"eventUrl,omitempty"`
	Method   string            `json:"eventMethod,omitempty"`
}

type dtmf struct {
	MaxDigits int `json:"maxDigits"`
	TimeOut   int `json:"timeOut"` // seconds
}

// tags are Vonage's names of languages where they are its own.
var tags = callscript.Tags{"nb": "nb-NO", "zh": "cmn-CN", "zh-CN": "cmn-CN", "zh-HK": "yue-CN"}

func (p *Provider) callRequest(m provider.Message) (callRequest, *provider.Error) {
	script, failed := callscript.Compose(m, p.callFrom, p.from)
	if failed != nil {
		return callRequest{}, failed
	}
	refuse := func(detail string) (callRequest, *provider.Error) {
		return callRequest{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	tag, ok := tags.Tag(script.Language)
	r := callRequest{
		To:           []endpoint{{Type: "phone", Number: strings.TrimPrefix(m.To, "+"), DTMFAnswer: callscript.Dial(script.SendDigits, "p", "pp")}},
		From:         endpoint{Type: "phone", Number: strings.TrimPrefix(script.From, "+")},
		RingingTimer: callscript.Ring, LengthTimer: callscript.Talk,
	}
	switch {
	case p.voice.key == nil:
		return refuse("application_id is missing: calls are made by an application")
	case !ok:
		return refuse("vonage does not speak the language of the message")
	case p.voice.reportURL != nil:
		r.NCCO = p.ncco(tag, script, script.First, m.Key)
		r.EventURL, r.EventMethod = []string{p.reportURL}, http.MethodPost
	default:
		all, ok := script.All()
		if !ok {
			return refuse("report_url is missing: a call that waits for a key asks there what to say")
		}
		r.NCCO = []action{say(tag, all)}
	}
	return r, nil
}

func say(tag string, lines []callscript.Line) action {
	return action{Action: "talk", Text: callscript.SSML(lines), Language: tag}
}

// ncco is a page and what of the pages behind it needs no key. A key is waited for twice; an NCCO that
// has nothing left to do ends the call.
func (p *Provider) ncco(tag string, s callscript.Script, page callscript.Page, key string) []action {
	if page.Ask != "" {
		prompt := say(tag, []callscript.Line{{Say: page.Ask}})
		prompt.BargeIn = true
		wait := action{Action: "input", Type: []string{"dtmf"}, DTMF: &dtmf{1, 5}, EventURL: p.page(s, *page.Then, key), Method: http.MethodPost}
		return []action{prompt, wait, prompt, wait}
	}
	all := []action{say(tag, page.Say)}
	if then := page.Then; then != nil {
		// Vonage goes on while it notifies us, so the rest is not asked for.
		heard := callscript.Page{Said: then.Said}
		all = append(all,
			action{Action: "notify", Payload: map[string]string{"call": "heard"}, EventURL: p.page(s, heard, key), Method: http.MethodPost},
			say(tag, then.Say))
	}
	return all
}

// page is where a page is asked for.
func (p *Provider) page(s callscript.Script, page callscript.Page, key string) []string {
	return []string{callscript.At(p.voice.reportURL, p.voice.seal.Close(s, page, key))}
}

// voice is what calls need of the configuration; its key is nil where there are none.
type voice struct {
	endpoint      string
	applicationID string
	key           *rsa.PrivateKey
	seal          *callscript.Seal
	reportURL     *url.URL // nil where nobody is asked
}

func (c Config) voice() (voice, error) {
	v := voice{applicationID: c.ApplicationID}
	text, err := c.privateKey()
	switch {
	case err != nil:
		return v, err
	case c.ApplicationID == "" && text == "":
		return v, nil
	case c.ApplicationID == "":
		return v, errors.New("application_id is missing, and there is a private key")
	case text == "":
		return v, errors.New("private_key_file is missing, and there is an application_id")
	}
	if v.key, err = parseKey(text); err != nil {
		return v, err
	}
	if c.VoiceBaseURL == "" {
		c.VoiceBaseURL = "https://api.nexmo.com"
	}
	base, err := httpsend.ParseBase("voice_base_url", c.VoiceBaseURL, false)
	if err != nil {
		return v, err
	}
	v.endpoint = base.JoinPath("v1", "calls").String()
	if c.ReportURL != "" {
		if c.SignatureSecret == "" {
			return v, errors.New("signature_secret is missing: what a call asks is told to Vonage alone")
		}
		v.seal = callscript.NewSeal(c.SignatureSecret)
		v.reportURL, err = httpsend.ParseURL("report_url", c.ReportURL, false)
	}
	return v, err
}

// parseKey reads the private key of an application in PEM, of either form.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the private key of the application is no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("the private key of the application is no RSA key")
	}
	return key, nil
}

// tokenLife is how long a token is good. One is made for each call.
const tokenLife = 5 * time.Minute

// token is the JWT of https://developer.vonage.com/en/getting-started/concepts/authentication.
func (v voice) token(now time.Time) (string, error) {
	claims := httpsend.JSON(struct {
		ApplicationID string `json:"application_id"`
		IssuedAt      int64  `json:"iat"`
		Expires       int64  `json:"exp"`
		ID            string `json:"jti"`
	}{v.applicationID, now.Unix(), now.Add(tokenLife).Unix(), rand.Text()})
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, v.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("the private key of the application does not sign")
	}
	return signed + "." + encode(signature), nil
}

// call makes one call.
func (p *Provider) call(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	request, failed := p.callRequest(m)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	token, err := p.voice.token(p.now())
	if err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: err.Error()}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    p.voice.endpoint,
		Header: http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Body:   httpsend.JSON(request),
	}, m, readCallAnswer)
}

// readCallAnswer gives either the acceptance or the error that an answer means. There are no codes: the
// status decides.
func readCallAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		UUID   httpsend.Scalar `json:"uuid"`
		Title  string          `json:"title"`
		Detail string          `json:"detail"`
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.UUID)), Parts: 1}, nil
	}
	httpsend.Codes(nil).Refine(refusal, "", read.Title)
	httpsend.Codes(nil).Refine(refusal, "", read.Detail)
	return provider.Accepted{}, refusal
}

// ends are the status of a call that is over, https://developer.vonage.com/en/voice/voice-api/
// webhook-reference. Completed is of calls that were heard too: it comes behind their delivery, and
// changes nothing then.
var ends = map[string]provider.Class{
	"busy": provider.Temporary, "cancelled": provider.Temporary, "completed": provider.Temporary, "failed": provider.Temporary,
	"timeout": provider.Temporary, "unanswered": provider.Temporary,
	"rejected": provider.BadRequest, // by Vonage, before a telephone rang
}

// callEvent is the body of a webhook of a call.
type callEvent struct {
	UUID      httpsend.Scalar `json:"uuid"`
	Status    string          `json:"status"`
	Timestamp string          `json:"timestamp"`
	Price     httpsend.Scalar `json:"price"`
	Network   httpsend.Scalar `json:"network"`
	DTMF      struct {
		Digits httpsend.Scalar `json:"digits"`
	} `json:"dtmf"`
}

// ofCall says that a webhook is of a call: it brings a page, or the names of a call.
func (p *Provider) ofCall(r *http.Request, body []byte) (e callEvent, ok bool) {
	if p.voice.key == nil || r.Method != http.MethodPost || json.Unmarshal(body, &e) != nil {
		return callEvent{}, false
	}
	return e, r.URL.Query().Has(callscript.Param) || e.UUID != ""
}

func (p *Provider) asked(r *http.Request, e callEvent) (s callscript.Script, page callscript.Page, key string, ok bool) {
	if p.voice.seal == nil {
		return callscript.Script{}, callscript.Page{}, "", false
	}
	return p.voice.seal.Open(r.URL.Query().Get(callscript.Param), e.DTMF.Digits != "", p.now())
}

// readCall reads what a webhook of a call reports.
func (p *Provider) readCall(r *http.Request, e callEvent) []provider.Report {
	report := provider.Report{ID: httpsend.ID(string(e.UUID))}
	if at, err := time.Parse(time.RFC3339, e.Timestamp); err == nil {
		report.At = at.UTC()
	}
	if r.URL.Query().Has(callscript.Param) {
		_, page, key, ok := p.asked(r, e)
		if !ok || !page.Said {
			return nil
		}
		report.ID, report.Key, report.State = "", key, provider.Delivered // a notification names no call
		return []provider.Report{report}
	}
	class, over := ends[e.Status]
	if !over || report.ID == "" {
		return nil
	}
	report.State, report.Class, report.Code = provider.Failed, class, e.Status
	report.Price = httpsend.Price(string(e.Price), p.currency)
	report.MCC, report.MNC = httpreport.Network(string(e.Network))
	return []provider.Report{report}
}

// answer is the NCCO that a call goes on with, where a key was waited for: without one, nothing.
func (p *Provider) answer(r *http.Request, body []byte) (mediaType, text string) {
	e, ok := p.ofCall(r, body)
	if !ok {
		return "", ""
	}
	script, page, key, ok := p.asked(r, e)
	tag, spoken := tags.Tag(script.Language)
	if !ok || !spoken || !page.Key {
		return "", ""
	}
	return "application/json", string(httpsend.JSON(p.ncco(tag, script, page, key)))
}
