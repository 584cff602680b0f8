package africastalking

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// refusals are the statusCode of a recipient, https://developers.africastalking.com/docs/sms/sending/bulk.
// 100, 101 and 102 are acceptances; others are Unknown.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "403 404 406",             // not valid, not supported, in the blacklist
	provider.BadRequest:   "401 402 405 407 409 502", // on hold, sender, balance, no route, do-not-disturb, rejected
	provider.Throttled:    "429",
	provider.Temporary:    "500 501",
})

// failures are the failureReason of a report, from memory. Others are Temporary.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "UserInBlackList UserDoesNotExist NotNetworkSubcriber",
	provider.BadRequest:   "InsufficientCredit UserAccountSuspended UserNotSubscribedToProduct",
	provider.Temporary:    "UserIsInactive DeliveryFailure",
})
