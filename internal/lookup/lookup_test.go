package lookup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/verify"
)

const number = "+34612345678"

// service is a lookup service that counts its questions.
type service struct {
	*httptest.Server
	asked  int
	answer func(http.ResponseWriter, *http.Request)
}

func newService(t *testing.T) *service {
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked++
		s.answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAnAnswerIsRememberedForADay(t *testing.T) {
	s := newService(t)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/lookup" || r.Header.Get("Authorization") != "Bearer s3cret" ||
			r.Header.Get("Content-Type") != "application/json" || string(body) != `{"number":"+34612345678"}` {
			t.Errorf("asked %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		io.WriteString(w, `{"type":"mobile","carrier":"Movistar","mobile_country_code":"214","mobile_network_code":"07","more":1}`)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	source := New(s.URL+"/lookup", "s3cret", s.Client(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	want := verify.Line{Type: verify.Mobile, Carrier: "Movistar", MCC: "214", MNC: "07"}
	for i, asked := range []int{1, 1, 2} {
		if got, err := source.Line(t.Context(), number); err != nil || got != want || s.asked != asked {
			t.Errorf("look-up %d: %+v, %v after %d questions, want %+v after %d", i, got, err, s.asked, want, asked)
		}
		now = now.Add(13 * time.Hour)
	}
}

func TestAFailureIsNotRemembered(t *testing.T) {
	s := newService(t)
	source := New(s.URL, "", s.Client(), time.Now, slog.New(slog.DiscardHandler))
	for _, bad := range []struct {
		status int
		body   string
	}{
		{500, `{}`}, {404, `{}`}, {200, `not JSON`}, {200, `{"type":"pigeon"}`}, {200, `{"carrier":7}`},
		{200, `{"carrier":"` + strings.Repeat("x", 65) + `"}`}, {200, `{"carrier":"` + strings.Repeat("x", 20_000) + `"}`},
	} {
		s.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(bad.status)
			io.WriteString(w, bad.body)
		}
		if got, err := source.Line(t.Context(), number); err == nil {
			t.Errorf("%d %.30s: %+v", bad.status, bad.body, got)
		}
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"type":null}`) }
	if got, err := source.Line(t.Context(), number); err != nil || got != (verify.Line{}) {
		t.Errorf("nothing is known: %+v, %v", got, err)
	}
}

// The log is read by more people than the configuration is, and the number is a person's.
func TestAFailureTellsTheLogNeitherTheURLNorTheNumber(t *testing.T) {
	s := newService(t)
	s.Close()
	for _, address := range []string{s.URL + "/lookup?key=s3cret", "http://lookup.example.com/%zz?key=s3cret"} {
		var log bytes.Buffer
		source := New(address, "", s.Client(), time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		_, err := source.Line(t.Context(), number)
		if err == nil || log.Len() == 0 {
			t.Fatalf("%s: got %v and the log %q", address, err, &log)
		}
		for _, secret := range []string{"s3cret", "612345678"} {
			if strings.Contains(log.String()+err.Error(), secret) {
				t.Errorf("%s: %v, and the log is %s", address, err, &log)
			}
		}
	}
}

// silent is a service that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNobodyWaitsLongerThanTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := New("http://lookup.example.com", "", &http.Client{Transport: silent{}}, time.Now, slog.New(slog.DiscardHandler)).Line(t.Context(), number)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != Timeout {
			t.Errorf("%v after %s, want the deadline after %s", err, time.Since(begin), Timeout)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"mobile","carrier":"Movistar","mobile_country_code":"214"}`))
	f.Add([]byte(`{"carrier":"a\u0000b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		line, err := parse(body)
		for _, text := range []string{string(line.Type), line.Carrier, line.MCC, line.MNC} {
			if err == nil && (len(text) > maxText || !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
				t.Errorf("%q was read as %+v", body, line)
			}
		}
	})
}
