package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// page is what a code looks like on the wire.
type page struct {
	status int
	text   string
}

// pages is the one table from code to HTTP status and text. The texts are those seen on the wire
// or, where none was seen, the titles of Twilio's error dictionary (core reference, section 14).
var pages = map[verify.Code]page{
	verify.CodeMissingParameter:     {400, "Missing required parameter %s in the post body"},
	verify.CodeUnauthorized:         {401, "Authentication Error - invalid username"},
	verify.CodeMethodNotAllowed:     {405, "Method not allowed"},
	verify.CodeAccessDenied:         {403, "Access Denied"},
	verify.CodePageSizeTooLarge:     {400, "Page size too large"},
	verify.CodeNotFound:             {404, "The requested resource %s was not found"},
	verify.CodeTooManyRequests:      {429, "Too many requests"},
	verify.CodeInternal:             {500, "Internal Server Error"},
	verify.CodeUnavailable:          {503, "Service is unavailable. Please try again"},
	verify.CodeSNANotProvisioned:    {401, "Downstream Authentication Failed"},
	verify.CodeCarrierError:         {503, "Downstream Carrier Error"},
	verify.CodeInvalidParameter:     {400, "Invalid parameter: %s"},
	verify.CodeTemplateNotApproved:  {400, "Selected template translation is not approved"},
	verify.CodeMaxChecks:            {429, "Max check attempts reached"},
	verify.CodeMaxSends:             {429, "Max send attempts reached"},
	verify.CodeFeatureDisabled:      {403, "Service does not support this feature"},
	verify.CodeLandline:             {403, "SMS is not supported by landline phone number"},
	verify.CodePSD2Incomplete:       {400, "'Amount' & 'Payee' params are required"},
	verify.CodeTooManyRateLimits:    {400, "Max rate limits per service reached"},
	verify.CodeRateLimitExists:      {400, "Rate limit with that UniqueName already exists"},
	verify.CodeUniqueNameInvalid:    {400, "UniqueName format is invalid"},
	verify.CodeTooManyBuckets:       {400, "Max Buckets per Rate limit reached"},
	verify.CodeBucketExists:         {400, "Bucket with the given Interval already exists"},
	verify.CodeBurst:                {429, "Too many concurrent requests for phone number"},
	verify.CodeMessagingExists:      {400, "A Messaging Configuration already exists for the given country"},
	verify.CodePSD2Call:             {400, "Call channel is not supported when using PSD2"},
	verify.CodeNoMailer:             {400, "A Mailer must be associated with the service"},
	verify.CodeNoTarget:             {400, "No target verification specified"},
	verify.CodeChannelDisabled:      {400, "Delivery channel disabled"},
	verify.CodeMissingSubstitutions: {400, "Missing substitutions for selected template"},
	verify.CodeChinaNeedsName:       {400, "Messages sent to china require friendly_name"},
	verify.CodeTemplateChannel:      {400, "The selected channel for template is not supported"},
	verify.CodeTemplateNotFound:     {400, "Template was not found"},
	verify.CodeTemplateBrand:        {400, "The template being used doesn't have a brandless version"},
	verify.CodeWhatsAppTemplate:     {400, "WhatsApp template not found"},
	verify.CodeMessageTooLong:       {400, "Message Length Exceeded"},
	verify.CodeTemplateContent:      {400, "Translation content is invalid for this template type"},
	verify.CodeInvalidTemplates:     {400, "Invalid Templates parameter"},
	verify.CodeTemplatesInvalid:     {400, "Templates are invalid"},
	verify.CodePSD2SNA:              {400, "Verify SNA does not work with `psd2_enabled`"},
	verify.CodeNoSpeechLocale:       {400, "Locale requested is not supported by Verify Text-To-Speech conversion"},
	verify.CodeSafeNumberExists:     {400, "Phone Number already exists"},
	verify.CodeAppHashChannel:       {400, "App hash can only be used with SMS channel"},
	verify.CodeGeoBlocked:           {403, "The destination phone number has been blocked by Verify Geo-Permissions"},
	verify.CodeNumberLimit:          {429, "Phone number rate limit exceeded"},
	verify.CodeWhatsAppNotEnabled:   {403, "Verify WhatsApp channel not configured"},

	// Entities, factors, challenges: the titles of the error dictionary (factors reference, section 11).
	factor.CodeEntityExists:        {409, "Entity already exists"},
	factor.CodeInvalidAccessToken:  {400, "Access Token parameters are invalid"},
	verify.CodeInvalidRequest:      {400, "Invalid Request"},
	factor.CodeNoPlatform:          {400, "Cannot resend push notifications to 'none' notification platform"},
	factor.CodeChallengeAnswers:    {429, "Challenge verification attempts limit reached"},
	factor.CodeTooManyNotices:      {429, "Push notifications limit reached for a Challenge"},
	factor.CodeFactorProof:         {403, "Factor verification failed"},
	factor.CodeFactorAnswers:       {429, "Factor verification attempts reached"},
	factor.CodeTooManyChallenges:   {429, "Challenge creation limit reached"},
	factor.CodeWrongGrant:          {403, "Unauthorized factor creation"},
	factor.CodeInvalidBinding:      {400, "Factors binding format is invalid"},
	factor.CodeTooManyFactors:      {400, "Reached max limit of Factors associated per Entity"},
	factor.CodeFactorExists:        {409, "Factor already exists"},
	factor.CodeFactorUnverified:    {403, "Factor is unverified"},
	factor.CodeChallengeResponded:  {403, "Challenge already responded"},
	factor.CodeChallengeExpired:    {403, "Challenge expired"},
	factor.CodeChallengeProof:      {403, "Challenge verification failed"},
	factor.CodeFactorRate:          {429, "Too many requests to create factors for the entity"},
	factor.CodeEntityRate:          {429, "Entities rate limit exceeded"},
	factor.CodeInvalidFactorType:   {400, "Invalid factor type"},
	verify.CodeInvalidPageSize:     {400, "Invalid page size"},
	verify.CodeInvalidPageToken:    {400, "Invalid page token"},
	factor.CodeFactorParamNotFound: {404, "Factor not found"},

	factor.CodeInvalidFactorSID:         {400, "Invalid factor SID"},
	factor.CodeInvalidEntitySID:         {400, "Invalid entity SID"},
	factor.CodeInvalidIdentity:          {400, "Invalid entity identity"},
	factor.CodeInvalidConfig:            {400, "Invalid factor config"},
	factor.CodeInvalidRelyingParty:      {400, "Invalid relying party"},
	factor.CodeInvalidRelyingPartyID:    {400, "Invalid relying party id"},
	factor.CodeInvalidID:                {400, "Invalid id"},
	factor.CodeInvalidRawID:             {400, "Invalid rawId"},
	factor.CodeInvalidAttachment:        {400, "Invalid authenticator attachment"},
	factor.CodeInvalidResponse:          {400, "Invalid response"},
	factor.CodeInvalidAuthenticatorData: {400, "Invalid authenticator data"},
	factor.CodeInvalidClientData:        {400, "Invalid client data"},
	factor.CodeInvalidSignature:         {400, "Invalid signature"},
	factor.CodeOtherRelyingParty:        {400, "Factor does not match the relying party of the challenge"},
	factor.CodeFactorStatus:             {400, "Illegal factor status"},
	factor.CodeInvalidPublicKey:         {400, "Invalid public key"},
	factor.CodeInvalidAttestation:       {400, "Invalid attestation object"},
	factor.CodeInvalidCredentialData:    {400, "Invalid attested credential data"},
	factor.CodeNoDisplayName:            {400, "User display name not provided"},
	factor.CodeChallengeParamNotFound:   {404, "Challenge not found"},
	factor.CodeEntityParamNotFound:      {404, "Entity not found"},
	factor.CodeNoCriteria:               {400, "Authenticator criteria are missing from the request"},
}

