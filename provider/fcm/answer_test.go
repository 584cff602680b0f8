package fcm

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
)

// The codes of firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, with the statuses of that
// page, and canonical codes as Google's front end gives them.
func TestAnswersAndTheirClasses(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	p.jitter = func() time.Duration { return 3 * time.Second }
	for _, c := range []struct {
		name    string
		refusal fake.Refusal
		class   provider.Class
		code    string
		wait    time.Duration
	}{
		{"the app was removed", fake.Unregistered, provider.BadRecipient, "404 UNREGISTERED", 0},
		{"a malformed token", fake.InvalidToken, provider.BadRecipient, "400 INVALID_ARGUMENT", 0},
		{"a malformed token, with its field", fake.Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", FCM: "INVALID_ARGUMENT", Field: "message.token"},
			provider.BadRecipient, "400 INVALID_ARGUMENT", 0},
		{"a malformed message", fake.Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", Field: "message.data[0].value"},
			provider.BadRequest, "400 INVALID_ARGUMENT", 0},
		{"a malformed message, by both details", fake.Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", FCM: "INVALID_ARGUMENT", Field: "message.android.ttl"},
			provider.BadRequest, "400 INVALID_ARGUMENT", 0},
		{"no detail at all", fake.Refusal{HTTP: 400, Status: "INVALID_ARGUMENT"}, provider.BadRequest, "400 INVALID_ARGUMENT", 0},
		{"another project's app", fake.OtherSender, provider.BadRecipient, "403 SENDER_ID_MISMATCH", 0},
		{"no permission", fake.Refusal{HTTP: 403, Status: "PERMISSION_DENIED"}, provider.BadRequest, "403 PERMISSION_DENIED", 0},
		{"no such project", fake.Refusal{HTTP: 404, Status: "NOT_FOUND"}, provider.BadRequest, "404 NOT_FOUND", 0},
		{"Apple's credentials are missing", fake.ThirdPartyAuth, provider.BadRequest, "401 THIRD_PARTY_AUTH_ERROR", 0},
		{"too many", fake.QuotaExceeded, provider.Throttled, "429 QUOTA_EXCEEDED", time.Minute},
		{"too many for the project", fake.Refusal{HTTP: 429, Status: "RESOURCE_EXHAUSTED"}, provider.Throttled, "429 RESOURCE_EXHAUSTED", time.Minute},
		{"overloaded", fake.Unavailable, provider.Temporary, "503 UNAVAILABLE", 13 * time.Second},
		{"a fault", fake.Internal, provider.Temporary, "500 INTERNAL", 13 * time.Second},
		{"a fault of somebody in between", fake.Refusal{HTTP: 500}, provider.Unknown, "500", 0},
		{"a gateway without an answer", fake.Refusal{HTTP: 504, Status: "DEADLINE_EXCEEDED"}, provider.Unknown, "504 DEADLINE_EXCEEDED", 0},
		{"a code that is new", fake.Refusal{HTTP: 400, Status: "FAILED_PRECONDITION", FCM: "BRAND_NEW"}, provider.BadRequest, "400 BRAND_NEW", 0},
	} {
		for _, says := range []time.Duration{0, 7 * time.Second} {
			c.refusal.RetryAfter = says
			f.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &c.refusal})
			_, err := p.Send(t.Context(), providertest.Message("push", 1))
			e := provider.AsError(err)
			wait := c.wait
			if says != 0 {
				wait = says
			}
			if err == nil || e.Class != c.class || e.Code != c.code || e.RetryAfter != wait {
				t.Errorf("%s: got %v after %v, want %v %s after %v", c.name, err, e.RetryAfter, c.class, c.code, wait)
			}
		}
	}
	if n := len(f.Inbox()); n != 0 {
		t.Errorf("%d messages were taken, want none", n)
	}
}

func TestAnIdentifierMayBeMissing(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	for _, body := range []string{``, `{}`, `[]`, `{"name":7.5e3}`, `{"name":null}`, `<html>`} {
		f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				return false
			}
			w.Write([]byte(body))
			return true
		})
		got, err := p.Send(t.Context(), providertest.Message("push", 1))
		if want := (provider.Accepted{}); err != nil || got != want && body != `{"name":7.5e3}` {
			t.Errorf("%s: got %v, %v, want an acceptance without a name", body, got, err)
		}
	}
}

func FuzzReadRefusal(f *testing.F) {
	f.Add(404, `{"error":{"code":404,"message":"x","status":"NOT_FOUND","details":[{"@type":"x","errorCode":"UNREGISTERED"}]}}`)
	f.Add(400, `{"error":{"details":[{"fieldViolations":[{"field":"message.token"}]}]}}`)
	f.Add(400, `{"error":{"details":{"errorCode":1}}}`)
	f.Add(500, `{"error":"x"}`)
	f.Add(502, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		r := readRefusal(httpsend.Answer{Status: status, Body: []byte(body)})
		class := r.class()
		if _, ok := provider.ParseClass(class.String()); !ok {
			t.Errorf("%d %s is of class %v", status, body, class)
		}
		if class == provider.BadRecipient && !json.Valid([]byte(body)) {
			t.Errorf("%d %s is held against the handset", status, body)
		}
		if wait := r.patience(func() time.Duration { return 0 }); wait < 0 || wait > time.Minute {
			t.Errorf("%d %s asks to wait %v", status, body, wait)
		}
	})
}
