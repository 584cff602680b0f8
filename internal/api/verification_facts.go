package api

import "github.com/verifyd/verifyd/internal/verify"

func verificationFacts() Resource {
	const one = "/v2/Services/{ServiceSid}/Verifications/{Sid}"
	aboutOne := append([]string{"Verifyd-Reason"}, ofPending...)
	return Resource{
		Name:  "Verifications",
		About: "A verification sends a code to a number or an address, and waits for it to come back.",
		Note: "A start while one is pending keeps SID, code and end. With another amount or payee it replaces the\n" +
			"pending verification (ours): a code belongs to one payment.",
		Operations: []Operation{
			{Method: "POST", Path: "/v2/Services/{ServiceSid}/Verifications", ID: "CreateVerification",
				About:  "Starts a verification. While one of this recipient is pending, its code is sent again, on any channel.",
				Params: startParams{}, Facts: startParamFacts(), Status: 201, Body: verificationBody{},
				Headers: append([]string{"Twilio-Reached-Rate-Limit"}, ofPending...), Codes: startCodes()},
			{Method: "GET", Path: one, ID: "FetchVerification", About: "Fetches a verification that is pending, canceled, or out of checks and not yet over. Others are 404.", From: Spec | Docs | Wire,
				Status: 200, Body: verificationBody{}, Headers: aboutOne, Codes: []verify.Code{verify.CodeNotFound, verify.CodeTooManyRequests}},
			{Method: "POST", Path: one, ID: "UpdateVerification", About: "Approves a verification by the customer's word, or cancels it.",
				Params: statusParams{}, Facts: []Fact{
					{Name: "Status", About: "What becomes of it.", Required: true, Enum: []string{string(verify.Approved), string(verify.Canceled)}, Published: "verification_enum_status", Example: "canceled"},
				}, Status: 200, Body: verificationBody{}, Headers: aboutOne, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Verification", Contract: "verification", About: "A verification. The code is never in it.", Body: verificationBody{}, Facts: []Fact{
				{Name: "sid", About: "The verification.", SID: "VE"},
				{Name: "to", About: "The number in E.164, or the address.", Example: "+34612345678"},
				{Name: "channel", About: "The channel of the latest send.", Enum: words(verify.Channels()), Published: "verification_enum_channel", From: Spec | Docs},
				{Name: "status", About: "Its state.", Enum: wireStatuses(), From: Spec | Docs},
				{Name: "valid", About: "Whether it is approved."},
				{Name: "lookup", About: "What was found out of the line; empty where nothing was looked up."},
				{Name: "lookup.carrier", About: "The line."},
				{Name: "lookup.carrier.error_code", About: "60005 if the lookup failed.", From: Spec | Ours},
				{Name: "lookup.carrier.name", About: "The carrier's name."},
				{Name: "lookup.carrier.mobile_country_code", About: "Three digits.", Example: "214"},
				{Name: "lookup.carrier.mobile_network_code", About: "Two or three digits.", Example: "07"},
				{Name: "lookup.carrier.type", About: "The kind of line.", Enum: []string{string(verify.Mobile), string(verify.Landline), string(verify.VoIP)}, From: Spec | Docs},
				{Name: "amount", About: "Of a payment."},
				{Name: "payee", About: "Of a payment."},
				{Name: "send_code_attempts", About: "Every send, oldest first."},
				{Name: "send_code_attempts.time", About: "When it was asked for, in UTC with milliseconds.", From: Spec | Wire, Format: "date-time", Example: "2026-11-24T12:00:00.000Z"},
				{Name: "send_code_attempts.channel", About: "In small letters.", From: Spec | Wire, Enum: words(verify.Channels())},
				{Name: "send_code_attempts.attempt_sid", About: "The attempt.", SID: "VL"},
				{Name: "sna", About: "Always null: there is no Silent Network Auth."},
			}},
		},
	}
}

// wireStatuses are the statuses that an answer may have. One that has expired is not found.
func wireStatuses() []string {
	return words([]verify.Status{verify.Pending, verify.Approved, verify.Canceled, verify.MaxAttemptsReached})
}

