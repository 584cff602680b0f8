package vendors

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// TwilioAccount is who may send by Twilio: by the auth token, or by an API key if there is one.
type TwilioAccount struct{ SID, Token, KeySID, KeySecret string }

// Twilio is Programmable Messaging (twilio.com/docs/messaging/api/message-resource).
func Twilio(a TwilioAccount) API {
	api := API{
		Name: "twilio", Prefix: "SM",
		Table: func(base string) [][2]string {
			return [][2]string{{"account_sid", a.SID}, {"auth_token", a.Token}, {"from", "+15005550006"}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429, Code: "20429"}, desk.Unknown: {Status: 500, Code: "20500"},
			desk.BadRecipient: {Status: 400, Code: "21211"}, desk.BadRequest: {Status: 400, Code: "21606"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		user, password, _ := r.BasicAuth()
		switch {
		case (user != a.SID || password != a.Token) && (a.KeySID == "" || user != a.KeySID || password != a.KeySecret):
			return Sent{}, &Refusal{Status: 401, Code: "20003", Words: "Authenticate"}
		case r.Method != http.MethodPost || r.URL.Path != "/2010-04-01/Accounts/"+a.SID+"/Messages.json":
			return Sent{}, &Refusal{Status: 404, Code: "20404", Words: "The requested resource was not found"}
		}
		f, ok := form(r, body)
		life, err := strconv.Atoi(f.Get("ValidityPeriod"))
		switch {
		case !ok:
			return Sent{}, &Refusal{Status: 400, Code: "20001", Words: "Unsupported content"}
		case f.Get("ValidityPeriod") != "" && (err != nil || life < 1 || life > 36000):
			return Sent{}, &Refusal{Status: 400, Code: "21621", Words: "ValidityPeriod must be between 1 and 36000"}
		case f.Get("From") == "" && f.Get("MessagingServiceSid") == "":
			return Sent{}, &Refusal{Status: 400, Code: "21603", Words: "A 'From' phone number is required."}
		case !e164.MatchString(f.Get("To")):
			return Sent{}, &Refusal{Status: 400, Code: "21211", Words: "Invalid 'To' Phone Number", Content: true}
		case f.Get("Body") == "":
			return Sent{}, &Refusal{Status: 400, Code: "21602", Words: "Message body is required.", Content: true}
		}
		from := f.Get("From")
		if from == "" {
			from = f.Get("MessagingServiceSid")
		}
		return Sent{To: f.Get("To"), From: from, Text: f.Get("Body"), ReportTo: f.Get("StatusCallback")}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 201, object{"sid": id, "status": "queued", "num_segments": "1", "to": s.To, "body": s.Text})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		code, _ := strconv.Atoi(r.Code)
		answer(w, r.Status, object{"code": code, "message": r.Words, "more_info": "https://www.twilio.com/docs/errors/" + r.Code, "status": r.Status})
	}
	api.Call = func(r Report) (*http.Request, error) {
		f := url.Values{
			"AccountSid": {a.SID}, "MessageSid": {r.ID}, "SmsSid": {r.ID}, "To": {r.To}, "From": {r.From},
			"MessageStatus": {pick(r.State, "sent", "delivered", "undelivered", "undelivered")}, "ApiVersion": {"2010-04-01"},
		}
		if code := pick(r.State, "", "", "30003", "30005"); code != "" {
			f.Set("ErrorCode", code)
		}
		call, err := postForm(r.ReportTo, f)
		if err != nil {
			return nil, err
		}
		// twilio.com/docs/usage/security: the URL, and behind it the fields in the order of their names.
		signed := []string{r.ReportTo}
		names := make([]string, 0, len(f))
		for name := range f {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			signed = append(signed, name, f.Get(name))
		}
		call.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac(sha1.New, a.Token, signed...)))
		return call, nil
	}
	return api
}
