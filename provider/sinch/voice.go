package sinch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// A call is a callout of Sinch's Voice API, https://developers.sinch.com/docs/voice/api-reference/voice/
// tag/Callouts. One that says everything at once is a ttsCallout. One that waits for a key is a
// customCallout with its menu inline: what the menu brought comes to the callback URL of the
// application, which is report_url, and is answered with the rest. What that is travels as "custom",
// sealed.

// callout is the body of a callout.
type callout struct {
	Method string         `json:"method"`
	TTS    *ttsCallout    `json:"ttsCallout,omitempty"`
	Custom *customCallout `json:"customCallout,omitempty"`
}

type ttsCallout struct {
	CLI         string      `json:"cli"`
	Domain      string      `json:"domain"`
	Destination destination `json:"destination"`
	Locale      string      `json:"locale"`
	Prompts     string      `json:"prompts"`
	DTMF        string      `json:"dtmf,omitempty"`
	Custom      string      `json:"custom,omitempty"`
	EnableDice  bool        `json:"enableDice"`
}

type destination struct {
	Type     string `json:"type"`
	Endpoint string `json:"endpoint"`
}

// customCallout has SVAML in JSON inside of JSON.
type customCallout struct {
	CLI         string      `json:"cli"`
	Destination destination `json:"destination"`
	DTMF        string      `json:"dtmf,omitempty"`
	Custom      string      `json:"custom"`
	MaxDuration int         `json:"maxDuration"`
	EnableDice  bool        `json:"enableDice"`
	EnablePie   bool        `json:"enablePie"`
	ICE         string      `json:"ice"`
	ACE         string      `json:"ace"`
}

// svaml is https://developers.sinch.com/docs/voice/api-reference/svaml.
type svaml struct {
	Instructions []instruction `json:"instructions,omitempty"`
	Action       svamlAction   `json:"action"`
}

type instruction struct {
	Name   string   `json:"name"` // "playFiles"
	IDs    []string `json:"ids"`
	Locale string   `json:"locale"`
}

type svamlAction struct {
	Name     string `json:"name"` // "hangup", "connectPstn", "runMenu"
	Number   string `json:"number,omitempty"`
	CLI      string `json:"cli,omitempty"`
	Barge    bool   `json:"barge,omitempty"`
	Locale   string `json:"locale,omitempty"`
	MainMenu string `json:"mainMenu,omitempty"`
	Menus    []menu `json:"menus,omitempty"`
}

type menu struct {
	ID           string   `json:"id"`
	MainPrompt   string   `json:"mainPrompt"`
	RepeatPrompt string   `json:"repeatPrompt"`
	Repeats      int      `json:"repeats"`
	TimeoutMills int      `json:"timeoutMills"`
	Options      []option `json:"options"`
}

type option struct {
	DTMF   string `json:"dtmf"`
	Action string `json:"action"`
}

// pressed is what the menu returns for any key.
const pressed = "pressed"

var (
	// tags are Sinch's names of languages where they are its own.
	tags = callscript.Tags{"zh": "cmn-CN", "zh-CN": "cmn-CN", "zh-HK": "yue-CN"}
	// unbracketed keeps words inside of the brackets of a prompt.
	unbracketed = strings.NewReplacer("[", "(", "]", ")")
)

func prompt(lines []callscript.Line) string {
	return "#ssml[" + unbracketed.Replace(callscript.SSML(lines)) + "]"
}

