package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
)

// The examples of RFC 7515, A.2 (RS256) and A.3 (ES256): keys, tokens and all.
const (
	modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql" +
		"L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" +
		"LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" +
		"F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	rs256 = "eyJhbGciOiJSUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb" +
		"F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383" +
		"LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy" +
		"wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	es256 = "eyJhbGciOiJFUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

func number(t testing.TB, text string) *big.Int {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(b)
}

func keys(t testing.TB) (*rsa.PublicKey, *ecdsa.PublicKey) {
	t.Helper()
	point := append([]byte{4}, append(
		number(t, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").FillBytes(make([]byte, 32)),
		number(t, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").FillBytes(make([]byte, 32))...)...)
	ec, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: number(t, modulus), E: 65537}, ec
}

func TestTheExamplesOfTheStandard(t *testing.T) {
	rsaKey, ecKey := keys(t)
	for compact, want := range map[string][2]bool{rs256: {true, false}, es256: {false, true}} {
		token, err := jwt.Parse(compact)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{token.SignedRS256(rsaKey), token.SignedES256(ecKey)}; got != want {
			t.Errorf("signed by RS256 and ES256: %v, want %v: %s", got, want, compact)
		}
		if !strings.Contains(string(token.Claims), `"iss":"joe"`) {
			t.Errorf("the claims are %s", token.Claims)
		}
	}
}

// Whatever is changed in a token, one character at a time, it is no longer the signed one.
func TestNothingOfASignedTokenMayChange(t *testing.T) {
	rsaKey, ecKey := keys(t)
	for _, compact := range []string{rs256, es256} {
		for i := range compact {
			other := byte('A')
			if compact[i] == other {
				other = 'B'
			}
			token, err := jwt.Parse(compact[:i] + string(other) + compact[i+1:])
			if err == nil && (token.SignedRS256(rsaKey) || token.SignedES256(ecKey)) {
				t.Fatalf("the token is still signed with byte %d changed", i)
			}
		}
	}
}

func TestWhatIsNoToken(t *testing.T) {
	for _, text := range []string{
		"", "a", "a.b", "a.b.c.d", "..", "e30..", "e30.e30=.AA", ".e30.AA", "e30.bnVsbA.AA", "W10.e30.AA", "e30.W10.AA", "e30.e30.A", "e30.e30.!",
	} {
		if _, err := jwt.Parse(text); err == nil {
			t.Errorf("%q was taken for a token", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{rs256, es256, "", "..", "e30.e30.AA"} {
		f.Add(s)
	}
	rsaKey, ecKey := keys(f)
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := jwt.Parse(compact)
		if err == nil && compact != rs256 && token.SignedRS256(rsaKey) || err == nil && compact != es256 && token.SignedES256(ecKey) {
			// ECDSA has a second signature for each: s and n-s.
			if !strings.HasPrefix(compact, es256[:strings.LastIndexByte(es256, '.')]) {
				t.Errorf("%q is signed", compact)
			}
		}
	})
}
