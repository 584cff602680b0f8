package telnyx

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// A call is dialled by a Call Control application, https://developers.telnyx.com/api-reference/
// call-commands/dial, and told what to do by commands: each webhook says that the last one is done, and
// brings client_state back, which is the page that comes next, sealed. A command carries the identifier
// of the webhook that it answers as its command_id, so that a webhook that comes twice says nothing
// twice.

// callRequest is the body of a call.
type callRequest struct {
	ConnectionID       string `json:"connection_id"`
	To                 string `json:"to"`
	From               string `json:"from"`
	WebhookURL         string `json:"webhook_url"`
	WebhookURLMethod   string `json:"webhook_url_method"`
	ClientState        string `json:"client_state"`
	CommandID          string `json:"command_id"`
	SendDigitsOnAnswer string `json:"send_digits_on_answer,omitempty"`
	TimeoutSecs        int    `json:"timeout_secs"`
	TimeLimitSecs      int    `json:"time_limit_secs"`
}

// command is the body of speak and of gather_using_speak.
type command struct {
	Payload     string `json:"payload"`
	PayloadType string `json:"payload_type"`
	Language    string `json:"language"`
	Voice       string `json:"voice"`
	ClientState string `json:"client_state"`
	CommandID   string `json:"command_id"`
	// Of gather_using_speak:
	MinimumDigits int    `json:"minimum_digits,omitempty"`
	MaximumDigits int    `json:"maximum_digits,omitempty"`
	MaximumTries  int    `json:"maximum_tries,omitempty"`
	TimeoutMillis int    `json:"timeout_millis,omitempty"`
	ValidDigits   string `json:"valid_digits,omitempty"` // # ends the wait, and would be no key
}

// tags are the languages of https://developers.telnyx.com/api-reference/call-commands/speak-text.
var tags = callscript.Tags{"ca": "", "fi": "", "zh": "cmn-CN", "zh-CN": "cmn-CN", "zh-HK": ""}

