package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

const (
	testKeyID = "KEY1234567"
	testTeam  = "TEAM123456"
)

// testKey is the key of RFC 6979, A.2.5, which the whole world knows.
var testKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	d, err := hex.DecodeString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	if err != nil {
		panic(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		panic(err)
	}
	return key
})

// keyText is testKey as it stands in a .p8 file.
func keyText(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// message is one for a handset of Apple's.
func message(n int) provider.Message {
	m := providertest.Message("push", n)
	adapt(&m)
	return m
}

func adapt(m *provider.Message) {
	if m.Push != nil {
		m.To, m.Push.Platform = fmt.Sprintf("c0ffee%058x", m.Push.Data["challenge_sid"][24:]), "apn"
	}
}

// far is Apple's side, which takes the exam together with the provider.
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
	apple, err := fake.New(fake.Options{Team: testTeam, KeyID: testKeyID, Key: testKey(), Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = apple
	f.server = httptest.NewUnstartedServer(f)
	f.server.EnableHTTP2 = true
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	return f
}

// instead lets a test answer in Apple's place: do says whether it has.
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

func (f *far) config() Config {
	return Config{Key: keyText(f.t), KeyID: testKeyID, TeamID: testTeam, BaseURL: f.server.URL, Timeout: "2m"}
}

func (f *far) provider(deps provider.Deps) *Provider {
	f.t.Helper()
	deps.HTTP = f.server.Client()
	if deps.Now == nil {
		deps.Now = f.now
	}
	return mustNew(f.t, f.config(), deps)
}

func mustNew(t testing.TB, c Config, deps provider.Deps) *Provider {
	t.Helper()
	p, err := New(c, deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// refuse has every notification refused so, from now on.
func (f *far) refuse(r fake.Refusal) { f.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &r}) }

// refusals are an answer for each class. There is no room for words in them.
var refusals = map[provider.Class]fake.Refusal{
	provider.BadRecipient: fake.Unregistered,
	provider.BadRequest:   {HTTP: 400, Reason: "BadTopic"},
	provider.Temporary:    fake.Shutdown,
	provider.Throttled:    fake.TooManyRequests,
	provider.Unknown:      {HTTP: 502, Reason: "a proxy of ours"},
}

func (f *far) Behave(b providertest.Behaviour) {
	var fate fate.Fate[fake.Refusal]
	switch b.Act {
	case providertest.Refuse:
		r := refusals[b.Class]
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

func (f *far) Holding() <-chan struct{} { return f.holding }

func (f *far) Taken() []providertest.Taken {
	var all []providertest.Taken
	for _, n := range f.Inbox() {
		all = append(all, providertest.Taken{To: n.Token, Text: string(n.Payload), ID: n.ID})
	}
	return all
}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"push"},
		Adapt:    adapt,
		Secrets:  strings.Split(keyText(t), "\n")[1:3],
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			f := newFar(t)
			return f.provider(deps), f
		},
	})
}
