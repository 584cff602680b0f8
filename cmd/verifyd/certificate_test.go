package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A server with TLS keeps serving while its certificate is renewed, badly and then well.
func TestACertificateIsRenewedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(certPEM, keyPEM []byte) {
		t.Helper()
		for path, text := range map[string][]byte{cert: certPEM, key: keyPEM} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	firstCert, firstKey := certificate(t, 1)
	write(firstCert, firstKey)
	config := filepath.Join(dir, "verifyd.toml")
	text := fmt.Sprintf("listen = \"127.0.0.1:0\"\nstore = \"sqlite:%s/verifyd.db\"\n[tls]\ncert_file = %q\nkey_file = %q\n", dir, cert, key)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := begin(t, regexp.MustCompile(`"msg":"serving","url":"(https://[^"]+)"`), nil, "serve", "--config", config)

	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(firstCert)
	// serial asks over a connection of its own, as the next client would, and returns the number of
	// the certificate that it was shown.
	serial := func() int64 {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport}).Get(p.base + "/livez")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Proto != "HTTP/2.0" {
			t.Fatalf("GET /livez: %s by %s, want 200 by HTTP/2.0", resp.Status, resp.Proto)
		}
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("shows certificate %d, want 1", got)
	}
	old := &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS11}
	if c, err := tls.Dial("tcp", p.base[len("https://"):], old); err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken, want 1.2 or newer")
	}

	const complaint = "cannot read the certificate files"
	secondCert, secondKey := certificate(t, 2)
	trusted.AppendCertsFromPEM(secondCert)
	for i, half := range [][]byte{[]byte("-----BEGIN CERTI"), secondCert} {
		write(half, firstKey)
		waitFor(t, "a complaint about half a renewal", func() bool {
			if got := serial(); got != 1 {
				t.Fatalf("shows certificate %d after half a renewal, want 1", got)
			}
			return p.logged(complaint) == i+1
		})
	}
	write(secondCert, secondKey)
	waitFor(t, "the renewed certificate", func() bool { return serial() == 2 })
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
	if complaints, renewals := p.logged(complaint), p.logged("certificate renewed"); complaints != 2 || renewals != 1 {
		t.Errorf("logged %d complaints and %d renewals, want 2 and 1", complaints, renewals)
	}

	write([]byte("nothing"), firstKey)
	if _, stderr, code := once(t, "serve", "--config", config); code != 1 || !strings.Contains(stderr, cert) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("started with a broken certificate: exit code %d, want 1 and one line that names the file:\n%s", code, stderr)
	}
}

// certificate is one for loopback that signed itself, and its key.
func certificate(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}
