package api

import "github.com/verifyd/verifyd/internal/verify"

func serviceFacts() Resource {
	params := serviceParamFacts()
	codes := []verify.Code{verify.CodeTemplateNotFound, verify.CodeTemplateChannel, verify.CodeTemplateNotApproved}
	create := append([]verify.Code{verify.CodeMissingParameter}, codes...)
	update := append([]verify.Code{verify.CodeNotFound}, codes...)
	return Resource{
		Name:  "Services",
		About: "A service is one application's way to verify: its name in the messages, the shape and the life of its codes.",
		Operations: []Operation{
			{Method: "POST", Path: "/v2/Services", ID: "CreateService", About: "Makes a service.",
				Params: serviceParams{}, Facts: params, Status: 201, Body: serviceBody{}, Headers: ofService, Codes: create},
			{Method: "GET", Path: "/v2/Services", ID: "ListService", About: "Lists the services of the account, newest first.",
				Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: serviceList{}, Codes: ofList()},
			{Method: "GET", Path: "/v2/Services/{Sid}", ID: "FetchService", About: "Fetches a service.",
				Status: 200, Body: serviceBody{}, Headers: ofService, Codes: []verify.Code{verify.CodeNotFound}},
			{Method: "POST", Path: "/v2/Services/{Sid}", ID: "UpdateService", About: "Changes what is sent and leaves the rest. It affects verifications that start afterwards.",
				Params: serviceParams{}, Facts: params, Partial: true, Status: 200, Body: serviceBody{}, Headers: ofService, Codes: update},
			{Method: "DELETE", Path: "/v2/Services/{Sid}", ID: "DeleteService", About: "Removes a service and everything below it.",
				Status: 204, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Service", Contract: "service", About: "A service.", Body: serviceBody{}, Facts: serviceFieldFacts()},
			{Name: "ServiceList", About: "A page of services.", Body: serviceList{}, Facts: listFacts("services", "The services.")},
		},
	}
}

func serviceParamFacts() []Fact {
	return []Fact{
		{Name: "FriendlyName", About: "The name that messages give. Letters, digits, spaces, `-` and `_`, at most four digits.", From: Spec | Docs | Wire, Required: true, Range: verify.FriendlyNames, Example: "Acme"},
		{Name: "CodeLength", About: "Digits of a code.", From: Spec | Wire, Range: verify.CodeLengths, Default: verify.DefaultCodeLength, Example: 6},
		{Name: "LookupEnabled", About: "Looks the line of a number up before a send; the answer has it in `lookup.carrier`.", Default: false, Example: true,
			Note: "from the numbering plan, or from [a service of yours](configuration.md#lookup); `name` and the network codes are null unless that service knows them"},
		{Name: "SkipSmsToLandlines", About: "With `LookupEnabled`, refuses a text message to what is surely a landline: 60205.", Default: false, Example: true},
		{Name: "DtmfInputRequired", About: "A call asks for a key before it says the code.", From: Spec | Wire, Default: true, Example: false},
		{Name: "TtsName", About: "The voice of calls, passed to the provider.", Clears: true, Range: verify.ShortTexts, Example: "Alice"},
		{Name: "Psd2Enabled", About: "Binds each code to an amount and a payee, which every start and check must name.", Default: false, Example: true},
		{Name: "DoNotShareWarningEnabled", About: "Text messages warn against sharing the code.", Default: false, Example: true},
		{Name: "CustomCodeEnabled", About: "Starts may bring a code of their own.", From: Spec | Wire, Default: false, Example: true},
		{Name: "DefaultTemplateSid", About: "The template of text messages and RCS of starts that name none.", Clears: true, SID: "HJ",
			Note: "unknown 60228, without text messages 60227, not approved 60201 (ours)", From: Spec | Ours},
		{Name: "Push.IncludeDate", About: "Puts the date into the challenges of push factors.", Default: false, Example: true},
		{Name: "Push.ApnCredentialSid", About: "The credential of APNs.", Note: "the configuration says [whose it is](configuration.md)", Clears: true, SID: "CR"},
		{Name: "Push.FcmCredentialSid", About: "The credential of FCM.", Note: "the configuration says [whose it is](configuration.md)", Clears: true, SID: "CR"},
		{Name: "Totp.Issuer", About: "The issuer that authenticator apps show.", Clears: true, Range: verify.ShortTexts, Example: "Acme"},
		{Name: "Totp.TimeStep", About: "Seconds that a code of an authenticator app lives.", Range: verify.TOTPTimeSteps, Example: 30},
		{Name: "Totp.CodeLength", About: "Digits of a code of an authenticator app.", Range: verify.TOTPCodeLengths, Example: 6},
		{Name: "Totp.Skew", About: "Steps before and after the present one whose codes are right too.", Range: verify.TOTPSkews, Example: 1},
		{Name: "Whatsapp.MsgServiceSid", About: "The messaging service of WhatsApp.", Note: "the configuration says [who carries it](configuration.md#another-provider-for-a-country); one without providers for WhatsApp counts as none", Clears: true, SID: "MG"},
		{Name: "Whatsapp.From", About: "The sender of WhatsApp: `whatsapp:` and a number in E.164.", Note: "given to the provider instead of the route's; [whatsapp](providers/whatsapp.md) knows it by `phone_numbers`", Clears: true, Example: "whatsapp:+34612345678"},
		{Name: "Passkeys.RelyingParty.Id", About: "The relying party of passkeys: a domain.", Clears: true, Range: verify.RelyingPartyIDs, Example: "example.com"},
		{Name: "Passkeys.RelyingParty.Name", About: "The relying party's name.", Clears: true, Range: verify.ShortTexts, Example: "Acme"},
		{Name: "Passkeys.RelyingParty.Origins", About: "The pages and applications that may ask, separated by commas.", Note: "`Passkeys.RelyingParty.id`, `.name` and `.origins` are taken, too", From: Spec | Docs, Clears: true, Example: "https://example.com,https://login.example.com"},
		{Name: "Passkeys.AuthenticatorAttachment", About: "Which authenticators may be used.", Clears: true, Enum: verify.PasskeyAttachments, Example: "platform"},
		{Name: "Passkeys.DiscoverableCredentials", About: "Whether an authenticator has to find the key by itself.", Clears: true, Enum: verify.PasskeyPreferences, Example: "preferred"},
		{Name: "Passkeys.UserVerification", About: "Whether an authenticator has to check who uses it.", Clears: true, Enum: verify.PasskeyPreferences, Example: "required"},
		{Name: "VerifyEventSubscriptionEnabled", About: "Sends the events of its verifications to the server's [sink](webhooks.md#events-of-verifications).", Default: false, Example: true},
		{Name: "Verifyd.DisabledChannels", About: "Channels that are refused with 60223, separated by commas; empty for none.", Note: "what Twilio's console has a switch for", From: Ours, Example: "call,whatsapp"},
		{Name: "Verifyd.Fallback", About: "Channels by which a code goes on where one does not reach the person, in their order, separated by commas; empty for none ([routes.md](routes.md#another-channel)).", From: Ours, Example: "whatsapp,sms,call"},
		{Name: "Verifyd.FallbackAfter", About: "Seconds without a receipt of the carrier and without the code, after which it goes on by the next channel of `Verifyd.Fallback`; 0 for never, and on `rcs`, whose message is taken back before, for 20.", From: Ours, Range: verify.FallbackAfters, Default: 0, Example: 30},
		{Name: "Verifyd.CodeTtl", About: "Seconds that a code lives.", Note: "what Twilio's support changes on request", From: Ours, Range: verify.CodeTTLs, Default: int(verify.DefaultCodeTTL.Seconds()), Example: 600},
		{Name: "Verifyd.MaxSends", About: "Sends of a verification.", From: Ours, Range: verify.Tries, Default: verify.DefaultMaxSends, Example: 5},
		{Name: "Verifyd.MaxChecks", About: "Checks of a verification.", From: Ours, Range: verify.Tries, Default: verify.DefaultMaxChecks, Example: 5},
	}
}

func serviceFieldFacts() []Fact {
	return []Fact{
		{Name: "sid", About: "The service.", SID: "VA"},
		{Name: "friendly_name", About: "The name that messages give.", Example: "Acme"},
		{Name: "code_length", About: "Digits of a code.", Range: verify.CodeLengths, Example: 6},
		{Name: "lookup_enabled", About: "Whether the line of a number is looked up."},
		{Name: "psd2_enabled", About: "Whether codes are bound to an amount and a payee."},
		{Name: "skip_sms_to_landlines", About: "Whether a text message to a landline is refused."},
		{Name: "dtmf_input_required", About: "Whether a call asks for a key first."},
		{Name: "tts_name", About: "The voice of calls."},
		{Name: "do_not_share_warning_enabled", About: "Whether text messages warn against sharing the code."},
		{Name: "custom_code_enabled", About: "Whether starts may bring a code."},
		{Name: "push", About: "Settings of push factors."},
		{Name: "push.include_date", About: "As it was sent."},
		{Name: "push.apn_credential_sid", About: "As it was sent.", SID: "CR"},
		{Name: "push.fcm_credential_sid", About: "As it was sent.", SID: "CR"},
		{Name: "totp", About: "Settings of authenticator apps; each is null until it is set."},
		{Name: "totp.issuer", About: "As it was sent."},
		{Name: "totp.time_step", About: "Seconds.", Range: verify.TOTPTimeSteps},
		{Name: "totp.code_length", About: "Digits.", Range: verify.TOTPCodeLengths},
		{Name: "totp.skew", About: "Steps.", Range: verify.TOTPSkews},
		{Name: "whatsapp", About: "Settings of WhatsApp."},
		{Name: "whatsapp.msg_service_sid", About: "As it was sent.", SID: "MG"},
		{Name: "whatsapp.from", About: "As it was sent."},
		{Name: "passkeys", About: "Settings of passkeys."},
		{Name: "passkeys.relying_party", About: "The relying party."},
		{Name: "passkeys.relying_party.id", About: "As it was sent."},
		{Name: "passkeys.relying_party.name", About: "As it was sent."},
		{Name: "passkeys.relying_party.origins", About: "The origins; null for none.", Null: true},
		{Name: "passkeys.authenticator_attachment", About: "As it was sent.", Enum: verify.PasskeyAttachments},
		{Name: "passkeys.discoverable_credentials", About: "As it was sent.", Enum: verify.PasskeyPreferences},
		{Name: "passkeys.user_verification", About: "As it was sent.", Enum: verify.PasskeyPreferences},
		{Name: "default_template_sid", About: "The template of starts that name none.", SID: "HJ"},
		{Name: "verify_event_subscription_enabled", About: "As it was sent."},
		{Name: "links", About: "The addresses of what is below the service.", Note: "`entities`, `webhooks` and `access_tokens` are named, because clients expect them; whether they are there, the last section says"},
		{Name: "links.verification_checks", About: "Checks.", Format: "uri"},
		{Name: "links.verifications", About: "Verifications.", Format: "uri"},
		{Name: "links.rate_limits", About: "Rate limits.", Format: "uri"},
		{Name: "links.messaging_configurations", About: "Messaging configurations.", Format: "uri"},
		{Name: "links.entities", About: "Entities.", Format: "uri"},
		{Name: "links.webhooks", About: "Webhooks.", Format: "uri"},
		{Name: "links.access_tokens", About: "Access tokens.", Format: "uri"},
	}
}

// listFacts are the fields of a page of records.
func listFacts(key, about string) []Fact {
	return []Fact{
		{Name: key, About: about},
		{Name: "meta", About: "Where the page stands."},
	}
}

// ofList are the codes of a list.
func ofList(more ...verify.Code) []verify.Code {
	return append([]verify.Code{verify.CodePageSizeTooLarge}, more...)
}
