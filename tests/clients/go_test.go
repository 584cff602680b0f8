//go:build full

package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"
)

// The recipe of README.md, "From Go". twilio-go has no setting for the address, but its client
// sends through http.DefaultTransport.

var network = http.DefaultTransport

type divert string // the base URL of verifyd

func (base divert) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "verify.twilio.com" {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, _ = strings.Cut(string(base), "://")
		r.Host = r.URL.Host
	}
	return network.RoundTrip(r)
}

func TestGo(t *testing.T) { onEach(t, goThrough) }

func goThrough(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })

	w := goWalk{T: t, api: newClient(authToken), baseURL: baseURL}
	w.service = w.createService(&verify.CreateServiceParams{})
	t.Run("a service is found over pages and updated", w.with(goWalk.services))
	for i, c := range []struct{ channel, to string }{
		{"sms", "+34612345601"},
		{"call", "+34612345602"},
		{"email", "jane.go@example.com"},
		{"whatsapp", "+34612345603"},
		{"rcs", "+34612345604"},
	} {
		t.Run("approved by "+c.channel, w.with(func(w goWalk) { w.approve(c.channel, c.to, i%2 == 1) }))
	}
	t.Run("a resend keeps the SID", w.with(goWalk.resend))
	t.Run("canceled", w.with(goWalk.cancel))
	t.Run("six checks", w.with(goWalk.sixChecks))
	t.Run("six sends", w.with(goWalk.sixSends))
	t.Run("payments", w.with(goWalk.payments))
	t.Run("custom code", w.with(goWalk.customCode))
	t.Run("rate limits", w.with(goWalk.rateLimits))
	t.Run("templates", w.with(goWalk.templates))
	t.Run("messaging configurations", w.with(goWalk.messaging))
	t.Run("attempts", w.with(goWalk.attempts))
	t.Run("safe list and forms", w.with(goWalk.safeList))
	t.Run("refusals", w.with(goWalk.refusals))
	t.Run("the service is deleted", w.with(goWalk.deleted))
}

// newClient is the VerifyV2 of a twilio.RestClient, put together as NewRestClientWithParams does it.
// That function brings the clients of sixty other products, which take minutes to compile.
func newClient(token string) *verify.ApiService {
	c := &client.Client{Credentials: client.NewCredentials(accountSID, token)}
	c.SetAccountSid(accountSID)
	return verify.NewApiServiceWithClient(c)
}

// goWalk is one story of the walk; the stories share the service.
type goWalk struct {
	*testing.T
	api     *verify.ApiService
	baseURL string
	service string
}

func (w goWalk) with(story func(goWalk)) func(*testing.T) {
	return func(t *testing.T) {
		w.T = t
		story(w)
	}
}

func (w goWalk) refused(what string, err error, status, code int) {
	w.Helper()
	var refusal *client.TwilioRestError
	if !errors.As(err, &refusal) {
		w.Fatalf("%s: got %v, want error %d", what, err, code)
	}
	if refusal.Code != code || refusal.Status != status {
		w.Fatalf("%s: got status %d code %d (%s), want status %d code %d",
			what, refusal.Status, refusal.Code, refusal.Message, status, code)
	}
	if want := fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code); refusal.MoreInfo != want {
		w.Fatalf("%s: got more_info %s, want %s", what, refusal.MoreInfo, want)
	}
}

// must stops the story at an error that nobody expects.
func (w goWalk) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("got %v, want no error", err)
	}
}

