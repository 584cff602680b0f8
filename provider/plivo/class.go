package plivo

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// failures are the ErrorCode of a report,
// https://www.plivo.com/docs/messaging/troubleshooting/error-codes. Others are Temporary. An answer
// has no codes: its status decides, and a 400 that speaks of dst is BadRecipient.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "50 70 200",              // invalid, unavailable for good, opted out
	provider.BadRequest:   "10 30 40 60 90 100 110", // message, spam, source, loop, no route, prohibited, too long
	provider.Temporary:    "20 80 300 420",          // network, unavailable for now, failed, expired
})
