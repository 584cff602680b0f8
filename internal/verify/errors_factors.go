package verify

// The codes of entities, factors and challenges (factors reference, section 11).
const (
	CodeEntityExists        Code = 60301
	CodeInvalidAccessToken  Code = 60305
	CodeNoPlatform          Code = 60307
	CodeChallengeAnswers    Code = 60308
	CodeTooManyNotices      Code = 60309
	CodeFactorAnswers       Code = 60310
	CodeFactorProof         Code = 60311
	CodeTooManyChallenges   Code = 60312
	CodeWrongGrant          Code = 60313
	CodeInvalidBinding      Code = 60314
	CodeTooManyFactors      Code = 60315
	CodeFactorExists        Code = 60317
	CodeFactorUnverified    Code = 60318
	CodeChallengeResponded  Code = 60322
	CodeChallengeExpired    Code = 60323
	CodeChallengeProof      Code = 60324
	CodeFactorRate          Code = 60326
	CodeEntityRate          Code = 60328
	CodeInvalidFactorType   Code = 60369
	CodeFactorParamNotFound Code = 60390
)

// The codes of passkeys alone.
const (
	CodeInvalidFactorSID         Code = 60362
	CodeInvalidEntitySID         Code = 60365
	CodeInvalidIdentity          Code = 60367
	CodeInvalidConfig            Code = 60370
	CodeInvalidRelyingParty      Code = 60371
	CodeInvalidRelyingPartyID    Code = 60372
	CodeInvalidID                Code = 60375
	CodeInvalidRawID             Code = 60376
	CodeInvalidAttachment        Code = 60377
	CodeInvalidResponse          Code = 60378
	CodeInvalidAuthenticatorData Code = 60379
	CodeInvalidClientData        Code = 60380
	CodeInvalidSignature         Code = 60381
	CodeOtherRelyingParty        Code = 60382
	CodeFactorStatus             Code = 60383
	CodeInvalidPublicKey         Code = 60385
	CodeInvalidAttestation       Code = 60386
	CodeInvalidCredentialData    Code = 60387
	CodeNoDisplayName            Code = 60388
	CodeChallengeParamNotFound   Code = 60391
	CodeEntityParamNotFound      Code = 60392
	CodeNoCriteria               Code = 60393
)

var factorCodes = []Code{
	CodeEntityExists, CodeChallengeAnswers, CodeFactorAnswers, CodeTooManyChallenges,
	CodeInvalidBinding, CodeTooManyFactors, CodeFactorExists, CodeFactorUnverified, CodeChallengeResponded,
	CodeChallengeExpired, CodeFactorRate, CodeEntityRate, CodeInvalidFactorType,
	CodeFactorParamNotFound, CodeInvalidAccessToken, CodeNoPlatform, CodeTooManyNotices,
	CodeFactorProof, CodeWrongGrant, CodeChallengeProof,

	CodeInvalidFactorSID, CodeInvalidEntitySID, CodeInvalidIdentity, CodeInvalidConfig, CodeInvalidRelyingParty,
	CodeInvalidRelyingPartyID, CodeInvalidID, CodeInvalidRawID, CodeInvalidAttachment, CodeInvalidResponse,
	CodeInvalidAuthenticatorData, CodeInvalidClientData, CodeInvalidSignature, CodeOtherRelyingParty, CodeFactorStatus,
	CodeInvalidPublicKey, CodeInvalidAttestation, CodeInvalidCredentialData, CodeNoDisplayName,
	CodeChallengeParamNotFound, CodeEntityParamNotFound, CodeNoCriteria,
}
