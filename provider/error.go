package provider

import (
	"errors"
	"fmt"
	"time"
)

// Class is all that routing may know of a failure.
type Class int

// The five classes. Where it broke decides first, the vendor's code second: before the last byte
// of the request has left nothing was sent (Temporary); after it, nobody can know (Unknown).
const (
	// BadRecipient: this address cannot be reached on this channel, by anybody.
	BadRecipient Class = iota + 1
	// BadRequest: our text, sender, credentials or registration is wrong for this provider.
	// Another provider may take the same message.
	BadRequest
	// Temporary: surely not sent; the same provider may take it later.
	Temporary
	// Throttled: surely not sent; we are too fast for this provider.
	Throttled
	// Unknown: perhaps sent.
	Unknown
)

var classNames = map[Class]string{
	BadRecipient: "bad_recipient",
	BadRequest:   "bad_request",
	Temporary:    "temporary",
	Throttled:    "throttled",
	Unknown:      "unknown",
}

// String is the name used in logs, in the console and by the httpapi contract.
func (c Class) String() string {
	if name, ok := classNames[c]; ok {
		return name
	}
	return fmt.Sprintf("class(%d)", int(c))
}

// ParseClass is the reverse of String.
func ParseClass(name string) (Class, bool) {
	for c, n := range classNames {
		if n == name {
			return c, true
		}
	}
	return 0, false
}

// Error is a message that was not, or perhaps not, accepted.
type Error struct {
	// Class is what routing goes by.
	Class Class
	// Code is the vendor's own code, verbatim: "550 5.1.1", "58". It is shown to the operator and
	// stored with the attempt; nothing branches on it.
	Code string
	// Detail says what happened in words, without secrets, codes or whole addresses.
	Detail string
	// RetryAfter is how long the provider asked to be left alone, 0 if it did not say.
	RetryAfter time.Duration
	// Err is the cause, if there is one.
	Err error
}

// Error is one line: the class, the code, what happened and its cause, as far as there are any.
func (e *Error) Error() string {
	text := e.Class.String()
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap is the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.Err }

// AsError is the *Error in err. An error of another type becomes Unknown: only the provider could
// have known that nothing was sent.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Class: Unknown, Err: err}
}
