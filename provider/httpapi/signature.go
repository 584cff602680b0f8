package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), as net/http writes
// them; names of headers have no case.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	// minSecret is 128 bits. The standard asks for 192 and more, which `openssl rand` gives.
	minSecret = 16
	// tolerance is the standard's: a request older than that was overheard and is played again.
	tolerance = 5 * time.Minute
)

// ErrSignature says that a request was not signed with this secret, or not lately.
var ErrSignature = errors.New("the signature is not valid")

// Secret is shared by verifyd and the gateway. It does not show itself when printed.
type Secret struct{ key string }

// ParseSecret reads "whsec_" and base64, as Standard Webhooks writes secrets, or takes the bytes
// of a text of 16 characters or more.
func ParseSecret(s string) (Secret, error) {
	encoded, ok := strings.CutPrefix(s, "whsec_")
	if !ok {
		if len(s) < minSecret {
			return Secret{}, errors.New("needs 16 characters or more: openssl rand -hex 32 makes good ones")
		}
		return Secret{s}, nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Secret{}, errors.New("what follows whsec_ is not base64")
	}
	if len(key) < minSecret {
		return Secret{}, errors.New("what follows whsec_ holds less than 16 bytes")
	}
	return Secret{string(key)}, nil
}

// String keeps the secret out of logs and errors.
func (Secret) String() string { return "[secret]" }

// GoString does so for %#v.
func (Secret) GoString() string { return "[secret]" }

// Sign makes a signature, "v1," and base64, for a body sent at a time under an identifier.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	return s.sign(id, strconv.FormatInt(at.Unix(), 10), body)
}

func (s Secret) sign(id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.key))
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// SignHeader sets the three headers of a request.
func (s Secret) SignHeader(h http.Header, id string, at time.Time, body []byte) {
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(HeaderSignature, s.Sign(id, at, body))
}

// Verify says whether a request with these headers and this body, byte for byte as it arrived,
// was signed with s within five minutes of now. The error is ErrSignature. Several signatures may
// be there, while a secret is being changed; one that fits is enough.
func (s Secret) Verify(h http.Header, body []byte, now time.Time) error {
	id, timestamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	at, err := strconv.ParseUint(timestamp, 10, 40)
	if id == "" || err != nil || s.key == "" {
		return ErrSignature
	}
	if age := now.Sub(time.Unix(int64(at), 0)); age > tolerance || age < -tolerance {
		return ErrSignature
	}
	want := []byte(s.sign(id, timestamp, body))
	for got := range strings.FieldsSeq(h.Get(HeaderSignature)) {
		if hmac.Equal([]byte(got), want) {
			return nil
		}
	}
	return ErrSignature
}
