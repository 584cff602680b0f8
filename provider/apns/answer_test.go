package apns

import (
	"strconv"
	"strings"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Every reason of "Handling notification responses from APNs"
// (developer.apple.com/documentation/usernotifications), with the status of that page.
func TestReasonsAndTheirClasses(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	for class, reasons := range map[provider.Class]string{
		provider.BadRecipient: "400 BadDeviceToken, 400 DeviceTokenNotForTopic, 410 ExpiredToken, 410 Unregistered, 410 BrandNew",
		provider.BadRequest: "400 BadCollapseId, 400 BadExpirationDate, 400 BadMessageId, 400 BadPriority, 400 BadTopic, " +
			"400 DuplicateHeaders, 400 InvalidPushType, 400 MissingDeviceToken, 400 MissingTopic, 400 PayloadEmpty, " +
			"400 TopicDisallowed, 403 BadCertificate, 403 BadCertificateEnvironment, 403 ExpiredProviderToken, 403 Forbidden, " +
			"403 InvalidProviderToken, 403 MissingProviderToken, 403 UnrelatedKeyIdInToken, 403 BadEnvironmentKeyIdInToken, " +
			"404 BadPath, 405 MethodNotAllowed, 413 PayloadTooLarge, 400 BrandNew",
		provider.Throttled: "429 TooManyProviderTokenUpdates, 429 TooManyRequests",
		provider.Temporary: "400 IdleTimeout, 500 InternalServerError, 503 ServiceUnavailable, 503 Shutdown",
		provider.Unknown:   "500 BrandNew, 502 BrandNew, 504 BrandNew",
	} {
		for code := range strings.SplitSeq(reasons, ", ") {
			status, reason, _ := strings.Cut(code, " ")
			number, err := strconv.Atoi(status)
			if err != nil {
				t.Fatal(err)
			}
			f.refuse(fake.Refusal{HTTP: number, Reason: reason, RetryAfter: 7 * time.Second})
			_, err = p.Send(t.Context(), message(1))
			if e := provider.AsError(err); err == nil || e.Class != class || e.Code != code || e.RetryAfter != 7*time.Second {
				t.Errorf("got %v after %v, want %v %s after 7s", err, e.RetryAfter, class, code)
			}
		}
	}
}

func TestAHandsetThatHasGoneSaysSinceWhen(t *testing.T) {
	f := newFar(t)
	gone := fake.Unregistered
	gone.Since = epoch
	f.refuse(gone)
	_, err := f.provider(provider.Deps{}).Send(t.Context(), message(1))
	if e := provider.AsError(err); err == nil || e.Detail != "HTTP 410 Gone, since 2031-01-02T03:00:00Z" {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreNotApples(t *testing.T) {
	for body, code := range map[string]string{
		``: "410", `<html>`: "410", `{}`: "410", `[]`: "410", `{"reason":null}`: "410", `{"reason":["x"],"timestamp":"x"}`: "410",
		`{"reason":7}`: "410 7", `{"reason":"Unregistered","timestamp":-1}`: "410 Unregistered",
		`{"reason":"Unregistered","timestamp":1e300}`: "410 Unregistered",
	} {
		e := readRefusal(httpsend.Answer{Status: 410, Body: []byte(body)}, &provider.Error{Class: provider.BadRequest, Code: "410", Detail: "HTTP 410 Gone"})
		if e.Class != provider.BadRecipient || e.Code != code || e.Detail != "HTTP 410 Gone" {
			t.Errorf("%s: got %v, want bad_recipient %s", body, e, code)
		}
	}
}

func FuzzReadRefusal(f *testing.F) {
	f.Add(410, `{"reason":"Unregistered","timestamp":1925089200000}`)
	f.Add(400, `{"reason":"BadDeviceToken"}`)
	f.Add(500, `{"reason":1,"timestamp":"x"}`)
	f.Add(502, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := readRefusal(httpsend.Answer{Status: status, Body: []byte(body)}, &provider.Error{Class: httpsend.Class(status), Code: "x"})
		if _, ok := provider.ParseClass(e.Class.String()); !ok || !strings.HasPrefix(e.Code, "x") || len(e.Detail) > 40 {
			t.Errorf("%d %s is %+v", status, body, e)
		}
	})
}
