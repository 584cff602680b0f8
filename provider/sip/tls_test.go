package sip

import (
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
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// newTLSExchange is an exchange over TLS, with a certificate for name, and the file of its authority,
// which is itself.
func newTLSExchange(t testing.TB, name string, treat func(*farCall)) (x *exchange, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	x = &exchange{t: t, network: "tls", treat: treat, calls: map[string]*farCall{}, conns: map[net.Conn]bool{}, stopped: make(chan struct{})}
	x.listener, x.address = tls.NewListener(listener, config), listener.Addr().String()
	x.work.Go(x.serveConns)
	t.Cleanup(x.stop)
	return x, caFile
}

// TestACallOverTLS is whole: a registration, a challenge, a call that the far end ends with a request of
// its own, all by the one connection that we opened.
func TestACallOverTLS(t *testing.T) {
	const username, password = "verifyd", "hunter2-hunter2"
	x, ca := newTLSExchange(t, "127.0.0.1", func(c *farCall) {
		if !c.challenge(407, digest.Challenge{Realm: "trunk.example", Nonce: "n2", Algorithm: "SHA-256", QOP: []string{"auth"}}, username, password) {
			c.respond(403, "Forbidden", nil)
			return
		}
		if via := c.invite.Via(); via.Transport != "TLS" {
			t.Errorf("the Via says %s", via.Transport)
		}
		if contact := c.invite.Contact().Value(); !strings.Contains(contact, "transport=tls") {
			t.Errorf("the Contact says %s", contact)
		}
		c.accept()
		c.until('P') // asked to press a key
		c.request("BYE", "", "")
	})
	x.registersBy(registrar(t, username, password))
	n := newNear(t, x, func(c *Config) { c.CAFile, c.Username, c.Password, c.Register = ca, username, password, true }, provider.Deps{})
	n.limits.keyWait = time.Minute
	n.start(t)
	if _, err := n.Send(t.Context(), pressing(providertest.Message("call", 1))); err != nil {
		t.Fatal(err)
	}
	if r := <-n.reports; r.Code != "hung up" {
		t.Errorf("the far end hung up while we waited for a key: report %+v", r)
	}
	if r := x.registrations(); len(r) == 0 || r[0].Via().Transport != "TLS" {
		t.Errorf("registered by %v", r)
	}
}

func TestACertificateForAnotherNameIsNotBelieved(t *testing.T) {
	x, ca := newTLSExchange(t, "other.example", func(c *farCall) { t.Error("the call arrived") })
	n := newNear(t, x, func(c *Config) { c.CAFile = ca }, provider.Deps{})
	n.start(t)
	_, err := n.Send(t.Context(), spokenMessage("en", "Acme", "123456"))
	if e := provider.AsError(err); e.Class != provider.Temporary || !strings.Contains(e.Error(), "certificate") {
		t.Errorf("got %v, want the certificate for a reason", err)
	}
}
