package inbox

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestThePageOfFactors(t *testing.T) {
	waiting := []Factor{
		{SID: "YF02aa", Identity: "user-1", Name: "Ann <b>", URI: "otpauth://totp/Acme:Ann?secret=AAAQ", CreatedAt: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)},
	}
	fault := errors.New("fault")
	handler := New(Options{
		Factors: func(context.Context) ([]Factor, error) { return waiting, nil },
		Factor: func(_ context.Context, sid string) (Factor, error) {
			switch sid {
			case waiting[0].SID:
				return waiting[0], nil
			case "YF02bb":
				return Factor{}, fault
			default:
				return Factor{}, ErrNoFactor
			}
		},
	}).Handler()
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		return rec
	}
	page := get("/dev/inbox/factors").Body.String()
	for _, want := range []string{"Ann &lt;b&gt;", "user-1", `src="/dev/inbox/factors/YF02aa.svg"`, "otpauth://totp/Acme:Ann?secret=AAAQ", "12:00:00"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	picture := get("/dev/inbox/factors/YF02aa.svg")
	if picture.Code != 200 || picture.Header().Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(picture.Body.String(), "<svg ") {
		t.Errorf("picture: %d %s", picture.Code, picture.Body)
	}
	for path, want := range map[string]int{
		"/dev/inbox/factors/YF02cc.svg": 404,
		"/dev/inbox/factors/YF02bb.svg": 500,
		"/dev/inbox/factors/YF02aa":     404,
		"/dev/inbox/factors/":           404,
	} {
		if rec := get(path); rec.Code != want {
			t.Errorf("GET %s: %d, want %d", path, rec.Code, want)
		}
	}
	waiting = nil
	if page := get("/dev/inbox/factors").Body.String(); !strings.Contains(page, "No authenticator app waits") {
		t.Errorf("the page without factors:\n%s", page)
	}
}

func TestAnInboxWithoutFactors(t *testing.T) {
	handler := New(Options{}).Handler()
	for path, want := range map[string]int{"/dev/inbox/factors": 200, "/dev/inbox/factors/YF02aa.svg": 404} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if rec.Code != want {
			t.Errorf("GET %s: %d, want %d", path, rec.Code, want)
		}
	}
}
