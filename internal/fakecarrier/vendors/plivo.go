package vendors

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// PlivoAccount is who may send by Plivo.
type PlivoAccount struct{ ID, Token string }

// Plivo is the Message API (plivo.com/docs/messaging/api/message).
func Plivo(a PlivoAccount) API {
	api := API{
		Name: "plivo",
		Table: func(base string) [][2]string {
			return [][2]string{{"auth_id", a.ID}, {"auth_token", a.Token}, {"from", "Acme"}, {"base_url", base}}
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
	return api
}
