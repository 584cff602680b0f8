// Package jose reads and writes the two compact tokens that push factors speak: a statement that a
// device signed (a JWS with ES256, RFC 7515 and RFC 7518, section 3.4), and a token that nobody but
// its maker can read (a JWE with the key management mode "dir" and A256GCM, RFC 7516).
//
// There is one algorithm for each, and it is not chosen by the token: a header that names another one
// is refused before anything else is looked at. What the claims mean is the caller's business; so are
// times.
package jose

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// ErrMalformed says that a text is no token of the wanted form.
var ErrMalformed = errors.New("malformed token")

// Header is what is read of a header; everything else in it is passed over, but for crit, which names
// what must not be (RFC 7515, section 4.1.11).
type Header struct {
	Alg string `json:"alg"`
	Enc string `json:"enc"`
	Cty string `json:"cty"`
	Kid string `json:"kid"`
}

// JWS is a signed token that was taken apart. Nothing in it is true before Verify.
type JWS struct {
	Header  Header
	Payload []byte

	signed    string // what the signature is over: header.payload
	signature []byte
}

// maxToken bounds a token, in bytes. A challenge is signed with all its details: 5456 characters at
// most (the published bound of AuthPayload).
const maxToken = 8 << 10

// ParseJWS takes a compact JWS apart. Its algorithm must be ES256.
func ParseJWS(token string) (*JWS, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxToken {
		return nil, fmt.Errorf("%w: want three parts", ErrMalformed)
	}
	j := &JWS{signed: token[:len(parts[0])+1+len(parts[1])]}
	if err := readHeader(parts[0], &j.Header); err != nil {
		return nil, err
	}
	if j.Header.Alg != "ES256" {
		return nil, fmt.Errorf("%w: the algorithm is not ES256", ErrMalformed)
	}
	var err error
	if j.Payload, err = decode(parts[1]); err != nil {
		return nil, err
	}
	if j.signature, err = decode(parts[2]); err != nil {
		return nil, err
	}
	return j, nil
}

// scalar is the length of each half of an ES256 signature.
const scalar = 32

// Verify reports whether the holder of a P-256 key signed the token.
//
// The signature is two numbers of 32 bytes. iOS pads a short one with a single zero byte, so that one
// in 32,000 of its signatures has 63 bytes; where the short half ends cannot be seen, and both places
// are tried.
func (j *JWS) Verify(key *ecdsa.PublicKey) bool {
	digest := sha256.Sum256([]byte(j.signed))
	verify := func(r, s []byte) bool {
		return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(r), new(big.Int).SetBytes(s))
	}
	switch sig := j.signature; len(sig) {
	case 2 * scalar:
		return verify(sig[:scalar], sig[scalar:])
	case 2*scalar - 1:
		return verify(sig[:scalar], sig[scalar:]) || verify(sig[:scalar-1], sig[scalar-1:])
	default:
		return false
	}
}

// SignJWS makes a token of a header and a payload, both JSON, with a P-256 key.
func SignJWS(header, payload []byte, key *ecdsa.PrivateKey, random io.Reader) (string, error) {
	signed := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(random, key, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	var signature [2 * scalar]byte
	r.FillBytes(signature[:scalar])
	s.FillBytes(signature[scalar:])
	return signed + "." + encode(signature[:]), nil
}

// AES-GCM as RFC 7518, section 5.3, wants it.
const (
	nonceBytes = 12
	tagBytes   = 16
)

// SealJWE makes an encrypted token. seal encrypts with AES-256-GCM for additional data and returns
// nonce, ciphertext and tag in one piece.
func SealJWE(header []byte, seal func(additional string) []byte) string {
	protected := encode(header)
	sealed := seal(protected)
	nonce, rest := sealed[:nonceBytes], sealed[nonceBytes:]
	text, tag := rest[:len(rest)-tagBytes], rest[len(rest)-tagBytes:]
	return protected + ".." + encode(nonce) + "." + encode(text) + "." + encode(tag)
}

// OpenJWE is the reverse of SealJWE. open gets the header, nonce with ciphertext and tag, and the
// additional data.
func OpenJWE(token string, open func(h Header, sealed []byte, additional string) (string, error)) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[1] != "" || len(token) > maxToken {
		return "", fmt.Errorf("%w: want five parts, the second empty", ErrMalformed)
	}
	var h Header
	if err := readHeader(parts[0], &h); err != nil {
		return "", err
	}
	if h.Alg != "dir" || h.Enc != "A256GCM" {
		return "", fmt.Errorf("%w: the algorithms are not dir and A256GCM", ErrMalformed)
	}
	var sealed []byte
	for i, part := range parts[2:] {
		piece, err := decode(part)
		if err != nil {
			return "", err
		}
		if i == 0 && len(piece) != nonceBytes || i == 2 && len(piece) != tagBytes {
			return "", fmt.Errorf("%w: a nonce or a tag of the wrong length", ErrMalformed)
		}
		sealed = append(sealed, piece...)
	}
	return open(h, sealed, parts[0])
}

func readHeader(part string, h *Header) error {
	text, err := decode(part)
	if err != nil {
		return err
	}
	read := struct {
		*Header
		Critical json.RawMessage `json:"crit"`
	}{Header: h}
	if err := json.Unmarshal(text, &read); err != nil {
		return fmt.Errorf("%w: the header is no JSON object", ErrMalformed)
	}
	if read.Critical != nil {
		return fmt.Errorf("%w: the header has extensions that must be understood", ErrMalformed)
	}
	return nil
}

// Strict refuses bits behind the end, so that a token has one spelling.
var encoding = base64.RawURLEncoding.Strict()

func encode(b []byte) string { return encoding.EncodeToString(b) }

func decode(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") { // which the library passes over
		return nil, fmt.Errorf("%w: no base64url", ErrMalformed)
	}
	b, err := encoding.DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("%w: no base64url", ErrMalformed)
	}
	return b, nil
}
