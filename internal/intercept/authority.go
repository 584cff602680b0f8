package intercept

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The files of an Authority in a data folder.
const (
	certFile = "ca.pem"
	keyFile  = "ca.key"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// leafLife is short of what any client refuses (398 days), and a server that runs longer mints again.
	leafLife = 30 * 24 * time.Hour
	// backdated forgives clocks that differ, of a container and its host for instance.
	backdated = 24 * time.Hour
	// maxLeaves bounds what is remembered: the middle of a name is the client's choice.
	maxLeaves = 100
)

// Authority is a certificate authority that vouches for names of twilio.com to those who trust it.
type Authority struct {
	path string
	text []byte // PEM
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf *ecdsa.PrivateKey // of every certificate that this process shows
	now  func() time.Time

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// OpenAuthority reads the authority of a data folder, and makes it where there is none: ca.pem, which
// everybody may read, and ca.key, which only its owner may. Two processes that make it at the same time
// end with the same one. now is the real clock: that of who checks certificates.
func OpenAuthority(folder string, now func() time.Time) (*Authority, error) {
	a := &Authority{path: filepath.Join(folder, certFile), now: now, leaves: map[string]*tls.Certificate{}}
	err := a.read(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err = a.make(folder); err == nil {
			err = a.read(folder)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority of %s: %w", folder, err)
	}
	a.leaf, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return a, err
}

// Path is the file with its certificate, for those who shall trust it.
func (a *Authority) Path() string { return a.path }

// PEM is its certificate.
func (a *Authority) PEM() []byte { return a.text }

// read reads both from the key file, which has the certificate behind the key, so that they belong
// together however many processes make one. ca.pem is what others read.
func (a *Authority) read(folder string) error {
	path := filepath.Join(folder, keyFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return fmt.Errorf("%s: %w; remove it, and another is made", path, err)
	}
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	switch {
	case !isECDSA || !pair.Leaf.IsCA:
		return fmt.Errorf("%s is of no certificate authority of verifyd; remove it, and another is made", path)
	case a.now().After(pair.Leaf.NotAfter.Add(-leafLife)):
		return fmt.Errorf("%s has expired; remove it, and another is made", path)
	}
	a.cert, a.key = pair.Leaf, key
	a.text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Leaf.Raw})
	if have, err := os.ReadFile(a.path); err == nil && bytes.Equal(have, a.text) {
		return nil
	}
	return replace(a.path, a.text, 0o644)
}

// make makes a key file, unless another process is faster.
func (a *Authority) make(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := a.now()
	everywhere := []*net.IPNet{{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}}
	template := &x509.Certificate{
		SerialNumber: serial,
		// Another data folder has another one, and some programs tell them apart by their names alone.
		Subject:               pkix.Name{CommonName: fmt.Sprintf("verifyd dev %.8x", serial), Organization: []string{"verifyd"}},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// What somebody could do with a stolen key (RFC 5280, 4.2.1.10).
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{domain[1:]},
		ExcludedIPRanges:            everywhere,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, block := range []*pem.Block{{Type: "PRIVATE KEY", Bytes: secret}, {Type: "CERTIFICATE", Bytes: der}} {
		if err := pem.Encode(&text, block); err != nil {
			return err
		}
	}
	return putFirst(filepath.Join(folder, keyFile), text.Bytes())
}

// putFirst writes a file for its owner alone unless there is one. Nobody sees half of it.
func putFirst(path string, text []byte) error {
	fresh, err := writeFresh(path, text, 0o600)
	if err != nil {
		return err
	}
	err = os.Link(fresh, path) // unlike Rename it does not replace
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(fresh))
}

// replace writes a file. Nobody sees half of it.
func replace(path string, text []byte, mode fs.FileMode) error {
	fresh, err := writeFresh(path, text, mode)
	if err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func writeFresh(path string, text []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// TLS is how a server of the diverted names speaks. A client that asks for another name is refused; one
// that names none, as old ones do, is shown the certificate of verify.twilio.com.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := fold(hello.ServerName)
			if name == "" {
				name = Host
			}
			if !Diverts(name) {
				return nil, fmt.Errorf("%q is no name of the Verify API", hello.ServerName)
			}
			return a.certificate(name)
		},
	}
}

func (a *Authority) certificate(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if have := a.leaves[name]; have != nil && now.Before(have.Leaf.NotAfter.Add(-backdated)) {
		return have, nil
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name[:min(len(name), 64)]},
		NotBefore:    now.Add(-backdated),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{name},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, a.leaf.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[name] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leaf, Leaf: leaf}
	return a.leaves[name], nil
}
