package infobip

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Both tables are of https://www.infobip.com/docs/essentials/response-status-and-error-codes.

// statuses are the id of a message's status, in an answer and in a report. Others are BadRequest in
// the group REJECTED, and Temporary in UNDELIVERABLE and EXPIRED.
var statuses = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "8 14 18 52",
	provider.BadRequest:   "6 10 11 12 13 17 19 24 25",
	provider.Throttled:    "20",
})

// handset are the id of a report's error: the errors of MAP, and Infobip's own. Others follow the
// status.
var handset = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "1 5 9 11 12 13 351 352 2052 3041",
	provider.BadRequest:   "368 433 572 603 607",
	provider.Throttled:    "541 542 4103 4202",
	provider.Temporary:    "6 21 27 31 32 33 34 35 36 255",
})

// duplicate is REJECTED_DUPLICATE_MESSAGE_ID: the message was accepted before.
const duplicate = "23"
