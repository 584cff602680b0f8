package aws

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// refusals are the Reason of an exception, or its name where it has no Reason,
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html.
// Others are judged by the status: exceptions of ours are 400. DESTINATION_PHONE_NUMBER_NOT_VERIFIED
// is that of an account in the sandbox, and says nothing of the number.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "DESTINATION_PHONE_NUMBER_OPTED_OUT DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
	provider.BadRequest:   "DESTINATION_PHONE_NUMBER_NOT_VERIFIED DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
	provider.Throttled:    "ThrottlingException",
	provider.Unknown:      "InternalServerException",
})

// failures are the eventType of a message that did not arrive,
// https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "TEXT_INVALID",
	provider.BadRequest:   "TEXT_BLOCKED TEXT_SPAM TEXT_CARRIER_BLOCKED TEXT_INVALID_MESSAGE TEXT_PROTECT_BLOCKED",
	provider.Temporary:    "TEXT_UNREACHABLE TEXT_CARRIER_UNREACHABLE TEXT_TTL_EXPIRED TEXT_UNKNOWN",
})
