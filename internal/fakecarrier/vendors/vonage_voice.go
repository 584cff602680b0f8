package vendors

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
)

// vonageCall is the request of a call (developer.vonage.com/en/api/voice).
type vonageCall struct {
	To           []vonageEndpoint `json:"to"`
	From         vonageEndpoint   `json:"from"`
	NCCO         json.RawMessage  `json:"ncco"`
	EventURL     []string         `json:"event_url"`
	EventMethod  string           `json:"event_method"`
	RingingTimer int              `json:"ringing_timer"`
	LengthTimer  int              `json:"length_timer"`
}

type vonageEndpoint struct {
	Type       string `json:"type"`
	Number     string `json:"number"`
	DTMFAnswer string `json:"dtmfAnswer"`
}

// vonageAction is one of an NCCO (developer.vonage.com/en/voice/voice-api/ncco-reference).
type vonageAction struct {
	Action   string          `json:"action"`
	Text     string          `json:"text"`
	Language string          `json:"language"`
	BargeIn  bool            `json:"bargeIn"`
	Type     []string        `json:"type"`
	Payload  json.RawMessage `json:"payload"`
	EventURL []string        `json:"eventUrl"`
	Method   string          `json:"eventMethod"`
	DTMF     struct {
		MaxDigits int `json:"maxDigits"`
		TimeOut   int `json:"timeOut"`
	} `json:"dtmf"`
}

func (a VonageAccount) voice() API {
	api := API{
		Takes: func(r *http.Request) bool { return r.URL.Path == "/v1/calls" },
		Refusals: map[desk.Answer]Refusal{ // none speaks of the number
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500}, desk.BadRequest: {Status: 403},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var c vonageCall
		switch {
		case !a.calls(r):
			return Sent{}, &Refusal{Status: 401, Words: "the token is not that of an application"}
		case r.Method != http.MethodPost || !strict(body, &c) || len(c.To) != 1 || c.To[0].Type != "phone" || c.From.Type != "phone":
			return Sent{}, &Refusal{Status: 400, Words: "Bad Request"}
		case c.RingingTimer < 1 || c.RingingTimer > 120 || c.LengthTimer < 1 || c.LengthTimer > 7200:
			return Sent{}, &Refusal{Status: 400, Words: "a timer is out of range"}
		case !digits.MatchString(c.From.Number) || !digits.MatchString(c.To[0].Number):
			return Sent{}, &Refusal{Status: 400, Words: "a number is not valid", Content: true}
		}
		if _, err := readNCCO(c.NCCO); err != nil {
			return Sent{}, &Refusal{Status: 400, Words: err.Error()}
		}
		s := Sent{To: "+" + c.To[0].Number, From: c.From.Number, Script: string(c.NCCO)}
		if len(c.EventURL) == 1 && c.EventMethod == http.MethodPost {
			s.ReportTo = c.EventURL[0]
		}
		return s, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 201, object{"uuid": id, "status": "started", "direction": "outbound", "conversation_uuid": "CON-" + id})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"type": "UNKNOWN", "title": "No", "detail": r.Words})
	}
	api.Talk = func(l *Line) error { return a.talk(l) }
	api.Call = func(r Report) (*http.Request, error) {
		return a.webhook(r.ReportTo, r.At, r.Nonce, object{"uuid": r.ID, "conversation_uuid": "CON-" + r.ID, "direction": "outbound",
			"status": pick(r.State, "ringing", "completed", "busy", "failed"), "to": strings.TrimPrefix(r.To, "+"), "from": r.From,
			"price": "0.00450000", "network": "21407", "timestamp": r.At.UTC().Format(time.RFC3339Nano)})
	}
	return api
}

// calls says that a request has a token of the application
// (developer.vonage.com/en/getting-started/concepts/authentication).
func (a VonageAccount) calls(r *http.Request) bool {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token, err := jwt.Parse(bearer)
	if err != nil || !token.SignedRS256(&a.Private.PublicKey) {
		return false
	}
	var claims struct {
		ApplicationID string `json:"application_id"`
		Iat           int64  `json:"iat"`
		Jti           string `json:"jti"`
	}
	return json.Unmarshal(token.Claims, &claims) == nil && claims.ApplicationID == a.Application && claims.Iat != 0 && claims.Jti != ""
}

func readNCCO(text []byte) ([]vonageAction, error) {
	var all []vonageAction
	if !strict(text, &all) {
		return nil, fmt.Errorf("the NCCO is none")
	}
	for _, one := range all {
		asks := len(one.EventURL) == 1 && one.Method == http.MethodPost
		switch {
		case one.Action == "talk" && one.Text != "" && one.Language != "":
		case one.Action == "input" && asks && len(one.Type) == 1 && one.Type[0] == "dtmf" && one.DTMF.MaxDigits > 0:
		case one.Action == "notify" && asks && len(one.Payload) > 0:
		default:
			return nil, fmt.Errorf("the NCCO has an action %q that is not complete", one.Action)
		}
	}
	return all, nil
}

// talk does what an NCCO says, one after the other. Where a key was waited for, the answer has another in
// its place.
func (a VonageAccount) talk(l *Line) error {
	todo, err := readNCCO([]byte(l.Script))
	if err != nil {
		return err
	}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		if next.Action == "talk" {
			if err := l.HearSSML(next.Text); err != nil {
				return err
			}
			continue
		}
		now := l.server.desk.Time()
		event := object{"conversation_uuid": "CON-" + l.ID, "timestamp": now.UTC().Format(time.RFC3339Nano)}
		if next.Action == "notify" {
			event["payload"] = next.Payload
		} else {
			key, pressed := l.Press()
			event["uuid"], event["dtmf"] = l.ID, object{"digits": key, "timed_out": !pressed}
		}
		page, err := l.Ask(a.webhook(next.EventURL[0], now, l.server.desk.NewID(), event))
		if err != nil {
			return err
		}
		if next.Action == "input" && page != "" {
			if todo, err = readNCCO([]byte(page)); err != nil {
				return err
			}
		}
	}
	return nil
}

// webhook is a call of a webhook, signed (developer.vonage.com/en/getting-started/concepts/webhooks,
// "Decoding signed webhooks").
func (a VonageAccount) webhook(to string, at time.Time, nonce string, event object) (*http.Request, error) {
	call, body, err := postJSON(to, event)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	claims, err := json.Marshal(object{"iss": "Vonage", "api_key": a.Key, "application_id": a.Application, "iat": at.Unix(), "jti": nonce,
		"payload_hash": hex.EncodeToString(sum[:])})
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	call.Header.Set("Authorization", "Bearer "+signed+"."+encode(mac(sha256.New, a.SignatureSecret, signed)))
	return call, nil
}

// privatePEM is the key of the application, as the dashboard hands it out.
func (a VonageAccount) privatePEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(a.Private)
	if err != nil {
		panic(err) // the key was made here
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
