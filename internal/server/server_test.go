package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// dev and serve differ in the inbox; both say without credentials what they serve.
func TestTheDocumentNeedsNoCredentials(t *testing.T) {
	for name, dev := range map[string]http.Handler{"dev": http.NotFoundHandler(), "serve": nil} {
		s := &Server{Log: slog.New(slog.DiscardHandler), Engine: &verify.Engine{Now: time.Now}, Dev: dev}
		rec := httptest.NewRecorder()
		s.handler(&health{}).ServeHTTP(rec, httptest.NewRequest("GET", "/openapi.json", nil))
		var doc struct {
			OpenAPI string
			Paths   map[string]any
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code != 200 || doc.OpenAPI != "3.0.3" || doc.Paths["/v2/Services"] == nil {
			t.Errorf("%s: %d, %v: %.80s", name, rec.Code, err, rec.Body)
		}
	}
}

// A request that does not end must not go on with a store that is closed.
func TestARequestThatDoesNotEndIsCutOff(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	defer server.Close()
	asked := make(chan error, 1)
	go func() {
		_, err := server.Client().Get(server.URL)
		asked <- err
	}()
	<-began
	if err := shutDown(server.Config, time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that a request was still under way", err)
	}
	<-ended
	if err := <-asked; err == nil {
		t.Error("it was answered")
	}
}

// kept is a provider that keeps connections.
type kept struct {
	provider.Provider
	closed int
	err    error
}

func (k *kept) Close() error {
	k.closed++
	return k.err
}

type keepsNothing struct{}

func (keepsNothing) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}

func TestProvidersAreClosedAtTheEnd(t *testing.T) {
	broken := errors.New("broken pipe")
	mail, gateway := &kept{}, &kept{err: broken}
	err := CloseProviders(map[string]provider.Provider{"mail": mail, "gateway": gateway, "other": keepsNothing{}})
	if mail.closed != 1 || gateway.closed != 1 || !errors.Is(err, broken) {
		t.Errorf("closed %d and %d times, %v", mail.closed, gateway.closed, err)
	}
}

// runs is a provider with a connection that it keeps.
type runs struct {
	keepsNothing
	began chan struct{}
	ended bool
	err   error // ends it at once
}

func (r *runs) Run(ctx context.Context) error {
	close(r.began)
	if r.err != nil {
		return r.err
	}
	<-ctx.Done()
	r.ended = true
	return ctx.Err()
}

func TestProvidersThatRunAreStartedAndWaitedFor(t *testing.T) {
	var log bytes.Buffer
	first, second := &runs{began: make(chan struct{})}, &runs{began: make(chan struct{}), err: errors.New("wrong password")}
	stop := StartRunners(map[string]provider.Provider{"first": first, "second": second, "other": keepsNothing{}},
		slog.New(slog.NewTextHandler(&log, nil)))
	<-first.began
	<-second.began
	if first.ended {
		t.Error("ended before it was told to")
	}
	stop()
	if !first.ended {
		t.Error("not waited for")
	}
	if strings.Contains(log.String(), "first") {
		t.Errorf("an ordinary end is no fault: %s", log.String())
	}
}

// The URL that a provider is told is the one under which its reports come in.
func TestReportsReachTheirProvider(t *testing.T) {
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	s := &Server{Log: slog.New(slog.DiscardHandler), Engine: &verify.Engine{Now: time.Now, Keys: keys}, Providers: map[string]provider.Provider{"back": reports(func(r *http.Request) { got = r.URL.RawQuery })}}
	back := WayBack{keys: keys, publicURL: "http://verify.example.com"}
	rec := httptest.NewRecorder()
	s.handler(&health{}).ServeHTTP(rec, httptest.NewRequest("GET", back.ReportURL("back")+"?id=7", nil))
	if rec.Code != 200 || got != "id=7" {
		t.Errorf("%d, the provider got %q", rec.Code, got)
	}
	rec = httptest.NewRecorder()
	s.handler(&health{}).ServeHTTP(rec, httptest.NewRequest("GET", back.ReportURL("other"), nil))
	if rec.Code != 404 {
		t.Errorf("a report for nobody: %d", rec.Code)
	}
	// A command that makes a provider has no server behind it.
	if none := (&WayBack{}); none.ReportURL("back") != "" || none.Report(t.Context(), "back", provider.Report{}) != nil {
		t.Error("without a server there is no way back")
	}
}

type reports func(*http.Request)

func (reports) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}

func (f reports) ServeReport(_ http.ResponseWriter, r *http.Request) { f(r) }
