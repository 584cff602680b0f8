package api

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

// Whatever body comes, it is refused, or its members are those of one object without NUL.
func FuzzJSON(f *testing.F) {
	f.Add("application/json", `{"friendly_name":"Ann","identity":"user-7f3a91c2","config":{"relying_party":{"id":"a","name":"b","origins":["c"]},"user_verification":"required"}}`)
	f.Add("application/json; charset=utf-8", `{"identity":7,"factor_sid":"\u0000"}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		read, err := readJSON(httptest.NewRecorder(), r)
		var p passkeyParams
		var c passkeyChallengeParams
		if err == nil {
			err = errors.Join(decodeJSON(read, &p), decodeJSON(read, &c))
		}
		if err != nil {
			if _, ok := errors.AsType[*verify.Error](err); !ok {
				t.Errorf("%v is no *verify.Error", err)
			}
			return
		}
		for _, text := range []string{p.FriendlyName, p.Identity, p.Config.UserVerification, c.FactorSID} {
			if strings.IndexByte(text, 0) >= 0 {
				t.Errorf("%q has NUL in it", text)
			}
		}
	})
}
