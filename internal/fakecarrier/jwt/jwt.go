// Package jwt takes JSON Web Tokens apart and checks their signatures, for the fakes that stand in
// for whoever demands one: Google's token endpoint, Apple's push service.
//
// It holds two algorithms and no policy. What the claims must say is for the fake to judge, claim by
// claim, because its refusals are as telling as those of the real one.
//
// It is not for the product, which signs tokens and never trusts one of this kind.
package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
)

// Token is a token that was taken apart, and whose signature nobody has checked yet.
type Token struct {
	Header struct {
		Alg string `json:"alg"`
		Typ string `json:"typ"`
		Kid string `json:"kid"`
	}
	// Claims is the payload as it was signed.
	Claims json.RawMessage

	signed    string
	signature []byte
}

// Parse takes a token in compact form apart (RFC 7515, 7.1): three parts in base64url without
// padding, of which the first two are JSON objects.
func Parse(compact string) (Token, error) {
	var t Token
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return t, errors.New("a token has three parts")
	}
	header, err := decode(parts[0])
	if err != nil || json.Unmarshal(header, &t.Header) != nil {
		return t, errors.New("the token's header is no JSON in base64url")
	}
	t.Claims, err = decode(parts[1])
	var object map[string]any
	if err != nil || json.Unmarshal(t.Claims, &object) != nil || object == nil {
		return t, errors.New("the token's claims are no JSON in base64url")
	}
	if t.signature, err = decode(parts[2]); err != nil {
		return t, errors.New("the token's signature is no base64url")
	}
	t.signed = parts[0] + "." + parts[1]
	return t, nil
}

func decode(part string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(part) }

// SignedRS256 says that the token is signed by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3).
func (t Token) SignedRS256(key *rsa.PublicKey) bool {
	sum := sha256.Sum256([]byte(t.signed))
	return t.Header.Alg == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) == nil
}

// SignedES256 says that the token is signed by ECDSA on P-256 with SHA-256. The signature is r and s
// side by side, 32 bytes each (RFC 7518, 3.4), and not ASN.1.
func (t Token) SignedES256(key *ecdsa.PublicKey) bool {
	if t.Header.Alg != "ES256" || len(t.signature) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(t.signed))
	r, s := new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])
	return ecdsa.Verify(key, sum[:], r, s)
}
