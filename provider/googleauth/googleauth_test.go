package googleauth

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// What tokens do over time is told by the tests of package fcm, against a token endpoint that checks.

func FuzzReadToken(f *testing.F) {
	f.Add(200, `{"access_token":"x","expires_in":3599,"token_type":"Bearer"}`)
	f.Add(400, `{"error":"invalid_grant","error_description":"no"}`)
	f.Add(200, `{"access_token":1,"expires_in":1e300}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		value, life, e := readToken(httpsend.Answer{Status: status, Body: []byte(body)}, &provider.Error{Class: httpsend.Class(status)})
		if e == nil && (value == "" || life <= 0 || life > 24*time.Hour || status/100 != 2) {
			t.Errorf("%d %s is the token %q for %v", status, body, value, life)
		}
		if e != nil && e.Class == provider.Unknown {
			t.Errorf("%d %s is %v", status, body, e)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(`{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"}`)
	f.Add(`{"type":"service_account","token_uri":"http://[::1"}`)
	f.Add(`hunter2`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Read("", text)
		if err == nil && (a.key == nil || a.email == "" || a.audience == "") {
			t.Errorf("%q is the account %+v", text, a)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a secret: %v", err)
		}
	})
}
