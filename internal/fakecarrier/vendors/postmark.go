package vendors

import (
	"net/http"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/postmark"
)

// PostmarkAccount is a server of an account, and what its reports authenticate with.
type PostmarkAccount struct{ Token, ReportUsername, ReportPassword string }

// Postmark is the Email API (postmarkapp.com/developer/api/email-api). Its webhook is one of the message
// stream, and tells of deliveries and bounces alone.
func Postmark(a PostmarkAccount) API {
	server := postmark.New(a.Token)
	api := API{
		Name: "postmark", Webhook: true,
		Table: func(base string) [][2]string {
			return [][2]string{{"server_token", a.Token}, {"from", "codes@acme.example"},
				{"report_username", a.ReportUsername}, {"report_password", a.ReportPassword}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503, Code: "100"}, desk.Throttled: {Status: 429, Code: "429"}, desk.Unknown: {Status: 500},
			desk.BadRecipient: {Status: 422, Code: "406"}, desk.BadRequest: {Status: 422, Code: "405"},
		},
		Beside: unlessPosted(server),
	}
	api.Read = func(r *http.Request, _ []byte) (Sent, *Refusal) {
		if r.URL.Path != "/email" {
			return Sent{}, &Refusal{Status: 404, Code: "501", Words: "there is nothing here"}
		}
		m, refusal := server.Read(r)
		if refusal != nil {
			return Sent{}, &Refusal{Status: refusal.HTTP, Code: strconv.Itoa(refusal.Code), Words: refusal.Words}
		}
		return Sent{To: m.To, From: m.From, Text: letter(m.Subject, m.Text)}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 200, object{"To": s.To, "MessageID": id, "ErrorCode": 0, "Message": "OK"})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		code, _ := strconv.Atoi(r.Code)
		postmark.Refusal{HTTP: r.Status, Code: code, Words: r.Words}.Write(w)
	}
	// postmarkapp.com/developer/webhooks/delivery-webhook and bounce-webhook
	api.Call = func(r Report) (*http.Request, error) {
		at := r.At.UTC().Format(time.RFC3339)
		event := object{"MessageID": r.ID, "MessageStream": "outbound", "RecordType": "Bounce", "BouncedAt": at, "Email": r.To,
			"TypeCode": pick(r.State, 0, 0, 4096, 1), "Type": pick(r.State, "", "", "SoftBounce", "HardBounce")}
		switch r.State {
		case desk.Sent:
			return nil, nil
		case desk.Delivered:
			event = object{"MessageID": r.ID, "MessageStream": "outbound", "RecordType": "Delivery", "DeliveredAt": at, "Recipient": r.To}
		}
		call, _, err := postJSON(r.ReportTo, event)
		if err == nil {
			call.SetBasicAuth(a.ReportUsername, a.ReportPassword)
		}
		return call, err
	}
	return api
}
