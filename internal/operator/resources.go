package operator

import "slices"

// The lists of parameters stand beside the resource that has them, in the order of
// docs/compatibility.md. Names are the API's; a flag is named only where the mechanical spelling of
// the name would be longer than people type at night.

// resources is the whole table.
var resources = []resource{
	{
		noun: "service", about: "what your users are verified for, and how",
		path: "/v2/Services", id: "sid", name: "friendly_name", arg: "SID|NAME",
		columns: []column{{"SID", "sid"}, {"NAME", "friendly_name"}, {"CODE", "code_length"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the services, the newest first", method: "GET", answer: pages},
			{name: "show", about: "show a service", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "make a service", method: "POST", arg: "FriendlyName", params: serviceParams, required: []string{"FriendlyName"}},
			{name: "update", about: "change a service", method: "POST", on: "/{Sid}", arg: "Sid", params: serviceParams},
			{name: "delete", about: "delete a service with all that it has", method: "DELETE", on: "/{Sid}", arg: "Sid", answer: nothing},
		},
	},
	{
		noun: "verification", about: "start, check, look at and end verifications",
		path: "/v2/Services/{ServiceSid}/Verifications", id: "sid", arg: "SID|TO",
		verbs: []verb{
			{name: "start", about: "send a code", method: "POST", arg: "To", params: startParams, required: []string{"To", "Channel"}},
			{name: "show", about: "show a verification that is pending, by its SID, number or address", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "cancel", about: "end a verification", method: "POST", on: "/{Sid}", arg: "Sid", fixed: map[string]string{"Status": "canceled"}},
			{name: "approve", about: "end a verification as if the code had come back", method: "POST", on: "/{Sid}", arg: "Sid", fixed: map[string]string{"Status": "approved"}},
		},
	},
	{
		noun: "verification", path: "/v2/Services/{ServiceSid}/VerificationCheck", id: "sid", arg: "SID",
		verbs: []verb{
			{name: "check", about: "check a code; valid says whether it was right", method: "POST", arg: "To", params: checkParams},
		},
	},
	{
		noun: "attempt", about: "what was sent, and whether its code came back",
		path: "/v2/Attempts", id: "sid", arg: "SID",
		columns: []column{{"CREATED", "date_created"}, {"TO", "channel_data.to"}, {"COUNTRY", "channel_data.country"}, {"CHANNEL", "channel"},
			{"MESSAGE", "channel_data.message_status|channel_data.call_status"}, {"ERROR", "channel_data.error_code"},
			{"CONVERSION", "conversion_status"}, {"SID", "sid"}, {"VERIFICATION", "verification_sid"}},
		verbs: []verb{
			{name: "list", about: "list attempts, the newest first", method: "GET", answer: pages, params: attemptFilters},
			{name: "summary", about: "count attempts and how many codes came back", method: "GET", on: "/Summary", params: summaryFilters},
			{name: "show", about: "show an attempt", method: "GET", on: "/{Sid}", arg: "Sid"},
		},
	},
	{
		noun: "attempt", path: "/v2/Verifyd/Attempts", id: "sid", arg: "SID",
		columns: []column{{"TIME", "date"}, {"STEP", "kind"}, {"PROVIDER", "provider"}, {"MS", "milliseconds"}, {"OUTCOME", "outcome"},
			{"CODE", "code"}, {"THEN", "decision"}, {"WHY", "reason"}, {"DETAIL", "detail"}},
		verbs: []verb{
			{name: "story", about: "tell what happened to an attempt, step by step", method: "GET", on: "/{Sid}", arg: "Sid", inner: "story"},
		},
	},
	{
		noun: "rate-limit", about: "how often a visitor may start, by a name that your server gives",
		path: "/v2/Services/{ServiceSid}/RateLimits", id: "sid", name: "unique_name", arg: "SID|NAME",
		columns: []column{{"SID", "sid"}, {"NAME", "unique_name"}, {"DESCRIPTION", "description"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the rate limits of a service", method: "GET", answer: pages},
			{name: "show", about: "show a rate limit", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "make a rate limit; buckets say how much it lets through", method: "POST", arg: "UniqueName", params: rateLimitParams, required: []string{"UniqueName"}},
			{name: "update", about: "change the description of a rate limit", method: "POST", on: "/{Sid}", arg: "Sid", params: rateLimitParams[1:]},
			{name: "delete", about: "delete a rate limit with its buckets", method: "DELETE", on: "/{Sid}", arg: "Sid", answer: nothing},
		},
	},
	{
		noun: "bucket", about: "how many starts a rate limit lets through in how many seconds",
		path: "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets", id: "sid", arg: "SID",
		columns: []column{{"SID", "sid"}, {"MAX", "max"}, {"INTERVAL", "interval"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the buckets of a rate limit", method: "GET", answer: pages},
			{name: "show", about: "show a bucket", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "make a bucket", method: "POST", params: bucketParams, required: []string{"Max", "Interval"}},
			{name: "update", about: "change a bucket", method: "POST", on: "/{Sid}", arg: "Sid", params: bucketParams},
			{name: "delete", about: "delete a bucket", method: "DELETE", on: "/{Sid}", arg: "Sid", answer: nothing},
		},
	},
	{
		noun: "messaging-configuration", about: "which providers carry the messages of a service to a country",
		path: "/v2/Services/{ServiceSid}/MessagingConfigurations", id: "country", arg: "COUNTRY",
		columns: []column{{"COUNTRY", "country"}, {"MESSAGING SERVICE", "messaging_service_sid"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the messaging configurations of a service", method: "GET", answer: pages},
			{name: "show", about: "show a messaging configuration", method: "GET", on: "/{Country}", arg: "Country"},
			{name: "create", about: "make a messaging configuration", method: "POST", arg: "Country", params: messagingParams, required: []string{"Country", "MessagingServiceSid"}},
			{name: "update", about: "change a messaging configuration", method: "POST", on: "/{Country}", arg: "Country", params: messagingParams[1:], required: []string{"MessagingServiceSid"}},
			{name: "delete", about: "delete a messaging configuration", method: "DELETE", on: "/{Country}", arg: "Country", answer: nothing},
		},
	},
	{
		noun: "entity", about: "your users, by an identity of your own, with their factors",
		path: "/v2/Services/{ServiceSid}/Entities", id: "identity", arg: "IDENTITY",
		columns: []column{{"IDENTITY", "identity"}, {"SID", "sid"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the entities of a service", method: "GET", answer: pages},
			{name: "show", about: "show an entity", method: "GET", on: "/{Identity}", arg: "Identity"},
			{name: "create", about: "make an entity", method: "POST", arg: "Identity", required: []string{"Identity"}, params: []param{
				{name: "Identity", help: "the user, by 8 to 64 letters, digits and hyphens that say nothing of him"},
			}},
			{name: "delete", about: "delete an entity with its factors and challenges", method: "DELETE", on: "/{Identity}", arg: "Identity", answer: nothing},
		},
	},
	{
		noun: "factor", about: "the authenticator apps, handsets and passkeys of an entity",
		path: "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors", id: "sid", arg: "SID",
		columns: []column{{"SID", "sid"}, {"NAME", "friendly_name"}, {"TYPE", "factor_type"}, {"STATUS", "status"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the factors of an entity", method: "GET", answer: pages},
			{name: "show", about: "show a factor", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "make a factor; its secret is shown this once", method: "POST", params: factorParams, required: []string{"FriendlyName", "FactorType"}},
			{name: "update", about: "verify a factor with a code or a signature, or change it", method: "POST", on: "/{Sid}", arg: "Sid", params: factorUpdateParams},
			{name: "delete", about: "delete a factor", method: "DELETE", on: "/{Sid}", arg: "Sid", answer: nothing},
		},
	},
	{
		noun: "challenge", about: "questions to an entity that a factor answers",
		path: "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges", id: "sid", arg: "SID",
		columns: []column{{"SID", "sid"}, {"FACTOR", "factor_sid"}, {"STATUS", "status"}, {"CREATED", "date_created"}, {"EXPIRES", "expiration_date"}},
		verbs: []verb{
			{name: "list", about: "list the challenges of an entity", method: "GET", answer: pages, params: []param{
				{name: "FactorSid", flag: "factor", help: "of this factor"},
				{name: "Status", help: "in this state", values: []string{"pending", "expired", "approved", "denied"}},
				{name: "Order", help: "oldest or newest first", values: []string{"asc", "desc"}},
			}},
			{name: "show", about: "show a challenge", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "ask an entity to prove who it is", method: "POST", required: []string{"FactorSid"}, params: []param{
				{name: "FactorSid", flag: "factor", help: "the factor that has to answer"},
				{name: "ExpirationDate", help: "until when it can be answered, as 2026-11-30T03:05:00Z"},
				{name: "Details.Message", help: "what the user is asked"},
				{name: "Details.Fields", help: "what he sees besides, as JSON: [{\"label\":…,\"value\":…}]"},
				{name: "HiddenDetails", help: "what only your server sees, as JSON"},
				{name: "AuthPayload", flag: "code", help: "a code of the app, which answers at once"},
			}},
			{name: "answer", about: "answer a challenge", method: "POST", on: "/{Sid}", arg: "Sid", params: []param{
				{name: "AuthPayload", flag: "code", help: "a code of the app, or what the handset signed"},
				{name: "Metadata", help: "more about the answer, as JSON"},
			}},
		},
	},
	{
		noun: "notification", about: "what tells a handset of a challenge",
		path: "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid}/Notifications", id: "sid", arg: "SID",
		verbs: []verb{
			{name: "send", about: "tell the handset of a pending challenge once more", method: "POST", params: []param{
				{name: "Ttl", kind: number, help: "how many seconds the platform keeps it for a handset that is off, 0 to 300"},
			}},
		},
	},
	{
		noun: "access-token", about: "what lets a handset make its factor",
		path: "/v2/Services/{ServiceSid}/AccessTokens", id: "sid", arg: "SID",
		verbs: []verb{
			{name: "create", about: "make an access token for a handset of an entity", method: "POST", required: []string{"Identity", "FactorType"}, params: []param{
				{name: "Identity", flag: "entity", help: "the entity, by its identity; it need not be there"},
				{name: "FactorType", help: "what the handset will be", values: []string{"push"}},
				{name: "FactorFriendlyName", flag: "friendly-name", help: "the name of the handset"},
				{name: "Ttl", kind: number, help: "how many seconds it is good for, 60 to 300"},
			}},
			{name: "show", about: "show an access token that has not expired", method: "GET", on: "/{Sid}", arg: "Sid"},
		},
	},
	{
		noun: "webhook", about: "who is told what becomes of factors and challenges",
		path: "/v2/Services/{ServiceSid}/Webhooks", id: "sid", arg: "SID",
		columns: []column{{"SID", "sid"}, {"NAME", "friendly_name"}, {"URL", "webhook_url"}, {"STATUS", "status"}, {"CREATED", "date_created"}},
		verbs: []verb{
			{name: "list", about: "list the webhooks of a service", method: "GET", answer: pages},
			{name: "show", about: "show a webhook", method: "GET", on: "/{Sid}", arg: "Sid"},
			{name: "create", about: "make a webhook", method: "POST", arg: "FriendlyName", params: webhookParams, required: []string{"FriendlyName", "EventTypes", "WebhookUrl"}},
			{name: "update", about: "change a webhook", method: "POST", on: "/{Sid}", arg: "Sid", params: webhookParams},
			{name: "delete", about: "delete a webhook", method: "DELETE", on: "/{Sid}", arg: "Sid", answer: nothing},
		},
	},
	{
		noun: "template", about: "what messages say, in your words",
		path: "/v2/Templates", id: "sid", name: "friendly_name", arg: "SID|NAME",
		columns: []column{{"SID", "sid"}, {"NAME", "friendly_name"}, {"CHANNELS", "channels"}, {"LANGUAGES", "translations"}},
		verbs: []verb{
			{name: "list", about: "list the templates", method: "GET", answer: pages, params: []param{
				{name: "FriendlyName", help: "only the template of this name"},
			}},
			{name: "show", about: "show a template", method: "GET", arg: "Sid", answer: sought},
		},
	},
	{
		noun: "safe-list", about: "numbers that text messages reach whatever the country",
		path: "/v2/SafeList/Numbers", id: "phone_number", arg: "NUMBER",
		verbs: []verb{
			{name: "add", about: "put a number on the safe list", method: "POST", arg: "PhoneNumber", required: []string{"PhoneNumber"}, params: []param{
				{name: "PhoneNumber", help: "the number, as +34612345678"},
			}},
			{name: "show", about: "say whether a number is on the safe list", method: "GET", on: "/{PhoneNumber}", arg: "PhoneNumber"},
			{name: "remove", about: "take a number off the safe list", method: "DELETE", on: "/{PhoneNumber}", arg: "PhoneNumber", answer: nothing},
		},
	},
}

var (
	channels = []string{"sms", "call", "email", "whatsapp", "rcs"}
	// attemptChannels differ: RCS is called rbm there.
	attemptChannels = []string{"sms", "call", "email", "whatsapp", "rbm"}
)

var serviceParams = []param{
	{name: "FriendlyName", help: "what people read in their messages, at most 30 characters"},
	{name: "CodeLength", kind: number, help: "how many digits codes have, 4 to 10"},
	{name: "LookupEnabled", kind: yesNo, help: "look every number up"},
	{name: "SkipSmsToLandlines", kind: yesNo, help: "refuse text messages to landlines; needs the lookup"},
	{name: "DtmfInputRequired", kind: yesNo, help: "calls ask for a key before they say the code"},
	{name: "TtsName", help: "the voice of calls"},
	{name: "Psd2Enabled", kind: yesNo, help: "codes are bound to amount and payee"},
	{name: "DoNotShareWarningEnabled", kind: yesNo, help: "messages warn against telling the code"},
	{name: "CustomCodeEnabled", kind: yesNo, help: "your server may bring its own codes"},
	{name: "DefaultTemplateSid", of: "template", help: "the template of messages that name none; empty for none"},
	{name: "VerifyEventSubscriptionEnabled", kind: yesNo, help: "its events go to the sink of the server"},
	{name: "Push.IncludeDate", kind: yesNo, help: "of push factors: show the date of a challenge"},
	{name: "Push.ApnCredentialSid", help: "of push factors: the credential for APNs"},
	{name: "Push.FcmCredentialSid", help: "of push factors: the credential for FCM"},
	{name: "Totp.Issuer", help: "of TOTP factors: the name in the authenticator app"},
	{name: "Totp.TimeStep", kind: number, help: "of TOTP factors: how many seconds a code lives"},
	{name: "Totp.CodeLength", kind: number, help: "of TOTP factors: how many digits a code has"},
	{name: "Totp.Skew", kind: number, help: "of TOTP factors: how many steps a clock may be off"},
	{name: "Whatsapp.MsgServiceSid", help: "of WhatsApp: the messaging service"},
	{name: "Whatsapp.From", help: "of WhatsApp: the sender"},
	{name: "Passkeys.RelyingParty.Id", help: "of passkeys: the domain that they belong to"},
	{name: "Passkeys.RelyingParty.Name", help: "of passkeys: the name that people read"},
	{name: "Passkeys.RelyingParty.Origins", help: "of passkeys: the origins, separated by commas"},
	{name: "Passkeys.AuthenticatorAttachment", help: "of passkeys: where they may live", values: []string{"platform", "cross-platform", "any"}},
	{name: "Passkeys.DiscoverableCredentials", help: "of passkeys: whether they are found without a name", values: preferences},
	{name: "Passkeys.UserVerification", help: "of passkeys: whether the person is verified", values: preferences},
	{name: "Verifyd.DisabledChannels", help: "channels that are switched off, separated by commas; empty for none"},
	{name: "Verifyd.Fallback", help: "channels by which a code goes on, in their order, separated by commas; empty for none"},
	{name: "Verifyd.FallbackAfter", kind: number, help: "seconds without a receipt after which it does so, 0 to 600; 0 is never, on rcs 20"},
	{name: "Verifyd.CodeTtl", kind: number, help: "how many seconds a code lives, 120 to 86400"},
	{name: "Verifyd.MaxSends", kind: number, help: "sends of one verification, 1 to 10"},
	{name: "Verifyd.MaxChecks", kind: number, help: "checks of one verification, 1 to 10"},
}

var preferences = []string{"required", "preferred", "discouraged"}

var startParams = []param{
	{name: "To", help: "the number as +34612345678, or the e-mail address"},
	{name: "Channel", help: "how the code travels", values: channels},
	{name: "CustomFriendlyName", help: "the name in this message, instead of the service's"},
	{name: "CustomMessage", help: "taken; the usual text is sent"},
	{name: "SendDigits", help: "of calls: the keys to press once somebody answers"},
	{name: "Locale", help: "the language, as es or pt-BR"},
	{name: "CustomCode", help: "the code, if the service allows that"},
	{name: "Amount", help: "of a payment: the amount"},
	{name: "Payee", help: "of a payment: who gets it"},
	{name: "RateLimits", help: "the rate limits that this start counts for, as JSON: {\"end_user_ip\":\"192.0.2.7\"}"},
	{name: "ChannelConfiguration", help: "of e-mail: the sender, as JSON: {\"from\":…,\"from_name\":…}"},
	{name: "AppHash", help: "the hash by which an Android app finds the code"},
	{name: "TemplateSid", of: "template", help: "the template of the message"},
	{name: "TemplateCustomSubstitutions", flag: "template-substitutions", help: "the values of the template's variables, as JSON"},
	{name: "Templates", help: "templates of which the first that fits is sent, as JSON"},
	{name: "DeviceIp", help: "the address of the user's device"},
	{name: "EnableSnaClientToken", kind: yesNo, help: "of Silent Network Auth, which there is not yet"},
	{name: "RiskCheck", help: "disable lets a text message go to any country", values: []string{"enable", "disable"}},
	{name: "Tags", help: "tags for its events, as JSON: {\"order\":\"1234\"}"},
	{name: "Verifyd.ForgiveGuesses", kind: yesNo, help: "forget the wrong codes of this recipient"},
}

var checkParams = []param{
	{name: "To", help: "the number or e-mail address that the code was sent to"},
	{name: "VerificationSid", flag: "verification", help: "the verification by its SID, instead of to"},
	{name: "Code", help: "the code"},
	{name: "Amount", help: "of a payment: the amount"},
	{name: "Payee", help: "of a payment: who gets it"},
	{name: "SnaClientToken", help: "of Silent Network Auth, which there is not yet"},
}

var (
	createdAfter  = param{name: "DateCreatedAfter", flag: "after", kind: moment, help: "made at this time or later: 2026-11-30T03:00:00Z, or 90m for the last ninety minutes"}
	createdBefore = param{name: "DateCreatedBefore", flag: "before", kind: moment, help: "made before this time"}
	ofCountry     = param{name: "Country", help: "to this country, as ES"}
	byChannel     = param{name: "Channel", help: "by this channel; rbm is RCS", values: attemptChannels}
	ofService     = param{name: "VerifyServiceSid", flag: "service", kind: service, of: "service", help: "of this service, by SID or name"}
)

var attemptFilters = []param{
	createdAfter, createdBefore,
	{name: "ChannelData.To", flag: "to", help: "to this number or address"},
	ofCountry, byChannel, ofService,
	{name: "VerificationSid", flag: "verification", help: "of the verification with this SID"},
	{name: "Status", help: "whose code came back, or did not", values: []string{"converted", "unconverted"}},
}

var summaryFilters = []param{
	createdAfter, createdBefore,
	{name: "DestinationPrefix", flag: "prefix", help: "to numbers that begin so, as +34"},
	ofCountry, byChannel, ofService,
}

var factorConfigParams = []param{
	{name: "Config.Alg", help: "the hash of its codes", values: []string{"sha1", "sha256", "sha512"}},
	{name: "Config.TimeStep", kind: number, help: "how many seconds a code lives, 20 to 60"},
	{name: "Config.CodeLength", kind: number, help: "how many digits a code has, 3 to 8"},
	{name: "Config.Skew", kind: number, help: "how many steps its clock may be off, 0 to 2"},
}

var handsetParams = []param{
	{name: "Config.AppId", help: "of a handset: the application, by bundle id or package name"},
	{name: "Config.NotificationPlatform", help: "of a handset: who carries notifications to it", values: []string{"apn", "fcm", "none"}},
	{name: "Config.NotificationToken", help: "of a handset: the token under which the platform knows it"},
	{name: "Config.SdkVersion", help: "of a handset: the version of the library in the application"},
}

var factorParams = slices.Concat([]param{
	{name: "FriendlyName", help: "the name of the device, or of the account in the app"},
	{name: "FactorType", help: "what it is", values: []string{"push", "totp"}},
	{name: "Metadata", help: "more about it, as JSON"},
	{name: "Binding.Secret", help: "a secret of your own, in base32"},
	{name: "Binding.Alg", help: "of a handset: what it signs with", values: []string{"ES256"}},
	{name: "Binding.PublicKey", help: "of a handset: its P-256 key, DER in base64"},
}, factorConfigParams, handsetParams)

var factorUpdateParams = slices.Concat([]param{
	{name: "AuthPayload", flag: "code", help: "a code of the app, or the signature of the handset, which verifies the factor"},
	{name: "FriendlyName", help: "the name of the device, or of the account in the app"},
}, factorConfigParams, handsetParams)

var webhookParams = []param{
	{name: "FriendlyName", help: "a name for people"},
	{name: "EventTypes", flag: "events", help: "the events, as JSON: [\"factor.created\"]; or *"},
	{name: "WebhookUrl", flag: "to", help: "the URL that is called"},
	{name: "Status", help: "whether it is called", values: []string{"enabled", "disabled"}},
	{name: "Version", help: "what it is told", values: []string{"v1", "v2"}},
}

var rateLimitParams = []param{
	{name: "UniqueName", help: "the name that starts give: letters, digits, '.', '_' and '-'"},
	{name: "Description", help: "a word for people, at most 255 characters"},
}

var bucketParams = []param{
	{name: "Max", kind: number, help: "how many starts"},
	{name: "Interval", kind: number, help: "in how many seconds, 1 to 86400"},
}

var messagingParams = []param{
	{name: "Country", help: "the country, as CA, or all"},
	{name: "MessagingServiceSid", flag: "messaging-service", help: "the SID (MG…) of a table of the server's verifyd.toml"},
}
