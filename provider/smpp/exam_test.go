package smpp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestExam(t *testing.T) { exam(t, Config{TLS: "none"}) }

func TestExamSplit(t *testing.T) { exam(t, Config{TLS: "none", Mode: "split", Binds: 2}) }

func TestExamWithTLS(t *testing.T) { exam(t, Config{}) }

func exam(t *testing.T, c Config) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testSystemID, testPassword},
		Never:    []provider.Class{provider.Unknown}, // only silence means that
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			f := &examiner{holding: make(chan struct{}, 100)}
			f.far = smsc.New(smsc.Config{
				Accounts: map[string]string{testSystemID: testPassword},
				Fates:    map[string]smsc.Fate{}, Decide: f.decide,
			})
			t.Cleanup(f.far.Close)
			c := c
			c.Host, c.SystemID, c.Password, c.MaxWait = "127.0.0.1", testSystemID, testPassword, "1m"
			var secured *tls.Config
			if c.TLS != "none" {
				secured, c.CAFile = certificate(t)
			}
			c.Port = listen(t, f.far, secured)
			p, err := New(c, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, f
		},
	})
}

// listen serves far on a port of this host, with TLS if secured is set.
func listen(t testing.TB, far *smsc.Server, secured *tls.Config) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	served := make(chan error, 1)
	go func() { served <- far.Serve(l) }()
	t.Cleanup(func() {
		far.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return port
}

// certificate is one for this host, and the file of its authority, which is itself.
func certificate(t testing.TB) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "smsc.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

// examiner is the carrier as the exam wants it.
type examiner struct {
	far     *smsc.Server
	holding chan struct{}

	mu   sync.Mutex
	does providertest.Behaviour
}

func (f *examiner) Behave(b providertest.Behaviour) {
	f.mu.Lock()
	f.does = b
	f.mu.Unlock()
	f.far.Mute(b.Act == providertest.Mute)
	if b.Act == providertest.Leave {
		// In good manners, so that it is known what the provider knows. The stories cut the line.
		f.far.Leave(context.Background())
	}
}

var refusals = map[provider.Class]smpp.Status{
	provider.BadRecipient: smpp.InvalidDestination,
	provider.BadRequest:   smpp.InvalidSource,
	provider.Temporary:    smpp.SystemError,
	provider.Throttled:    smpp.Throttled,
}

func (f *examiner) decide(*smpp.ShortMessage) smsc.Fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.does.Act {
	case providertest.Refuse:
		return smsc.Fate{Status: refusals[f.does.Class], Words: f.does.Words}
	case providertest.Hang:
		f.holding <- struct{}{}
		return smsc.Fate{Silent: true}
	case providertest.Drop:
		return smsc.Fate{Drop: true}
	}
	return smsc.Fate{}
}

func (f *examiner) Holding() <-chan struct{} { return f.holding }

func (f *examiner) Taken() []providertest.Taken {
	var taken []providertest.Taken
	for _, m := range f.far.Messages("") {
		taken = append(taken, providertest.Taken{To: "+" + m.To, Text: m.Text, ID: m.IDs[len(m.IDs)-1]})
	}
	return taken
}
