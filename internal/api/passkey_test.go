package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
)

// passkeyOptions are the options of an answer, as far as a browser looks at them.
type passkeyOptions struct {
	Options *struct {
		PublicKey struct {
			Challenge string
			User      struct{ ID string }
		}
	}
}

// answers are what browsers make of the latest options: $PROOF is as it should be, the others are wrong
// in one thing. $COUNTED comes from an authenticator that has counted to 7.
var answers = map[string]struct {
	before func(*passkeytest.Authenticator)
	after  func(*passkeytest.Authenticator, passkeytest.Answer)
}{
	"PROOF":    {},
	"COUNTED":  {before: func(a *passkeytest.Authenticator) { a.Count = 7 }},
	"EVIL":     {before: func(a *passkeytest.Authenticator) { a.Origin = "https://evil.test" }},
	"PHISHED":  {before: func(a *passkeytest.Authenticator) { a.Site = "evil.test" }},
	"ABSENT":   {before: func(a *passkeytest.Authenticator) { a.Flags = 0 }},
	"STRANGER": {before: func(a *passkeytest.Authenticator) { a.User = "YE" + strings.Repeat("0", 32) }},
	"UNKNOWN": {before: func(a *passkeytest.Authenticator) {
		*a = *passkeytest.New(a.Site, a.Origin)
		a.ID = []byte("the id of no key")
	}},
	"FORGED": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
		x.Response()["signature"] = encode("no signature")
	}},
	"CUT": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
		object := passkeytest.Attestation("none", a.Attested(a.PublicKey()))
		x.Response()["attestationObject"] = encode(string(object[:len(object)-1]))
	}},
	"KEYLESS": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
		x.Response()["attestationObject"] = encode(string(passkeytest.Attestation("none", a.Unattested())))
	}},
	"ED25519": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
		key := append([]byte{0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32}, make([]byte, 32)...)
		x.Response()["attestationObject"] = encode(string(passkeytest.Attestation("none", a.Attested(key))))
	}},
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// passkeyVariable is the JSON that a browser makes of the latest options, or a member of it:
// ${PROOF.response.signature}.
func (w *world) passkeyVariable(name string) (string, bool) {
	name, member, _ := strings.Cut(name, ".")
	how, known := answers[name]
	if !known {
		return "", false
	}
	answer := w.browse(how.before)
	if how.after != nil {
		how.after(w.passkey, answer)
	}
	if member == "" {
		return string(answer.JSON()), true
	}
	if member, below := strings.CutPrefix(member, "response."); below {
		return fmt.Sprint(answer.Response()[member]), true
	}
	return fmt.Sprint(answer[member]), true
}

// browse has a browser answer the latest options. The authenticator is the same all along, but for what
// before makes of it.
func (w *world) browse(before func(*passkeytest.Authenticator)) passkeytest.Answer {
	w.t.Helper()
	if w.passkey == nil {
		w.passkey = passkeytest.New("example.test", "https://example.test")
		w.passkey.ID = []byte("the id of a key") // the same in every run
	}
	for _, answer := range slices.Backward(w.answers) {
		var o passkeyOptions
		if json.Unmarshal(answer, &o) != nil || o.Options == nil {
			continue
		}
		asked, browser := o.Options.PublicKey, *w.passkey
		if asked.User.ID != "" {
			user, err := base64.RawURLEncoding.DecodeString(asked.User.ID)
			if err != nil {
				w.t.Fatal(err)
			}
			w.passkey.User, browser.User = string(user), string(user)
		}
		if before != nil {
			before(&browser)
		}
		if asked.User.ID != "" {
			return browser.Register(asked.Challenge, asked.User.ID)
		}
		return browser.Prove(asked.Challenge)
	}
	w.t.Fatal("no options have appeared")
	return nil
}

