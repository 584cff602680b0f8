package callscript

import "github.com/verifyd/verifyd/provider"

// SIPClass is what the answer of a telephone network means (RFC 3261, 21) to a provider that does not
// know the cause of the exchange behind it, as in the manual of sip. Otherwise is for what is no answer.
//
// A 404 is not held against the number: carriers say it also where they have no route.
func SIPClass(status int, otherwise provider.Class) provider.Class {
	switch status {
	case 603, 607, 608: // the person declined
		return provider.BadRecipient
	case 408, 480, 481, 486, 487, 491, 500, 502, 503, 504, 600:
		return provider.Temporary
	case 429:
		return provider.Throttled
	}
	if status >= 300 && status < 700 {
		return provider.BadRequest
	}
	return otherwise
}
