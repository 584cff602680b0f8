package providertest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// acme is the provider of docs/providers/writing.md: it sends by the HTTP API of a carrier that
// does not exist.
type acme struct {
	url, token string
	timeout    time.Duration
	transport  http.RoundTripper
}

func (p *acme) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "acme carries sms and nothing else"}
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var written atomic.Bool // whether silence means "surely not" or "perhaps"
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil) },
	})
	form := url.Values{"to": {m.To}, "text": {m.Text}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(form.Encode()))
	if err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "the URL is not valid"}
	}
	req.Header.Set("Authorization", p.token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	resp, err := p.transport.RoundTrip(req) // not Client.Do, which follows redirects
	if err != nil {
		e := &provider.Error{Class: provider.Temporary, Detail: provider.Excerpt(err.Error(), m, p.token), Err: ctx.Err()}
		if written.Load() {
			e.Class = provider.Unknown
		}
		return provider.Accepted{}, e
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode == http.StatusAccepted {
		return provider.Accepted{ID: string(answer)}, nil
	}
	e := &provider.Error{Class: provider.Unknown, Code: resp.Status[:3], Detail: provider.Excerpt(string(answer), m, p.token)}
	switch resp.StatusCode {
	case http.StatusGone: // "number not in service", in acme's manual
		e.Class = provider.BadRecipient
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		e.Class = provider.BadRequest
	case http.StatusTooManyRequests:
		e.Class = provider.Throttled
	case http.StatusServiceUnavailable:
		e.Class = provider.Temporary
	}
	return provider.Accepted{}, e
}

func TestTheProviderOfTheManualPasses(t *testing.T) {
	const token = "Bearer s3cr3t-t0ken"
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{token},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			far := newCarrier(t)
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			return &acme{url: far.server.URL, token: token, timeout: 2 * time.Minute, transport: transport}, far
		},
	})
}

// TestTheManualShowsThisProvider keeps the copy in docs/providers/writing.md true.
func TestTheManualShowsThisProvider(t *testing.T) {
	source, err := os.ReadFile("acme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../docs/providers/writing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(manual), "```go\n")
	shown, _, closed := strings.Cut(rest, "```")
	if !ok || !closed || !strings.Contains(string(source), "\n"+shown) {
		t.Errorf("the Go code in writing.md is not that of acme_test.go:\n%s", shown)
	}
}

// carrier is acme's far end, as a Far is written: an httptest server that does as it is told.
type carrier struct {
	server  *httptest.Server
	holding chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	does  providertest.Behaviour
	taken []providertest.Taken
}

func newCarrier(t testing.TB) *carrier {
	c := &carrier{holding: make(chan struct{}, 100), stopped: make(chan struct{})}
	c.server = httptest.NewServer(c)
	t.Cleanup(func() {
		close(c.stopped)
		c.server.Close()
	})
	return c
}

func (c *carrier) Behave(b providertest.Behaviour) {
	c.mu.Lock()
	c.does = b
	c.mu.Unlock()
	if b.Act == providertest.Leave {
		c.server.Listener.Close()
		c.server.CloseClientConnections()
	}
}

func (c *carrier) Holding() <-chan struct{} { return c.holding }

func (c *carrier) Taken() []providertest.Taken {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]providertest.Taken(nil), c.taken...)
}

var statuses = map[provider.Class]int{
	provider.BadRecipient: http.StatusGone,
	provider.BadRequest:   http.StatusForbidden,
	provider.Temporary:    http.StatusServiceUnavailable,
	provider.Throttled:    http.StatusTooManyRequests,
	provider.Unknown:      http.StatusBadGateway,
}

func (c *carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to, text := r.PostFormValue("to"), r.PostFormValue("text")
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.does.Act {
	case providertest.Accept:
		id := fmt.Sprintf("acme-%d", len(c.taken))
		c.taken = append(c.taken, providertest.Taken{To: to, Text: text, ID: id})
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, id)
	case providertest.Refuse:
		http.Error(w, c.does.Words, statuses[c.does.Class])
	case providertest.Hang:
		c.holding <- struct{}{}
		fallthrough
	case providertest.Mute:
		c.mu.Unlock()
		select {
		case <-r.Context().Done():
		case <-c.stopped:
		}
		c.mu.Lock()
		panic(http.ErrAbortHandler)
	default: // Drop, Leave
		panic(http.ErrAbortHandler)
	}
}
