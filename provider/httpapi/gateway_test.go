package httpapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
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
			deps.HTTP = g.client()
			p, err := New(Config{
				URL:     g.server.URL,
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

// gateway is a whole gateway: it checks what it is sent, and keeps what it accepts.
type gateway struct {
	t       testing.TB
	server  *httptest.Server
	refuse  func(http.ResponseWriter, providertest.Behaviour)
	holding chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	does  providertest.Behaviour
	taken []providertest.Taken
}

func newGateway(t testing.TB, h2 bool, refuse func(http.ResponseWriter, providertest.Behaviour)) *gateway {
	g := &gateway{t: t, refuse: refuse, holding: make(chan struct{}, 100), stopped: make(chan struct{})}
	g.server = httptest.NewUnstartedServer(g)
	if h2 {
		g.server.EnableHTTP2 = true
		g.server.StartTLS()
	} else {
		g.server.Start()
	}
	t.Cleanup(func() {
		close(g.stopped)
		g.server.Close()
	})
	return g
}

// client has a pool of its own, which ends with the test.
func (g *gateway) client() *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 8}
	if own, ok := g.server.Client().Transport.(*http.Transport); ok && own.TLSClientConfig != nil {
		tr.TLSClientConfig = &tls.Config{RootCAs: own.TLSClientConfig.RootCAs}
		tr.ForceAttemptHTTP2 = true
	}
	g.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (g *gateway) Behave(b providertest.Behaviour) {
	g.mu.Lock()
	g.does = b
	g.mu.Unlock()
	if b.Act == providertest.Leave {
		g.server.Listener.Close()
		g.server.CloseClientConnections()
	}
}

func (g *gateway) Holding() <-chan struct{} { return g.holding }

func (g *gateway) Taken() []providertest.Taken {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]providertest.Taken(nil), g.taken...)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	if err := checkRequest(r, body); err != nil {
		g.t.Errorf("the gateway was sent a bad request: %v", err)
	}
	var m Request
	if err := json.Unmarshal(body, &m); err != nil {
		g.t.Errorf("the gateway was sent a bad body: %v\n%s", err, body)
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	switch does := g.does; does.Act {
	case providertest.Accept:
		// An accepted message has its identifier, and arrives once even when its key comes twice.
		taken := providertest.Taken{To: m.To, Text: string(body), ID: fmt.Sprintf("msg-%d", len(g.taken))}
		g.taken = append(g.taken, taken)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"id":%q,"parts":1}`, taken.ID)
	case providertest.Refuse:
		g.refuse(w, does)
	case providertest.Drop, providertest.Leave:
		panic(http.ErrAbortHandler)
	case providertest.Hang:
		g.holding <- struct{}{}
		g.untilOver(r.Context())
	case providertest.Mute:
		g.untilOver(r.Context())
	}
}

func (g *gateway) untilOver(ctx context.Context) {
	g.mu.Unlock()
	defer g.mu.Lock()
	select {
	case <-ctx.Done():
	case <-g.stopped:
	}
	panic(http.ErrAbortHandler)
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
