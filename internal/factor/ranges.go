package factor

import (
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

// The ranges of what a customer may choose of a factor and of a challenge. The rules read them here, and so
// does the description of the API. Where no source is named, the published description has them. Those of an
// authenticator app's numbers are beside the settings of a service, which has them too.
var (
	Identities        = verify.Range{Min: 8, Max: 64} // letters, digits and hyphens
	Names             = verify.Range{Min: 1, Max: 64}
	ChallengeMessages = verify.Range{Min: 0, Max: 256}

	AppIDs             = verify.Range{Min: 1, Max: 100}
	NotificationTokens = verify.Range{Min: 1, Max: 255}
	SDKVersions        = verify.Range{Min: 1, Max: 64} // ours
	SignedPayloads     = verify.Range{Min: 1, Max: 5456}
	NotificationTTLs   = verify.Range{Min: 0, Max: 300}  // seconds
	AccessTokenTTLs    = verify.Range{Min: 60, Max: 300} // seconds
)

// The words that a customer may choose from.
var (
	TOTPAlgorithms = otp.Hashes()
	PushPlatforms  = []string{string(APN), string(FCM), string(NoPlatform)}
)
