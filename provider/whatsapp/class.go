package whatsapp

import (
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// codes are the code of an error, in an answer and in a webhook,
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes. 131026 says that the
// number is not on WhatsApp, or its client too old: nobody reaches it on this channel. Others, among
// them the permissions from 200 to 299, are judged by the status of an answer, which is a 4xx, and
// are Temporary in a webhook.
var codes = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "131021 131026",
	provider.BadRequest: "0 3 10 33 100 190 368 131005 131008 131009 131030 131031 131042 131045 131047 131051 131055 " +
		"132000 132001 132005 132007 132012 132015 132016 133010",
	provider.Throttled: "4 80007 130429 131048 131056",
	// 130472 and 131049 are Meta's choice not to deliver to this person: another channel may.
	provider.Temporary: "1 2 130472 131016 131049 133004",
	provider.Unknown:   "131000",
})

// pairRate is what 131056 asks for between two messages to one person.
const pairRate, pairPause = "131056", 6 * time.Second
