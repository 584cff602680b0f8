package api_test

import (
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

// passkeyVariable is the JSON that a browser makes of the latest options.
func (w *world) passkeyVariable(name string) (string, bool) {
	if name != "PROOF" && name != "EVIL" {
		return "", false
	}
	if w.passkey == nil {
		w.passkey = passkeytest.New("example.test", "https://example.test")
		w.passkey.ID = []byte("the id of a key") // the same in every run
	}
	browser := *w.passkey
	if name == "EVIL" {
		browser.Origin = "https://evil.test"
	}
	for _, answer := range slices.Backward(w.answers) {
		var o passkeyOptions
		if json.Unmarshal(answer, &o) != nil || o.Options == nil {
			continue
		}
		asked := o.Options.PublicKey
		if asked.User.ID == "" {
			return string(browser.Prove(asked.Challenge).JSON()), true
		}
		registered := browser.Register(asked.Challenge, asked.User.ID)
		w.passkey.User = browser.User
		return string(registered.JSON()), true
	}
	w.t.Fatal("no options have appeared")
	return "", true
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
