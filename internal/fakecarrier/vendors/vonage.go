package vendors

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// VonageAccount is who may send by Vonage, and the secret that its reports are signed with. Calls are made
// by an application with a key of its own; without Private there are none.
type VonageAccount struct {
	Key, Secret, SignatureSecret string
	Application                  string
	Private                      *rsa.PrivateKey
}

// Vonage is the SMS API (developer.vonage.com/en/api/sms), which answers 200 for errors too, the Messages
// API for RCS, and the Voice API.
func Vonage(a VonageAccount) API {
	api := API{
		Name: "vonage",
		Table: func(base string) [][2]string {
			table := [][2]string{{"api_key", a.Key}, {"api_secret", a.Secret}, {"signature_secret", a.SignatureSecret}, {"from", "Acme"}, {"base_url", base},
				{"rcs_from", "AcmeAgent"}, {"messages_url", base}}
			if a.Private != nil {
				table = append(table, [][2]string{{"application_id", a.Application}, {"private_key", a.privatePEM()},
					{"call_from", "+15005550006"}, {"voice_base_url", base}}...)
			}
			return table
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 200, Code: "5"}, desk.Throttled: {Status: 200, Code: "1"}, desk.Unknown: {Status: 502},
			desk.BadRecipient: {Status: 200, Code: "7"}, desk.BadRequest: {Status: 200, Code: "15"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		if r.Method != http.MethodPost || r.URL.Path != "/sms/json" {
			return Sent{}, &Refusal{Status: 404}
		}
		f, ok := vonageParams(r, body)
		key, secret, basic := r.BasicAuth()
		if !basic {
			key, secret = f.Get("api_key"), f.Get("api_secret")
		}
		ttl, err := strconv.Atoi(f.Get("ttl"))
		switch {
		case key != a.Key || secret != a.Secret:
			return Sent{}, &Refusal{Status: 200, Code: "4", Words: "Bad Credentials"}
		case !ok:
			return Sent{}, &Refusal{Status: 200, Code: "3", Words: "Invalid params"}
		case f.Get("from") == "":
			return Sent{}, &Refusal{Status: 200, Code: "2", Words: "Missing from param"}
		case f.Get("ttl") != "" && (err != nil || ttl < 20_000 || ttl > 604_800_000):
			return Sent{}, &Refusal{Status: 200, Code: "3", Words: "Invalid ttl param"}
		case !digits.MatchString(f.Get("to")):
			return Sent{}, &Refusal{Status: 200, Code: "3", Words: "Invalid to param", Content: true}
		case f.Get("text") == "":
			return Sent{}, &Refusal{Status: 200, Code: "2", Words: "Missing text param", Content: true}
		}
		return Sent{
			To: "+" + f.Get("to"), From: f.Get("from"), Text: f.Get("text"), Key: f.Get("client-ref"), ReportTo: f.Get("callback"),
		}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 200, object{"message-count": "1", "messages": []object{{
			"to": strings.TrimPrefix(s.To, "+"), "message-id": id, "status": "0", "remaining-balance": "3.14159265",
			"message-price": "0.03330000", "network": "21407",
		}}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		if r.Status != 200 {
			w.WriteHeader(r.Status)
			return
		}
		answer(w, 200, object{"message-count": "1", "messages": []object{{"status": r.Code, "error-text": r.Words}}})
	}
	api.Call = func(r Report) (*http.Request, error) {
		f := url.Values{
			"msisdn": {strings.TrimPrefix(r.To, "+")}, "to": {r.From}, "network-code": {"21407"}, "messageId": {r.ID}, "price": {"0.03330000"},
			"status": {pick(r.State, "accepted", "delivered", "failed", "failed")}, "err-code": {pick(r.State, "0", "0", "2", "9")},
			"scts": {r.At.UTC().Format("0601021504")}, "message-timestamp": {r.At.UTC().Format("2006-01-02 15:04:05")},
			"client-ref": {r.Key}, "api-key": {a.Key}, "timestamp": {strconv.FormatInt(r.At.Unix(), 10)}, "nonce": {r.Nonce},
		}
		// developer.vonage.com/en/getting-started/concepts/signing-messages
		names := make([]string, 0, len(f))
		for name := range f {
			names = append(names, name)
		}
		slices.Sort(names)
		signed := ""
		for _, name := range names {
			signed += "&" + name + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(f.Get(name))
		}
		f.Set("sig", hex.EncodeToString(mac(sha256.New, a.SignatureSecret, signed)))
		return postForm(r.ReportTo, f)
	}
	api.Also = []API{a.messages()}
	if a.Private != nil {
		api.Also = append(api.Also, a.voice())
	}
	return api
}

// vonageParams reads a form, as providers send it, or the same in JSON, as Vonage's own library does.
func vonageParams(r *http.Request, body []byte) (url.Values, bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return form(r, body)
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&object) != nil {
		return nil, false
	}
	f := url.Values{}
	for name, value := range object {
		f.Set(name, fmt.Sprint(value))
	}
	return f, true
}
