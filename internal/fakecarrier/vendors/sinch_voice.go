package vendors

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// sinchCallout is the body of a callout (developers.sinch.com/docs/voice/api-reference/voice/tag/Callouts).
type sinchCallout struct {
	Method string `json:"method"`
	TTS    struct {
		sinchCommon
		Domain  string `json:"domain"`
		Locale  string `json:"locale"`
		Prompts string `json:"prompts"`
	} `json:"ttsCallout"`
	Custom struct {
		sinchCommon
		MaxDuration int    `json:"maxDuration"`
		EnablePie   bool   `json:"enablePie"`
		ICE         string `json:"ice"`
		ACE         string `json:"ace"`
	} `json:"customCallout"`
}

type sinchCommon struct {
	CLI         string `json:"cli"`
	Destination struct {
		Type     string `json:"type"`
		Endpoint string `json:"endpoint"`
	} `json:"destination"`
	DTMF       string `json:"dtmf"`
	Custom     string `json:"custom"`
	EnableDice bool   `json:"enableDice"`
}

// svaml is developers.sinch.com/docs/voice/api-reference/svaml.
type svaml struct {
	Instructions []struct {
		Name   string   `json:"name"`
		IDs    []string `json:"ids"`
		Locale string   `json:"locale"`
	} `json:"instructions"`
	Action struct {
		Name     string `json:"name"`
		Number   string `json:"number"`
		CLI      string `json:"cli"`
		Barge    bool   `json:"barge"`
		Locale   string `json:"locale"`
		MainMenu string `json:"mainMenu"`
		Menus    []struct {
			ID           string `json:"id"`
			MainPrompt   string `json:"mainPrompt"`
			RepeatPrompt string `json:"repeatPrompt"`
			Repeats      int    `json:"repeats"`
			TimeoutMills int    `json:"timeoutMills"`
			Options      []struct {
				DTMF   string `json:"dtmf"`
				Action string `json:"action"`
			} `json:"options"`
		} `json:"menus"`
	} `json:"action"`
}

// voice is the Voice API. An application is told in the dashboard where it is called back.
func (a SinchAccount) voice() API {
	api := API{
		Webhook: true,
		Takes:   func(r *http.Request) bool { return r.URL.Path == "/calling/v1/callouts" },
		Refusals: map[desk.Answer]Refusal{ // none speaks of the number
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500}, desk.BadRequest: {Status: 403, Code: "40300"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		key, secret, _ := r.BasicAuth()
		var c sinchCallout
		switch {
		case key != a.Application || secret != a.Secret:
			return Sent{}, &Refusal{Status: 401, Code: "40100", Words: "the application is not known"}
		case r.Method != http.MethodPost || !strict(body, &c):
			return Sent{}, &Refusal{Status: 400, Code: "40000", Words: "the body is not one callout"}
		}
		common := c.TTS.sinchCommon
		switch c.Method {
		case "ttsCallout":
			if c.TTS.Domain != "pstn" || c.TTS.Locale == "" || c.TTS.Prompts == "" {
				return Sent{}, &Refusal{Status: 400, Code: "40001", Words: "domain, locale or prompts is missing"}
			}
		case "customCallout":
			common = c.Custom.sinchCommon
			var ice, ace svaml
			if !strict([]byte(c.Custom.ICE), &ice) || ice.Action.Name != "connectPstn" || !strict([]byte(c.Custom.ACE), &ace) || !c.Custom.EnablePie {
				return Sent{}, &Refusal{Status: 400, Code: "40001", Words: "ice or ace is not SVAML"}
			}
		default:
			return Sent{}, &Refusal{Status: 400, Code: "40001", Words: "method is not valid"}
		}
		switch {
		case !e164.MatchString(common.CLI):
			return Sent{}, &Refusal{Status: 400, Code: "40001", Words: "cli is not valid"}
		case common.Destination.Type != "number" || !e164.MatchString(common.Destination.Endpoint):
			return Sent{}, &Refusal{Status: 400, Code: "40001", Words: "destination is not valid", Content: true}
		}
		return Sent{To: common.Destination.Endpoint, From: common.CLI, Key: common.Custom, Script: string(body)}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) { answer(w, 200, object{"callId": id}) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"errorCode": r.Code, "message": r.Words})
	}
	api.Talk = a.talk
	api.Call = func(r Report) (*http.Request, error) {
		if r.State == desk.Sent {
			return nil, nil
		}
		return a.callback(r.ReportTo, r.At, object{"event": "dice", "callid": r.ID, "custom": r.Key, "timestamp": r.At.UTC().Format(time.RFC3339),
			"result": pick(r.State, "", "ANSWERED", "BUSY", "FAILED"), "reason": pick(r.State, "", "MANAGERHANGUP", "N/A", "N/A"),
			"debit": object{"currencyId": "EUR", "amount": 0.0045}})
	}
	return api
}

