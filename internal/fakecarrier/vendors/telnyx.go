package vendors

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// TelnyxAccount is who may send by Telnyx, and the key that its reports are signed with. Calls are made by a
// Call Control application, the Connection.
type TelnyxAccount struct {
	Key, Connection string
	Private         ed25519.PrivateKey
}

// Telnyx is Messaging v2 (developers.telnyx.com/api/messaging/send-message), and Call Control.
func Telnyx(a TelnyxAccount) API {
	api := API{
		Name: "telnyx",
		Table: func(base string) [][2]string {
			public := base64.StdEncoding.EncodeToString(a.Private.Public().(ed25519.PublicKey))
			return [][2]string{{"api_key", a.Key}, {"from", "+15005550006"}, {"public_key", public}, {"connection_id", a.Connection}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429, Code: "10011"}, desk.Unknown: {Status: 500, Code: "10007"},
			desk.BadRecipient: {Status: 400, Code: "40310"}, desk.BadRequest: {Status: 400, Code: "40305"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+a.Key:
			return Sent{}, &Refusal{Status: 401, Code: "10009", Words: "Authentication failed"}
		case r.Method != http.MethodPost || r.URL.Path != "/v2/messages":
			return Sent{}, &Refusal{Status: 404, Code: "10005", Words: "Resource not found"}
		}
		var m struct {
			From    string `json:"from"`
			Profile string `json:"messaging_profile_id"`
			To      string `json:"to"`
			Text    string `json:"text"`
			URL     string `json:"webhook_url"`
		}
		switch {
		case !strict(body, &m):
			return Sent{}, &Refusal{Status: 400, Code: "10015", Words: "Bad Request"}
		case m.From == "" && m.Profile == "":
			return Sent{}, &Refusal{Status: 400, Code: "40305", Words: "Invalid 'from' address"}
		case !e164.MatchString(m.To):
			return Sent{}, &Refusal{Status: 400, Code: "40310", Words: "Invalid 'to' address", Content: true}
		case m.Text == "":
			return Sent{}, &Refusal{Status: 400, Code: "40009", Words: "Invalid message body", Content: true}
		}
		return Sent{To: m.To, From: m.From, Text: m.Text, ReportTo: m.URL}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 200, object{"data": object{
			"id": id, "record_type": "message", "parts": 1, "to": []object{{"phone_number": s.To, "status": "queued"}},
			"cost": object{"amount": "0.0040", "currency": "USD"},
		}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"errors": []object{{"code": r.Code, "title": "No", "detail": r.Words}}})
	}
	api.Call = func(r Report) (*http.Request, error) {
		errors := []object{}
		if code := pick(r.State, "", "", "40006", "40001"); code != "" {
			errors = append(errors, object{"code": code, "title": "Not delivered"})
		}
		return a.webhook(r.ReportTo, r.At, object{"data": object{
			"event_type": pick(r.State, "message.sent", "message.finalized", "message.finalized", "message.finalized"),
			"id":         r.Nonce, "occurred_at": r.At.UTC().Format(time.RFC3339), "record_type": "event",
			"payload": object{
				"id": r.ID, "to": []object{{"phone_number": r.To, "status": pick(r.State, "sent", "delivered", "delivery_failed", "delivery_failed")}},
				"cost": object{"amount": "0.0040", "currency": "USD"}, "errors": errors,
			},
		}})
	}
	api.Also = []API{a.voice(api)}
	return api
}

// webhook is a call of a webhook, signed (developers.telnyx.com/docs/messaging/messages/receiving-webhooks).
func (a TelnyxAccount) webhook(to string, at time.Time, event object) (*http.Request, error) {
	call, body, err := postJSON(to, event)
	if err != nil {
		return nil, err
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	call.Header.Set("Telnyx-Timestamp", timestamp)
	call.Header.Set("Telnyx-Signature-Ed25519",
		base64.StdEncoding.EncodeToString(ed25519.Sign(a.Private, append([]byte(timestamp+"|"), body...))))
	return call, nil
}
