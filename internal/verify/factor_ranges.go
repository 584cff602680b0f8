package verify

import "github.com/verifyd/verifyd/internal/otp"

// The ranges of what a customer may choose of a factor and of a challenge. The rules read them here, and so
// does the description of the API. Where no source is named, the published description has them. Those of an
// authenticator app's numbers are beside the settings of a service, which has them too.
var (
	Identities        = Range{8, 64} // letters, digits and hyphens
	FactorNames       = Range{1, 64}
	ChallengeMessages = Range{0, 256}

	AppIDs             = Range{1, 100}
	NotificationTokens = Range{1, 255}
	SDKVersions        = Range{1, 64} // ours
	SignedPayloads     = Range{1, 5456}
	NotificationTTLs   = Range{0, 300}  // seconds
	AccessTokenTTLs    = Range{60, 300} // seconds
)

// The words that a customer may choose from.
var (
	TOTPAlgorithms = otp.Hashes()
	PushPlatforms  = []string{string(APN), string(FCM), string(NoPlatform)}
)
