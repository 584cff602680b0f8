package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
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
	stand *httpfar.Stand
	t     testing.TB
}

func newFar(t testing.TB) *far {
	f := &far{t: t, stand: httpfar.NewStand(t, true)}
	apple, err := fake.New(fake.Options{Team: testTeam, KeyID: testKeyID, Key: testKey(), Now: f.stand.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = apple
	f.stand.Carry(apple)
	return f
}

func (f *far) config() Config {
	return Config{Key: keyText(f.t), KeyID: testKeyID, TeamID: testTeam, BaseURL: f.stand.URL, Timeout: "2m"}
}

func (f *far) provider(deps provider.Deps) *Provider {
	f.t.Helper()
	deps.HTTP = f.stand.Client()
	if deps.Now == nil {
		deps.Now = f.stand.Now
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
	var meets fate.Fate[fake.Refusal]
	meets.Hold, meets.Drop = f.stand.Act(b.Act)
	if b.Act == providertest.Refuse {
		r := refusals[b.Class]
		meets.Refuse = &r
	}
	f.Fates.SetAll(meets)
}

func (f *far) Holding() <-chan struct{} { return f.stand.Holding() }

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
