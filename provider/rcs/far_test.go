package rcs

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
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
	stand *httpfar.Stand
	t     testing.TB
}

func newFar(t testing.TB) *far {
	f := &far{t: t, stand: httpfar.NewStand(t, false)}
	google, err := fake.New(fake.Options{Agent: agent, ClientToken: clientToken, Key: testKey(), Now: f.stand.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = google
	f.stand.Carry(google)
	return f
}

func (f *far) provider(deps provider.Deps, change ...func(*Config)) *Provider {
	f.t.Helper()
	file, err := f.ServiceAccount(f.stand.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	c := Config{Credentials: string(file), AgentID: agent, BaseURL: f.stand.URL, ClientToken: clientToken, Timeout: "2m"}
	for _, do := range change {
		do(&c)
	}
	deps.HTTP, deps.Now = f.stand.Client(), f.stand.Now
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
	var meets fate.Fate[fake.Refusal]
	meets.Hold, meets.Drop = f.stand.Act(b.Act)
	if b.Act == providertest.Refuse {
		r := refusals[b.Class]
		r.Words = b.Words
		meets.Refuse = &r
	}
	f.Fates.SetAll(meets)
}

// Holding is of providertest.Far.
func (f *far) Holding() <-chan struct{} { return f.stand.Holding() }

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