func (p *Provider) callout(m provider.Message) (callout, *provider.Error) {
	script, failed := callscript.Compose(m, p.voice.from, p.from)
	if failed != nil {
		return callout{}, failed
	}
	refuse := func(detail string) (callout, *provider.Error) {
		return callout{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	tag, spoken := tags.Tag(script.Language)
	to := destination{"number", m.To}
	// Sinch takes w alone, for half a second, and no star.
	dtmf := callscript.Dial(script.SendDigits, "w", "ww")
	switch {
	case p.voice.key == "":
		return refuse("application_key is missing: calls are made by an application of Sinch's Voice API")
	case !spoken:
		return refuse("sinch does not speak the language of the message")
	case strings.Contains(dtmf, "*"):
		return refuse("sinch does not dial a star")
	case script.First.Ask == "":
		all, _ := script.All()
		return callout{Method: "ttsCallout", TTS: &ttsCallout{
			CLI: script.From, Domain: "pstn", Destination: to, Locale: tag, Prompts: prompt(all), DTMF: dtmf,
			Custom: p.voice.seal.Close(script, callscript.Page{Said: true}, m.Key), EnableDice: true,
		}}, nil
	case p.voice.path == "":
		return refuse("report_url is missing: a call that waits for a key asks there what to say")
	}
	ask := prompt([]callscript.Line{{Say: script.First.Ask}})
	keys := menu{ID: "main", MainPrompt: ask, RepeatPrompt: ask, Repeats: 1, TimeoutMills: 5000}
	for _, key := range strings.Split("0123456789", "") {
		keys.Options = append(keys.Options, option{key, "return(" + pressed + ")"})
	}
	rest := *script.First.Then
	if rest.Then != nil { // all of it at once: there is nobody who asks for the rest
		rest.Say, rest.Then = append(slices.Clone(rest.Say), rest.Then.Say...), nil
	}
	return callout{Method: "customCallout", Custom: &customCallout{
		CLI: script.From, Destination: to, DTMF: dtmf, Custom: p.voice.seal.Close(script, rest, m.Key), MaxDuration: callscript.Talk,
		EnableDice: true, EnablePie: true,
		ICE: string(httpsend.JSON(svaml{Action: svamlAction{Name: "connectPstn", Number: m.To, CLI: script.From}})),
		ACE: string(httpsend.JSON(svaml{Action: svamlAction{Name: "runMenu", Barge: true, Locale: tag, MainMenu: "main", Menus: []menu{keys}}})),
	}}, nil
}

// voice is what calls need of the configuration; its key is "" where there are none.
type voice struct {
	endpoint    string
	key, secret string
	signing     []byte // secret as it signs
	from        string
	path        string // of report_url, which is signed; "" where nobody is asked
	seal        *callscript.Seal
}

func (c Config) voice() (voice, error) {
	v := voice{key: c.ApplicationKey, secret: c.ApplicationSecret, from: c.CallFrom}
	if (c.ApplicationKey == "") != (c.ApplicationSecret == "") {
		return v, errors.New("application_key and application_secret go together")
	}
	if c.ApplicationKey == "" {
		return v, nil
	}
	var err error
	if v.signing, err = base64.StdEncoding.DecodeString(c.ApplicationSecret); err != nil {
		return v, errors.New("application_secret is not the base64 of Sinch's dashboard")
	}
	if c.VoiceBaseURL == "" {
		c.VoiceBaseURL = "https://calling.api.sinch.com"
	}
	base, err := httpsend.ParseBase("voice_base_url", c.VoiceBaseURL, false)
	if err != nil {
		return v, err
	}
	v.endpoint = base.JoinPath("calling", "v1", "callouts").String()
	v.seal = callscript.NewSeal(c.ApplicationSecret)
	if c.ReportURL != "" {
		u, err := url.Parse(c.ReportURL)
		if err != nil {
			return v, errors.New("report_url is not a URL")
		}
		v.path = u.EscapedPath()
	}
	return v, nil
}

// call makes one callout.
func (p *Provider) call(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	request, failed := p.callout(m)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    p.voice.endpoint,
		Header: http.Header{"Authorization": {httpsend.Basic(p.voice.key, p.voice.secret)}, "Content-Type": {"application/json"}},
		Body:   httpsend.JSON(request),
	}, m, readCallAnswer)
}

// readCallAnswer gives either the acceptance or the error that an answer means, by its status.
func readCallAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		CallID    httpsend.Scalar `json:"callId"`
		ErrorCode httpsend.Scalar `json:"errorCode"`
		Message   string          `json:"message"`
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.CallID)), Parts: 1}, nil
	}
	httpsend.Codes(nil).Refine(refusal, string(read.ErrorCode), read.Message)
	return provider.Accepted{}, refusal
}

