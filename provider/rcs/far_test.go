package rcs

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

const (
	agent       = "acme_agent"
	clientToken = "SJENCPGJESMGUFPY"
)

// testKey is made once, because making one takes a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// far is Google's side, which takes the exam together with the provider.
type far struct {
	*fake.Server
	t       testing.TB
	server  *httptest.Server
	holding chan struct{}

	mu    sync.Mutex
	clock time.Time // the zero time is that of the machine
	did   func(http.ResponseWriter, *http.Request) bool
}

func newFar(t testing.TB) *far {
	f := &far{t: t, holding: make(chan struct{}, 100)}
	google, err := fake.New(fake.Options{Agent: agent, ClientToken: clientToken, Key: testKey(), Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = google
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

// instead lets a test answer in Google's place: do says whether it has.
func (f *far) instead(do func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.did = do
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	did := f.did
	f.mu.Unlock()
	if did == nil || !did(w, r) {
		f.Server.ServeHTTP(w, r)
	}
}

func (f *far) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.clock.IsZero() {
		return time.Now()
	}
	return f.clock
}

// at sets the clock of both ends.
func (f *far) at(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = now
}

func (f *far) provider(deps provider.Deps, change ...func(*Config)) *Provider {
	f.t.Helper()
	file, err := f.ServiceAccount(f.server.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	c := Config{Credentials: string(file), AgentID: agent, BaseURL: f.server.URL, ClientToken: clientToken, Timeout: "2m"}
	for _, do := range change {
		do(&c)
	}
	deps.HTTP, deps.Now = f.server.Client(), f.now
	p, err := New(c, deps)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// refusals are an answer for each class.
var refusals = map[provider.Class]fake.Refusal{
	provider.BadRecipient: fake.NotFound,
	provider.BadRequest:   {HTTP: 400, Status: "INVALID_ARGUMENT"},
	provider.Temporary:    fake.Unavailable,
	provider.Throttled:    fake.QuotaExceeded,
	provider.Unknown:      fake.Internal,
}

// Behave is of providertest.Far.
func (f *far) Behave(b providertest.Behaviour) {
	var fate fate.Fate[fake.Refusal]
	switch b.Act {
	case providertest.Refuse:
		r := refusals[b.Class]
		r.Words = b.Words
		fate.Refuse = &r
	case providertest.Hang:
		fate.Hold = f.holding
	case providertest.Mute:
		fate.Hold = make(chan struct{})
	case providertest.Drop:
		fate.Drop = true
	case providertest.Leave:
		f.server.Listener.Close()
		f.server.CloseClientConnections()
	}
	f.Fates.SetAll(fate)
}

// Holding is of providertest.Far.
func (f *far) Holding() <-chan struct{} { return f.holding }

// Taken is of providertest.Far.
func (f *far) Taken() []providertest.Taken {
	var all []providertest.Taken
	for _, m := range f.Messages() {
		all = append(all, providertest.Taken{To: m.To, Text: m.Text, ID: m.ID})
	}
	return all
}

// Wait is of providertest.Waiter: it switches the telephones of the exam off, or on.
func (f *far) Wait(off bool) {
	for n := range 4 {
		f.Set(providertest.Message("rcs", n).To, fake.Handset{Off: off})
	}
}

// Waiting is of providertest.Waiter.
func (f *far) Waiting() []string {
	var all []string
	for _, m := range f.Messages() {
		if m.State == fake.Waiting {
			all = append(all, m.To)
		}
	}
	return all
}
