package api

import "github.com/verifyd/verifyd/internal/verify"

// An EventFact is what is to be known of a type of event.
type EventFact struct {
	Type verify.EventType
	When string
	Note string // more
	From Source // 0 is Docs
}

// Events are those that webhooks and the sink are told of.
func Events() []EventFact {
	return []EventFact{
		{Type: verify.FactorCreated, When: "A factor was made."},
		{Type: verify.FactorVerified, When: "Its first right answer."},
		{Type: verify.FactorDeleted, When: "It was deleted, or its entity was.", Note: "the second is ours", From: Docs | Ours},
		{Type: verify.ChallengeWasApproved, When: "A challenge was approved, of whatever factor.", Note: "those of TOTP and passkeys are ours", From: Docs | Ours},
		{Type: verify.ChallengeWasDenied, When: "A challenge was denied."},
		{Type: verify.VerificationPending, When: "A start, or another channel after one that did not reach the person.", Note: "the second is ours", From: Docs | Ours},
		{Type: verify.VerificationApproved, When: "The code came back, or an update approved it."},
		{Type: verify.VerificationCanceled, When: "An update canceled it, or another payment took its place.", Note: "the second is ours", From: Docs | Ours},
		{Type: verify.VerificationExpired, When: "Its time was up: told by the next sweep, in half a minute, or by a start before that."},
		{Type: verify.VerificationSpent, When: "Its last check was wrong."},
		{Type: "message.sent", When: "A carrier took the message.", Note: "again where another route had to be tried (ours)", From: Docs | Ours},
		{Type: "message.delivered", When: "The carrier reports that it arrived."},
		{Type: "message.read", When: "The carrier reports that it was read."},
		{Type: "message.undelivered", When: "The carrier reports that it did not arrive, and no other route is tried; or it took the message back, for the code to go on by another channel.", Note: "all but the report is ours", From: Docs | Ours},
		{Type: "message.failed", When: "No carrier took it in time."},
		{Type: "attempt-dlr.sent", When: "As `message.sent`. The whole family only where `events.types` names it.", Note: "Twilio takes no new subscriptions for it"},
		{Type: "attempt-dlr.delivered", When: "As `message.delivered`."},
		{Type: "attempt-dlr.read", When: "As `message.read`."},
		{Type: "attempt-dlr.undelivered", When: "As `message.undelivered`."},
		{Type: "attempt-dlr.failed", When: "As `message.failed`."},
	}
}

// WebhookCall are the parameters of a call of a webhook, all of them texts of a form.
type WebhookCall struct {
	UUID           string `json:"uuid"`
	Type           string `json:"type"`
	AccountSID     string `json:"account_sid"`
	ServiceSID     string `json:"service_sid"`
	EntityIdentity string `json:"entity_identity"`
	FactorSID      string `json:"factor_sid"`
	FactorType     string `json:"factor_type,omitempty"`
	ChallengeSID   string `json:"challenge_sid,omitempty"`
}

