package factor

import "github.com/verifyd/verifyd/internal/verify"

// The codes of entities, factors and challenges (factors reference, section 11).
const (
	CodeEntityExists        verify.Code = 60301
	CodeInvalidAccessToken  verify.Code = 60305
	CodeNoPlatform          verify.Code = 60307
	CodeChallengeAnswers    verify.Code = 60308
	CodeTooManyNotices      verify.Code = 60309
	CodeFactorAnswers       verify.Code = 60310
	CodeFactorProof         verify.Code = 60311
	CodeTooManyChallenges   verify.Code = 60312
	CodeWrongGrant          verify.Code = 60313
	CodeInvalidBinding      verify.Code = 60314
	CodeTooManyFactors      verify.Code = 60315
	CodeFactorExists        verify.Code = 60317
	CodeFactorUnverified    verify.Code = 60318
	CodeChallengeResponded  verify.Code = 60322
	CodeChallengeExpired    verify.Code = 60323
	CodeChallengeProof      verify.Code = 60324
	CodeFactorRate          verify.Code = 60326
	CodeEntityRate          verify.Code = 60328
	CodeInvalidFactorType   verify.Code = 60369
	CodeFactorParamNotFound verify.Code = 60390
)

// The codes of passkeys alone.
const (
	CodeInvalidFactorSID         verify.Code = 60362
	CodeInvalidEntitySID         verify.Code = 60365
	CodeInvalidIdentity          verify.Code = 60367
	CodeInvalidConfig            verify.Code = 60370
	CodeInvalidRelyingParty      verify.Code = 60371
	CodeInvalidRelyingPartyID    verify.Code = 60372
	CodeInvalidID                verify.Code = 60375
	CodeInvalidRawID             verify.Code = 60376
	CodeInvalidAttachment        verify.Code = 60377
	CodeInvalidResponse          verify.Code = 60378
	CodeInvalidAuthenticatorData verify.Code = 60379
	CodeInvalidClientData        verify.Code = 60380
	CodeInvalidSignature         verify.Code = 60381
	CodeOtherRelyingParty        verify.Code = 60382
	CodeFactorStatus             verify.Code = 60383
	CodeInvalidPublicKey         verify.Code = 60385
	CodeInvalidAttestation       verify.Code = 60386
	CodeInvalidCredentialData    verify.Code = 60387
	CodeNoDisplayName            verify.Code = 60388
	CodeChallengeParamNotFound   verify.Code = 60391
	CodeEntityParamNotFound      verify.Code = 60392
	CodeNoCriteria               verify.Code = 60393
)

// Codes lists every code of this package, for tables that must have a row for each. Those of verify.Codes
// come beside them.
func Codes() []verify.Code {
	return []verify.Code{
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
}

// refuse refuses a parameter.
func refuse(param string) error {
	return &verify.Error{Code: verify.CodeInvalidRequest, Param: param}
}

func missing(param string) error {
	return &verify.Error{Code: verify.CodeMissingParameter, Param: param}
}
