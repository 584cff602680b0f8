package api

import "github.com/verifyd/verifyd/internal/verify"

func attemptFacts() Resource {
	var channels []string
	for _, c := range verify.Channels() {
		channels = append(channels, c.AttemptName())
	}
	channel := Fact{Name: "Channel", About: "Those on this channel; `rbm` is RCS.", Enum: channels, Published: "verification_attempt_enum_channels", Example: "sms"}
	conversions := words([]verify.Conversion{verify.Converted, verify.Unconverted})
	common := []Fact{
		{Name: "DateCreatedAfter", About: "Those from this time on, in RFC 3339 with any offset.", Note: "inclusive (ours)", From: Spec | Client | Ours, Format: "date-time", Example: "2026-11-24T00:00:00Z"},
		{Name: "DateCreatedBefore", About: "Those before this time, in RFC 3339 with any offset.", Note: "exclusive (ours)", From: Spec | Client | Ours, Format: "date-time", Example: "2026-11-25T00:00:00Z"},
		{Name: "Country", About: "Those to this country, in ISO 3166-1 alpha-2.", Example: "ES"},
		{Name: "VerifyServiceSid", About: "Those of this service.", SID: "VA"},
	}
	tooMany := []verify.Code{verify.CodeTooManyRequests}
	return Resource{
		Name:  "Attempts",
		About: "An attempt is one send. It outlives its verification and its service.",
		Note: "100 calls a minute for each account and node (docs), the last 30 days in whole hours, or less if\n" +
			"`retention` is shorter ([attempts.md](attempts.md)).\n\n" +
			"Pages **may be short, or empty, and still have a `next_page_url`** when a filter passes much over;\n" +
			"libraries follow it.",
		Operations: []Operation{
			{Method: "GET", Path: "/v2/Attempts", ID: "ListVerificationAttempt", About: "Lists the attempts of the account, newest first. A page may be short, or empty, before the end. Without `PageToken` a page begins at most 10,000 attempts from the start.", Note: "the order is ours", From: Spec | Docs | Ours,
				Params: attemptQuery{}, Facts: append([]Fact{
					{Name: "ChannelData.To", About: "Those to this number or address.", From: Spec | Client, Example: "+34612345678", Note: "twilio-go writes `ChannelData\\.To`, which is the same"},
					{Name: "VerificationSid", About: "Those of this verification.", SID: "VE"},
					{Name: "Status", About: "Those whose code came back, or did not; in any case.", Enum: conversions, Published: "verification_attempt_enum_conversion_status", Example: "converted"},
					channel,
				}, common...), Paged: true, Status: 200, Body: attemptList{}, Codes: ofList(tooMany...)},
			{Method: "GET", Path: "/v2/Attempts/Summary", ID: "FetchVerificationAttemptsSummary", About: "Counts the attempts of the account.", From: Spec | Docs,
				Params: summaryQuery{}, Facts: append([]Fact{
					{Name: "DestinationPrefix", About: "Those to numbers that begin so: a plus sign and digits.", Example: "+346"},
					channel,
				}, common...), Status: 200, Body: summaryBody{}, Codes: tooMany},
			{Method: "GET", Path: "/v2/Attempts/{Sid}", ID: "FetchVerificationAttempt", About: "Fetches an attempt.", From: Spec | Docs, Status: 200, Body: attemptBody{}, Codes: append([]verify.Code{verify.CodeNotFound}, tooMany...)},
		},
		Records: []Record{
			{Name: "Attempt", Contract: "attempt", About: "One send.", Body: attemptBody{}, Facts: []Fact{
				{Name: "sid", About: "The attempt.", SID: "VL"},
				{Name: "verification_sid", About: "The verification.", SID: "VE"},
				{Name: "conversion_status", About: "Whether the code came back. An approval converts the last attempt before it.", Note: "which one it converts is ours", From: Spec | Ours, Enum: conversions, Published: "verification_attempt_enum_conversion_status"},
				{Name: "channel", About: "The channel; `rbm` is RCS.", Enum: channels, Published: "verification_attempt_enum_channels"},
				{Name: "price", About: "What the provider says that it costs; null if it does not say."},
				{Name: "price.value", About: "A decimal number.", Example: "0.0052"},
				{Name: "price.currency", About: "ISO 4217 in small letters.", Example: "eur"},
				{Name: "channel_data", About: "What is known of the send.", OneOf: []any{messageData{}, callData{}}},
				{Name: "channel_data.verification_sid", About: "The verification.", SID: "VE"},
				{Name: "channel_data.to", About: "The number in E.164, or the address.", Example: "+34612345678"},
				{Name: "channel_data.status", About: "Of the code.", Enum: []string{"confirmed", "unconfirmed", "expired"}, Published: "verification_attempt_enum_attempt_status"},
				{Name: "channel_data.message_status", About: "Of all but calls.", Enum: []string{"queued", "sent", "delivered", "read", "undelivered", "failed", "canceled"}, Published: "verification_attempt_enum_message_status", Note: "`delivered`, `read` and `undelivered` come from reports of carriers; without one a message stays `sent`"},
				{Name: "channel_data.call_status", About: "Of calls.", Enum: []string{"queued", "in-progress", "completed", "failed", "canceled"}, Published: "verification_attempt_enum_call_status", Note: "`completed` comes from a report; without one a call stays `in-progress`"},
				{Name: "channel_data.error_code", About: "The provider's own code of the last failure, verbatim."},
				{Name: "channel_data.country", About: "ISO 3166-1 alpha-2.", Example: "ES"},
				{Name: "channel_data.code_length", About: "Characters of the code.", Example: 6},
				{Name: "channel_data.locale", About: "The language of the message.", Example: "es"},
				{Name: "channel_data.mcc", About: "The mobile country code, from the lookup or from the carrier's report.", Example: "214"},
				{Name: "channel_data.mnc", About: "The mobile network code, from the lookup or from the carrier's report.", Example: "07"},
				{Name: "channel_data.carrier", About: "The carrier's name, from the lookup."},
			}},
			{Name: "AttemptList", About: "A page of attempts.", Body: attemptList{}, Facts: listFacts("attempts", "The attempts.")},
			{Name: "AttemptsSummary", Contract: "attempts_summary", About: "How many attempts there were, and how many codes came back.", Body: summaryBody{}, Facts: []Fact{
				{Name: "total_attempts", About: "Attempts.", Example: 11},
				{Name: "total_converted", About: "Those whose code came back.", Example: 9},
				{Name: "total_unconverted", About: "The others.", Example: 2},
				{Name: "conversion_rate_percentage", About: "The share of those whose code came back, in percent with nine decimals, cut off; `0.0` of nothing.", Note: "what it is of nothing is ours", From: Spec | Ours, Example: "81.818181818"},
			}},
		},
	}
}
