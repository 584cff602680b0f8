package vendors

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// AfricasTalkingAccount is who may send by Africa's Talking.
type AfricasTalkingAccount struct{ Username, Key string }

// AfricasTalking is bulk SMS (developers.africastalking.com/docs/sms/sending/bulk). Its reports carry no
// proof; they go to a URL of the account.
func AfricasTalking(a AfricasTalkingAccount) API {
	api := API{
		Name: "africastalking", Webhook: true,
		Table: func(base string) [][2]string {
			return [][2]string{{"username", a.Username}, {"api_key", a.Key}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 201, Code: "501"}, desk.Throttled: {Status: 201, Code: "429"}, desk.Unknown: {Status: 500},
			desk.BadRecipient: {Status: 201, Code: "403"}, desk.BadRequest: {Status: 201, Code: "402"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		f, ok := form(r, body)
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/version1/messaging":
			return Sent{}, &Refusal{Status: 404, Words: "not found"}
		case r.Header.Get("apikey") != a.Key || f.Get("username") != a.Username:
			return Sent{}, &Refusal{Status: 401, Words: "The supplied authentication is invalid"}
		case !ok || r.Header.Get("Accept") != "application/json":
			return Sent{}, &Refusal{Status: 400, Words: "Request is missing required form field or header"}
		case !e164.MatchString(f.Get("to")):
			return Sent{}, &Refusal{Status: 201, Code: "403", Words: "InvalidPhoneNumber", Content: true}
		case f.Get("message") == "":
			return Sent{}, &Refusal{Status: 400, Words: "Request is missing required form field 'message'", Content: true}
		}
		return Sent{To: f.Get("to"), From: f.Get("from"), Text: f.Get("message")}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 201, object{"SMSMessageData": object{"Message": "Sent to 1/1 Total Cost: KES 0.8000", "Recipients": []object{{
			"statusCode": 101, "number": s.To, "status": "Success", "cost": "KES 0.8000", "messageId": id, "messageParts": 1,
		}}}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		if r.Status != 201 {
			http.Error(w, r.Words, r.Status)
			return
		}
		code, _ := strconv.Atoi(r.Code)
		answer(w, 201, object{"SMSMessageData": object{"Message": "Sent to 0/1", "Recipients": []object{{"statusCode": code, "status": r.Words}}}})
	}
	api.Call = func(r Report) (*http.Request, error) {
		f := url.Values{"id": {r.ID}, "phoneNumber": {r.To}, "networkCode": {"62120"}, "status": {pick(r.State, "Sent", "Success", "Failed", "Failed")}}
		if reason := pick(r.State, "", "", "UserIsInactive", "UserDoesNotExist"); reason != "" {
			f.Set("failureReason", reason)
		}
		return postForm(r.ReportTo, f)
	}
	return api
}
