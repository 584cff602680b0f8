package fcm

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

// testKey is the key of RFC 7515, A.2, which the whole world knows.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	number := func(text string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			panic(err)
		}
		return new(big.Int).SetBytes(b)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{E: 65537, N: number("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-" +
			"Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf6" +
			"3kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG" +
			"hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")},
		D: number("Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui39" +
			"5IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZH" +
			"HzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjn" +
			"czT0QU91p1DhOVRuOopznQ"),
		Primes: []*big.Int{
			number("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2" +
				"KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"),
			number("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_" +
				"HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"),
		},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
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

func newFar(t testing.TB, h2 bool) *far {
	f := &far{t: t, stand: httpfar.NewStand(t, h2)}
	google, err := fake.New(fake.Options{Key: testKey(), Now: f.stand.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = google
	f.stand.Carry(google)
	return f
}

func (f *far) config() Config {
	f.t.Helper()
	file, err := f.ServiceAccount(f.stand.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	return Config{Credentials: string(file), BaseURL: f.stand.URL, Timeout: "2m"}
}

func (f *far) provider(deps provider.Deps) *Provider {
	f.t.Helper()
	deps.HTTP, deps.Now = f.stand.Client(), f.stand.Now
	p, err := New(f.config(), deps)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// refusals are an answer for each class.
var refusals = map[provider.Class]fake.Refusal{
	provider.BadRecipient: fake.Unregistered,
	provider.BadRequest:   {HTTP: 400, Status: "INVALID_ARGUMENT", Field: "message.android.ttl"},
	provider.Temporary:    fake.Unavailable,
	provider.Throttled:    fake.QuotaExceeded,
	provider.Unknown:      {HTTP: 502},
}

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

func (f *far) Holding() <-chan struct{} { return f.stand.Holding() }

func (f *far) Taken() []providertest.Taken {
	var all []providertest.Taken
	for _, m := range f.Inbox() {
		all = append(all, providertest.Taken{To: m.Token, Text: fmt.Sprint(m.Data), ID: m.ID})
	}
	return all
}

func TestExam(t *testing.T) {
	for name, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Subject{
				Channels: []string{"push"},
				Secrets:  strings.Split(keyText(t), "\n")[1:4],
				Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
					f := newFar(t, h2)
					return f.provider(deps), f
				},
			})
		})
	}
}
