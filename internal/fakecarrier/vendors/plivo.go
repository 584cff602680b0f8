package vendors

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// PlivoAccount is who may send by Plivo.
type PlivoAccount struct{ ID, Token string }

// Plivo is the Message API (plivo.com/docs/messaging/api/message), and the Call API.
func Plivo(a PlivoAccount) API {
	api := API{
		Name: "plivo",
		Table: func(base string) [][2]string {
			return [][2]string{{"auth_id", a.ID}, {"auth_token", a.Token}, {"from", "Acme"}, {"call_from", "+15005550006"}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500},
			desk.BadRecipient: {Status: 400, Code: "dst"}, desk.BadRequest: {Status: 400, Code: "src"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		id, token, _ := r.BasicAuth()
		switch {
		case id != a.ID || token != a.Token:
			return Sent{}, &Refusal{Status: 401, Words: "authentication failed"}
		case r.Method != http.MethodPost || r.URL.Path != "/v1/Account/"+a.ID+"/Message/":
			return Sent{}, &Refusal{Status: 404, Words: "not found"}
		}
		var m struct {
			Src    string `json:"src"`
			Dst    string `json:"dst"`
			Text   string `json:"text"`
			URL    string `json:"url"`
			Method string `json:"method"`
			Expiry int    `json:"message_expiry"`
		}
		switch {
		case !strict(body, &m):
			return Sent{}, &Refusal{Status: 400, Words: "the request is not JSON that is known"}
		case m.Src == "":
			return Sent{}, &Refusal{Status: 400, Code: "src", Words: "is missing"}
		case m.URL != "" && m.Method != "POST":
			return Sent{}, &Refusal{Status: 400, Code: "method", Words: "this fake reports by POST alone"}
		case m.Expiry < 0 || m.Expiry > 10800 || m.Expiry > 0 && m.Expiry < 5:
			return Sent{}, &Refusal{Status: 400, Code: "message_expiry", Words: "is not between 5 and 10800"}
		case !digits.MatchString(m.Dst):
			return Sent{}, &Refusal{Status: 400, Code: "dst", Words: "is not a valid number", Content: true}
		case m.Text == "":
			return Sent{}, &Refusal{Status: 400, Code: "text", Words: "is missing", Content: true}
		}
		return Sent{To: "+" + m.Dst, From: m.Src, Text: m.Text, ReportTo: m.URL}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 202, object{"message": "message(s) queued", "message_uuid": []string{id}, "api_id": "x"})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"api_id": "x", "error": strings.TrimSpace(r.Code + " " + r.Words)})
	}
	api.Call = func(r Report) (*http.Request, error) {
		f := url.Values{
			"MessageUUID": {r.ID}, "ParentMessageUUID": {r.ID}, "PartInfo": {"1 of 1"}, "To": {strings.TrimPrefix(r.To, "+")}, "From": {r.From},
			"Status": {pick(r.State, "sent", "delivered", "undelivered", "undelivered")}, "MCC": {"214"}, "MNC": {"07"}, "TotalAmount": {"0.00350"},
		}
		if code := pick(r.State, "", "", "80", "50"); code != "" {
			f.Set("ErrorCode", code)
		}
		call, err := postForm(r.ReportTo, f)
		if err != nil {
			return nil, err
		}
		// plivo.com/docs/messaging/concepts/signature-validation: the URL without its query, and a nonce.
		bare, _, _ := strings.Cut(r.ReportTo, "?")
		call.Header.Set("X-Plivo-Signature-V2-Nonce", r.Nonce)
		call.Header.Set("X-Plivo-Signature-V2", base64.StdEncoding.EncodeToString(mac(sha256.New, a.Token, bare, r.Nonce)))
		return call, nil
	}
	api.Also = []API{a.voice(api)}
	return api
}

