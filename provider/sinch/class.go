package sinch

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// failures are the code of a report,
// https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports. Others are
// Temporary, unless the status is Deleted: then the number is not valid, or has opted out. The codes
// of an answer are words, and its status decides.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "402",
	provider.BadRequest:   "405 408 409 410 411 412 413",
	provider.Temporary:    "403 404 406",
})
