package api

import (
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// An ErrorFact is what is to be known of an error code.
type ErrorFact struct {
	Code verify.Code
	When string
	Note string // more, for the compatibility page alone
	From Source

	// Status and Message are those of the code's page. They are filled in by Errors.
	Status  int
	Message string
	// Nowhere says that no answer has this code: it stands in the field of that name.
	Nowhere string
}

// Errors are all codes, with what their pages say.
func Errors() []ErrorFact {
	facts := errorFacts()
	for i := range facts {
		p := pages[facts[i].Code]
		facts[i].Status, facts[i].Message = p.status, p.text
	}
	return facts
}

// errorFacts have a row for each code. Where a source is the error dictionary and ours, the text is
// the dictionary's and the status is ours.
func errorFacts() []ErrorFact {
	return []ErrorFact{
		{Code: verify.CodeMissingParameter, When: "a required parameter is missing", From: Wire},
		{Code: verify.CodeUnauthorized, When: "credentials are missing or wrong", From: Wire},
		{Code: verify.CodeMethodNotAllowed, When: "a path that is there, another method; `Allow` has those that are", From: Docs},
		{Code: verify.CodeAccessDenied, When: "an API key wants to change geography", From: Docs | Ours},
		{Code: verify.CodePageSizeTooLarge, When: "`PageSize` above 1000", From: Docs | Ours},
		{Code: verify.CodeNotFound, When: "not there, not the account's, or over", From: Wire},
		{Code: verify.CodeTooManyRequests, When: "a start over one of the service's rate limits, too many fetches of a verification, or too many calls of a resource in this minute", From: Spec | Docs,
			Note: "a verification may be fetched 60 times a minute, 180 an hour, 250 a day (docs)"},
		{Code: verify.CodeInternal, When: "a fault of the server", From: Docs},
		{Code: verify.CodeUnavailable, When: "the store cannot take it now", From: Docs},
		{Code: verify.CodeSNANotProvisioned, When: "`sna`", From: Docs | Ours},
		{Code: verify.CodeCarrierError, When: "the lookup service failed", From: Docs | Ours, Nowhere: "lookup.carrier.error_code"},
		{Code: verify.CodeInvalidParameter, When: "a parameter's value; `(null)` for a body or a service SID that cannot be read", From: Wire},
		{Code: verify.CodeTemplateNotApproved, When: "the template's text is not approved", From: Docs | Ours},
		{Code: verify.CodeMaxChecks, When: "a check after the last one, a start after it, or a start after too many wrong codes in a day", Note: "the limit of a day is ours", From: Wire | Docs | Ours},
		{Code: verify.CodeMaxSends, When: "a start after the last send", From: Wire},
		{Code: verify.CodeFeatureDisabled, When: "a custom code, and the service does not allow it", From: Docs},
		{Code: verify.CodeLandline, When: "a text message to a landline, with `LookupEnabled` and `SkipSmsToLandlines`", From: Docs},
		{Code: verify.CodePSD2Incomplete, When: "PSD2 without amount or payee", From: Docs},
		{Code: verify.CodeTooManyRateLimits, When: "an eleventh rate limit of a service", Note: "the number is ours", From: Docs | Ours},
		{Code: verify.CodeRateLimitExists, When: "the service has a rate limit of this name", From: Docs},
		{Code: verify.CodeUniqueNameInvalid, When: "a unique name with other characters, or too long", From: Docs},
		{Code: verify.CodeTooManyBuckets, When: "an eleventh bucket of a rate limit", Note: "the number is ours", From: Docs | Ours},
		{Code: verify.CodeBucketExists, When: "the rate limit has a bucket of this interval", From: Docs},
		{Code: verify.CodeBurst, When: "a start of a recipient while one runs and another waits, or a fourth in a second", Note: "the numbers are ours", From: Docs | Ours},
		{Code: verify.CodeMessagingExists, When: "the country has a messaging configuration", From: Docs},
		{Code: verify.CodePSD2Call, When: "a call with PSD2", From: Docs},
		{Code: verify.CodeNoMailer, When: "e-mail without a route", From: Wire},
		{Code: verify.CodeNoTarget, When: "a check without `To` and `VerificationSid`", From: Docs},
		{Code: verify.CodeChannelDisabled, When: "a text message or a call without a route, or a channel that the service has switched off", From: Docs | Ours},
		{Code: verify.CodeMissingSubstitutions, When: "a variable of the template has no value", From: Docs},
		{Code: verify.CodeChinaNeedsName, When: "a template for China that does not name the service", From: Docs | Ours},
		{Code: verify.CodeTemplateChannel, When: "the template has no words for the channel", From: Docs | Ours},
		{Code: verify.CodeTemplateNotFound, When: "the account has no such template", From: Docs | Ours},
		{Code: verify.CodeTemplateBrand, When: "no brand may be named in the country, and the template has no such text", From: Docs | Ours},
		{Code: verify.CodeWhatsAppTemplate, When: "WhatsApp in a language that it has no template in", From: Docs | Ours},
		{Code: verify.CodeMessageTooLong, When: "the template's text is too long with its values", From: Docs | Ours},
		{Code: verify.CodeTemplateContent, When: "a payment, and the template has no amount and payee", From: Docs | Ours},
		{Code: verify.CodeInvalidTemplates, When: "`Templates` is no list of one to ten templates", From: Docs},
		{Code: verify.CodeTemplatesInvalid, When: "no template of `Templates` can be sent", From: Docs},
		{Code: verify.CodePSD2SNA, When: "`sna` with PSD2", From: Docs | Ours},
		{Code: verify.CodeNoSpeechLocale, When: "a call in a language that it cannot speak", From: Docs | Ours},
		{Code: verify.CodeSafeNumberExists, When: "the number is on the safe list", From: Docs},
		{Code: verify.CodeAppHashChannel, When: "`AppHash` on another channel", From: Docs},
		{Code: verify.CodeGeoBlocked, When: "no message may go to the country", Note: "the text names country and channel (docs), and \"this service\" where a service's rule decides (ours)", From: Docs | Ours},
		{Code: verify.CodeNumberLimit, When: "a start for an address that has got too many messages in an hour or a day", Note: "the numbers are ours", From: Docs | Ours},
		{Code: factor.CodeEntityExists, When: "the identity has an entity", From: Docs},
		{Code: verify.CodeInvalidRequest, When: "a parameter about entities, factors or challenges breaks its rule; `details.parameter` names it", From: Docs | Ours},
		{Code: factor.CodeInvalidAccessToken, When: "an access token without an identity or a type of factor, or with bad ones; `details.parameter` names it", From: Docs | Ours},
		{Code: factor.CodeNoPlatform, When: "a notification to a handset of the platform `none`", From: Docs | Ours},
		{Code: factor.CodeTooManyNotices, When: "a fourth notification of a challenge, the one of its making not counted", Note: "that it is not counted is ours", From: Docs | Ours},
		{Code: factor.CodeFactorProof, When: "a push factor's verification with a signature that is wrong; with a wrong code where `refuse_wrong_codes` is set", From: Docs | Ours},
		{Code: factor.CodeWrongGrant, When: "an access token for another service, identity or type of factor", From: Docs},
		{Code: factor.CodeChallengeProof, When: "an answer to a push challenge that its device did not sign, or not of what it was shown; a wrong code where `refuse_wrong_codes` is set", From: Docs | Ours},
		{Code: factor.CodeChallengeAnswers, When: "an answer after five wrong ones to a challenge, or after too many to a factor in a day", Note: "the limit of a day is ours", From: Docs | Ours},
		{Code: factor.CodeFactorAnswers, When: "an answer after five wrong ones to a factor", From: Docs},
		{Code: factor.CodeTooManyChallenges, When: "more than 50 challenges of a factor in an hour or 100 in a day; 10 a day with codes of 3 or 4 digits", From: Docs},
		{Code: factor.CodeInvalidBinding, When: "a secret or a public key that cannot be read; `details.parameter` names it", From: Docs | Ours},
		{Code: factor.CodeTooManyFactors, When: "twenty push factors of an entity, a hundred totp factors, or a hundred passkeys", Note: "the number of passkeys is ours", From: Docs | Ours},
		{Code: factor.CodeFactorExists, When: "the entity has a factor with this secret or this key, or the service one with this passkey", Note: "that of a passkey is ours", From: Docs | Ours},
		{Code: factor.CodeFactorUnverified, When: "a challenge of a factor that is not verified", From: Docs},
		{Code: factor.CodeChallengeResponded, When: "an answer to a challenge that was answered, or a notification of one", From: Docs},
		{Code: factor.CodeChallengeExpired, When: "an answer to a challenge that has expired, or a notification of one", From: Docs},
		{Code: factor.CodeFactorRate, When: "a hundred factors of an entity made within a day, which begins with the first", From: Docs | Ours},
		{Code: factor.CodeEntityRate, When: "more than 40 entities of an account made within a second; many nodes may let a few more pass", From: Docs | Ours},
		{Code: factor.CodeInvalidFactorType, When: "a type of factor that is not here, or that the endpoint is not for", From: Docs},
		{Code: verify.CodeInvalidPageSize, When: "`PageSize` of entities, factors or challenges", From: Docs},
		{Code: verify.CodeInvalidPageToken, When: "`PageToken` of entities, factors or challenges", From: Docs},
		{Code: factor.CodeFactorParamNotFound, When: "`FactorSid` names no factor of the entity; no passkey of the service has the key, or was asked", From: Docs | Ours},
		{Code: factor.CodeInvalidFactorSID, When: "`factor_sid` is no SID of a factor", From: Docs | Ours},
		{Code: factor.CodeInvalidEntitySID, When: "the user handle is that of another entity", From: Docs | Ours},
		{Code: factor.CodeInvalidIdentity, When: "`identity` is missing, or no identity", From: Docs | Ours},
		{Code: factor.CodeInvalidConfig, When: "`config`, or a criterion in it", From: Docs | Ours},
		{Code: factor.CodeInvalidRelyingParty, When: "no relying party, its name or its origins", From: Docs | Ours},
		{Code: factor.CodeInvalidRelyingPartyID, When: "the relying party's id is no domain", From: Docs | Ours},
		{Code: factor.CodeInvalidID, When: "`id` is missing, or not base64url", From: Docs | Ours},
		{Code: factor.CodeInvalidRawID, When: "`rawId` is not that of `id`", From: Docs | Ours},
		{Code: factor.CodeInvalidAttachment, When: "`authenticatorAttachment` is another word", From: Docs | Ours},
		{Code: factor.CodeInvalidResponse, When: "`response`, or another `type` than `public-key`", From: Docs | Ours},
		{Code: factor.CodeInvalidAuthenticatorData, When: "authenticator data that cannot be read; nobody was there, or nobody was verified where that is required; the sign count of a copied key", From: Docs | Ours},
		{Code: factor.CodeInvalidClientData, When: "client data that cannot be read, or of another page, challenge or ceremony", From: Docs | Ours},
		{Code: factor.CodeInvalidSignature, When: "the signature is not that of the key", From: Docs | Ours},
		{Code: factor.CodeOtherRelyingParty, When: "the authenticator answers to another relying party", From: Docs | Ours},
		{Code: factor.CodeFactorStatus, When: "a new key for a factor that has one, or has waited more than 10 minutes", From: Docs | Ours},
		{Code: factor.CodeInvalidPublicKey, When: "the key cannot be read, or is not for ES256", From: Docs | Ours},
		{Code: factor.CodeInvalidAttestation, When: "the attestation object cannot be read", From: Docs | Ours},
		{Code: factor.CodeInvalidCredentialData, When: "the attestation has no key, or that of another `id`", From: Docs | Ours},
		{Code: factor.CodeNoDisplayName, When: "`friendly_name` is missing", From: Docs | Ours},
		{Code: factor.CodeChallengeParamNotFound, When: "the proof names no challenge of the service", From: Docs | Ours},
		{Code: factor.CodeEntityParamNotFound, When: "`identity` of a passkey's challenge has no entity", From: Docs | Ours},
		{Code: factor.CodeNoCriteria, When: "a criterion stands neither in the request nor in the service; the text names it", From: Docs | Ours},
		{Code: verify.CodeWhatsAppNotEnabled, When: "WhatsApp without a route", From: Docs},
	}
}