// errorBody is the error format of the API. It has no other keys: with a `title` and a `type`,
// twilio-node would take it for another kind of error.
type errorBody struct {
	Code     int           `json:"code"`
	Message  string        `json:"message"`
	MoreInfo string        `json:"more_info"`
	Status   int           `json:"status"`
	Details  *errorDetails `json:"details,omitempty"`
}

// errorDetails names the parameter where the text of a code does not. It is an object: twilio-go
// reads nothing else.
type errorDetails struct {
	Parameter string `json:"parameter"`
}

// details are those of the codes whose text is the same for every parameter.
func details(e *verify.Error) *errorDetails {
	switch e.Code {
	case verify.CodeInvalidRequest, factor.CodeInvalidBinding, factor.CodeInvalidAccessToken:
		return &errorDetails{e.Param}
	default:
		return nil
	}
}

// refusal turns an error into an answer. What is no *verify.Error is a fault of ours: the caller
// learns nothing but that there was one, and logged is what to write down.
func refusal(err error, path string) (resp response, code verify.Code, logged error) {
	refused, ok := errors.AsType[*verify.Error](err)
	if !ok {
		logged = err
		refused = &verify.Error{Code: verify.CodeInternal}
		if errors.Is(err, verify.ErrUnavailable) {
			refused = &verify.Error{Code: verify.CodeUnavailable, RetryAfter: 1e9}
		}
	}
	p, known := pages[refused.Code]
	if !known {
		logged = fmt.Errorf("code %d has no page: %w", refused.Code, err)
		p = pages[verify.CodeInternal]
		refused = &verify.Error{Code: verify.CodeInternal}
	}
	resp = response{status: p.status, header: http.Header{}, body: errorBody{
		Code:     int(refused.Code),
		Message:  errorText(refused, p, path),
		MoreInfo: "https://www.twilio.com/docs/errors/" + strconv.Itoa(int(refused.Code)),
		Status:   p.status,
		Details:  details(refused),
	}}
	if refused.Code == verify.CodeUnauthorized {
		resp.header.Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	}
	if refused.RetryAfter > 0 {
		resp.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(refused.RetryAfter.Seconds()))))
	}
	if refused.RateLimit != "" {
		resp.header.Set("Twilio-Reached-Rate-Limit", refused.RateLimit)
	}
	if refused.Reason != "" {
		resp.header.Set("Verifyd-Reason", string(refused.Reason))
	}
	return resp, refused.Code, logged
}

// errorText fills a page's text in.
func errorText(e *verify.Error, p page, path string) string {
	switch {
	case e.Text != "":
		return e.Text
	case e.Code == verify.CodeNotFound:
		return fmt.Sprintf(p.text, path)
	case e.Code == verify.CodeInvalidParameter && e.Param == "(null)":
		return "Invalid parameter (null)"
	case e.Code == verify.CodeInvalidParameter && e.Param == "To":
		return fmt.Sprintf("Invalid parameter `To`: %s", e.Value)
	case e.Code == verify.CodeInvalidParameter || e.Code == verify.CodeMissingParameter:
		return fmt.Sprintf(p.text, e.Param)
	default:
		return p.text
	}
}
