package api

import (
	"slices"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func passkeyFacts() Resource {
	const passkeys = "/v2/Services/{ServiceSid}/Passkeys"
	return Resource{
		Name:  "Passkeys",
		About: "A passkey is a factor that a browser makes and asks: a key in a telephone, a laptop or a security key, for one website alone.",
		Note: "[passkeys.md](passkeys.md) shows how they are used. The bodies are JSON; an empty one is an empty object, and a\n" +
			"member that is not listed is ignored (ours), those in camelCase too, which the class of twilio-node has and\n" +
			"Twilio's API has not (spec). A refused answer of a browser is not counted and changes nothing (ours). Of a new\n" +
			"key no attestation is asked for, and the statement of one is not looked at (ours). Origins of a new key are\n" +
			"those of its factor; of a proof those that the service has now, too (ours). A page in a frame of another site\n" +
			"is refused with 60380, a sign count that does not grow with 60379 (ours: Web Authentication leaves it to the\n" +
			"site); keys that are shared between devices count nothing. Flags that say whether a key was copied are kept,\n" +
			"and may change (ours). Factors and challenges are listed, fetched and deleted with those of other types.",
		Operations: []Operation{
			{Method: "POST", Path: passkeys + "/Factors", ID: "CreateNewFactorPasskey", JSON: true, Params: passkeyParams{}, Facts: passkeyParamFacts(),
				About: "Makes the factor of a passkey, and the entity where there is none. The answer has what the browser needs to make the key.", From: Spec | Docs,
				Status: 201, Body: factorBody{}, Codes: []verify.Code{verify.CodeNotFound, verify.CodeInvalidRequest, factor.CodeNoDisplayName, factor.CodeInvalidIdentity, factor.CodeInvalidConfig,
					factor.CodeInvalidRelyingParty, factor.CodeInvalidRelyingPartyID, factor.CodeNoCriteria, factor.CodeTooManyFactors, factor.CodeFactorRate, factor.CodeEntityRate}},
			{Method: "POST", Path: passkeys + "/VerifyFactor", ID: "UpdatePasskeysFactor", JSON: true, Params: factor.PasskeyRegistration{},
				Facts: append(credentialFacts("webauthn.create"),
					Fact{Name: "response.attestationObject", About: "The key, in CBOR and base64url.", Required: true, Example: "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViU"},
					Fact{Name: "response.transports", About: "How the authenticator is reached: hints, which are kept for the browser.", Example: []any{"internal"}}),
				About: "Verifies a factor with the key that a browser has made. The factor is the one that its challenge names; it has 10 minutes.", From: Spec | Docs | Ours,
				Status: 200, Body: factorBody{}, Codes: ofCredentials(factor.CodeFactorExists, factor.CodeFactorStatus, factor.CodeInvalidPublicKey, factor.CodeInvalidAttestation, factor.CodeInvalidCredentialData)},
			{Method: "POST", Path: passkeys + "/Challenges", ID: "CreateChallengePasskeys", JSON: true, Params: passkeyChallengeParams{}, Facts: []Fact{
				{Name: "identity", About: "Whose passkeys may answer; without it, whoever has one that an authenticator finds by itself.", From: Spec | Docs, Pattern: "^[A-Za-z0-9-]*$", Example: "user-7f3a91c2"},
				{Name: "factor_sid", About: "The one passkey of `identity` that may answer.", From: Spec | Docs, SID: "YF"},
			}, About: "Makes a challenge for passkeys. The answer has what the browser needs to ask for one; it lives 5 minutes.", From: Spec | Docs | Ours,
				Status: 201, Body: passkeyChallengeBody{}, Codes: []verify.Code{verify.CodeNotFound, verify.CodeInvalidRequest, factor.CodeInvalidIdentity, factor.CodeInvalidFactorSID, factor.CodeInvalidRelyingParty,
					factor.CodeInvalidRelyingPartyID, factor.CodeNoCriteria, factor.CodeEntityParamNotFound, factor.CodeFactorParamNotFound, factor.CodeFactorUnverified}},
			{Method: "POST", Path: passkeys + "/ApproveChallenge", ID: "UpdateChallengePasskeys", JSON: true, Params: factor.PasskeyProof{},
				Facts: append(credentialFacts("webauthn.get"),
					Fact{Name: "response.authenticatorData", About: "What the authenticator says of the site, of its user and of its count; in base64url.", Required: true, Example: "myY_vLWJhTE3sz3cr6W8xUA0ZOrU2nZtD4GTSL-NRywFAAAAAQ"},
					Fact{Name: "response.signature", About: "The signature of both, in base64url.", Required: true, Example: "MEQCIB2osD2LE9q5UaYF0qtiujn20itm6pk3UpSpTya77RcS"},
					Fact{Name: "response.userHandle", About: "The entity that the authenticator knows the key by; in base64url.", Example: encodeText("YE0190b7d2f8a4c3e61f5d9a7c20e48b13")}),
				About: "Approves a challenge with what a browser says that a passkey has signed. The challenge is the one that the answer names.", From: Spec | Docs,
				Status: 200, Body: passkeyChallengeBody{}, Codes: ofCredentials(factor.CodeInvalidSignature, factor.CodeInvalidEntitySID, factor.CodeChallengeResponded, factor.CodeChallengeExpired,
					factor.CodeChallengeParamNotFound, factor.CodeInvalidRelyingParty, factor.CodeInvalidRelyingPartyID, factor.CodeNoCriteria)},
		},
		Records: []Record{
			{Name: "PasskeyChallenge", Contract: "passkey_challenge", About: "A question to whoever has a passkey.", Body: passkeyChallengeBody{}, Facts: passkeyChallengeFacts()},
		},
	}
}

func passkeyParamFacts() []Fact {
	return []Fact{
		{Name: "friendly_name", About: "The name of the key for people; the browser shows it.", From: Spec | Docs, Required: true, Range: factor.Names, Example: "Ann's laptop"},
		{Name: "identity", About: "What the application calls the person, as for an entity.", From: Spec | Docs, Required: true, Range: factor.Identities, Pattern: "^[A-Za-z0-9-]*$", Example: "user-7f3a91c2"},
		{Name: "config", About: "What goes before the settings of the service, member by member.", Note: "an empty text and an empty object are as if they were not sent, because twilio-go sends them", From: Spec | Docs | Client | Ours},
		{Name: "config.relying_party", About: "Whom the key is for; it takes the place of the service's as a whole.", From: Spec | Ours},
		{Name: "config.relying_party.id", About: "A domain.", From: Spec | Docs, Range: verify.RelyingPartyIDs, Example: "example.com"},
		{Name: "config.relying_party.name", About: "Its name for people; by default the service's.", From: Spec | Ours, Range: verify.ShortTexts, Example: "Acme"},
		{Name: "config.relying_party.origins", About: "The pages and applications that may ask, at most 50.", From: Spec | Docs | Ours, Example: []any{"https://example.com"}},
		{Name: "config.authenticator_attachment", About: "Which authenticators may be used.", From: Spec | Docs, Enum: verify.PasskeyAttachments, Example: "platform"},
		{Name: "config.discoverable_credentials", About: "Whether an authenticator has to find the key by itself.", From: Spec | Docs, Enum: verify.PasskeyPreferences, Example: "preferred"},
		{Name: "config.user_verification", About: "Whether an authenticator has to check who uses it.", From: Spec | Docs, Enum: verify.PasskeyPreferences, Example: "preferred"},
	}
}

// credentialFacts are the members that both answers of a browser have.
func credentialFacts(ceremony string) []Fact {
	const id = "EBESExQVFhcYGRobHB0eHw"
	return []Fact{
		{Name: "id", About: "The key, by its id in base64url.", From: Spec | Docs, Required: true, Example: id},
		{Name: "rawId", About: "The same, in base64url or hexadecimal.", Required: true, Example: id},
		{Name: "authenticatorAttachment", About: "Where the authenticator is.", Enum: []string{"platform", "cross-platform"}, Example: "platform"},
		{Name: "type", About: "What it is.", Enum: []string{publicKey}, Example: publicKey},
		{Name: "response", About: "What the authenticator says.", From: Spec | Docs, Required: true},
		{Name: "response.clientDataJSON", About: "What the browser says of the page that asked: JSON in base64url.", From: Spec | Docs, Required: true,
			Example: encodeText(`{"type":"` + ceremony + `","challenge":"WUYwNGMwZmZlZQ","origin":"https://example.com"}`)},
	}
}

// ofCredentials are the codes of an answer of a browser.
func ofCredentials(more ...verify.Code) []verify.Code {
	return append([]verify.Code{verify.CodeNotFound, verify.CodeInvalidRequest, factor.CodeInvalidID, factor.CodeInvalidRawID, factor.CodeInvalidAttachment, factor.CodeInvalidResponse,
		factor.CodeInvalidAuthenticatorData, factor.CodeInvalidClientData, factor.CodeOtherRelyingParty, factor.CodeFactorParamNotFound}, more...)
}

func passkeyChallengeFacts() []Fact {
	return slices.Concat([]Fact{
		{Name: "sid", About: "The challenge.", SID: "YC"},
		{Name: "entity_sid", About: "The entity; empty until it is known which factor answers.", From: Spec | Wire | Ours, Pattern: "^(YE[0-9a-fA-F]{32})?$"},
		{Name: "identity", About: "Who it is; empty until it is known. Of an approved challenge, who has logged in.", From: Spec | Client | Ours, Example: "user-7f3a91c2"},
		ofAnyFactor,
		{Name: "date_responded", About: "When it was answered, in UTC; null before.", From: Spec | Ours, Format: "date-time"},
		{Name: "expiration_date", About: "Null here; below the entity it is shown.", From: Spec},
		{Name: "status", About: "Its state.", Enum: words(factor.ChallengeStatuses())},
		{Name: "responded_reason", About: "Always `none`.", From: Spec | Wire, Enum: []string{"none"}},
		{Name: "details", About: "Null.", Null: true},
		{Name: "hidden_details", About: "Null.", Null: true},
		{Name: "metadata", About: "Null.", Null: true},
		ofType,
		{Name: "links", About: "Null.", Null: true},
	}, optionsFacts(requestBody{}, "What the browser needs, in the JSON form of Web Authentication Level 3.", "the published examples have options of a new key, which no browser takes",
		Fact{Name: "options.publicKey.rpId", About: "The domain of the relying party.", Example: "example.com"},
		Fact{Name: "options.publicKey.allowCredentials", About: "The keys that may answer; none, if it is any that an authenticator finds by itself."},
		Fact{Name: "options.publicKey.allowCredentials.id", About: "The key, in base64url."},
		Fact{Name: "options.publicKey.allowCredentials.type", About: "What it is.", Enum: []string{publicKey}},
		Fact{Name: "options.publicKey.allowCredentials.transports", About: "How its authenticator is reached."},
		Fact{Name: "options.publicKey.userVerification", About: "Whether the authenticator has to check who uses it.", Enum: verify.PasskeyPreferences},
	))
}

// creationFacts are the fields of the options of a new passkey.
func creationFacts() []Fact {
	return optionsFacts(creationBody{}, "What the browser needs to make the key of a passkey, in the JSON form of Web Authentication Level 3; null of other factors. In the answer to the making alone.",
		"`pubKeyCredParams` is a list, which the published example has not",
		Fact{Name: "options.publicKey.rp", About: "The relying party."},
		Fact{Name: "options.publicKey.rp.id", About: "Its domain.", Example: "example.com"},
		Fact{Name: "options.publicKey.rp.name", About: "Its name for people.", Example: "Acme"},
		Fact{Name: "options.publicKey.user", About: "The entity."},
		Fact{Name: "options.publicKey.user.id", About: "Its SID in base64url."},
		Fact{Name: "options.publicKey.user.name", About: "The factor's name."},
		Fact{Name: "options.publicKey.user.displayName", About: "The same."},
		Fact{Name: "options.publicKey.pubKeyCredParams", About: "The kinds of keys that may be made: ES256 alone."},
		Fact{Name: "options.publicKey.pubKeyCredParams.type", About: "What it is.", Enum: []string{publicKey}},
		Fact{Name: "options.publicKey.pubKeyCredParams.alg", About: "The algorithm by its COSE number.", Example: -7},
		Fact{Name: "options.publicKey.excludeCredentials", About: "The keys that the entity has already.", From: Spec | Ours},
		Fact{Name: "options.publicKey.excludeCredentials.id", About: "The key, in base64url."},
		Fact{Name: "options.publicKey.excludeCredentials.type", About: "What it is.", Enum: []string{publicKey}},
		Fact{Name: "options.publicKey.excludeCredentials.transports", About: "How its authenticator is reached."},
		Fact{Name: "options.publicKey.authenticatorSelection", About: "Which authenticators may be used."},
		Fact{Name: "options.publicKey.authenticatorSelection.authenticatorAttachment", About: "Where they are; missing for any.", From: Spec | Ours, Enum: []string{"platform", "cross-platform"}},
		Fact{Name: "options.publicKey.authenticatorSelection.requireResidentKey", About: "Whether `residentKey` is `required`."},
		Fact{Name: "options.publicKey.authenticatorSelection.residentKey", About: "Whether an authenticator has to find the key by itself.", Enum: verify.PasskeyPreferences},
		Fact{Name: "options.publicKey.authenticatorSelection.userVerification", About: "Whether an authenticator has to check who uses it.", Enum: verify.PasskeyPreferences},
		Fact{Name: "options.publicKey.attestation", About: "None is asked for.", Enum: []string{"none"}},
	)
}

// optionsFacts are the fields that all options have, and those of some.
func optionsFacts(body any, about, note string, more ...Fact) []Fact {
	return append([]Fact{
		{Name: "options", About: about, OneOf: []any{optionsBody{}}, Null: true, From: Spec | Client | Ours},
		{Name: "options.publicKey", About: "For `navigator.credentials`.", Note: note, OneOf: []any{body}, From: Spec | Client | Ours},
		{Name: "options.publicKey.challenge", About: "What is asked: the SID in base64url.", Example: encodeText("YF0190b7d2f8a4c3e61f5d9a7c20e48b13")},
		{Name: "options.publicKey.timeout", About: "Milliseconds that it can be answered.", Example: 300000},
	}, more...)
}

// ofAnyFactor is the factor of a challenge, where it may be empty.
var ofAnyFactor = Fact{Name: "factor_sid", About: "The factor; empty while any passkey may answer.", From: Spec | Wire | Ours, Pattern: "^(YF[0-9a-fA-F]{32})?$", Example: "YF0190b7d2f8a4c3e61f5d9a7c20e48b13"}
