package verify

// The codes of entities, factors and challenges (factors reference, section 11).
const (
	CodeEntityExists        Code = 60301
	CodeInvalidAccessToken  Code = 60305
	CodeInvalidRequest      Code = 60306
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
	CodeInvalidPageSize     Code = 60373
	CodeInvalidPageToken    Code = 60374
	CodeFactorParamNotFound Code = 60390
)

var factorCodes = []Code{
	CodeEntityExists, CodeInvalidRequest, CodeChallengeAnswers, CodeFactorAnswers, CodeTooManyChallenges,
	CodeInvalidBinding, CodeTooManyFactors, CodeFactorExists, CodeFactorUnverified, CodeChallengeResponded,
	CodeChallengeExpired, CodeFactorRate, CodeEntityRate, CodeInvalidFactorType, CodeInvalidPageSize,
	CodeInvalidPageToken, CodeFactorParamNotFound, CodeInvalidAccessToken, CodeNoPlatform, CodeTooManyNotices,
	CodeFactorProof, CodeWrongGrant, CodeChallengeProof,
}

// refuse refuses a parameter of an entity, a factor or a challenge. Other resources use invalid.
func refuse(param string) error { return &Error{Code: CodeInvalidRequest, Param: param} }