// talk says everything at once, or waits for a key in a menu and asks for the rest.
func (a SinchAccount) talk(l *Line) error {
	var c sinchCallout
	if !strict([]byte(l.Script), &c) {
		return errors.New("the callout is none") // it was read before
	}
	if c.Method == "ttsCallout" {
		return hearPrompt(l, c.TTS.Prompts)
	}
	var ace svaml
	if !strict([]byte(c.Custom.ACE), &ace) || ace.Action.Name != "runMenu" || len(ace.Action.Menus) != 1 {
		return errors.New("the answered call runs no menu")
	}
	menu := ace.Action.Menus[0]
	if err := hearPrompt(l, menu.MainPrompt); err != nil {
		return err
	}
	result := object{"type": "timeout", "menuId": menu.ID}
	if key, pressed := l.Press(); pressed {
		result["type"] = "invalid"
		for _, o := range menu.Options {
			value, returns := strings.CutPrefix(o.Action, "return(")
			if o.DTMF == key && returns {
				result = object{"type": "return", "menuId": menu.ID, "value": strings.TrimSuffix(value, ")")}
			}
		}
	} else {
		for range menu.Repeats {
			if err := hearPrompt(l, menu.RepeatPrompt); err != nil {
				return err
			}
		}
	}
	now := l.server.desk.Time()
	page, err := l.Ask(a.callback(l.ReportTo, now, object{"event": "pie", "callid": l.ID, "custom": l.Key,
		"timestamp": now.UTC().Format(time.RFC3339), "menuResult": result}))
	if err != nil {
		return err
	}
	var next svaml
	if json.Unmarshal([]byte(page), &next) != nil {
		return errors.New("the callback is not answered by SVAML")
	}
	for _, i := range next.Instructions {
		for _, prompt := range slices.Clone(i.IDs) {
			if err := hearPrompt(l, prompt); err != nil {
				return err
			}
		}
	}
	return nil
}

// hearPrompt has the person hear "#ssml[…]".
func hearPrompt(l *Line, prompt string) error {
	text, ok := strings.CutPrefix(prompt, "#ssml[")
	if !ok || !strings.HasSuffix(text, "]") {
		return errors.New("a prompt is no SSML")
	}
	return l.HearSSML(strings.TrimSuffix(text, "]"))
}

// callback is a call of the application's callback URL, signed
// (developers.sinch.com/docs/voice/api-reference/authentication/callback-signed-request).
func (a SinchAccount) callback(to string, at time.Time, event object) (*http.Request, error) {
	call, body, err := postJSON(to, event)
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(a.Secret)
	if err != nil {
		return nil, err
	}
	sum := md5.Sum(body)
	timestamp := at.UTC().Format(time.RFC3339)
	signature := mac(sha256.New, string(secret), strings.Join([]string{call.Method, base64.StdEncoding.EncodeToString(sum[:]),
		call.Header.Get("Content-Type"), "x-timestamp:" + timestamp, call.URL.EscapedPath()}, "\n"))
	call.Header.Set("X-Timestamp", timestamp)
	call.Header.Set("Authorization", "application "+a.Application+":"+base64.StdEncoding.EncodeToString(signature))
	return call, nil
}
