package api

import (
	"reflect"
	"strings"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// The facts are what is to be known of the API besides what its code does: what a parameter is for,
// how we know that, which codes a route refuses with. The OpenAPI document and
// docs/compatibility.md are written from them (go generate ./internal/api), and tests hold them
// against what the code does. Each resource has its facts in a file beside its handlers.
//
// They are functions and not variables: nothing in the server calls them, so the linker leaves them
// out of it.

//go:generate go run ../apidoc

// Source is how we know what the API does. Several add up.
type Source uint8

// The sources. A fact that names none is of the published description.
const (
	Spec   Source = 1 << iota // the published OpenAPI description
	Docs                      // the documentation and the error dictionary
	Wire                      // answers that others have published
	Client                    // what a client library needs, from its source
	Ours                      // a choice of ours, where the others are silent, or something they have not
)

// Effect is what verifyd does with a parameter.
type Effect uint8

// The effects.
const (
	Served   Effect = iota
	Accepted        // validated, if at all, and without effect
)

// A Fact is what is to be known of a parameter, or of a field of an answer, besides its type, which
// is that of the struct it is in.
type Fact struct {
	// Name is a parameter's as it is sent; a field's is its path: "push.include_date".
	Name  string
	About string // for a person, in Markdown
	Note  string // more, for the compatibility page alone
	From  Source // 0 is Spec

	// Of a parameter.
	Effect   Effect
	Required bool
	Clears   bool // an empty text makes it null
	Default  any
	Refused  []string // values that are published, and refused

	// What the value looks like; whatever is set holds.
	SID     string // the prefix of a SID
	Format  string // of JSON Schema: "date-time"
	Pattern string // a regular expression
	Enum    []string
	// Published is the name of the published list of values, where it is another than Enum.
	Published string
	// Range is what a number may be, or how many characters a text may have. The zero value bounds
	// nothing.
	Range verify.Range

	// Of a field.
	Null  bool  // null besides what a pointer says
	OneOf []any // the structs that an `any` may be

	Example any
}

// An Operation is what a route does.
type Operation struct {
	Method, Path string
	ID           string // a name for programs: CreateService
	About        string
	Note         string // more, for the compatibility page alone
	From         Source // 0 is Spec

	// Params is the struct that the parameters are decoded into, those of a POST from its body and
	// those of a GET from its query; nil if there are none. Facts has a fact for each.
	Params any
	Facts  []Fact
	// JSON says that the body is an object, and the parameters are its members. Those of a member that
	// is an object have names such as "config.user_verification".
	JSON bool
	// Partial says that every parameter may be left out, and changes nothing then.
	Partial bool
	Paged   bool // it reads PageSize, Page and PageToken

	Status  int           // of an answer that is no refusal
	Body    any           // its struct; nil for none
	Headers []string      // those of Headers that are this operation's own
	Codes   []verify.Code // of its refusals, besides EveryOperation
}

// EveryOperation are the codes with which each operation may refuse.
func EveryOperation() []verify.Code {
	return []verify.Code{verify.CodeUnauthorized, verify.CodeInvalidParameter, verify.CodeInternal, verify.CodeUnavailable}
}

// A Record is a struct of answers with a name of its own in the OpenAPI document.
type Record struct {
	Name  string // Service
	About string
	Body  any
	Facts []Fact // of its fields, but for those of CommonFields that need no more
	// Contract is the record's name in the distilled facts of the published description, "" for what
	// is ours.
	Contract string
}

// A Resource is a part of the API.
type Resource struct {
	Name       string
	About      string
	Note       string // more, for the compatibility page alone
	Operations []Operation
	Records    []Record
}

// Resources is the whole API, in the order in which a reader needs it.
func Resources() []Resource {
	return []Resource{
		serviceFacts(),
		verificationFacts(),
		checkFacts(),
		rateLimitFacts(),
		messagingFacts(),
		templateFacts(),
		attemptFacts(),
		storyFacts(),
		safeListFacts(),
		formFacts(),
		geographyFacts(),
		entityFacts(),
		factorFacts(),
		challengeFacts(),
		passkeyFacts(),
		notificationFacts(),
		accessTokenFacts(),
		webhookFacts(),
		deliveryFacts(),
	}
}

// PageFacts are the parameters of every list.
func PageFacts() []Fact {
	return []Fact{
		{Name: "PageSize", About: "Records on a page. Above the maximum: 20007.", Range: verify.Range{Min: 1, Max: maxPageSize}, Default: defaultPageSize, Example: 20},
		{Name: "Page", About: "The client's own count of pages, from 0. Without `PageToken` it skips that many pages.", From: Spec | Client, Range: verify.Range{Max: 1<<31 - 1}},
		{Name: "PageToken", About: "Where the page begins. Take it from `next_page_url`."},
	}
}

// PathFacts are the named parts of paths. What a part means can depend on the path, so the whole one
// may be named instead.
func PathFacts() []Fact {
	return []Fact{
		{Name: "ServiceSid", About: "The service.", SID: "VA"},
		{Name: "RateLimitSid", About: "The rate limit: its SID or its unique name.", From: Spec | Ours, Example: "end_user_ip"},
		{Name: "Country", About: "The country of the messages: ISO 3166-1 alpha-2, or `all`; in any case.", Example: "ES"},
		{Name: "PhoneNumber", About: "The number in E.164. Its plus sign may be sent as it is or as `%2B`.", Example: "+34612345678"},
		{Name: "Identity", About: "The entity's identity, in any case of letters.", From: Spec | Ours, Example: "user-7f3a91c2"},
		{Name: "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", About: "The factor.", SID: "YF"},
		{Name: "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}", About: "The challenge.", SID: "YC"},
		{Name: "ChallengeSid", About: "The challenge.", SID: "YC"},
		{Name: "/v2/Services/{ServiceSid}/AccessTokens/{Sid}", About: "The access token.", SID: "YK"},
		{Name: "/v2/Services/{ServiceSid}/Webhooks/{Sid}", About: "The webhook.", SID: "YW"},
		{Name: "/v2/Verifyd/Deliveries/{Sid}", About: "The delivery.", From: Ours, SID: "ED"},
		{Name: "/v2/Verifyd/Deliveries/{Sid}/Resend", About: "The delivery.", From: Ours, SID: "ED"},
		{Name: "FormType", About: "The form.", Enum: []string{"form-push"}, Example: "form-push"},
		{Name: "/v2/Services/{Sid}", About: "The service.", SID: "VA"},
		{Name: "/v2/Services/{ServiceSid}/Verifications/{Sid}", About: "The verification: its SID, or the number or address that it went to.", Example: "+34612345678"},
		{Name: "/v2/Services/{ServiceSid}/RateLimits/{Sid}", About: "The rate limit: its SID or its unique name.", From: Spec | Ours, Example: "end_user_ip"},
		{Name: "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}", About: "The bucket.", SID: "BL"},
		{Name: "/v2/Attempts/{Sid}", About: "The attempt.", SID: "VL"},
		{Name: "/v2/Verifyd/Attempts/{Sid}", About: "The attempt.", From: Ours, SID: "VL"},
	}
}

// CommonFields are fields that mean the same in every record that has them.
func CommonFields() []Fact {
	return []Fact{
		{Name: "account_sid", About: "The account that the credentials belong to.", SID: "AC"},
		{Name: "service_sid", About: "The service.", SID: "VA"},
		{Name: "date_created", About: "When it was made, in UTC.", Format: "date-time", Example: "2026-11-24T12:00:00Z"},
		{Name: "date_updated", About: "When it was changed last, in UTC.", Format: "date-time", Example: "2026-11-24T12:00:00Z"},
		{Name: "url", About: "Its absolute address.", Format: "uri"},
	}
}

// CommonRecords are those that no resource has for itself.
func CommonRecords() []Record {
	return []Record{
		{Name: "Page", About: "Where a page stands in its list.", Body: meta{}, Facts: []Fact{
			{Name: "page", About: "The client's own count, as it was sent."},
			{Name: "page_size", About: "The most records that a page has."},
			{Name: "first_page_url", About: "The first page.", Format: "uri"},
			{Name: "previous_page_url", About: "The page before; null on the first.", Format: "uri"},
			{Name: "url", About: "This page.", Format: "uri"},
			{Name: "next_page_url", About: "The next page; null on the last. Follow it as it is.", From: Spec | Client, Format: "uri"},
			{Name: "key", About: "The field that has the records."},
		}},
		{Name: "Error", About: "A refusal, or a fault of the server.", Body: errorBody{}, Facts: []Fact{
			{Name: "code", About: "The error code.", Example: int(verify.CodeNotFound)},
			{Name: "message", About: "A text for people.", Example: "The requested resource /Services/VA0190b7d2f8a4c3e61f5d9a7c20e48b13 was not found"},
			{Name: "more_info", About: "The code's page in the error dictionary of Twilio.", Format: "uri", Example: "https://www.twilio.com/docs/errors/20404"},
			{Name: "status", About: "The HTTP status.", Example: 404},
			{Name: "details", About: "Of some codes about factors: more than the message says.", From: Ours},
			{Name: "details.parameter", About: "The parameter that breaks its rule.", From: Ours, Example: "Config.TimeStep"},
		}},
	}
}

// A Header is what an answer says beside its body.
type Header struct {
	Name     string
	About    string
	Note     string // for the compatibility page alone
	From     Source
	Everyone bool  // on the answers of every operation; else of those that name it
	Success  bool  // on what is no refusal
	Statuses []int // of the refusals that may have it; nil for none, or for all of Everyone
	Of       reflect.Type
	Enum     []string
	Example  any
}

// Names of headers that operations have in their tables.
var (
	ofPending = []string{"Verifyd-Sends-Left", "Verifyd-Checks-Left", "Verifyd-Expires-In"}
	ofService = []string{"Verifyd-Code-Ttl", "Verifyd-Max-Sends", "Verifyd-Max-Checks", "Verifyd-Disabled-Channels", "Verifyd-Fallback", "Verifyd-Fallback-After"}
)

// Headers are the headers of answers.
func Headers() []Header {
	number, text := reflect.TypeFor[int](), reflect.TypeFor[string]()
	return []Header{
		{Name: "Twilio-Request-Id", About: "The request, as the log has it.", From: Wire | Ours, Everyone: true, Success: true, Of: text, Example: "RQ0190b7d2f8a4c3e61f5d9a7c20e48b13"},
		{Name: "Twilio-Request-Duration", About: "Seconds that the answer took.", From: Wire | Ours, Everyone: true, Success: true, Of: reflect.TypeFor[float64](), Example: 0.002},
		{Name: "Twilio-Concurrent-Requests", About: "Requests that the node was serving, this one among them.", From: Wire | Ours, Everyone: true, Success: true, Of: number, Example: 1},
		{Name: "WWW-Authenticate", About: "Asks for HTTP Basic.", From: Ours, Everyone: true, Statuses: []int{401}, Of: text, Example: `Basic realm="Twilio API"`},
		{Name: "Retry-After", About: "Seconds after which the same call may succeed.", Note: "the description has the header, the meaning is ours", From: Spec | Ours, Everyone: true, Statuses: []int{429, 503}, Of: number, Example: 60},
		{Name: "Twilio-Reached-Rate-Limit", About: "The unique name of the rate limit that refused the start.", Note: "the description has the header, the meaning is ours", From: Spec | Ours, Statuses: []int{429}, Of: text, Example: "end_user_ip"},
		{Name: "Twilio-Verify-Signature-Fields", About: "Of a push challenge: the members that its device has to sign, separated by commas.", Note: "the list is that of a device that worked, the order is ours", From: Spec | Client | Ours, Success: true, Of: text, Example: strings.Join(factor.SignatureFields, ",")},
		{Name: "Verifyd-Reason", About: "Why there is no such verification, or none that waits for a code.",
			Note: "By number or address the reason is known for an hour after the verification's time was up, then it is `never-existed`; by SID it stays.",
			From: Ours, Statuses: []int{404}, Of: text, Enum: words(verify.Reasons())},
		{Name: "Verifyd-Sends-Left", About: "Sends that the pending verification has left.", From: Ours, Success: true, Statuses: []int{429}, Of: number, Example: 4},
		{Name: "Verifyd-Checks-Left", About: "Checks that the pending verification has left.", From: Ours, Success: true, Statuses: []int{429}, Of: number, Example: 5},
		{Name: "Verifyd-Expires-In", About: "Seconds until the pending verification's time is up.", From: Ours, Success: true, Statuses: []int{429}, Of: number, Example: 600},
		{Name: "Verifyd-Code-Ttl", About: "Seconds that a code of the service lives.", From: Ours, Success: true, Of: number, Example: 600},
		{Name: "Verifyd-Max-Sends", About: "Sends that a verification of the service has.", From: Ours, Success: true, Of: number, Example: 5},
		{Name: "Verifyd-Max-Checks", About: "Checks that a verification of the service has.", From: Ours, Success: true, Of: number, Example: 5},
		{Name: "Verifyd-Disabled-Channels", About: "The channels that the service has switched off, separated by commas; missing if there are none.", From: Ours, Success: true, Of: text, Example: "call,whatsapp"},
		{Name: "Verifyd-Fallback", About: "The channels by which a code of the service goes on, separated by commas; missing if there are none.", From: Ours, Success: true, Of: text, Example: "whatsapp,sms,call"},
		{Name: "Verifyd-Fallback-After", About: "Seconds without a receipt after which it does so; missing if it does not.", From: Ours, Success: true, Of: number, Example: 30},
	}
}

// words spells values of the domain's own string types.
func words[T ~string](values []T) []string {
	list := make([]string, 0, len(values))
	for _, v := range values {
		list = append(list, string(v))
	}
	return list
}
