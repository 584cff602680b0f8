package vendors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// GatewayAccount is what a gateway of your own shares with verifyd. Now is its clock.
type GatewayAccount struct {
	Secret string
	Now    func() time.Time
}

// Gateway is a gateway by the contract of docs/providers/httpapi.md, which takes messages of every channel
// and does not report. Requests are signed by Standard Webhooks (standardwebhooks.com).
func Gateway(a GatewayAccount) API {
	api := API{
		Name: "httpapi",
		Table: func(base string) [][2]string {
			return [][2]string{{"url", base}, {"secret", a.Secret}}
		},
		Refusals: map[desk.Answer]Refusal{},
	}
	for _, class := range []desk.Answer{desk.Temporary, desk.Throttled, desk.BadRecipient, desk.BadRequest, desk.Unknown} {
		api.Refusals[class] = Refusal{Status: 422, Code: string(class)}
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/v1/check" && a.signed(r.Header, body): // by the doctor
			return Sent{}, &Refusal{Status: 204}
		case r.Method != http.MethodPost || r.URL.Path != "/v1/send":
			return Sent{}, &Refusal{Status: 404, Code: "bad_request", Words: "only POST /v1/send is here"}
		case !a.signed(r.Header, body):
			return Sent{}, &Refusal{Status: 401, Code: "bad_request", Words: "the signature is not valid"}
		case r.Header.Get("Idempotency-Key") == "" || r.Header.Get("Idempotency-Key") != r.Header.Get("Webhook-Id"):
			return Sent{}, &Refusal{Status: 400, Code: "bad_request", Words: "Idempotency-Key is not the webhook-id"}
		}
		var m struct { // unknown fields are ignored, by the contract
			Key, Channel, To, From, Text string
			Speech                       json.RawMessage
			Email                        *struct{ Subject, Text string }
			Push                         json.RawMessage
		}
		switch {
		case json.Unmarshal(body, &m) != nil:
			return Sent{}, &Refusal{Status: 400, Code: "bad_request", Words: "the body is not JSON"}
		case m.To == "":
			return Sent{}, &Refusal{Status: 422, Code: "bad_recipient", Words: "to is empty", Content: true}
		}
		s := Sent{To: m.To, From: m.From, Text: m.Text, Key: m.Key}
		if m.Email != nil {
			s.Text = m.Email.Subject + "\n" + m.Email.Text
		}
		if len(m.Push) > 0 && string(m.Push) != "null" {
			s.Text = string(m.Push)
		}
		return s, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 202, object{"id": id, "parts": 1, "price": object{"amount": "0.04", "currency": "EUR"}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		if r.Status == 204 {
			w.WriteHeader(204)
			return
		}
		answer(w, r.Status, object{"error": object{"class": r.Code, "code": r.Code, "message": r.Words}})
	}
	return api
}

func (a GatewayAccount) signed(h http.Header, body []byte) bool {
	secret := a.Secret
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		raw, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return false
		}
		secret = string(raw)
	}
	seconds, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if err != nil {
		return false
	}
	now := time.Now()
	if a.Now != nil {
		now = a.Now()
	}
	const tolerance = 5 * time.Minute
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return false
	}
	want := mac(sha256.New, secret, h.Get("Webhook-Id"), ".", h.Get("Webhook-Timestamp"), ".", string(body))
	for signature := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
		coded, ok := strings.CutPrefix(signature, "v1,")
		got, err := base64.StdEncoding.DecodeString(coded)
		if ok && err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}
