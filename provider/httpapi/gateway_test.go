package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	testToken  = "Bearer s3cr3t-t0ken"
)

func TestExamWithClassesInTheBody(t *testing.T) {
	providertest.Run(t, subject(false, func(w http.ResponseWriter, b providertest.Behaviour) {
		// The status contradicts the class on purpose: the body wins.
		w.WriteHeader(http.StatusTeapot)
		json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"class": b.Class.String(), "code": 58, "message": b.Words,
		}})
	}))
}

var classStatus = map[provider.Class]int{
	provider.BadRequest: http.StatusUnprocessableEntity,
	provider.Temporary:  http.StatusServiceUnavailable,
	provider.Throttled:  http.StatusTooManyRequests,
	provider.Unknown:    http.StatusBadGateway,
}

func TestExamWithStatusesAlone(t *testing.T) {
	s := subject(false, func(w http.ResponseWriter, b providertest.Behaviour) {
		http.Error(w, b.Words, classStatus[b.Class])
	})
	s.Never = []provider.Class{provider.BadRecipient}
	providertest.Run(t, s)
}

func TestExamOverHTTP2(t *testing.T) {
	providertest.Run(t, subject(true, func(w http.ResponseWriter, b providertest.Behaviour) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"class":%q,"message":%q}}`, b.Class, b.Words)
	}))
}

func subject(h2 bool, refuse func(http.ResponseWriter, providertest.Behaviour)) providertest.Subject {
	return providertest.Subject{
		Secrets: []string{testSecret, testToken},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			g := newGateway(t, h2, refuse)
			deps.HTTP = g.Client()
			p, err := New(Config{
				URL:     g.URL,
				Secret:  testSecret,
				Timeout: "2m",
				Headers: map[string]string{"Authorization": testToken},
			}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, g
		},
	}
}

// newGateway is a whole gateway: it checks what it is sent, and keeps what it accepts.
func newGateway(t testing.TB, h2 bool, refuse func(http.ResponseWriter, providertest.Behaviour)) *httpfar.Vendor {
	return httpfar.NewVendor(t, httpfar.Manners{HTTP2: h2, Read: readMessage, Refuse: refuse,
		Accept: func(w http.ResponseWriter, taken providertest.Taken) {
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprintf(w, `{"id":%q,"parts":1}`, taken.ID)
		},
	})
}

func readMessage(r *http.Request) (providertest.Taken, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return providertest.Taken{}, err
	}
	if err := checkRequest(r, body); err != nil {
		return providertest.Taken{}, err
	}
	var m Request
	err = json.Unmarshal(body, &m)
	return providertest.Taken{To: m.To, Text: string(body)}, err
}

func checkRequest(r *http.Request, body []byte) error {
	secret, err := ParseSecret(testSecret)
	if err != nil {
		return err
	}
	if err := secret.Verify(r.Header, body, time.Now()); err != nil {
		return err
	}
	for name, want := range map[string]string{
		"Authorization":   testToken,
		"Content-Type":    "application/json",
		"Accept":          "application/json",
		"User-Agent":      "verifyd",
		"Idempotency-Key": r.Header.Get(HeaderID),
	} {
		if got := strings.Join(r.Header.Values(name), " | "); got != want {
			return fmt.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/send" {
		return fmt.Errorf("it is %s %s, want POST /v1/send", r.Method, r.URL.Path)
	}
	return nil
}