// What is not the object that an endpoint takes is refused, and makes nothing.
func TestBadJSON(t *testing.T) {
	w := newWorld(t)
	w.play("POST /v2/Services FriendlyName=Acme Passkeys.RelyingParty.Id=example.test Passkeys.RelyingParty.Origins=https://example.test " +
		"Passkeys.AuthenticatorAttachment=any Passkeys.DiscoverableCredentials=preferred Passkeys.UserVerification=preferred")
	at := "/v2/Services/" + w.names["VA1"] + "/Passkeys/"
	for _, c := range []struct {
		path, kind, body string
		status, code     int
	}{
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2"}`, 201, 0},
		{"Factors", "application/json; charset=utf-8", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":{},"more":[1]}`, 201, 0},
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":null}`, 201, 0},
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":{"relying_party":{}}}`, 201, 0},
		{"Factors", "", `{"friendly_name":"Ann","identity":"user-7f3a91c2"}`, 201, 0},
		{"Challenges", "application/json", ``, 201, 0},
		{"Challenges", "application/json", `{}`, 201, 0},
		{"Challenges", "application/json", `{"identity":"","factor_sid":""}`, 201, 0},

		{"Factors", "application/x-www-form-urlencoded", `friendly_name=Ann`, 400, 60306},
		{"Factors", "application/json", `[]`, 400, 60306},
		{"Factors", "application/json", `null`, 400, 60306},
		{"Factors", "application/json", `{`, 400, 60306},
		{"Factors", "application/json", `{} {}`, 400, 60306},
		{"Factors", "application/json", `{"friendly_name":"a\u0000b","identity":"user-7f3a91c2"}`, 400, 60306},
		{"Factors", "application/json", `{"friendly_name":"` + strings.Repeat("x", 70_000) + `"}`, 400, 60306},
		{"Factors", "application/json", `{}`, 400, 60388},
		{"Factors", "application/json", `{"friendly_name":7,"identity":"user-7f3a91c2"}`, 400, 60388},
		{"Factors", "application/json", `{"friendly_name":"Ann"}`, 400, 60367},
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":["user-7f3a91c2"]}`, 400, 60367},
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":"platform"}`, 400, 60370},
		{"Factors", "application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":{"user_verification":true}}`, 400, 60370},
		{"Challenges", "application/json", `{"identity":7}`, 400, 60367},
		{"Challenges", "application/json", `{"identity":"user-7f3a91c2","factor_sid":7}`, 400, 60362},
		{"VerifyFactor", "application/json", `{}`, 400, 60375},
		{"VerifyFactor", "application/json", `{"id":"QQ"}`, 400, 60376},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"41","authenticatorAttachment":"usb"}`, 400, 60377},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"41","response":7}`, 400, 60378},
		{"ApproveChallenge", "application/json", `{"id":"QQ","rawId":"QQ","response":{}}`, 400, 60380},
		{"VerifyFactor", "application/json", `{"id":7}`, 400, 60375},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":7}`, 400, 60376},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"QQ","authenticatorAttachment":7}`, 400, 60377},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"QQ","type":7}`, 400, 60378},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"QQ","response":{"clientDataJSON":7}}`, 400, 60380},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"QQ","response":{"attestationObject":7}}`, 400, 60386},
		{"VerifyFactor", "application/json", `{"id":"QQ","rawId":"QQ","response":{"transports":"usb"}}`, 400, 60378},
		{"ApproveChallenge", "application/json", `{"id":"QQ","rawId":"QQ","response":{"authenticatorData":7}}`, 400, 60379},
		{"ApproveChallenge", "application/json", `{"id":"QQ","rawId":"QQ","response":{"signature":7}}`, 400, 60381},
		{"ApproveChallenge", "application/json", `{"id":"QQ","rawId":"QQ","response":{"userHandle":7}}`, 400, 60378},
	} {
		r := httptest.NewRequest("POST", at+c.path, strings.NewReader(c.body))
		r.SetBasicAuth(w.account, w.token)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code != c.status || c.code != 0 && !strings.Contains(rec.Body.String(), fmt.Sprintf(`"code":%d,`, c.code)) {
			t.Errorf("%s %.80s: %d %s, want %d %d", c.path, c.body, rec.Code, rec.Body, c.status, c.code)
		}
	}
	rec := w.do("GET", "/v2/Services/"+w.names["VA1"]+"/Entities/user-7f3a91c2/Factors", "")
	if n := strings.Count(rec.Body.String(), `"sid":"YF`); n != 5 {
		t.Errorf("%d factors were made, want 5", n)
	}
}
