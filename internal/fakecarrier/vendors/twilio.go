package vendors

import (
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// TwilioAccount is who may send by Twilio: by the auth token, or by an API key if there is one.
type TwilioAccount struct{ SID, Token, KeySID, KeySecret string }

const maxTwiML = 4000 // characters of the parameter Twiml

// Twilio is Programmable Messaging (twilio.com/docs/messaging/api/message-resource), and Programmable Voice.
func Twilio(a TwilioAccount) API {
	api := API{
		Name: "twilio", Prefix: "SM",
		Table: func(base string) [][2]string {
			return [][2]string{{"account_sid", a.SID}, {"auth_token", a.Token}, {"from", "+15005550006"}, {"rcs_from", "rcs:acme_agent"}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429, Code: "20429"}, desk.Unknown: {Status: 500, Code: "20500"},
			desk.BadRecipient: {Status: 400, Code: "21211"}, desk.BadRequest: {Status: 400, Code: "21606"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case !a.known(r):
			return Sent{}, &Refusal{Status: 401, Code: "20003", Words: "Authenticate"}
		case r.Method != http.MethodPost || r.URL.Path != "/2010-04-01/Accounts/"+a.SID+"/Messages.json":
			return Sent{}, &Refusal{Status: 404, Code: "20404", Words: "The requested resource was not found"}
		}
		f, ok := form(r, body)
		life, err := strconv.Atoi(f.Get("ValidityPeriod"))
		to := strings.TrimPrefix(f.Get("To"), "rcs:") // with it RCS alone is meant
		switch {
		case !ok:
			return Sent{}, &Refusal{Status: 400, Code: "20001", Words: "Unsupported content"}
		case f.Get("ValidityPeriod") != "" && (err != nil || life < 1 || life > 36000):
			return Sent{}, &Refusal{Status: 400, Code: "21621", Words: "ValidityPeriod must be between 1 and 36000"}
		case f.Get("From") == "" && f.Get("MessagingServiceSid") == "":
			return Sent{}, &Refusal{Status: 400, Code: "21603", Words: "A 'From' phone number is required."}
		case !e164.MatchString(to):
			return Sent{}, &Refusal{Status: 400, Code: "21211", Words: "Invalid 'To' Phone Number", Content: true}
		case f.Get("Body") == "":
			return Sent{}, &Refusal{Status: 400, Code: "21602", Words: "Message body is required.", Content: true}
		}
		from := f.Get("From")
		if from == "" {
			from = f.Get("MessagingServiceSid")
		}
		return Sent{To: to, From: from, Text: f.Get("Body"), ReportTo: f.Get("StatusCallback")}, nil
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
		return a.post(r.ReportTo, f)
	}
	api.Also = []API{a.voice(api)}
	return api
}

// post is a form that Twilio posts, signed: the URL, and behind it the fields in the order of their names
// (twilio.com/docs/usage/security).
func (a TwilioAccount) post(to string, f url.Values) (*http.Request, error) {
	call, err := postForm(to, f)
	if err != nil {
		return nil, err
	}
	signed := []string{to}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		signed = append(signed, name, f.Get(name))
	}
	call.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac(sha1.New, a.Token, signed...)))
	return call, nil
}

func (a TwilioAccount) known(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	return user == a.SID && password == a.Token || a.KeySID != "" && user == a.KeySID && password == a.KeySecret
}

// voice is the Call resource (twilio.com/docs/voice/api/call-resource), with the first page of TwiML in the
// request. It refuses as that for texts does.
func (a TwilioAccount) voice(texts API) API {
	path := "/2010-04-01/Accounts/" + a.SID + "/Calls.json"
	api := API{
		Prefix: "CA", Takes: func(r *http.Request) bool { return r.URL.Path == path },
		Refuse: texts.Refuse, Refusals: maps.Clone(texts.Refusals),
	}
	api.Refusals[desk.BadRequest] = Refusal{Status: 400, Code: "21210"}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		f, ok := form(r, body)
		switch {
		case !a.known(r):
			return Sent{}, &Refusal{Status: 401, Code: "20003", Words: "Authenticate"}
		case r.Method != http.MethodPost || !ok:
			return Sent{}, &Refusal{Status: 400, Code: "20001", Words: "Unsupported content"}
		case !e164.MatchString(f.Get("From")):
			return Sent{}, &Refusal{Status: 400, Code: "21212", Words: "Invalid 'From' Phone Number"}
		case f.Get("Twiml") == "" || utf8.RuneCountInString(f.Get("Twiml")) > maxTwiML:
			return Sent{}, &Refusal{Status: 400, Code: "21205", Words: "Twiml is missing or too long"}
		case !e164.MatchString(f.Get("To")):
			return Sent{}, &Refusal{Status: 400, Code: "21211", Words: "Invalid 'To' Phone Number", Content: true}
		}
		return Sent{To: f.Get("To"), From: f.Get("From"), Script: f.Get("Twiml"), ReportTo: f.Get("StatusCallback")}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 201, object{"sid": id, "status": "queued", "to": s.To, "from": s.From, "direction": "outbound-api"})
	}
	fields := func(s Sent, id, status string) url.Values {
		return url.Values{"AccountSid": {a.SID}, "CallSid": {id}, "To": {s.To}, "From": {s.From}, "Direction": {"outbound-api"},
			"CallStatus": {status}, "ApiVersion": {"2010-04-01"}}
	}
	api.Talk = func(l *Line) error {
		return l.Follow(l.Script, func(at string, f url.Values) (*http.Request, error) {
			maps.Copy(f, fields(l.Sent, l.ID, "in-progress"))
			return a.post(at, f)
		})
	}
	api.Call = func(r Report) (*http.Request, error) {
		f := fields(r.Sent, r.ID, pick(r.State, "ringing", "completed", "busy", "failed"))
		if r.State == desk.NoSuch {
			f.Set("SipResponseCode", "603") // 404 is also what a route says that does not go there
		}
		return a.post(r.ReportTo, f)
	}
	return api
}
