package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
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

func TestProvidersAreClosedOnceAtTheEnd(t *testing.T) {
	broken := errors.New("broken pipe")
	mail, gateway, local := &kept{}, &kept{err: broken}, &kept{}
	err := closeProviders(delivery.Routes{
		verify.Email: {{Name: "mail", Provider: mail}, {Name: "gateway", Provider: gateway}},
		verify.SMS:   {{Name: "gateway", Provider: gateway}, {Name: "other", Provider: keepsNothing{}}},
	}, delivery.MessagingServices{
		"MG1": {verify.SMS: {{Name: "local", Provider: local}, {Name: "gateway", Provider: gateway}}},
	})
	if mail.closed != 1 || gateway.closed != 1 || local.closed != 1 || !errors.Is(err, broken) {
		t.Errorf("closed %d, %d and %d times, %v", mail.closed, gateway.closed, local.closed, err)
	}
}
