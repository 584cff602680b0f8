package httpsend

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

func TestWhatAnswersToACheckMean(t *testing.T) {
	for _, c := range []struct {
		status   int
		body     string
		want     string // "" for none
		unproven bool
	}{
		{200, `{"balance":1}`, "", false},
		{204, ``, "", false},
		{302, ``, "asked for the balance, it sends us elsewhere (302)", false},
		{400, `no`, "asked for the balance, it answers 400: no", false},
		{401, `who is c2VjcmV0Y3JlZGVudGlhbA== with hunter2-hunter2?`, "the credentials are refused (401): who is [secret] with [secret]?", false},
		{403, `no`, "the credentials may not read the balance (403): no", false},
		{404, `no`, "the balance is not known there (404): no", false},
		{429, `later`, "asked too often to say more (429): later", true},
		{503, ``, "it answers 503", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.Header.Get("Authorization") == "" {
				t.Errorf("asked %s with %v", r.Method, r.Header)
			}
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		}))
		s := New(provider.Deps{HTTP: server.Client()}, time.Minute, "hunter2-hunter2")
		answer, err := s.Check(t.Context(), Request{URL: server.URL, Header: http.Header{"Authorization": {"Basic c2VjcmV0Y3JlZGVudGlhbA=="}}}, "the balance")
		server.Close()
		if answer.Status != c.status || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || errors.Is(err, provider.ErrUnproven) != c.unproven {
			t.Errorf("%d: got %v, want %q", c.status, err, c.want)
		}
	}
}

func TestWhoeverAnswersWasReached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			t.Errorf("asked %s", r.Method)
		}
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	s := New(provider.Deps{HTTP: server.Client()}, time.Minute)
	if err := s.Reach(t.Context(), server.URL); !errors.Is(err, provider.ErrUnproven) {
		t.Errorf("somebody answers: got %v", err)
	}
	server.Close()
	if err := s.Reach(t.Context(), server.URL); err == nil || errors.Is(err, provider.ErrUnproven) || !strings.HasPrefix(err.Error(), "was not reached: ") {
		t.Errorf("nobody answers: got %v", err)
	}
}

func TestAPageOfAProxyIsNoAnswer(t *testing.T) {
	for body, want := range map[string]string{`{"balance":"12"}`: "", `<html>`: "something else than JSON (200)", ``: "something else than JSON"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
		var read struct{ Balance string }
		_, err := New(provider.Deps{HTTP: server.Client()}, time.Minute).CheckJSON(t.Context(), Request{URL: server.URL}, "the balance", &read)
		server.Close()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && read.Balance != "12" {
			t.Errorf("%q: got %v and %+v, want %q", body, err, read, want)
		}
	}
}

// answering is a far end without a network.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func FuzzWhatAnswersToACheckMean(f *testing.F) {
	f.Add(200, `{"balance":1}`)
	f.Add(401, `no hunter2-hunter2`)
	f.Add(403, "HUNTER2-HUNTER2\r\n\x00")
	f.Fuzz(func(t *testing.T, status int, body string) {
		s := New(provider.Deps{HTTP: &http.Client{Transport: answering{status, body}}}, time.Minute, "hunter2-hunter2")
		_, err := s.CheckJSON(t.Context(), Request{URL: "https://vendor.test"}, "the balance", &struct{}{})
		if err == nil && status/100 != 2 {
			t.Errorf("%d is well", status)
		}
		if err != nil && (strings.Contains(strings.ToLower(err.Error()), "hunter2-hunter2") || strings.ContainsAny(err.Error(), "\r\n")) {
			t.Errorf("%d %q: the words are %q", status, body, err)
		}
	})
}
