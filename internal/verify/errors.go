package verify

import (
	"errors"
	"fmt"
	"time"
)

// Code is an error code of the API. The numbers are Twilio's
// (https://www.twilio.com/docs/api/errors): they are public vocabulary, so the domain uses them as
// they are. Which HTTP status and which text belong to a code is the business of package api.
type Code int

// The codes that verifyd answers with.
const (
	CodeMissingParameter     Code = 20001
	CodeUnauthorized         Code = 20003
	CodeMethodNotAllowed     Code = 20004
	CodeAccessDenied         Code = 20006
	CodePageSizeTooLarge     Code = 20007
	CodeNotFound             Code = 20404
	CodeTooManyRequests      Code = 20429
	CodeInternal             Code = 20500
	CodeUnavailable          Code = 20503
	CodeSNANotProvisioned    Code = 60001
	CodeCarrierError         Code = 60005
	CodeInvalidParameter     Code = 60200
	CodeTemplateNotApproved  Code = 60201
	CodeMaxChecks            Code = 60202
	CodeMaxSends             Code = 60203
	CodeFeatureDisabled      Code = 60204
	CodeLandline             Code = 60205
	CodePSD2Incomplete       Code = 60206
	CodeTooManyRateLimits    Code = 60207
	CodeRateLimitExists      Code = 60208
	CodeUniqueNameInvalid    Code = 60209
	CodeTooManyBuckets       Code = 60210
	CodeBucketExists         Code = 60211
	CodeBurst                Code = 60212
	CodeMessagingExists      Code = 60213
	CodePSD2Call             Code = 60214
	CodeNoMailer             Code = 60217
	CodeNoTarget             Code = 60221
	CodeChannelDisabled      Code = 60223
	CodeMissingSubstitutions Code = 60224
	CodeChinaNeedsName       Code = 60226
	CodeTemplateChannel      Code = 60227
	CodeTemplateNotFound     Code = 60228
	CodeTemplateBrand        Code = 60230
	CodeWhatsAppTemplate     Code = 60242
	CodeMessageTooLong       Code = 60247
	CodeTemplateContent      Code = 60249
	CodeInvalidTemplates     Code = 60251
	CodeTemplatesInvalid     Code = 60252
	CodeInvalidRequest       Code = 60306
	CodePSD2SNA              Code = 60329
	CodeNoSpeechLocale       Code = 60331
	CodeInvalidPageSize      Code = 60373
	CodeInvalidPageToken     Code = 60374
	CodeSafeNumberExists     Code = 60411
	CodeAppHashChannel       Code = 60602
	CodeGeoBlocked           Code = 60605
	CodeNumberLimit          Code = 60626
	CodeWhatsAppNotEnabled   Code = 68008
)

// Codes lists every code of this package, for tables that must have a row for each. Those of factors are in
// factor.Codes.
func Codes() []Code {
	return []Code{
		CodeMissingParameter, CodeUnauthorized, CodeMethodNotAllowed, CodePageSizeTooLarge,
		CodeNotFound, CodeTooManyRequests, CodeInternal, CodeUnavailable, CodeSNANotProvisioned,
		CodeInvalidParameter, CodeMaxChecks, CodeMaxSends, CodeFeatureDisabled, CodePSD2Incomplete,
		CodeTooManyRateLimits, CodeRateLimitExists, CodeUniqueNameInvalid, CodeTooManyBuckets,
		CodeBucketExists, CodeBurst, CodePSD2Call, CodeNoMailer, CodeNoTarget, CodeChannelDisabled, CodeTemplateChannel,
		CodeTemplateNotFound, CodeWhatsAppTemplate, CodeInvalidTemplates, CodeTemplatesInvalid,
		CodePSD2SNA, CodeNoSpeechLocale, CodeAppHashChannel, CodeWhatsAppNotEnabled,
		CodeTemplateNotApproved, CodeMessagingExists, CodeMissingSubstitutions, CodeChinaNeedsName,
		CodeTemplateBrand, CodeMessageTooLong, CodeTemplateContent,
		CodeAccessDenied, CodeSafeNumberExists, CodeGeoBlocked, CodeCarrierError, CodeLandline,
		CodeNumberLimit, CodeInvalidRequest, CodeInvalidPageSize, CodeInvalidPageToken,
	}
}

// Error is a refusal that the caller is told. Every other error is a fault: it is logged, and the
// caller learns only that there was one.
type Error struct {
	Code Code
	// Param is the parameter at fault, spelt as the API spells it.
	Param string
	// Value is the refused value, where the API repeats it.
	Value string
	// Text replaces the code's usual text.
	Text string
	// RetryAfter is the time until the same call may succeed, 0 if it never will or nobody knows.
	RetryAfter time.Duration
	// RateLimit is the unique name of the rate limit that was reached.
	RateLimit string
	// Reason says why something is not found, to a caller who may know.
	Reason Reason
	// Verification is what the refusal is about, where the caller may know it.
	Verification *Verification
}

func (e *Error) Error() string {
	text := fmt.Sprintf("error %d", e.Code)
	if e.Param != "" {
		text += ": " + e.Param
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Reason says why a verification is not found. Twilio answers 404 and leaves one guessing; verifyd
// adds the reason in a header.
type Reason string

// The reasons.
const (
	ReasonApproved     Reason = "approved"
	ReasonExpired      Reason = "expired"
	ReasonCanceled     Reason = "canceled"
	ReasonMaxAttempts  Reason = "max-attempts"
	ReasonReplaced     Reason = "replaced"
	ReasonNeverExisted Reason = "never-existed"
	ReasonOtherService Reason = "other-service"
)

// Reasons lists them.
func Reasons() []Reason {
	return []Reason{ReasonApproved, ReasonExpired, ReasonCanceled, ReasonMaxAttempts, ReasonReplaced, ReasonNeverExisted, ReasonOtherService}
}

// Errors of a Store.
var (
	// ErrNotFound says that there is no such record.
	ErrNotFound = errors.New("not found")
	// ErrExists says that a record with this key is there already. Update runs its function again
	// after a lost race, so an operation sees it only if its own key was taken for good.
	ErrExists = errors.New("exists already")
	// ErrUnavailable says that the store cannot take an Update now (too much to do, disk full,
	// database away); nothing was done.
	ErrUnavailable = errors.New("store is unavailable")
)

func invalid(param string) error { return &Error{Code: CodeInvalidParameter, Param: param} }

// refuse refuses a parameter of a resource that came with entities, factors and challenges. The older ones
// use invalid.
func refuse(param string) error { return &Error{Code: CodeInvalidRequest, Param: param} }

func missing(param string) error { return &Error{Code: CodeMissingParameter, Param: param} }

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// vacant is what the outcome of a read says of a key that is to be taken: nil where nothing was found,
// ErrExists where something was. A read that failed says neither.
func vacant(err error) error {
	if err == nil {
		return ErrExists
	}
	return ignoreNotFound(err)
}
