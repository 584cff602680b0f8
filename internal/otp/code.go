// Package otp makes one-time passcodes: random ones that are sent, and those that an authenticator
// app computes from a shared secret and the time (TOTP).
package otp

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The lengths a code may have.
const (
	MinLength = 4
	MaxLength = 10
)

// Generate draws a code of the given number of decimal digits. All 10^length codes are equally
// likely, those with leading zeros too.
func Generate(length int, random io.Reader) (string, error) {
	if length < MinLength || length > MaxLength {
		return "", fmt.Errorf("generate a code of %d digits: a code has %d to %d", length, MinLength, MaxLength)
	}
	n := uint64(1)
	for range length {
		n *= 10
	}
	// Draws above the last whole multiple of n would make low codes likelier: draw again.
	limit := (^uint64(0) / n) * n
	var b [8]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("generate a code: %w", err)
		}
		if draw := binary.BigEndian.Uint64(b[:]); draw < limit {
			return fmt.Sprintf("%0*d", length, draw%n), nil
		}
	}
}

// ValidCustom reports whether a code that the application chose can be sent: 4 to 10 letters or
// digits. Other characters could not be spoken or typed on every channel.
func ValidCustom(code string) bool {
	if len(code) < MinLength || len(code) > MaxLength {
		return false
	}
	for _, c := range []byte(code) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
