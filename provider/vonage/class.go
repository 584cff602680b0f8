package vonage

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// refusals are the status of a part in an answer, https://developer.vonage.com/en/messaging/sms/
// guides/troubleshooting-sms. Others are BadRequest: whatever they mean, the part was refused.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "7 33", // barred, deactivated
	// 6 is an invalid number, and also a prefix that Vonage does not know: another route may.
	provider.BadRequest: "2 3 4 6 8 9 11 12 14 15 22 23 29",
	provider.Throttled:  "1 10",
	provider.Temporary:  "5",
})

// failures are the err-code of a delivery receipt, https://developer.vonage.com/en/messaging/sms/
// guides/delivery-receipts. Others are Temporary.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "3 4 9", // absent for good, barred, illegal number
	provider.BadRequest:   "6 10 11 15",
	provider.Temporary:    "1 2 5 7 8 12 99",
})
