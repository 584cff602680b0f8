package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

// Every path and every member that is published for passkeys is served and read. The answers of
// browsers are read in package passkey, by names that are not ours.
func TestEveryPublishedMemberOfPasskeysIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/contract_passkeys.json")
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Paths map[string]map[string]struct{ Members map[string]any }
	}
	if err := json.Unmarshal(text, &published); err != nil || len(published.Paths) != 4 {
		t.Fatalf("%d paths, %v", len(published.Paths), err)
	}
	for path, methods := range published.Paths {
		for method, m := range methods {
			if !slices.ContainsFunc(routes, func(r route) bool { return r.path == path && r.method == method && r.json() }) {
				t.Errorf("%s %s is not served", method, path)
			}
			var params any
			switch path[strings.LastIndex(path, "/"):] {
			case "/Factors":
				params = &passkeyParams{}
			case "/Challenges":
				params = &passkeyChallengeParams{}
			default:
				continue
			}
			body, err := json.Marshal(sample(m.Members))
			if err != nil {
				t.Fatal(err)
			}
			d := json.NewDecoder(bytes.NewReader(body))
			d.DisallowUnknownFields()
			if err := d.Decode(params); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
	}
}

// sample is a value for every member, by the name of its type.
func sample(members map[string]any) map[string]any {
	object := map[string]any{}
	for name, kind := range members {
		switch kind := kind.(type) {
		case map[string]any:
			object[name] = sample(kind)
		case string:
			object[name] = map[string]any{"string": "text", "array": []string{"text"}}[kind]
		}
	}
	return object
}

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
