package vendors

import (
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/ses"
)

// SESAccount is who may send by SES in eu-west-1, and the domain that is verified for it. Now is its clock.
type SESAccount struct {
	KeyID, Secret, Domain string
	Now                   func() time.Time
}

// SES is SendEmail of version 2 (docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html). It has
// no answer that speaks of the address, and never reports, for the reason that AWS does not.
func SES(a SESAccount) API {
	if a.Now == nil {
		a.Now = time.Now
	}
	server := ses.New(a.KeyID, a.Secret, a.Domain, a.Now)
	api := API{
		Name: "ses",
		Table: func(base string) [][2]string {
			return [][2]string{{"region", "eu-west-1"}, {"access_key_id", a.KeyID}, {"secret_access_key", a.Secret},
				{"from", "codes@" + a.Domain}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503, Code: "ServiceUnavailable"}, desk.Throttled: {Status: 429, Code: "TooManyRequestsException"},
			desk.Unknown: {Status: 500, Code: "InternalFailure"}, desk.BadRequest: {Status: 400, Code: "MessageRejected"},
		},
	}
	api.Beside = unlessPosted(server)
	api.Read = func(r *http.Request, _ []byte) (Sent, *Refusal) {
		if r.URL.Path != "/v2/email/outbound-emails" {
			return Sent{}, &Refusal{Status: 404, Code: "UnknownOperationException"}
		}
		m, refusal := server.Read(r)
		if refusal != nil {
			return Sent{}, &Refusal{Status: refusal.HTTP, Code: refusal.Name, Words: refusal.Words}
		}
		return Sent{To: m.To, From: m.From, Text: letter(m.Subject, m.Text)}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) { answer(w, 200, object{"MessageId": id}) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		ses.Refusal{HTTP: r.Status, Name: r.Code, Words: r.Words}.Write(w)
	}
	return api
}
