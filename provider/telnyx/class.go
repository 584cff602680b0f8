package telnyx

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// codes are the code of an error in an answer and in a report,
// https://developers.telnyx.com/docs/messaging/messages/error-codes. Others, among them the 403xx
// about senders and profiles, are judged by the status of an answer, and are Temporary in a report.
var codes = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "40001 40300 40310",       // a landline or not routable, opted out, no number
	provider.BadRequest:   "10009 40003 40009 40305", // credentials, blocked for spam, the body, the sender
	provider.Throttled:    "10011 40011",
	provider.Temporary:    "40002 40004 40005 40006 40008",
})