// EventRecords are what webhooks and the sink are sent.
func EventRecords() []Record {
	return []Record{
		{Name: "a webhook's call", Body: WebhookCall{}, Facts: []Fact{
			{Name: "uuid", About: "One for each event and webhook, the same for every try.", From: Wire | Ours},
			{Name: "type", About: "The event.", From: Docs | Wire},
			{Name: "account_sid", About: "The account.", From: Docs | Wire, SID: "AC"},
			{Name: "service_sid", About: "The service.", From: Docs | Wire, SID: "VA"},
			{Name: "entity_identity", About: "The identity of the entity, as it was first spelt.", From: Docs | Wire},
			{Name: "factor_sid", About: "The factor.", From: Docs | Wire, SID: "YF"},
			{Name: "factor_type", About: "The type of the factor; not in version `v1`.", From: Docs, Enum: []string{"totp", "push", "passkeys"}},
			{Name: "challenge_sid", About: "The challenge, in events of challenges.", From: Docs | Wire, SID: "YC"},
		}},
		{Name: "an event in the sink's list of one", Body: verify.CloudEvent{}, Facts: []Fact{
			{Name: "specversion", About: "`1.0`.", From: Docs},
			{Name: "type", About: "`com.twilio.accountsecurity.verify.` and the event.", From: Docs},
			{Name: "source", About: "A path that names account, service and verification.", From: Docs},
			{Name: "id", About: "64 hexadecimal digits, the same for every try.", From: Docs | Ours},
			{Name: "dataschema", About: "The name of Twilio's schema of the data.", From: Docs},
			{Name: "datacontenttype", About: "`application/json`.", From: Docs},
			{Name: "time", About: "When it happened.", From: Docs, Format: "date-time"},
			{Name: "data", About: "What follows.", From: Docs, OneOf: []any{verify.VerificationState{}, verify.MessageState{}}},
			{Name: "data.account_sid", About: "The account.", From: Docs, SID: "AC"},
			{Name: "data.service_sid", About: "The service.", From: Docs, SID: "VA"},
			{Name: "data.verification_sid", About: "The verification.", From: Docs, SID: "VE"},
			{Name: "data.to", About: "The number or address that it went to.", From: Docs},
			{Name: "data.created_at", About: "When the verification, or the message, was made, in microseconds.", From: Docs, Format: "date-time"},
			// Of verifications.
			{Name: "data.friendly_name", About: "The service's name.", From: Docs},
			{Name: "data.custom_code_enabled", About: "Whether the service takes codes of the application.", From: Docs},
			{Name: "data.custom_friendly_name", About: "The name that the last message spoke for.", From: Docs | Ours},
			{Name: "data.verified_at", About: "When it was approved.", From: Docs, Format: "date-time"},
			{Name: "data.expired_at", About: "When its time is up, or was.", From: Docs, Format: "date-time"},
			{Name: "data.verification_status", About: "Its state.", From: Docs, Enum: []string{"PENDING", "APPROVED", "CANCELED", "EXPIRED", "MAX_ATTEMPTS_REACHED"}},
			{Name: "data.country", About: "The country of the number.", From: Docs},
			{Name: "data.code_length", About: "The characters of the code; null for one of the application.", From: Docs},
			{Name: "data.send_code_attempts", About: "Its sends.", From: Docs},
			{Name: "data.send_code_attempts.count", About: "How many there were.", From: Docs},
			{Name: "data.send_code_attempts.attempts", About: "Each of them, the first one first.", From: Docs},
			{Name: "data.send_code_attempts.attempts.time", About: "When.", From: Docs, Format: "date-time"},
			{Name: "data.send_code_attempts.attempts.channel", About: "By which channel, in capitals.", From: Docs},
			{Name: "data.send_code_attempts.attempts.attempt_sid", About: "The attempt.", From: Docs, SID: "VL"},
			{Name: "data.send_code_attempts.attempts.locale", About: "The language.", From: Docs},
			{Name: "data.send_code_attempts.attempts.delivery_status", About: "What is known of the message.", From: Docs, Enum: messageStatuses()},
			{Name: "data.send_code_attempts.attempts.error_code", About: "The carrier's own code for its failure.", Note: "at Twilio it is one of Twilio's", From: Docs | Ours},
			{Name: "data.send_code_attempts.attempts.tags", About: "The `Tags` of the send.", From: Docs},
			{Name: "data.check_attempts", About: "Its checks; Twilio lists them too.", From: Docs},
			{Name: "data.check_attempts.count", About: "How many codes were compared.", From: Docs},
			// Of messages.
			{Name: "data.channel", About: "The channel, in capitals.", From: Docs},
			{Name: "data.attempt_sid", About: "The attempt.", From: Docs, SID: "VL"},
			{Name: "data.message_status", About: "What is known of the message, in `message.*`.", From: Docs, Enum: messageStatuses()},
			{Name: "data.dlr_status", About: "The same, in `attempt-dlr.*`.", From: Docs, Enum: messageStatuses()},
			{Name: "data.mcc", About: "The country of the network, if a report or a lookup said it.", From: Docs},
			{Name: "data.mnc", About: "The network, likewise.", From: Docs},
			{Name: "data.has_fallback", About: "Whether another channel is there to go on by.", From: Docs},
			{Name: "data.is_fallback", About: "Whether it goes on where another channel did not reach the person.", From: Docs},
			{Name: "data.error_code", About: "The carrier's own code for its failure.", Note: "at Twilio it is one of Twilio's", From: Docs | Ours},
			{Name: "data.tags", About: "The `Tags` of the send.", From: Docs},
		}},
	}
}

func messageStatuses() []string {
	return []string{"SENT", "DELIVERED", "READ", "UNDELIVERED", "FAILED"}
}
