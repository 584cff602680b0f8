package otp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"
	"time"
)

// TOTP computes the codes of authenticator apps (RFC 6238 on RFC 4226; T0 is 0).
type TOTP struct {
	Hash   string        // one of Hashes
	Step   time.Duration // the life of a code, whole seconds
	Digits int
	// Skew is the number of steps before and after the present one of which codes are taken too.
	Skew int
}

// Hashes are the hash functions that a TOTP can have.
func Hashes() []string { return []string{"sha1", "sha256", "sha512"} }

func (t TOTP) hash() func() hash.Hash {
	switch t.Hash {
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	default:
		return sha1.New
	}
}

// Code is the code of the step that a time lies in.
func (t TOTP) Code(secret []byte, at time.Time) string {
	return t.code(secret, t.counter(at))
}

func (t TOTP) counter(at time.Time) int64 { return at.Unix() / t.seconds() }

func (t TOTP) seconds() int64 { return int64(t.Step / time.Second) }

func (t TOTP) code(secret []byte, counter int64) string {
	mac := hmac.New(t.hash(), secret)
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], uint64(counter))
	mac.Write(message[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	digits := fmt.Sprintf("%010d", number) // 31 bits have at most ten
	return digits[len(digits)-t.Digits:]
}

// Match looks for a code among the steps that are taken at a time. Of those, the ones that begin
// before notBefore are spent: their codes match no more. end is where the step of the code ends.
// How long it takes says nothing about the codes.
func (t TOTP) Match(secret []byte, code string, at, notBefore time.Time) (end time.Time, ok bool) {
	now := t.counter(at)
	// From the latest to the earliest, so that of two equal codes the earlier is spent.
	for counter := now + int64(t.Skew); counter >= now-int64(t.Skew); counter-- {
		begin := time.Unix(counter*t.seconds(), 0).UTC()
		same := subtle.ConstantTimeCompare([]byte(t.code(secret, counter)), []byte(code)) == 1
		if same && !begin.Before(notBefore) {
			end, ok = begin.Add(t.Step), true
		}
	}
	return end, ok
}

// URI is the address that an authenticator app reads from a QR code. Both names are encoded whole
// and with %20 for a space: an app that finds a plus sign or a bare colon shows another name.
func (t TOTP) URI(issuer, account string, secret []byte) string {
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=%s&digits=%d&period=%d",
		percent(issuer), percent(account), FormatSecret(secret), percent(issuer),
		strings.ToUpper(t.Hash), t.Digits, t.seconds())
}

// percent encodes everything but the unreserved characters of RFC 3986.
func percent(s string) string {
	out := make([]byte, 0, 3*len(s))
	for _, c := range []byte(s) {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			out = append(out, c)
			continue
		}
		out = fmt.Appendf(out, "%%%02X", c)
	}
	return string(out)
}

// The sizes of a secret in bytes.
const (
	// NewSecretBytes is the size of a secret that we make, RFC 4226's recommendation.
	NewSecretBytes = 20
	minSecretBytes = 10
	maxSecretBytes = 128
)

var secretEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// FormatSecret spells a secret as apps take it: base32 without padding.
func FormatSecret(secret []byte) string { return secretEncoding.EncodeToString(secret) }

// ParseSecret reads a secret of 10 to 128 bytes in base32. Capitals, spaces and padding do not
// matter: people copy secrets from screens. Bits that make no whole byte are dropped, as apps do.
func ParseSecret(text string) (secret []byte, ok bool) {
	text = strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	text = strings.TrimRight(text, "=")
	secret, err := secretEncoding.DecodeString(text)
	if err != nil || len(secret) < minSecretBytes || len(secret) > maxSecretBytes {
		return nil, false
	}
	return secret, true
}
