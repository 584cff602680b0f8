package httpfar

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/provider/providertest"
)

// Manners are what a Vendor needs to know of its API. The body of r has been read; it can be read
// again from r.
type Manners struct {
	// Read understands a request. It fails when the request is not what the vendor's page asks
	// for, and the test with it. The identifier is filled in by the Vendor.
	Read func(r *http.Request) (providertest.Taken, error)
	// Accept answers that the message was taken over.
	Accept func(w http.ResponseWriter, taken providertest.Taken)
	// Refuse answers with whatever means b.Class at this vendor, and repeats b.Words.
	Refuse func(w http.ResponseWriter, b providertest.Behaviour)
	// HTTP2 makes the Vendor speak it, with TLS.
	HTTP2 bool
}

// Vendor is a providertest.Far that answers at URL.
type Vendor struct {
	URL string

	t       testing.TB
	manners Manners
	server  *httptest.Server
	holding chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	does  providertest.Behaviour
	taken []providertest.Taken
}

// NewVendor serves until the test ends.
func NewVendor(t testing.TB, m Manners) *Vendor {
	v := &Vendor{t: t, manners: m, holding: make(chan struct{}, 100), stopped: make(chan struct{})}
	v.server = httptest.NewUnstartedServer(v)
	if m.HTTP2 {
		v.server.EnableHTTP2 = true
		v.server.StartTLS()
	} else {
		v.server.Start()
	}
	v.URL = v.server.URL
	t.Cleanup(func() {
		close(v.stopped)
		v.server.Close()
	})
	return v
}

// Client has a pool of its own, which ends with the test.
func (v *Vendor) Client() *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 8}
	if own, ok := v.server.Client().Transport.(*http.Transport); ok && own.TLSClientConfig != nil {
		tr.TLSClientConfig = &tls.Config{RootCAs: own.TLSClientConfig.RootCAs}
		tr.ForceAttemptHTTP2 = true
	}
	v.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// Behave is of providertest.Far.
func (v *Vendor) Behave(b providertest.Behaviour) {
	v.mu.Lock()
	v.does = b
	v.mu.Unlock()
	if b.Act == providertest.Leave {
		v.server.Listener.Close()
		v.server.CloseClientConnections()
	}
}

// Holding is of providertest.Far.
func (v *Vendor) Holding() <-chan struct{} { return v.holding }

// Taken is of providertest.Far.
func (v *Vendor) Taken() []providertest.Taken {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]providertest.Taken(nil), v.taken...)
}

// ServeHTTP does with a message as Behave has said.
func (v *Vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	taken, err := v.manners.Read(r)
	if err != nil {
		v.t.Errorf("the vendor was sent a bad request: %v\n%s %s\n%s", err, r.Method, r.URL, body)
	}

	v.mu.Lock()
	defer v.mu.Unlock()
	switch does := v.does; does.Act {
	case providertest.Accept:
		taken.ID = fmt.Sprintf("msg-%d", len(v.taken))
		v.taken = append(v.taken, taken)
		v.manners.Accept(w, taken)
	case providertest.Refuse:
		v.manners.Refuse(w, does)
	case providertest.Drop, providertest.Leave:
		panic(http.ErrAbortHandler)
	case providertest.Hang:
		v.holding <- struct{}{}
		v.untilOver(r.Context())
	case providertest.Mute:
		v.untilOver(r.Context())
	}
}

func (v *Vendor) untilOver(ctx context.Context) {
	v.mu.Unlock()
	defer v.mu.Lock()
	select {
	case <-ctx.Done():
	case <-v.stopped:
	}
	panic(http.ErrAbortHandler)
}