func startParamFacts() []Fact {
	return []Fact{
		{Name: "To", About: "The number in E.164, which has to exist in its numbering plan, or the e-mail address.", From: Spec | Wire, Required: true, Example: "+34612345678"},
		{Name: "Channel", About: "How the code goes.", Required: true, From: Spec | Docs, Enum: words(verify.Channels()), Published: "verification_enum_channel", Refused: []string{"sna", "auto"}, Example: "sms",
			Note: "`sna` with 60001, `auto` with 60200, as on an account without them"},
		{Name: "CustomFriendlyName", About: "A name for this message, by the rules of `FriendlyName`.", Note: "no gate (ours)", From: Spec | Ours, Range: verify.FriendlyNames, Example: "Acme Shop"},
		{Name: "CustomMessage", About: "The usual text is sent.", Effect: Accepted, Example: "Hello"},
		{Name: "SendDigits", About: "Keys to press when a call is answered.", Note: "calls only; the bound is ours", From: Spec | Docs | Ours, Pattern: "^[0-9*#wW]*$", Range: verify.SendDigits, Example: "ww1"},
		{Name: "Locale", About: "The language of the message; by default that of the number's country. One that nobody knows is 60200.", From: Spec | Docs | Wire, Example: "es",
			Note: "with a template any `xx` or `xx-XX`; a call without speech in it 60331, WhatsApp without a template in it 60242"},
		{Name: "CustomCode", About: "The code to send: letters and digits. The service must allow it, else 60204.", From: Spec | Docs, Pattern: "^[A-Za-z0-9]*$", Range: verify.Passcodes, Example: "483920"},
		{Name: "Amount", About: "The amount of a payment. Needed with PSD2 (60206), and bound into the code.", Range: verify.Amounts, Example: "39.99 EUR",
			Note: "`call` is 60214, `sna` 60329; `whatsapp` 60223, because its template cannot show it (ours)", From: Spec | Docs | Ours},
		{Name: "Payee", About: "Who is paid. Needed with PSD2 (60206), and bound into the code.", Range: verify.Payees, Example: "Acme", From: Spec | Docs | Ours},
		{Name: "RateLimits", About: "A JSON object: values by the unique names of rate limits. The start counts under each; over one it is 20429.", From: Spec | Docs | Ours, Example: `{"end_user_ip":"192.0.2.7"}`,
			Note: "a value that is no scalar 60200, an unknown name counts nothing (ours). A refusal of any kind spends nothing; see [rate-limits.md](rate-limits.md)"},
		{Name: "ChannelConfiguration", About: "A JSON object. Of e-mail: `from` and `from_name`. Its other keys are ignored.", Example: `{"from":"codes@example.com","from_name":"Acme"}`,
			Note: "`template_id` and `substitutions` are SendGrid's"},
		{Name: "AppHash", About: "The hash of an Android app, of eleven characters; the text is kept to one segment. Text messages only: 60602.", From: Spec | Docs, Pattern: "^[A-Za-z0-9+/]*$", Range: verify.AppHashes, Example: "He42w354ol9"},
		{Name: "TemplateSid", About: "The template of the message, before the service's.", SID: "HJ", From: Spec | Docs | Ours, Note: "for `sms`, `rcs` and `call`; which language and which refusals: [templates.md](templates.md); the order is ours"},
		{Name: "TemplateCustomSubstitutions", About: "A JSON object: values of the template's variables.", From: Spec | Docs | Ours, Example: `{"store":"Main Street"}`, Note: "for `sms`, `rcs` and `call`"},
		{Name: "Templates", About: "A JSON array of one to ten templates with `sid` and `substitutions`, of which the first that can be sent is.", From: Docs | Ours, Example: `[{"sid":"HJ0190b7d2f8a4c3e61f5d9a7c20e48b13"}]`,
			Note: "newer than the description; at most ten, and `TemplateSid` wins over it (ours)"},
		{Name: "DeviceIp", About: "The IP address of the person's device. One that a number was approved from has guesses of its own (docs/rate-limits.md).", Note: "what it does is ours: Twilio has it for `auto`", From: Spec | Ours, Example: "192.0.2.7"},
		{Name: "EnableSnaClientToken", About: "Belongs to Silent Network Auth.", Effect: Accepted, Example: false},
		{Name: "RiskCheck", About: "With `disable` a text message goes out whatever the country.", Enum: verify.RiskChecks, Published: "verification_enum_risk_check", Default: "enable", Example: "enable"},
		{Name: "Tags", About: "A JSON object of at most ten texts, names and values of at most 128 characters, for [events](webhooks.md#events-of-verifications).", Example: `{"order":"1234"}`},
		{Name: "Verifyd.ForgiveGuesses", About: "Forgets the wrong codes for this recipient. Never send it for somebody who only knows the number.", From: Ours, Default: false, Example: true,
			Note: "see [rate-limits.md](rate-limits.md)"},
	}
}

