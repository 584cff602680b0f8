package vendors

import (
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// messages is the Messages API (developer.vonage.com/en/api/messages), for texts by RCS. Its statuses give no
// reason that this fake knows, and no answer speaks of the number.
func (a VonageAccount) messages() API {
	api := API{
		Takes: func(r *http.Request) bool { return r.URL.Path == "/v1/messages" },
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500}, desk.BadRequest: {Status: 422},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var m struct {
			MessageType string `json:"message_type"`
			Channel     string `json:"channel"`
			To          string `json:"to"`
			From        string `json:"from"`
			Text        string `json:"text"`
			TTL         int    `json:"ttl"`
			ClientRef   string `json:"client_ref"`
			WebhookURL  string `json:"webhook_url"`
		}
		key, secret, _ := r.BasicAuth()
		switch {
		case key != a.Key || secret != a.Secret:
			return Sent{}, &Refusal{Status: 401, Words: "You did not provide correct credentials."}
		case r.Method != http.MethodPost || !strict(body, &m) || m.MessageType != "text" || m.Channel != "rcs":
			return Sent{}, &Refusal{Status: 422, Words: "the value of one or more parameters is invalid"}
		case m.From == "" || m.TTL < 20 || m.TTL > 259_200:
			return Sent{}, &Refusal{Status: 422, Words: "from is missing, or ttl is not between 20 and 259200"}
		case !digits.MatchString(m.To) || m.Text == "":
			return Sent{}, &Refusal{Status: 422, Words: "to is not valid, or text is missing", Content: true}
		}
		return Sent{To: "+" + m.To, From: m.From, Text: m.Text, Key: m.ClientRef, ReportTo: m.WebhookURL}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) { answer(w, 202, object{"message_uuid": id}) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"type": "https://developer.vonage.com/api-errors", "title": "No", "detail": r.Words, "instance": "x"})
	}
	api.Call = func(r Report) (*http.Request, error) {
		status := object{"message_uuid": r.ID, "channel": "rcs", "to": strings.TrimPrefix(r.To, "+"), "from": r.From, "client_ref": r.Key,
			"timestamp": r.At.UTC().Format(time.RFC3339), "status": pick(r.State, "submitted", "delivered", "undeliverable", "rejected")}
		if title := pick(r.State, "", "", "1360", "1340"); title != "" {
			status["error"] = object{"title": title, "detail": "a fake carrier's failure"}
		}
		return a.webhook(r.ReportTo, r.At, r.Nonce, status)
	}
	return api
}