func (p *Provider) callRequest(m provider.Message) (callRequest, *provider.Error) {
	script, failed := callscript.Compose(m, p.callFrom, p.from)
	if failed != nil {
		return callRequest{}, failed
	}
	refuse := func(detail string) (callRequest, *provider.Error) {
		return callRequest{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	_, spoken := tags.Tag(script.Language)
	switch {
	case p.connectionID == "":
		return refuse("connection_id is missing: calls are made by a Call Control application")
	case p.reportURL == "":
		return refuse("report_url is missing: a call asks there what to say")
	case !spoken:
		return refuse("telnyx does not speak the language of the message")
	}
	return callRequest{
		ConnectionID: p.connectionID, To: m.To, From: script.From, WebhookURL: p.reportURL, WebhookURLMethod: http.MethodPost,
		ClientState: p.state(script, script.First, m.Key), CommandID: m.Key,
		SendDigitsOnAnswer: script.SendDigits, // w and W are Telnyx's own
		TimeoutSecs:        callscript.Ring, TimeLimitSecs: callscript.Talk,
	}, nil
}

// state is a page as client_state wants it: in base64.
func (p *Provider) state(s callscript.Script, page callscript.Page, key string) string {
	return base64.StdEncoding.EncodeToString([]byte(p.seal.Close(s, page, key)))
}

// readDial gives either the acceptance or the error that the answer to a call means.
func readDial(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		Data struct {
			CallControlID httpsend.Scalar `json:"call_control_id"`
		} `json:"data"`
	}
	if !a.OK() {
		return readAnswer(a, refusal)
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read has no identifier
	return provider.Accepted{ID: httpsend.ID(string(read.Data.CallControlID)), Parts: 1}, nil
}

// callEvent is the body of a webhook of a call.
type callEvent struct {
	Data struct {
		ID        httpsend.Scalar `json:"id"`
		EventType string          `json:"event_type"`
		Payload   struct {
			CallControlID  httpsend.Scalar `json:"call_control_id"`
			ClientState    string          `json:"client_state"`
			Digits         httpsend.Scalar `json:"digits"`
			Status         string          `json:"status"`
			HangupCause    string          `json:"hangup_cause"`
			SIPHangupCause httpsend.Scalar `json:"sip_hangup_cause"`
		} `json:"payload"`
	} `json:"data"`
}

// readCall reads a webhook of a call, and gives the command that it asks for. That its code was heard is
// told by the end of its speech; the end of the call comes behind it, and changes nothing then.
func (p *Provider) readCall(ctx context.Context, body []byte) ([]provider.Report, error) {
	var e callEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, errors.New("the body is not that of a webhook of a call")
	}
	payload := e.Data.Payload
	id := httpsend.ID(string(payload.CallControlID))
	if id == "" || p.seal == nil {
		return nil, nil
	}
	switch e.Data.EventType {
	case "call.hangup":
		class, code := ending(payload.HangupCause, string(payload.SIPHangupCause))
		return []provider.Report{{ID: id, State: provider.Failed, Class: class, Code: code}}, nil
	case "call.speak.ended":
		if payload.Status != "" && payload.Status != "completed" { // hung up
			return nil, nil
		}
	case "call.answered", "call.gather.ended":
	default:
		return nil, nil
	}
	sealed, _ := base64.StdEncoding.DecodeString(payload.ClientState) // what is none is not opened
	pressed := payload.Digits != "" && e.Data.EventType == "call.gather.ended"
	script, page, key, ok := p.seal.Open(string(sealed), pressed, p.now())
	if !ok {
		return nil, p.command(ctx, id, "hangup", map[string]string{"command_id": string(e.Data.ID)})
	}
	var reports []provider.Report
	if page.Said {
		reports = []provider.Report{{ID: id, State: provider.Delivered}}
	}
	return reports, p.perform(ctx, id, string(e.Data.ID), script, page, key)
}

// perform gives the command of a page.
func (p *Provider) perform(ctx context.Context, id, commandID string, s callscript.Script, page callscript.Page, key string) error {
	tag, _ := tags.Tag(s.Language)
	c := command{PayloadType: "ssml", Language: tag, Voice: "female", CommandID: commandID}
	if page.Then != nil {
		c.ClientState = p.state(s, *page.Then, key)
	} else {
		c.ClientState = p.state(s, callscript.Page{}, key) // the end: hang up when it was said
	}
	switch {
	case page.Ask != "":
		c.Payload = callscript.SSML([]callscript.Line{{Say: page.Ask}})
		c.MinimumDigits, c.MaximumDigits, c.MaximumTries, c.TimeoutMillis = 1, 1, 2, 5000
		c.ValidDigits = "0123456789*"
		return p.command(ctx, id, "gather_using_speak", c)
	case len(page.Say) > 0:
		c.Payload = callscript.SSML(page.Say)
		return p.command(ctx, id, "speak", c)
	}
	return p.command(ctx, id, "hangup", map[string]string{"command_id": commandID})
}

// command sends a command. A call that has ended meanwhile is told nothing; where Telnyx does not
// answer, it is asked to call again.
func (p *Provider) command(ctx context.Context, id, name string, body any) error {
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL:    p.calls + "/" + url.PathEscape(id) + "/actions/" + name,
		Header: p.header(),
		Body:   httpsend.JSON(body),
	}, provider.Message{})
	switch {
	case err != nil:
		return fmt.Errorf("%w: the command %s: %w", httpreport.ErrLater, name, err)
	case answer.Status == http.StatusTooManyRequests || answer.Status/100 == 5:
		return fmt.Errorf("%w: the command %s: HTTP %d", httpreport.ErrLater, name, answer.Status)
	}
	return nil // 404 and 422: the call has ended
}

// causes are the hangup_cause of https://developers.telnyx.com/api-reference/callbacks/call-hangup that
// mean something else than the answer of the network beside it.
var causes = map[string]provider.Class{
	"user_busy": provider.Temporary, "no_answer": provider.Temporary, "originator_cancel": provider.Temporary, "timeout": provider.Temporary,
	"normal_clearing": provider.Temporary, "time_limit": provider.Temporary, "not_found": provider.BadRequest,
	"call_rejected": provider.BadRecipient, "unallocated_number": provider.BadRecipient,
}

// ending is what the end of a call means where its code was not heard.
func ending(cause, sip string) (class provider.Class, code string) {
	status, _ := strconv.Atoi(sip) // none is 0
	class, known := causes[cause]
	if !known {
		class = callscript.SIPClass(status, provider.Temporary)
	}
	code = cause
	if status != 0 {
		code += " " + strconv.Itoa(status)
	}
	return class, httpsend.ID(code)
}
