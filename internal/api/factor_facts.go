package api

import (
	"slices"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func factorFacts() Resource {
	const (
		factors = "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors"
		itself  = factors + "/{Sid}"
	)
	friendlyName := Fact{Name: "FriendlyName", About: "The name of the device, or of the account in the app.", From: Spec | Docs, Range: factor.Names, Example: "Ann's phone"}
	// An update changes what a factor of this type has.
	config := []Fact{
		{Name: "Config.Alg", About: "The hash of the codes; by default `sha1`, which every app has.", From: Spec | Docs, Enum: factor.TOTPAlgorithms},
		{Name: "Config.TimeStep", About: "Seconds that a code stands; by default the service's.", From: Spec | Docs, Range: verify.TOTPTimeSteps, Example: 30},
		{Name: "Config.CodeLength", About: "Digits of a code; by default the service's.", From: Spec | Docs, Range: verify.TOTPCodeLengths, Example: 6},
		{Name: "Config.Skew", About: "Steps before and after the present one whose codes are taken; by default the service's.", From: Spec | Docs, Range: verify.TOTPSkews, Example: 1},
	}
	// A platform and a token are what a handset brings again and again.
	app := []Fact{
		{Name: "Config.AppId", About: "The application on the handset: bundle id, package name.", From: Client, Range: factor.AppIDs, Example: "com.acme.app"},
		{Name: "Config.NotificationPlatform", About: "Who carries notifications to the handset, in any case of letters; `none` is an application that asks for its challenges.", From: Spec | Docs, Enum: factor.PushPlatforms, Example: "none"},
		{Name: "Config.NotificationToken", About: "The token under which the platform knows the handset. Another platform needs another token.", From: Spec | Docs | Ours, Range: factor.NotificationTokens, Example: "dGhlIHRva2VuIG9mIGEgaGFuZHNldA"},
		{Name: "Config.SdkVersion", About: "The version of the library in the application.", From: Spec | Ours, Range: factor.SDKVersions, Example: "0.9.0"},
	}
	newApp := slices.Clone(app)
	newApp[0].From = Spec | Docs
	create := slices.Concat([]Fact{
		{Name: friendlyName.Name, About: friendlyName.About, From: friendlyName.From, Required: true, Range: friendlyName.Range, Example: friendlyName.Example},
		{Name: "FactorType", About: "The type, in any case of letters.", Required: true, Enum: []string{string(factor.TOTP), string(factor.Push)}, Refused: []string{string(factor.Passkeys)},
			Note: "another one is 60369; a passkey is made with the browser, below `/Passkeys`", From: Spec | Docs, Example: string(factor.TOTP)},
		{Name: "Metadata", About: "A JSON object of texts that is shown with the factor; some libraries encode it twice, and both are read.", From: Spec | Client, Example: `{"os":"Android"}`},
		{Name: "Binding.Secret", About: "A secret of one's own in base32, of 10 to 128 bytes, else 60314; by default one is made.", From: Spec | Docs | Ours, Example: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
	}, config, []Fact{
		{Name: "Binding.Alg", About: "What the device signs with; there is one.", From: Spec | Docs | Ours, Enum: []string{"ES256"}},
		{Name: "Binding.PublicKey", About: "Of a push factor: its P-256 key as DER SubjectPublicKeyInfo in padded base64, 124 characters, else 60314.", From: Spec | Docs, Example: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnQ/W1Ck1hyfkPtC06FwM7+6g2g4UI7jjXQz4FM7olqUu1e852WjeI3/AtG8sOa5oX+zayMeEH85q8lgXMIoYRg=="},
	}, newApp)
	update := slices.Concat([]Fact{
		{Name: "AuthPayload", About: "What verifies the factor. A code of the app: 3 to 8 digits, spaces are dropped, and it is taken once (RFC 6238, section 5.2). Of a push factor: the DER signature of the factor's SID in base64.", From: Spec | Docs | Client | Ours, Example: "492039"},
		friendlyName,
	}, config, app)
	return Resource{
		Name:  "Factors",
		About: "A factor proves who a person is: an authenticator app, a handset with the application on it, or a passkey.",
		Note: "The four `Config` parameters of a push factor, and its `Binding.PublicKey`, are required when it is made, but\n" +
			"for the token where the platform is `none`; those of the other type are ignored. A device makes its own factor\n" +
			"with an access token, and verifies, changes and deletes it with a token that it signs (wire, clients): Basic\n" +
			"authentication with the user `token`. [push.md](push.md) has the whole way.\n\n" +
			"A wrong code is no error: 200 with `unverified` (wire; the error dictionary has 403 for it). The code of a\n" +
			"verified factor is not looked at (ours). A factor that nobody verifies is gone after 24 hours (docs: 1 to\n" +
			"24). With another time step, codes of a time that is spent stay spent (ours). An empty optional parameter is\n" +
			"as if it were not sent, but `AuthPayload` and `FriendlyName` of an update: 60306 (ours). [totp.md](totp.md)\n" +
			"shows how factors are used.",
		Operations: []Operation{
			{Method: "POST", Path: factors, ID: "CreateNewFactor", About: "Makes a factor, and the entity where there is none. Only this answer has the secret.", From: Spec | Docs, Params: factorParams{}, Facts: create, Status: 201, Body: factorBody{},
				Codes: ofFactors(verify.CodeMissingParameter, factor.CodeInvalidFactorType, factor.CodeInvalidBinding, factor.CodeTooManyFactors, factor.CodeFactorExists, factor.CodeFactorRate, factor.CodeEntityRate, factor.CodeWrongGrant)},
			{Method: "GET", Path: factors, ID: "ListFactor", About: "Lists the factors of an entity, oldest first.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: factorList{}, Codes: ofFactorsList()},
			{Method: "GET", Path: itself, ID: "FetchFactor", About: "Fetches a factor.", Status: 200, Body: factorBody{}, Codes: []verify.Code{verify.CodeNotFound}},
			{Method: "POST", Path: itself, ID: "UpdateFactor", About: "Verifies a factor with a code or a signature, or changes it.", Params: factorUpdateParams{}, Facts: update, Partial: true, Status: 200, Body: factorBody{},
				Codes: ofFactors(factor.CodeFactorAnswers, factor.CodeFactorProof)},
			{Method: "DELETE", Path: itself, ID: "DeleteFactor", About: "Removes a factor. Challenges that wait for it are expired.", Note: "that they are is ours", From: Spec | Ours, Status: 204, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Factor", Contract: "factor", About: "What proves who a person is.", Body: factorBody{}, Facts: append(creationFacts(), []Fact{
				{Name: "sid", About: "The factor.", SID: "YF"},
				ofEntity, ofIdentity,
				{Name: "binding", About: "What the app needs, or the key of the device, null of a passkey; in the answer to the making alone.", Null: true, OneOf: []any{totpBindingBody{}, pushBindingBody{}}},
				{Name: "binding.secret", About: "The secret in base32.", Example: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
				{Name: "binding.uri", About: "What the QR code says.", Format: "uri"},
				{Name: "binding.alg", About: "What the device signs with.", Enum: []string{"ES256"}},
				{Name: "binding.public_key", About: "Its key, as it was sent."},
				{Name: "friendly_name", About: "Its name.", Example: "Ann's phone"},
				{Name: "status", About: "Whether it was verified.", Enum: words(factor.Statuses())},
				ofType,
				{Name: "config", About: "How codes are made, where the application is, or how passkeys are asked for.", OneOf: []any{totpConfigBody{}, pushConfigBody{}, passkeyConfigBody{}}},
				{Name: "config.alg", About: "The hash.", Enum: factor.TOTPAlgorithms},
				{Name: "config.skew", About: "Steps before and after the present one.", Range: verify.TOTPSkews},
				{Name: "config.code_length", About: "Digits of a code.", Range: verify.TOTPCodeLengths},
				{Name: "config.time_step", About: "Seconds that a code stands.", Range: verify.TOTPTimeSteps},
				{Name: "config.relying_party", About: "Whom the passkey is for."},
				{Name: "config.relying_party.id", About: "A domain.", Example: "example.com"},
				{Name: "config.relying_party.name", About: "Its name for people.", Example: "Acme"},
				{Name: "config.relying_party.origins", About: "The pages and applications that may ask."},
				{Name: "config.authenticator_attachment", About: "Which authenticators may be used.", Enum: verify.PasskeyAttachments},
				{Name: "config.discoverable_credentials", About: "Whether an authenticator has to find the key by itself.", Enum: verify.PasskeyPreferences},
				{Name: "config.user_verification", About: "Whether an authenticator has to check who uses it.", Enum: verify.PasskeyPreferences},
				{Name: "config.sdk_version", About: "The version of the library in the application.", Example: "0.9.0"},
				{Name: "config.app_id", About: "The application.", Example: "com.acme.app"},
				{Name: "config.notification_platform", About: "Who carries notifications to the handset.", Enum: factor.PushPlatforms},
				{Name: "config.notification_token", About: "The token under which the platform knows the handset; null with `none`."},
				{Name: "config.credential_sid", About: "The name under which the device signs.", Note: "the published examples do not have it; the libraries for Android and iOS need it", From: Client, SID: "CR"},
				{Name: "metadata", About: "Texts of the application; null if there are none.", Null: true},
			}...)},
			{Name: "FactorList", About: "A page of factors.", Body: factorList{}, Facts: listFacts("factors", "The factors.")},
		},
	}
}

// Fields that factors and challenges have.
var (
	ofEntity   = Fact{Name: "entity_sid", About: "The entity.", SID: "YE"}
	ofIdentity = Fact{Name: "identity", About: "What the application calls the person.", Example: "user-7f3a91c2"}
	ofType     = Fact{Name: "factor_type", About: "The type of the factor.", Enum: words(factor.Types()), Example: string(factor.TOTP)}
)
