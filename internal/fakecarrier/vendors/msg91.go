package vendors

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// MSG91Account is who may send by MSG91, and the flow that is registered there.
type MSG91Account struct{ Key, Template string }

// MSG91 is the flow API (docs.msg91.com/sms/send-sms). The text is that of a registered template, so that
// what arrives here is the code alone. It has no answer for a number that nobody has, and its reports
// carry no proof; they go to a URL of the account.
func MSG91(a MSG91Account) API {
	api := API{
		Name: "msg91", Webhook: true,
		Table: func(base string) [][2]string {
			return [][2]string{{"auth_key", a.Key}, {"template_id", a.Template}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500}, desk.BadRequest: {Status: 200},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var m struct {
			Template   string              `json:"template_id"`
			ShortURL   string              `json:"short_url"`
			Recipients []map[string]string `json:"recipients"`
		}
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/api/v5/flow":
			return Sent{}, &Refusal{Status: 404, Words: "not found"}
		case r.Header.Get("authkey") != a.Key:
			return Sent{}, &Refusal{Status: 401, Words: "Unauthorized"}
		case !strict(body, &m) || len(m.Recipients) != 1:
			return Sent{}, &Refusal{Status: 400, Words: "recipients is not one of them"}
		case m.Template != a.Template:
			return Sent{}, &Refusal{Status: 200, Words: "template id missing or wrong"}
		}
		to := m.Recipients[0]
		switch {
		case !digits.MatchString(to["mobiles"]):
			return Sent{}, &Refusal{Status: 200, Words: "invalid mobile number", Content: true}
		case to["otp"] == "":
			return Sent{}, &Refusal{Status: 200, Words: "the variable otp is missing", Content: true}
		}
		return Sent{To: "+" + to["mobiles"], Text: to["otp"]}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 200, object{"type": "success", "message": id})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"type": "error", "message": r.Words})
	}
	api.Call = func(r Report) (*http.Request, error) {
		data, err := json.Marshal([]object{{"requestId": r.ID, "report": []object{{
			"date": r.At.UTC().Format("2006-01-02 15:04:05"), "number": strings.TrimPrefix(r.To, "+"),
			"status": pick(r.State, "5", "1", "2", "17"), "desc": string(r.State),
		}}}})
		if err != nil {
			return nil, err
		}
		return postForm(r.ReportTo, url.Values{"data": {string(data)}})
	}
	return api
}
