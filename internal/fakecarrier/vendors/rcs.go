package vendors

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/rcs"
)

// RCS is RCS for Business (developers.google.com/business-communications/rcs-business-messaging) with the
// agent of google, which judges requests, gives access tokens and takes messages back. A message that does
// not arrive is one for a telephone that is switched off: it can be taken back. Its webhook is one of the
// agent.
func RCS(google *rcs.Server) API {
	api := API{
		Name: "rcs", Webhook: true,
		Table: func(base string) [][2]string {
			key, err := google.ServiceAccount(base)
			if err != nil {
				panic(err) // the key was made here
			}
			return [][2]string{{"credentials", string(key)}, {"agent_id", google.Agent()}, {"client_token", google.ClientToken()}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503, Code: "UNAVAILABLE"}, desk.Throttled: {Status: 429, Code: "RESOURCE_EXHAUSTED"},
			desk.Unknown: {Status: 500, Code: "INTERNAL"}, desk.BadRecipient: {Status: 404, Code: "NOT_FOUND"},
			desk.BadRequest: {Status: 403, Code: "PERMISSION_DENIED"},
		},
	}
	message := func(s Sent) rcs.Message { return rcs.Message{ID: s.ID, To: s.To, Text: s.Text, State: rcs.Waiting} }
	api.Beside = func(r *http.Request) http.Handler {
		if rcs.Creates(r) {
			return nil
		}
		return google
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		m, refusal := google.Judge(r, body)
		if refusal != nil {
			return Sent{}, &Refusal{Status: refusal.HTTP, Code: refusal.Status, Words: refusal.Words}
		}
		return Sent{To: m.To, From: google.Agent(), Text: m.Text, ID: m.ID}, nil
	}
	api.Again = func(s Sent, arrives bool) bool {
		m := message(s)
		if arrives {
			m.State = rcs.Delivered
		}
		return !google.Put(m)
	}
	api.Accept = func(w http.ResponseWriter, s Sent, _ string) { google.WriteCreated(w, message(s)) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		rcs.Refusal{HTTP: r.Status, Status: r.Code, Words: r.Words}.Write(w)
	}
	api.Call = func(r Report) (*http.Request, error) {
		kind := pick(r.State, "", "DELIVERED", "TTL_EXPIRATION_REVOKED", "TTL_EXPIRATION_REVOKED") // it knows no reasons
		if kind == "" {
			return nil, nil
		}
		m := message(r.Sent)
		m.ID = r.ID
		body, signature := google.Event(kind, m)
		call, err := post(r.ReportTo, "application/json", body)
		if err == nil {
			call.Header.Set("X-Goog-Signature", signature)
		}
		return call, err
	}
	api.Subscribe = func(webhook string) (*http.Request, string, error) {
		body, want := google.SetUpCall()
		ask, err := post(webhook, "application/json", body)
		return ask, want, err
	}
	return api
}