// callEvent is the body of a callback of a call, https://developers.sinch.com/docs/voice/api-reference/
// voice/tag/Callbacks.
type callEvent struct {
	Event      string          `json:"event"` // "ice", "ace", "pie", "dice"
	CallID     httpsend.Scalar `json:"callid"`
	Custom     string          `json:"custom"`
	Result     string          `json:"result"`
	Reason     string          `json:"reason"`
	MenuResult struct {
		Type  string          `json:"type"`
		Value httpsend.Scalar `json:"value"`
	} `json:"menuResult"`
	Debit struct {
		Amount   httpsend.Scalar `json:"amount"`
		Currency httpsend.Scalar `json:"currencyId"`
	} `json:"debit"`
}

// ofCall says that a callback is of a call.
func ofCall(body []byte) (e callEvent, ok bool) {
	return e, json.Unmarshal(body, &e) == nil && e.Event != "" && e.CallID != ""
}

// proveCall checks the signature of https://developers.sinch.com/docs/voice/api-reference/
// authentication/callback-signed-request, which is over the body, its type, the time and the path.
func (p *Provider) proveCall(r *http.Request, body []byte) error {
	if p.voice.key == "" || p.voice.path == "" {
		return errors.New("application_key or report_url is not set")
	}
	timestamp := r.Header.Get("X-Timestamp")
	at, err := time.Parse(time.RFC3339, timestamp)
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key, signature, _ := strings.Cut(rest, ":")
	if err != nil || !strings.EqualFold(scheme, "application") || !httpreport.EqualSecret(key, p.voice.key) || !httpreport.Recent(at, p.now()) {
		return httpreport.ErrProof
	}
	if !httpreport.EqualBase64(p.voice.sign(r.Method, body, r.Header.Get("Content-Type"), timestamp), signature) {
		return httpreport.ErrProof
	}
	return nil
}

func (v voice) sign(method string, body []byte, contentType, timestamp string) []byte {
	sum := md5.Sum(body)
	return httpreport.MAC(sha256.New, string(v.signing), strings.Join([]string{
		method, base64.StdEncoding.EncodeToString(sum[:]), contentType, "x-timestamp:" + timestamp, v.path}, "\n"))
}

// asked is the page that the menu of a call asks for.
func (p *Provider) asked(e callEvent) (s callscript.Script, page callscript.Page, ok bool) {
	s, page, _, ok = p.voice.seal.Open(e.Custom, e.Event == "pie" && e.MenuResult.Type == "return" && e.MenuResult.Value == pressed, p.now())
	return s, page, ok
}

// readCall reads what a call reports. Who pressed the key is told the code in the answer, and has got
// it; the end of that call comes behind it, and changes nothing then. A call that waits for no key says
// all at once, and Sinch tells of it alone that somebody answered.
func (p *Provider) readCall(e callEvent) []provider.Report {
	_, page, ok := p.asked(e)
	report := provider.Report{ID: httpsend.ID(string(e.CallID))}
	switch {
	case report.ID == "":
		return nil
	case e.Event == "pie" && ok && page.Key, e.Event == "dice" && e.Result == "ANSWERED" && ok && page.Said:
		report.State = provider.Delivered
	case e.Event == "dice":
		report.State, report.Class, report.Code = provider.Failed, provider.Temporary, httpsend.ID(strings.TrimSpace(e.Result+" "+e.Reason))
		if e.Reason == "NOCREDITPARTNER" || e.Reason == "BLOCKED" || e.Reason == "CALLBACKERROR" {
			report.Class = provider.BadRequest
		}
	default:
		return nil
	}
	if e.Event == "dice" {
		report.Price = httpsend.Price(string(e.Debit.Amount), string(e.Debit.Currency))
	}
	return []provider.Report{report}
}

// answer is the SVAML that a call goes on with after its menu.
func (p *Provider) answer(_ *http.Request, body []byte) (mediaType, text string) {
	e, ok := ofCall(body)
	if !ok || e.Event != "pie" {
		return "", ""
	}
	next := svaml{Action: svamlAction{Name: "hangup"}}
	script, page, ok := p.asked(e)
	if tag, spoken := tags.Tag(script.Language); ok && spoken && page.Key {
		next.Instructions = []instruction{{Name: "playFiles", IDs: []string{prompt(page.Say)}, Locale: tag}}
	}
	return "application/json", string(httpsend.JSON(next))
}
