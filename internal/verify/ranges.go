package verify

import (
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/otp"
)

// Range is what a number may be, or how many characters a text may have. Both ends are in.
type Range struct{ Min, Max int }

// Holds reports whether a number, or a number of characters, is within the range.
func (r Range) Holds(n int) bool { return r.Min <= n && n <= r.Max }

// The ranges of what a customer may choose. The rules read them here, and so does the description
// of the API. Where no source is named, the published description has them.
var (
	// FriendlyNames: Twilio's error page and field text say 30, one parameter text 32; its Terraform
	// provider enforces 30.
	FriendlyNames = Range{1, 30}
	CodeLengths   = Range{otp.MinLength, otp.MaxLength} // digits
	ShortTexts    = Range{0, 128}                       // ours, for what Twilio gives no bound

	TOTPTimeSteps   = Range{20, 60} // seconds
	TOTPCodeLengths = Range{3, 8}   // digits
	TOTPSkews       = Range{0, 2}   // steps

	WebhookNames = Range{1, 255} // ours

	RelyingPartyIDs = Range{1, 253} // a host name (RFC 1035)
	Origins         = Range{1, 255} // each

	// FallbackAfters are seconds; 0 is never. Ours.
	FallbackAfters = Range{0, int(maxFallbackAfter / time.Second)}
	CodeTTLs       = Range{int(MinCodeTTL / time.Second), int(MaxCodeTTL / time.Second)} // seconds, ours
	Tries          = Range{1, MaxTries}                                                  // of MaxSends and MaxChecks, ours

	// A message may shorten a payee; an amount is never shortened.
	Amounts    = Range{1, message.MaxAmount}
	Payees     = Range{1, 256} // ours
	SendDigits = Range{0, 32}  // ours
	AppHashes  = Range{11, 11}
	Passcodes  = Range{otp.MinLength, otp.MaxLength} // characters of a custom code, and of one that comes back

	UniqueNames     = Range{1, 128}                                  // ours
	Descriptions    = Range{0, 255}                                  // ours
	BucketMaxima    = Range{1, 1<<31 - 1}                            // ours
	BucketIntervals = Range{1, int(MaxBucketInterval / time.Second)} // seconds, ours
)

// The words that a customer may choose from.
var (
	PasskeyAttachments = []string{"platform", "cross-platform", "any"}
	PasskeyPreferences = []string{"required", "preferred", "discouraged"}
	RiskChecks         = []string{"enable", "disable"}
	Permissions        = []string{Allow, Deny, Inherit}
)

func oneOf(choices []string) func(string) bool {
	return func(s string) bool { return slices.Contains(choices, s) }
}
