package twilio

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// refusals are the codes in the body of an answer, https://www.twilio.com/docs/api/errors. Others
// are judged by the status.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "21211 21217 21265 21610 21614 63036", // not valid, opted out, not a mobile, not reached by RCS
	provider.BadRequest:   "20003 21408 21606 21612 21660 30034 63038",
	provider.Throttled:    "14107 20429 21611 63017",
	provider.Unknown:      "20500",
})

// failures are the ErrorCode of a status callback. Others are Temporary: another route may do.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "30004 30005 30006 63036",       // blocked, unknown, a landline, not reached by RCS
	provider.BadRequest:   "30002 30007 30034 30042 60005", // suspended, filtered, unregistered, generic sender
	provider.Throttled:    "30001 30022",
	provider.Temporary:    "30003 30008 30017 30410", // off or out of coverage, unknown, congestion
})