func startCodes() []verify.Code {
	return []verify.Code{
		verify.CodeMissingParameter, verify.CodeNotFound, verify.CodeTooManyRequests, verify.CodeSNANotProvisioned,
		verify.CodeTemplateNotApproved, verify.CodeMaxChecks, verify.CodeMaxSends, verify.CodeFeatureDisabled,
		verify.CodeLandline, verify.CodePSD2Incomplete, verify.CodeBurst, verify.CodePSD2Call, verify.CodeNoMailer,
		verify.CodeChannelDisabled, verify.CodeMissingSubstitutions, verify.CodeChinaNeedsName, verify.CodeTemplateChannel,
		verify.CodeTemplateNotFound, verify.CodeTemplateBrand, verify.CodeWhatsAppTemplate, verify.CodeMessageTooLong,
		verify.CodeTemplateContent, verify.CodeInvalidTemplates, verify.CodeTemplatesInvalid, verify.CodePSD2SNA,
		verify.CodeNoSpeechLocale, verify.CodeAppHashChannel, verify.CodeGeoBlocked, verify.CodeNumberLimit,
		verify.CodeWhatsAppNotEnabled,
	}
}

func checkFacts() Resource {
	return Resource{
		Name:  "VerificationCheck",
		About: "A check compares a code that came back with the one that was sent.",
		Note:  "A wrong code is answered 200, `pending`, the last one too; after it the verification is `max_attempts_reached` (wire).",
		Operations: []Operation{
			{Method: "POST", Path: "/v2/Services/{ServiceSid}/VerificationCheck", ID: "CreateVerificationCheck",
				About: "Checks a code. A wrong one is no error: `valid` is false.", Note: "answers 200 and not 201", From: Spec | Wire,
				Params: checkParams{}, Facts: []Fact{
					{Name: "To", About: "The number or the address. Without it and `VerificationSid`: 60221.", Example: "+34612345678"},
					{Name: "VerificationSid", About: "The verification; it wins over `To`.", SID: "VE", From: Spec | Ours},
					{Name: "Code", About: "The code. One that is missing, or of another length, is 60200 and not counted.", From: Spec | Wire, Range: verify.Passcodes, Example: "483920"},
					{Name: "Amount", About: "The amount of the payment. Needed with PSD2 (60206); another one is a wrong code, counted.", From: Spec | Docs | Ours, Example: "39.99 EUR"},
					{Name: "Payee", About: "Who is paid. Needed with PSD2 (60206); another one is a wrong code, counted.", From: Spec | Docs | Ours, Example: "Acme"},
					{Name: "SnaClientToken", About: "Belongs to Silent Network Auth.", Effect: Accepted, Example: "token"},
				}, Status: 200, Body: checkBody{}, Headers: append([]string{"Verifyd-Reason"}, ofPending...),
				Codes: []verify.Code{verify.CodeNotFound, verify.CodeMaxChecks, verify.CodePSD2Incomplete, verify.CodeNoTarget}},
		},
		Records: []Record{
			{Name: "VerificationCheck", Contract: "verification_check", About: "The verification after a check.", Body: checkBody{}, Facts: []Fact{
				{Name: "sid", About: "The verification.", SID: "VE"},
				{Name: "to", About: "The number in E.164, or the address.", Example: "+34612345678"},
				{Name: "channel", About: "The channel of the latest send.", Enum: words(verify.Channels()), Published: "verification_check_enum_channel", From: Spec | Docs},
				{Name: "status", About: "`approved`, or `pending` after a wrong code.", Enum: words([]verify.Status{verify.Pending, verify.Approved}), From: Spec | Wire},
				{Name: "valid", About: "Whether the code was right."},
				{Name: "amount", About: "Of a payment."},
				{Name: "payee", About: "Of a payment."},
				{Name: "sna_attempts_error_codes", About: "Always empty: there is no Silent Network Auth."},
				{Name: "date_created", About: "When the verification was started, in UTC.", From: Spec | Wire, Format: "date-time", Example: "2026-11-24T12:00:00Z"},
			}},
		},
	}
}