func (w goWalk) same(what string, got, want any) {
	w.Helper()
	if got != want {
		w.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (w goWalk) createService(params *verify.CreateServiceParams) string {
	w.Helper()
	s, err := w.api.CreateService(params.SetFriendlyName("Walk in Go"))
	w.must(err)
	return *s.Sid
}

func starting(to, channel string) *verify.CreateVerificationParams {
	return new(verify.CreateVerificationParams).SetTo(to).SetChannel(channel)
}

func (w goWalk) start(to, channel string) *verify.VerifyV2Verification {
	w.Helper()
	v, err := w.api.CreateVerification(w.service, starting(to, channel))
	w.must(err)
	w.same("status of a start", *v.Status, "pending")
	w.same("channel of a start", *v.Channel, channel)
	w.same("destination of a start", *v.To, to)
	return v
}

func checking(to, code string) *verify.CreateVerificationCheckParams {
	return new(verify.CreateVerificationCheckParams).SetTo(to).SetCode(code)
}

func (w goWalk) check(params *verify.CreateVerificationCheckParams, status string, valid bool) {
	w.Helper()
	c, err := w.api.CreateVerificationCheck(w.service, params)
	w.must(err)
	w.same("status of a check", *c.Status, status)
	w.same("valid of a check", *c.Valid, valid)
}

// code reads what was sent to a destination last.
func (w goWalk) code(to, verificationSID string) string {
	w.Helper()
	query := url.Values{"to": {to}, "wait": {"10s"}, "limit": {"1"}}
	res, err := http.Get(w.baseURL + "/dev/inbox?" + query.Encode())
	w.must(err)
	defer res.Body.Close()
	var inbox struct {
		Messages []struct {
			Code            string `json:"code"`
			VerificationSID string `json:"verification_sid"`
		} `json:"messages"`
	}
	w.must(json.NewDecoder(res.Body).Decode(&inbox))
	if len(inbox.Messages) != 1 || inbox.Messages[0].VerificationSID != verificationSID {
		w.Fatalf("inbox of %s: got %+v, want the message of %s", to, inbox.Messages, verificationSID)
	}
	return inbox.Messages[0].Code
}

// wrong is a code of the same length that is not the one.
func wrong(code string) string {
	if strings.HasSuffix(code, "0") {
		return code[:len(code)-1] + "1"
	}
	return code[:len(code)-1] + "0"
}

func (w goWalk) services() {
	list, err := w.api.ListService(new(verify.ListServiceParams).SetPageSize(1))
	w.must(err)
	seen := map[string]bool{}
	for _, s := range list {
		seen[*s.Sid] = true
	}
	// One is there from the start, so the second was on another page.
	if len(list) < 2 || len(seen) != len(list) || !seen[w.service] {
		w.Fatalf("services over pages of one: got %d, %d of them different, want 2 or more with %s", len(list), len(seen), w.service)
	}
	s, err := w.api.UpdateService(w.service, new(verify.UpdateServiceParams).SetFriendlyName("Walked in Go").SetCodeLength(8))
	w.must(err)
	w.same("friendly name", *s.FriendlyName, "Walked in Go")
	s, err = w.api.FetchService(w.service)
	w.must(err)
	w.same("code length", s.CodeLength, 8)
}

// approve checks by destination, or by SID: the libraries offer both.
func (w goWalk) approve(channel, to string, bySID bool) {
	v := w.start(to, channel)
	code := w.code(to, *v.Sid)
	w.same("length of the code", len(code), 8)
	w.check(checking(to, wrong(code)), "pending", false)
	right := checking(to, code)
	if bySID {
		right = new(verify.CreateVerificationCheckParams).SetVerificationSid(*v.Sid).SetCode(code)
	}
	w.check(right, "approved", true)
	_, err := w.api.FetchVerification(w.service, *v.Sid)
	w.refused("fetch after the approval", err, 404, 20404)
	_, err = w.api.CreateVerificationCheck(w.service, right)
	w.refused("check after the approval", err, 404, 20404)
}

func (w goWalk) resend() {
	const to = "+34612345605"
	first, second := w.start(to, "sms"), w.start(to, "call")
	w.same("SID of the resend", *second.Sid, *first.Sid)
	w.same("sends", len(*second.SendCodeAttempts), 2)
	got, err := w.api.FetchVerification(w.service, *first.Sid)
	w.must(err)
	w.same("status", *got.Status, "pending")
}

func (w goWalk) cancel() {
	const to = "+34612345606"
	v := w.start(to, "sms")
	code := w.code(to, *v.Sid)
	got, err := w.api.UpdateVerification(w.service, *v.Sid, new(verify.UpdateVerificationParams).SetStatus("canceled"))
	w.must(err)
	w.same("status after canceling", *got.Status, "canceled")
	got, err = w.api.FetchVerification(w.service, *v.Sid)
	w.must(err)
	w.same("status when fetched", *got.Status, "canceled")
	_, err = w.api.CreateVerificationCheck(w.service, checking(to, code))
	w.refused("check after canceling", err, 404, 20404)
}

func (w goWalk) sixChecks() {
	const to = "+34612345607"
	v := w.start(to, "sms")
	code := w.code(to, *v.Sid)
	for range 5 {
		w.check(checking(to, wrong(code)), "pending", false)
	}
	_, err := w.api.CreateVerificationCheck(w.service, checking(to, code))
	w.refused("sixth check, with the right code", err, 429, 60202)
	got, err := w.api.FetchVerification(w.service, *v.Sid)
	w.must(err)
	w.same("status after six checks", *got.Status, "max_attempts_reached")
}

func (w goWalk) sixSends() {
	const to = "+34612345608"
	for range 5 {
		w.start(to, "sms")
	}
	_, err := w.api.CreateVerification(w.service, starting(to, "sms"))
	w.refused("sixth send", err, 429, 60203)
}

func (w goWalk) payments() {
	w.service = w.createService(new(verify.CreateServiceParams).SetPsd2Enabled(true))
	const to = "+34612345609"
	_, err := w.api.CreateVerification(w.service, starting(to, "sms").SetAmount("€39.99"))
	w.refused("payment without a payee", err, 400, 60206)
	_, err = w.api.CreateVerification(w.service, starting(to, "call").SetAmount("€39.99").SetPayee("Acme"))
	w.refused("payment by call", err, 400, 60214)

	v, err := w.api.CreateVerification(w.service, starting(to, "sms").SetAmount("€39.99").SetPayee("Acme"))
	w.must(err)
	code := w.code(to, *v.Sid)
	w.check(checking(to, code).SetAmount("€1.00").SetPayee("Acme"), "pending", false)
	w.check(checking(to, code).SetAmount("€39.99").SetPayee("Acme"), "approved", true)
	w.must(w.api.DeleteService(w.service))
}

func (w goWalk) customCode() {
	const to = "+34612345610"
	_, err := w.api.CreateVerification(w.service, starting(to, "sms").SetCustomCode("123456"))
	w.refused("custom code", err, 403, 60204)

	w.service = w.createService(new(verify.CreateServiceParams).SetCustomCodeEnabled(true))
	_, err = w.api.CreateVerification(w.service, starting(to, "sms").SetCustomCode("123456"))
	w.must(err)
	w.check(checking(to, "123456"), "approved", true)
	w.must(w.api.DeleteService(w.service))
}

func (w goWalk) rateLimits() {
	limit := func(name string) (*verify.VerifyV2RateLimit, error) {
		return w.api.CreateRateLimit(w.service, new(verify.CreateRateLimitParams).SetUniqueName(name).SetDescription("By address"))
	}
	l, err := limit("end_user_ip")
	w.must(err)
	_, err = limit("end_user_ip")
	w.refused("a second rate limit of that name", err, 400, 60208)
	_, err = limit("end user")
	w.refused("a name with a space", err, 400, 60209)
	_, err = w.api.CreateRateLimit(w.service, new(verify.CreateRateLimitParams))
	w.refused("a rate limit without a name", err, 400, 20001)
	_, err = limit("session")
	w.must(err)
	list, err := w.api.ListRateLimit(w.service, new(verify.ListRateLimitParams).SetPageSize(1))
	w.must(err)
	w.same("rate limits over pages of one", len(list), 2)
	l, err = w.api.UpdateRateLimit(w.service, *l.Sid, new(verify.UpdateRateLimitParams).SetDescription("Another"))
	w.must(err)
	l, err = w.api.FetchRateLimit(w.service, *l.Sid)
	w.must(err)
	w.same("description", *l.Description, "Another")
	w.same("unique name", *l.UniqueName, "end_user_ip")

	bucket := func(most, interval int) (*verify.VerifyV2Bucket, error) {
		return w.api.CreateBucket(w.service, *l.Sid, new(verify.CreateBucketParams).SetMax(most).SetInterval(interval))
	}
	b, err := bucket(9, 600)
	w.must(err)
	_, err = bucket(1, 600)
	w.refused("a second bucket of that interval", err, 400, 60211)
	_, err = bucket(0, 1)
	w.refused("a bucket for nothing", err, 400, 60200)
	_, err = bucket(100, 3600)
	w.must(err)
	buckets, err := w.api.ListBucket(w.service, *l.Sid, new(verify.ListBucketParams).SetPageSize(1))
	w.must(err)
	w.same("buckets over pages of one", len(buckets), 2)
	b, err = w.api.UpdateBucket(w.service, *l.Sid, *b.Sid, new(verify.UpdateBucketParams).SetMax(2))
	w.must(err)
	b, err = w.api.FetchBucket(w.service, *l.Sid, *b.Sid)
	w.must(err)
	w.same("max", b.Max, 2)
	w.same("interval", b.Interval, 600)

	by := func(to, address string) error {
		_, err := w.api.CreateVerification(w.service, starting(to, "sms").SetRateLimits(map[string]string{"end_user_ip": address}))
		return err
	}
	w.must(by("+34612345612", "192.0.2.7"))
	w.must(by("+34612345613", "192.0.2.7"))
	w.refused("a third start from one address", by("+34612345614", "192.0.2.7"), 429, 20429)
	w.must(by("+34612345614", "192.0.2.8"))
	w.must(w.api.DeleteBucket(w.service, *l.Sid, *b.Sid))
	w.must(by("+34612345615", "192.0.2.7"))
	w.must(w.api.DeleteRateLimit(w.service, *l.Sid))
	_, err = w.api.FetchRateLimit(w.service, *l.Sid)
	w.refused("fetch of a deleted rate limit", err, 404, 20404)
}

// templates finds the template that dev has from the start.
func (w goWalk) templates() {
	const to = "+34612345618"
	list, err := w.api.ListVerificationTemplate(new(verify.ListVerificationTemplateParams).SetFriendlyName("Order pickup"))
	w.must(err)
	w.same("templates of that name", len(list), 1)
	t := list[0]
	w.same("channels", strings.Join(*t.Channels, " "), "sms voice")
	w.same("status of the Spanish text", (*t.Translations).(map[string]any)["es"].(map[string]any)["status"], "approved")

	_, err = w.api.CreateVerification(w.service, starting(to, "sms").SetTemplateSid(*t.Sid))
	w.refused("no values", err, 400, 60224)
	_, err = w.api.CreateVerification(w.service, starting("jane@example.com", "email").SetTemplateSid(*t.Sid))
	w.refused("e-mail", err, 400, 60227)
	v, err := w.api.CreateVerification(w.service,
		starting(to, "sms").SetTemplateSid(*t.Sid).SetTemplateCustomSubstitutions(`{"store":"Sol"}`))
	w.must(err)
	w.check(checking(to, w.code(to, *v.Sid)), "approved", true)

	_, err = w.api.UpdateService(w.service, new(verify.UpdateServiceParams).SetDefaultTemplateSid("HJ"+strings.Repeat("0", 32)))
	w.refused("unknown default template", err, 400, 60228)
	s, err := w.api.UpdateService(w.service, new(verify.UpdateServiceParams).SetDefaultTemplateSid(*t.Sid))
	w.must(err)
	w.same("default template", *s.DefaultTemplateSid, *t.Sid)
	s, err = w.api.UpdateService(w.service, new(verify.UpdateServiceParams).SetDefaultTemplateSid(""))
	w.must(err)
	w.same("no default template", s.DefaultTemplateSid == nil, true)
}

func (w goWalk) messaging() {
	one, two := "MG"+strings.Repeat("1", 32), "MG"+strings.Repeat("2", 32)
	params := func(country, sid string) *verify.CreateMessagingConfigurationParams {
		return new(verify.CreateMessagingConfigurationParams).SetCountry(country).SetMessagingServiceSid(sid)
	}
	for _, country := range []string{"all", "ES", "CA"} {
		c, err := w.api.CreateMessagingConfiguration(w.service, params(country, one))
		w.must(err)
		w.same("country", *c.Country, country)
	}
	_, err := w.api.CreateMessagingConfiguration(w.service, params("ES", two))
	w.refused("a second one", err, 400, 60213)
	_, err = w.api.CreateMessagingConfiguration(w.service, params("XX", one))
	w.refused("no country", err, 400, 60200)
	c, err := w.api.UpdateMessagingConfiguration(w.service, "ES", new(verify.UpdateMessagingConfigurationParams).SetMessagingServiceSid(two))
	w.must(err)
	w.same("updated", *c.MessagingServiceSid, two)
	list, err := w.api.ListMessagingConfiguration(w.service, new(verify.ListMessagingConfigurationParams).SetPageSize(1))
	w.must(err)
	w.same("listed over pages", len(list), 3)
	w.must(w.api.DeleteMessagingConfiguration(w.service, "ES"))
	_, err = w.api.FetchMessagingConfiguration(w.service, "ES")
	w.refused("fetch after the deletion", err, 404, 20404)
}

// attempts reads back what one verification left, filter by filter.
func (w goWalk) attempts() {
	const to = "+34612345617"
	before := time.Now().Add(-time.Minute)
	first, second := w.start(to, "sms"), w.start(to, "rcs")
	w.check(checking(to, w.code(to, *second.Sid)), "approved", true)

	list, err := w.api.ListVerificationAttempt(new(verify.ListVerificationAttemptParams).
		SetVerificationSid(*first.Sid).SetPageSize(1))
	w.must(err)
	w.same("attempts over pages of one", len(list), 2)
	w.same("channel of the last", *list[0].Channel, "rbm")
	w.same("conversion of the last", *list[0].ConversionStatus, "converted")
	w.same("conversion of the first", *list[1].ConversionStatus, "unconverted")
	a, err := w.api.FetchVerificationAttempt(*list[1].Sid)
	w.must(err)
	w.same("verification of an attempt", *a.VerificationSid, *first.Sid)
	w.same("destination of an attempt", (*a.ChannelData).(map[string]any)["to"], any(to))

	for what, params := range map[string]*verify.ListVerificationAttemptParams{
		"destination": new(verify.ListVerificationAttemptParams).SetChannelDataTo(to),
		"all filters": new(verify.ListVerificationAttemptParams).SetDateCreatedAfter(before).SetDateCreatedBefore(time.Now().Add(time.Minute)).
			SetChannelDataTo(to).SetCountry("ES").SetVerifyServiceSid(w.service),
	} {
		found, err := w.api.ListVerificationAttempt(params)
		w.must(err)
		w.same("attempts by "+what, len(found), 2)
	}
	unconverted, err := w.api.ListVerificationAttempt(new(verify.ListVerificationAttemptParams).
		SetStatus("unconverted").SetChannel("sms").SetVerificationSid(*first.Sid))
	w.must(err)
	w.same("unconverted attempts by sms", len(unconverted), 1)

	sum, err := w.api.FetchVerificationAttemptsSummary(new(verify.FetchVerificationAttemptsSummaryParams).
		SetDateCreatedAfter(before).SetVerifyServiceSid(w.service).SetCountry("ES").SetChannel("rbm").SetDestinationPrefix("+34612"))
	w.must(err)
	if sum.TotalAttempts < 1 || sum.TotalConverted+sum.TotalUnconverted != sum.TotalAttempts || sum.ConversionRatePercentage == nil {
		w.Fatalf("summary: got %+v", sum)
	}
	_, err = w.api.FetchVerificationAttempt("VL" + strings.Repeat("0", 32))
	w.refused("unknown attempt", err, 404, 20404)
	_, err = w.api.ListVerificationAttempt(new(verify.ListVerificationAttemptParams).SetCountry("Spain"))
	w.refused("bad country", err, 400, 60200)
}

func (w goWalk) safeList() {
	const number = "+34612345613"
	made, err := w.api.CreateSafelist(new(verify.CreateSafelistParams).SetPhoneNumber(number))
	w.must(err)
	got, err := w.api.FetchSafelist(number)
	w.must(err)
	w.same("SID of a safe number", *got.Sid, *made.Sid)
	_, err = w.api.CreateSafelist(new(verify.CreateSafelistParams).SetPhoneNumber(number))
	w.refused("safe number that is there", err, 400, 60411)
	w.must(w.api.DeleteSafelist(number))
	_, err = w.api.FetchSafelist(number)
	w.refused("safe number that was removed", err, 404, 20404)

	form, err := w.api.FetchForm("form-push")
	w.must(err)
	w.same("form", *form.FormType, "form-push")
}

func (w goWalk) refusals() {
	const to = "+34612345611"
	_, err := newClient(strings.Repeat("0", 32)).FetchService(w.service)
	w.refused("wrong token", err, 401, 20003)
	_, err = w.api.CreateVerification("VA"+strings.Repeat("0", 32), starting(to, "sms"))
	w.refused("unknown service", err, 404, 20404)
	for _, c := range []struct {
		what   string
		params *verify.CreateVerificationParams
		code   int
	}{
		{"bad To", starting("+123", "sms"), 60200},
		{"bad Channel", starting(to, "pigeon"), 60200},
		{"no Channel", new(verify.CreateVerificationParams).SetTo(to), 20001},
		{"unknown template", starting(to, "sms").SetTemplateSid("HJ" + strings.Repeat("0", 32)), 60228},
		{"call in Hebrew", starting(to, "call").SetLocale("he"), 60331},
		{"app hash by call", starting(to, "call").SetAppHash("He42w354ol9"), 60602},
	} {
		_, err := w.api.CreateVerification(w.service, c.params)
		w.refused(c.what, err, 400, c.code)
	}
	_, err = w.api.CreateVerificationCheck(w.service, new(verify.CreateVerificationCheckParams).SetCode("123456"))
	w.refused("check of nothing", err, 400, 60221)
}

func (w goWalk) deleted() {
	w.must(w.api.DeleteService(w.service))
	_, err := w.api.FetchService(w.service)
	w.refused("fetch after the deletion", err, 404, 20404)
}
