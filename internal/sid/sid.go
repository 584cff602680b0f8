// Package sid mints and checks the identifiers of the API: two capital letters that name the kind
// of thing, then 32 lower-case hexadecimal digits.
//
// The digits that New mints begin with the time, so that rows keyed by them are appended to the
// end of a table and not scattered over it: with random keys the write rate of a table of ten
// million rows falls to a quarter. The other half is random.
//
// A SID is an identifier, not a secret: it says when it was minted, and nothing is granted for
// knowing one.
package sid

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// The kinds of thing that have a SID, as Twilio spells them.
const (
	Account          = "AC"
	APIKey           = "SK"
	Service          = "VA"
	Verification     = "VE"
	Attempt          = "VL"
	Request          = "RQ"
	Template         = "HJ"
	RateLimit        = "RK"
	Bucket           = "BL"
	MessagingService = "MG"
	PushCredential   = "CR"
	SafeNumber       = "GN"
	Entity           = "YE"
	Factor           = "YF"
	Challenge        = "YC"
	Webhook          = "YW"
	EventDelivery    = "ED"
	Notification     = "NT"
	AccessToken      = "YK"
)

// Type is the kind of a factor, which the first two digits of a Factor's or a Challenge's SID name.
// They are for people who read SIDs: verifyd never looks at them.
type Type byte

// The types, as seen in the SIDs of Twilio.
const (
	TOTP    Type = 2
	Push    Type = 3
	Passkey Type = 4
)

// Length of every SID in bytes.
const Length = 34

// A key is the time in microseconds, and behind it random bits.
const (
	timeBits  = 51
	noiseBits = 12
)

// epoch is the zero of the time inside a SID. 2^51 microseconds from here end in the year 2095.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// New mints a SID. The first 63 bits (see Key) are the time in microseconds and twelve random
// bits, the others are random. It fails only if random does.
func New(prefix string, now time.Time, random io.Reader) (string, error) {
	var b [16]byte
	if err := draw(b[:], now, random); err != nil {
		return "", fmt.Errorf("mint %s sid: %w", prefix, err)
	}
	return spell(prefix, b), nil
}

// NewTyped mints the SID of a Factor or a Challenge: two digits for its type, then what New mints,
// two random digits shorter. 68 of its bits are random.
func NewTyped(prefix string, kind Type, now time.Time, random io.Reader) (string, error) {
	b := [16]byte{byte(kind)}
	if err := draw(b[1:], now, random); err != nil {
		return "", fmt.Errorf("mint %s sid: %w", prefix, err)
	}
	return spell(prefix, b), nil
}

// draw fills b with the time in its first 63 bits and random bits.
func draw(b []byte, now time.Time, random io.Reader) error {
	if _, err := io.ReadFull(random, b); err != nil {
		return err
	}
	noise := uint64(binary.BigEndian.Uint16(b[:2])) & (1<<noiseBits - 1)
	binary.BigEndian.PutUint64(b[:8], uint64(KeyAt(now))|noise)
	return nil
}

func spell(prefix string, b [16]byte) string {
	out := make([]byte, Length)
	copy(out, prefix)
	hex.Encode(out[2:], b[:])
	return string(out)
}

// Valid reports whether s is a SID of the given kind. Digits of either case are accepted, as the
// published pattern ^XX[0-9a-fA-F]{32}$ does.
func Valid(prefix, s string) bool {
	if len(s) != Length || s[:2] != prefix {
		return false
	}
	for i := 2; i < Length; i++ {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// Key is the number that rows are ordered by: the first 63 bits of a SID that New minted, or those
// behind the type of one that NewTyped did. Two SIDs can share a key (one pair in four thousand of those minted in the same microsecond), so a row
// found by it must be compared with the whole SID. The key of something that is no SID is 0.
func Key(s string) int64 {
	var b [8]byte
	if len(s) != Length {
		return 0
	}
	at := 2
	if s[:2] == Factor || s[:2] == Challenge {
		at = 4
	}
	if _, err := hex.Decode(b[:], []byte(s[at:at+16])); err != nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b[:]) & (1<<63 - 1))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
