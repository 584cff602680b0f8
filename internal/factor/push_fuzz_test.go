package factor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What nobody signed is never an answer, whatever it looks like.
func FuzzReadStatement(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), zeroReader{})
	if err != nil {
		f.Fatal(err)
	}
	c := &Challenge{SID: "YC1", Details: &ChallengeDetails{Message: "m"}}
	f.Add("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJzdGF0dXMiOiJhcHByb3ZlZCJ9.kfXJNp0pK6VTTICf4M_VAeCwkjXhtVJbKNZdXLJgCCXwuxtrN5JWR043YLN6ApNPP51T-Kx2QYcsBte2sYYgPQ")
	f.Add("..")
	f.Add("MEQCIHOQoEg52ZiC3kixgdu71Jxhi89xhx28UCSApamHIvn1AiAKfA8ozyKQjXzF4bHvCCaFDWDQeeEzea/ec4wwc9A+Uw==")
	f.Fuzz(func(t *testing.T, payload string) {
		if status, ok := c.readStatement(&key.PublicKey, payload); ok || status != "" {
			t.Errorf("%q says %s", payload, status)
		}
		if provesFactor(&key.PublicKey, "YF1", payload) {
			t.Errorf("%q proves a factor", payload)
		}
		if err := checkPayload(Push, &payload); (err == nil) != SignedPayloads.Holds(utf8.RuneCountInString(payload)) {
			t.Errorf("%q: %v", payload, err)
		}
	})
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	h := sha256.Sum256([]byte("a fixed key"))
	return copy(b, h[:]), nil
}

func FuzzDeviceClaims(f *testing.F) {
	const at = 1764000060
	f.Add(`{"sub":"AC1","exp":1764000660,"nbf":1764000060}`)
	f.Add(`{"sub":"AC1","exp":1e18,"nbf":-1}`)
	f.Add(`{"SUB":"AC1","exp":"1764000660","nbf":null}`)
	f.Fuzz(func(t *testing.T, payload string) {
		if !validDeviceClaims([]byte(payload), "AC1", time.Unix(at, 0)) {
			return
		}
		var claims struct {
			Sub      string
			Exp, Nbf int64
		}
		if err := json.Unmarshal([]byte(payload), &claims); err != nil || claims.Sub != "AC1" ||
			claims.Nbf > at+60 || claims.Exp <= at-60 || claims.Exp-claims.Nbf > 660 || claims.Nbf < at-60-660 {
			t.Errorf("%q is taken: %+v, %v", payload, claims, err)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	const good = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnQ/W1Ck1hyfkPtC06FwM7+6g2g4UI7jjXQz4FM7olqUu1e852WjeI3/AtG8sOa5oX+zayMeEH85q8lgXMIoYRg=="
	f.Add(good)
	f.Add(strings.Replace(good, "MFkw", "MFkx", 1))
	f.Add(good[:20] + "\n" + good[21:])
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parsePublicKey(text)
		if err == nil && (key.Curve != elliptic.P256() || len(text) != publicKeyLength) {
			t.Errorf("%q is read as a key of %s", text, key.Curve.Params().Name)
		}
	})
}
