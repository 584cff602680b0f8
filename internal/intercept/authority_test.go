package intercept

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func openAuthority(t *testing.T, folder string) *Authority {
	t.Helper()
	a, err := OpenAuthority(folder, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trusting is how a client speaks that trusts an authority and nobody else.
func trusting(a *Authority, name string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	return &tls.Config{RootCAs: pool, ServerName: name}
}

func shake(a *Authority, client *tls.Config) error {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go func() { _ = tls.Server(far, a.TLS()).Handshake() }()
	return tls.Client(near, client).Handshake()
}

func TestTheAuthorityIsMadeOnceAndKept(t *testing.T) {
	folder := t.TempDir()
	var all [8]*Authority
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() { all[i], _ = OpenAuthority(folder, time.Now) })
	}
	group.Wait()
	for i, a := range all {
		if a == nil || string(a.PEM()) != string(all[0].PEM()) {
			t.Fatalf("process %d has another authority than the first", i)
		}
	}
	text, err := os.ReadFile(all[0].Path())
	if err != nil || string(text) != string(all[0].PEM()) {
		t.Errorf("ca.pem is not its certificate: %v", err)
	}
	if info, err := os.Stat(filepath.Join(folder, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key may be read by others: %v, %v", info, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 2 {
		t.Errorf("it left %v, %v", files, err)
	}
	if err := os.Remove(all[0].Path()); err != nil {
		t.Fatal(err)
	}
	if again := openAuthority(t, folder); string(again.PEM()) != string(all[0].PEM()) {
		t.Error("opened again it is another one")
	} else if _, err := os.Stat(again.Path()); err != nil {
		t.Error("a certificate that somebody removed is not written again")
	}
}

func TestADamagedOrExpiredAuthoritySaysWhatToDo(t *testing.T) {
	folder := t.TempDir()
	openAuthority(t, folder)
	later := func() time.Time { return time.Now().Add(authorityLife) }
	if _, err := OpenAuthority(folder, later); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("expired: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, keyFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(folder, time.Now); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("damaged: %v", err)
	}
}

func TestItVouchesForTheDivertedNamesAlone(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	for _, name := range []string{Host, "verify.us1.twilio.com", "verify.sydney.au1.twilio.com", "VERIFY.twilio.com"} {
		if err := shake(a, trusting(a, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	unnamed := trusting(a, Host)
	unnamed.InsecureSkipVerify, unnamed.ServerName = true, "" // sends no name
	var shown string
	unnamed.VerifyConnection = func(s tls.ConnectionState) error {
		shown = s.PeerCertificates[0].DNSNames[0]
		return nil
	}
	if err := shake(a, unnamed); err != nil || shown != Host {
		t.Errorf("a client that names no host is shown %q, %v", shown, err)
	}
	for _, name := range []string{"api.twilio.com", "example.com"} {
		if err := shake(a, trusting(a, name)); err == nil {
			t.Errorf("it shows a certificate to who asks for %s", name)
		}
	}
}

// Whoever steals the key can sign what he likes; nobody believes it outside twilio.com.
func TestNobodyBelievesItAboutOthers(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	for _, name := range []string{"example.com", "verify.twilio.com.example.com", "twilio.com.evil.example"} {
		signed, err := a.certificate(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err == nil {
			t.Errorf("a certificate for %s is believed", name)
		}
	}
}

func TestCertificatesAreMintedAgainBeforeTheyEnd(t *testing.T) {
	now := time.Now()
	a, err := OpenAuthority(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	mint := func() *x509.Certificate {
		c, err := a.certificate(Host)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	first := mint()
	if mint() != first {
		t.Error("the second handshake had another certificate")
	}
	now = now.Add(leafLife)
	if again := mint(); again == first || !now.Before(again.NotAfter) {
		t.Error("a server that runs for a month shows an old certificate")
	}
	for i := range 3 * maxLeaves {
		if _, err := a.certificate("verify." + strings.Repeat("x", i/60+1) + strings.Repeat("y", i%60+1) + ".twilio.com"); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.leaves) > maxLeaves {
		t.Errorf("it remembers %d certificates, want at most %d", len(a.leaves), maxLeaves)
	}
	if !slices.Contains(a.TLS().NextProtos, "h2") {
		t.Error("it does not offer HTTP/2")
	}
}