// voice is the Call API (plivo.com/docs/voice/api/call/make-a-call): all that is said is asked for, first
// when somebody answers. It refuses as that for texts does.
func (a PlivoAccount) voice(texts API) API {
	path := "/v1/Account/" + a.ID + "/Call/"
	api := API{
		Takes: func(r *http.Request) bool { return r.URL.Path == path }, Refuse: texts.Refuse, Refusals: texts.Refusals,
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var m struct {
			From         string `json:"from"`
			To           string `json:"to"`
			AnswerURL    string `json:"answer_url"`
			AnswerMethod string `json:"answer_method"`
			HangupURL    string `json:"hangup_url"`
			HangupMethod string `json:"hangup_method"`
			SendDigits   string `json:"send_digits"`
			TimeLimit    int    `json:"time_limit"`
			HangupOnRing int    `json:"hangup_on_ring"`
		}
		id, token, _ := r.BasicAuth()
		switch {
		case id != a.ID || token != a.Token:
			return Sent{}, &Refusal{Status: 401, Words: "authentication failed"}
		case r.Method != http.MethodPost || !strict(body, &m):
			return Sent{}, &Refusal{Status: 400, Words: "the request is not JSON that is known"}
		case m.AnswerURL == "" || m.AnswerMethod != "POST" || m.HangupURL != "" && m.HangupMethod != "POST":
			return Sent{}, &Refusal{Status: 400, Code: "answer_url", Words: "is missing, or not asked by POST, which this fake does alone"}
		case !digits.MatchString(m.From):
			return Sent{}, &Refusal{Status: 400, Code: "src", Words: "is not a valid number"}
		case !digits.MatchString(m.To):
			return Sent{}, &Refusal{Status: 400, Code: "dst", Words: "is not a valid number", Content: true}
		}
		return Sent{To: "+" + m.To, From: m.From, Script: m.AnswerURL, ReportTo: m.HangupURL}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 201, object{"message": "call fired", "request_uuid": id, "api_id": "x"})
	}
	fields := func(s Sent, id, status string) url.Values {
		return url.Values{"CallUUID": {id}, "RequestUUID": {id}, "Direction": {"outbound"}, "To": {strings.TrimPrefix(s.To, "+")},
			"From": {s.From}, "CallStatus": {status}}
	}
	api.Talk = func(l *Line) error {
		ask := func(at string, f url.Values) (*http.Request, error) {
			maps.Copy(f, fields(l.Sent, l.ID, "in-progress"))
			return a.postCall(at, f, l.server.desk.NewID())
		}
		page, err := l.Ask(ask(l.Script, url.Values{}))
		if err != nil {
			return err
		}
		return l.Follow(page, ask)
	}
	api.Call = func(r Report) (*http.Request, error) {
		if r.State == desk.Sent {
			return nil, nil // only the end is told
		}
		f := fields(r.Sent, r.ID, pick(r.State, "", "completed", "busy", "failed"))
		f.Set("HangupCauseCode", pick(r.State, "", "4000", "3010", "2000"))
		f.Set("TotalCost", "0.00500")
		return a.postCall(r.ReportTo, f, r.Nonce)
	}
	return api
}

// postCall is a form that Plivo posts in a call, signed
// (plivo.com/docs/voice/concepts/signature-validation): the URL with its query in order, a dot, the fields in
// order, a dot, and a nonce.
func (a PlivoAccount) postCall(to string, f url.Values, nonce string) (*http.Request, error) {
	call, err := postForm(to, f)
	if err != nil {
		return nil, err
	}
	in := func(values url.Values, equals, and string) string {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			all = append(all, name+equals+values.Get(name))
		}
		return strings.Join(all, and)
	}
	bare, _, asks := strings.Cut(to, "?")
	signed := bare + "?"
	if asks {
		signed += in(call.URL.Query(), "=", "&") + "."
	}
	call.Header.Set("X-Plivo-Signature-V3-Nonce", nonce)
	call.Header.Set("X-Plivo-Signature-V3", base64.StdEncoding.EncodeToString(mac(sha256.New, a.Token, signed, in(f, "", ""), ".", nonce)))
	return call, nil
}
