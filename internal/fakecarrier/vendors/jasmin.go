package vendors

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// JasminAccount is who may send by Jasmin.
type JasminAccount struct{ Username, Password string }

// Jasmin is the HTTP API of the Jasmin SMS gateway (docs.jasminsms.com/en/latest/apis/ja-http), which
// stands for all those that the provider "http" is configured for: it answers in text, and its reports
// carry no proof. It has no answer for a number that nobody has.
func Jasmin(a JasminAccount) API {
	api := API{
		Name: "http",
		Table: func(base string) [][2]string {
			return [][2]string{{"preset", "jasmin"}, {"url", base}, {"from", "Acme"}, {"vars.username", a.Username}, {"vars.password", a.Password}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500}, desk.BadRequest: {Status: 412},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		f, ok := form(r, body)
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/send":
			return Sent{}, &Refusal{Status: 404, Words: "No such resource"}
		case !ok:
			return Sent{}, &Refusal{Status: 400, Words: "Cannot parse the arguments"}
		case f.Get("username") != a.Username || f.Get("password") != a.Password:
			return Sent{}, &Refusal{Status: 403, Words: "Authentication failure for username:" + f.Get("username")}
		case f.Get("dlr-url") != "" && (f.Get("dlr") != "yes" || f.Get("dlr-level") != "2" || f.Get("dlr-method") != "POST"):
			return Sent{}, &Refusal{Status: 400, Words: "this fake reports by POST, of the handset alone: dlr=yes, dlr-level=2, dlr-method=POST"}
		}
		text := f.Get("content")
		if f.Get("coding") == "8" {
			text, ok = utf16BE(f.Get("hex-content"))
		}
		switch {
		case !ok || text == "":
			return Sent{}, &Refusal{Status: 400, Words: "Mandatory argument [content] is not found.", Content: true}
		case !digits.MatchString(f.Get("to")):
			return Sent{}, &Refusal{Status: 400, Words: "Argument [to] has an invalid value", Content: true}
		}
		return Sent{To: "+" + f.Get("to"), From: f.Get("from"), Text: text, ReportTo: f.Get("dlr-url")}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) { fmt.Fprintf(w, "Success %q", id) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		w.WriteHeader(r.Status)
		fmt.Fprintf(w, "Error %q", r.Words)
	}
	api.Call = func(r Report) (*http.Request, error) {
		return postForm(r.ReportTo, url.Values{
			"id": {r.ID}, "level": {"2"}, "connector": {"fake"}, "message_status": {pick(r.State, "ENROUTE", "DELIVRD", "EXPIRED", "UNDELIV")},
			"donedate": {r.At.UTC().Format("0601021504")}, "err": {pick(r.State, "000", "000", "027", "001")},
		})
	}
	return api
}

func utf16BE(text string) (string, bool) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) > 0; b = b[2:] {
		units = append(units, binary.BigEndian.Uint16(b))
	}
	return string(utf16.Decode(units)), true
}
