package vendors

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/sendgrid"
)

// SendGrid is Mail Send of v3 (twilio.com/docs/sendgrid/api-reference/mail-send) with the account of grid.
// Its event webhook is one of the account.
func SendGrid(grid *sendgrid.Server, key string) API {
	api := API{
		Name: "sendgrid", Webhook: true,
		Table: func(base string) [][2]string {
			return [][2]string{{"api_key", key}, {"public_key", grid.PublicKey()}, {"from", "codes@acme.example"}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500},
			desk.BadRecipient: {Status: 400, Code: "personalizations.0.to.0.email"}, desk.BadRequest: {Status: 403, Code: "from"},
		},
		Beside: unlessPosted(grid),
	}
	api.Read = func(r *http.Request, _ []byte) (Sent, *Refusal) {
		if r.URL.Path != "/v3/mail/send" {
			return Sent{}, &Refusal{Status: 404, Words: "Not Found"}
		}
		m, refusal := grid.Read(r)
		if refusal != nil {
			return Sent{}, &Refusal{Status: refusal.HTTP, Code: refusal.Field, Words: refusal.Words}
		}
		return Sent{To: m.To, From: m.From, Text: letter(m.Subject, m.Text), Key: m.CustomArgs["verifyd_key"]}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		w.Header().Set("X-Message-Id", id)
		w.WriteHeader(http.StatusAccepted)
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		sendgrid.Refusal{HTTP: r.Status, Field: r.Code, Words: r.Words}.Write(w)
	}
	api.Call = func(r Report) (*http.Request, error) {
		m := sendgrid.Mail{ID: r.ID, To: r.To}
		if r.Key != "" {
			m.CustomArgs = map[string]string{"verifyd_key": r.Key}
		}
		var more []any
		if status := pick(r.State, "", "", "4.2.2", "5.1.1"); status != "" {
			more = []any{"type", "bounce", "status", status, "reason", "a fake carrier's bounce"}
		}
		return grid.Events(r.ReportTo, r.At, m.Event(pick(r.State, "processed", "delivered", "bounce", "bounce"), r.At, more...))
	}
	return api
}

// unlessPosted serves what is not posted, such as the question of verifyd doctor whether a key is good.
func unlessPosted(h http.Handler) func(*http.Request) http.Handler {
	return func(r *http.Request) http.Handler {
		if r.Method == http.MethodPost {
			return nil
		}
		return h
	}
}

// letter is the text of a mail.
func letter(subject, text string) string { return subject + "\n" + text }
