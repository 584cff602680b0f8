package jose_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/jose"
)

// The key and the tokens of the factors reference, sections 12.5 and 12.7.
const (
	privateKey = "70e9acb8c27f1793a868cf6364a9d4814ea3e6ae8adb0907302525117eba6de7"
	deviceJWT  = "eyJjdHkiOiJ0d2lsaW8tcGJhO3Y9MSIsImtpZCI6IkNSNWU2ZjcwODE5MmEzYjRjNWQ2ZTdmODA5MWEyYjNjNGQiLCJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9." +
		"eyJzdWIiOiJBQzExMTEyMjIyMzMzMzQ0NDQ1NTU1NjY2Njc3Nzc4ODg4IiwiZXhwIjoxNzY0MDAwNjYwLCJuYmYiOjE3NjQwMDAwNjB9." +
		"Onrxxbk-xvs6Yp3a5qoUy9cxSk8iL4IAkcxTS5FOfIzuAeDgkNDJMn-obSbRg5D2t_gn80QhZ5ujuxAy8LPCwQ"
	accessKey   = "0aefe8436817552af8c0e093d71644dc379e84153f8b8ec10e8734b6c1d9d126"
	accessToken = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoidHdpbGlvLWZwYTt2PTEiLCJraWQiOiJrMSJ9..AAECAwQFBgcICQoL." +
		"p1dDEJmrbJYRAdtcCPLQlgiJ14nlg3ESpsmuT-oXkNk9_S5AaIe4d6B-i1HIo_X3aDlMtaAzALrRVu5XYQyzKNQpsd843ED3DmiU8MnwB4p3Bd0iPvaFNZEBdqd2qhZMazac_DLUeFI2Fj3eTjDg_dK668Fw6NvwdbRMfmEavP6wfU371v27BZMzwCBm7kkrfcLXuEP3lWe9njlNnhS-CuCduTieALIWAEJqKWmJ8VTYJMCTfSpcuDvBNN1CPRwh1KD7tOjUU7uFt0SJMcNC1PYS4DOstCamRCYiAhbjzVOAiXYob_gSE0-mdX0V." +
		"jVxVJTBomEX1VJfNIiq9tQ"
	accessClaims = `{"jti":"YK00112233445566778899aabbccddeeff","iss":"AC11112222333344445555666677778888","sub":"VA9f8e7d6c5b4a39281706f5e4d3c2b1a0","identity":"user-7f3a91c2","factor":"push","friendly_name":"Ann's phone","iat":1764000000,"exp":1764000060}`
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), fromHex(t, privateKey))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheDeviceTokenOfTheReference(t *testing.T) {
	j, err := jose.ParseJWS(deviceJWT)
	if err != nil {
		t.Fatal(err)
	}
	if want := (jose.Header{Alg: "ES256", Cty: "twilio-pba;v=1", Kid: "CR5e6f708192a3b4c5d6e7f8091a2b3c4d"}); j.Header != want {
		t.Errorf("header %+v, want %+v", j.Header, want)
	}
	if want := `{"sub":"AC11112222333344445555666677778888","exp":1764000660,"nbf":1764000060}`; string(j.Payload) != want {
		t.Errorf("payload %s, want %s", j.Payload, want)
	}
	if !j.Verify(&key(t).PublicKey) {
		t.Error("the signature does not verify")
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if j.Verify(&other.PublicKey) {
		t.Error("the signature verifies under another key")
	}
}

// Every byte counts: a token with one character changed is refused, or its signature is wrong.
func TestAChangedTokenIsRefused(t *testing.T) {
	k := key(t)
	for i, c := range []byte(deviceJWT) {
		other := byte('A')
		if c == other {
			other = 'B'
		}
		changed := deviceJWT[:i] + string(other) + deviceJWT[i+1:]
		if j, err := jose.ParseJWS(changed); err == nil && j.Verify(&k.PublicKey) {
			t.Fatalf("taken with character %d changed: %s", i, changed)
		}
	}
}

// A handset's signature can be a byte short, in either half.
func TestASignatureThatIsAByteShort(t *testing.T) {
	k := key(t)
	short := map[string]bool{}
	for n := 0; len(short) < 2; n++ {
		if n > 10_000 {
			t.Fatalf("found signatures with a short half: %v", short)
		}
		token, err := jose.SignJWS([]byte(`{"alg":"ES256"}`), []byte(`{}`), k, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndex(token, ".") + 1
		signature, err := base64.RawURLEncoding.DecodeString(token[dot:])
		if err != nil {
			t.Fatal(err)
		}
		half := "r"
		switch {
		case signature[0] == 0:
			signature = signature[1:]
		case signature[32] == 0:
			half, signature = "s", append(signature[:32:32], signature[33:]...)
		default:
			continue
		}
		short[half] = true
		j, err := jose.ParseJWS(token[:dot] + base64.RawURLEncoding.EncodeToString(signature))
		if err != nil || !j.Verify(&k.PublicKey) {
			t.Errorf("a short %s: %v", half, err)
		}
		j, err = jose.ParseJWS(token[:dot] + base64.RawURLEncoding.EncodeToString(signature[:62]))
		if err != nil || j.Verify(&k.PublicKey) {
			t.Errorf("two bytes short: %v", err)
		}
	}
}

func TestOneAlgorithmAlone(t *testing.T) {
	k := key(t)
	sign := func(header string) string {
		token, err := jose.SignJWS([]byte(header), []byte(`{}`), k, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for _, token := range []string{
		sign(`{"alg":"none"}`), sign(`{"alg":"HS256"}`), sign(`{"alg":"es256"}`), sign(`{}`), sign(`[]`), sign(`{"alg":1}`),
		"", ".", "..", "a.b.c", "a.b.c.d", deviceJWT + ".", deviceJWT + "=", strings.Replace(deviceJWT, ".", ".\n", 1),
		sign(`{"alg":"ES256","crit":["b64"],"b64":false}`), sign(`{"alg":"ES256","crit":[]}`), sign(`{"alg":"ES256","crit":null}`),
		sign(`{"alg":"ES256","kid":"` + strings.Repeat("x", 9000) + `"}`),
	} {
		if _, err := jose.ParseJWS(token); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%.60s: %v, want ErrMalformed", token, err)
		}
	}
}

// accessAEAD is AES-256-GCM with the key of the reference. nonce is that of what is sealed, random if
// it is nil.
func accessAEAD(t testing.TB) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(fromHex(t, accessKey))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

func openAccess(t testing.TB) func(jose.Header, []byte, string) (string, error) {
	return func(_ jose.Header, sealed []byte, additional string) (string, error) {
		text, err := accessAEAD(t).Open(nil, sealed[:12], sealed[12:], []byte(additional))
		return string(text), err
	}
}

func TestTheAccessTokenOfTheReference(t *testing.T) {
	got, err := jose.OpenJWE(accessToken, func(h jose.Header, sealed []byte, additional string) (string, error) {
		if want := (jose.Header{Alg: "dir", Enc: "A256GCM", Cty: "twilio-fpa;v=1", Kid: "k1"}); h != want {
			t.Errorf("header %+v, want %+v", h, want)
		}
		return openAccess(t)(h, sealed, additional)
	})
	if err != nil || got != accessClaims {
		t.Errorf("opens as %s, %v", got, err)
	}
	again := jose.SealJWE([]byte(`{"alg":"dir","enc":"A256GCM","cty":"twilio-fpa;v=1","kid":"k1"}`), func(additional string) []byte {
		nonce := fromHex(t, "000102030405060708090a0b")
		return accessAEAD(t).Seal(nonce, nonce, []byte(accessClaims), []byte(additional))
	})
	if again != accessToken {
		t.Errorf("sealed again:\n%s\nwant\n%s", again, accessToken)
	}
}

func TestWhatIsNoAccessToken(t *testing.T) {
	for _, token := range []string{
		"", "....", deviceJWT, accessToken + ".", strings.Replace(accessToken, "..", ".AA.", 1),
		strings.Replace(accessToken, "..AAEC", "..AAECAAEC", 1), accessToken[:len(accessToken)-2],
		"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0" + accessToken[strings.Index(accessToken, "."):], // A128GCM
	} {
		if _, err := jose.OpenJWE(token, openAccess(t)); err == nil {
			t.Errorf("%.60s opens", token)
		}
	}
}

func FuzzParseJWS(f *testing.F) {
	f.Add(deviceJWT)
	f.Add("eyJhbGciOiJFUzI1NiJ9.e30.AA")
	f.Add("..")
	k := key(f)
	f.Fuzz(func(t *testing.T, token string) {
		j, err := jose.ParseJWS(token)
		if err != nil {
			if !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("%q: %v", token, err)
			}
			return
		}
		if j.Header.Alg != "ES256" || strings.Count(token, ".") != 2 {
			t.Errorf("%q is read as %+v", token, j)
		}
		if j.Verify(&k.PublicKey) != (token == deviceJWT) {
			// Another signature over the same text would be a forgery, or the other of the two that
			// ECDSA always has (r, n-s), which is as good.
			if signed, _, _ := strings.Cut(token, "."); !strings.HasPrefix(deviceJWT, signed) || !otherHalf(token) {
				t.Errorf("%q verifies", token)
			}
		}
	})
}

// otherHalf reports whether the signature of a token is that of the reference's with n-s for s.
func otherHalf(token string) bool {
	read := func(s string) (r, half *big.Int) {
		b, _ := base64.RawURLEncoding.DecodeString(s[strings.LastIndex(s, ".")+1:])
		if len(b) != 64 {
			return new(big.Int), new(big.Int)
		}
		return new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:])
	}
	r, s := read(token)
	r0, s0 := read(deviceJWT)
	return r.Cmp(r0) == 0 && new(big.Int).Add(s, s0).Cmp(elliptic.P256().Params().N) == 0
}

func FuzzOpenJWE(f *testing.F) {
	f.Add(accessToken)
	f.Add("e30..AA.AA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		text, err := jose.OpenJWE(token, openAccess(t))
		if err == nil && (token != accessToken || text != accessClaims) {
			t.Errorf("%q opens as %q", token, text)
		}
	})
}
