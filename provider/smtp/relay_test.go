package smtp

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

const (
	testUser     = "submitter@acme.example"
	testPassword = "hunter2-hunter2"
)

// relay is a mail server by emersion/go-smtp, a stranger to go-mail. It asks for STARTTLS and
// AUTH, understands what it is sent, and can be told how to behave.
type relay struct {
	t        testing.TB
	server   *gosmtp.Server
	listener net.Listener
	host     string
	port     int
	holding  chan struct{}
	stopped  chan struct{}

	mu          sync.Mutex
	does        providertest.Behaviour
	mails       []received
	connections int
	unheard     []net.Conn // of Mute
}

// received is a mail as it arrived.
type received struct {
	from, to string
	utf8     bool
	dsn      bool
	raw      string
	answered string // the queue identifier
}

// relayOptions change what newRelay makes.
type relayOptions struct {
	certificate tls.Certificate
	implicit    bool
	noTLS       bool
	utf8, dsn   bool
	mechanisms  []string // nil: PLAIN, LOGIN and XOAUTH2
	noAuth      bool
}

func newRelay(t testing.TB, o relayOptions) *relay {
	t.Helper()
	r := &relay{t: t, host: "127.0.0.1", holding: make(chan struct{}, 100), stopped: make(chan struct{})}
	r.server = gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		return &relaySession{relay: r, conn: c, options: o}, nil
	}))
	r.server.Domain = "relay.test"
	r.server.ErrorLog = log.New(io.Discard, "", 0)
	r.server.EnableSMTPUTF8 = o.utf8
	r.server.EnableDSN = o.dsn
	r.server.AllowInsecureAuth = o.noTLS
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.port = listener.Addr().(*net.TCPAddr).Port
	r.listener = listener
	listener = choosy{listener, r}
	if !o.noTLS {
		config := &tls.Config{Certificates: []tls.Certificate{o.certificate}}
		if o.implicit {
			listener = tls.NewListener(listener, config)
		} else {
			r.server.TLSConfig = config
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.server.Serve(listener)
	}()
	t.Cleanup(func() {
		close(r.stopped)
		r.listener.Close()
		r.server.Close()
		for _, c := range r.unheard {
			c.Close()
		}
		<-done
	})
	return r
}

func (r *relay) Behave(b providertest.Behaviour) {
	r.mu.Lock()
	r.does = b
	r.mu.Unlock()
	if b.Act == providertest.Leave {
		r.listener.Close() // the server may not have learned of it yet
		r.server.Close()
	}
}

func (r *relay) Holding() <-chan struct{} { return r.holding }

func (r *relay) Taken() []providertest.Taken {
	var all []providertest.Taken
	for _, m := range r.received() {
		text, html, header := r.read(m)
		all = append(all, providertest.Taken{
			To:   m.to,
			Text: strings.Join([]string{header.Get("Subject"), text, html}, "\n"),
			ID:   m.answered,
		})
	}
	return all
}

func (r *relay) received() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.mails...)
}

func (r *relay) dialled() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connections
}

// read parses a mail with the standard library.
func (r *relay) read(m received) (text, html string, header mail.Header) {
	r.t.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(m.raw))
	if err != nil {
		r.t.Errorf("the relay was sent a bad mail: %v\n%s", err, m.raw)
		return "", "", nil
	}
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		r.t.Errorf("Content-Type is %q, want multipart/alternative: %v", kind, err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, want := range []struct {
		kind string
		into *string
	}{{"text/plain; charset=UTF-8", &text}, {"text/html; charset=UTF-8", &html}} {
		part, err := parts.NextPart()
		if err != nil {
			r.t.Errorf("a part is missing: %v\n%s", err, m.raw)
			break
		}
		if got := part.Header.Get("Content-Type"); got != want.kind {
			r.t.Errorf("a part is %q, want %q", got, want.kind)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			r.t.Errorf("a part cannot be read: %v", err)
		}
		*want.into = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	return text, html, parsed.Header
}

// choosy counts connections, and leaves them unheard while the relay is mute.
type choosy struct {
	net.Listener
	relay *relay
}

func (l choosy) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.relay.mu.Lock()
		l.relay.connections++
		mute := l.relay.does.Act == providertest.Mute
		if mute {
			l.relay.unheard = append(l.relay.unheard, c)
		}
		l.relay.mu.Unlock()
		if !mute {
			return c, nil
		}
	}
}

type relaySession struct {
	relay    *relay
	conn     *gosmtp.Conn
	options  relayOptions
	loggedIn bool
	mail     received
}

func (s *relaySession) AuthMechanisms() []string {
	switch {
	case s.options.noAuth:
		return nil
	case s.options.mechanisms != nil:
		return s.options.mechanisms
	}
	return []string{sasl.Plain, sasl.Login, "XOAUTH2"}
}

func (s *relaySession) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != testUser || password != testPassword {
			return gosmtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &loginServer{check: check}, nil
	case "XOAUTH2":
		return xoauth2Server(check), nil
	}
	return nil, gosmtp.ErrAuthUnknownMechanism
}

func (s *relaySession) Mail(from string, o *gosmtp.MailOptions) error {
	if !s.loggedIn && !s.options.noAuth {
		return gosmtp.ErrAuthRequired
	}
	s.mail = received{from: from, utf8: o.UTF8, dsn: o.Return == gosmtp.DSNReturnHeaders}
	return s.refuse(provider.BadRequest, 550, "5.7.1")
}

func (s *relaySession) Rcpt(to string, o *gosmtp.RcptOptions) error {
	s.mail.to = to
	s.mail.dsn = s.mail.dsn && len(o.Notify) == 2
	return cmp.Or(
		s.refuse(provider.BadRecipient, 550, "5.1.1"),
		s.refuse(provider.Temporary, 451, "4.7.1"),
		s.refuse(provider.Throttled, 450, "4.7.28"),
	)
}

// refuse answers with what means class, if that is how the relay is to behave.
func (s *relaySession) refuse(class provider.Class, code int, enhanced string) error {
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	if s.relay.does.Act != providertest.Refuse || s.relay.does.Class != class {
		return nil
	}
	return smtpError(code, enhanced, s.relay.does.Words)
}

func smtpError(code int, enhanced, words string) *gosmtp.SMTPError {
	e := &gosmtp.SMTPError{Code: code, Message: words}
	for i, n := range strings.Split(enhanced, ".") {
		e.EnhancedCode[i], _ = strconv.Atoi(n)
	}
	return e
}

func (s *relaySession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.raw = string(raw)
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	switch s.relay.does.Act {
	case providertest.Hang:
		s.relay.holding <- struct{}{}
		s.relay.mu.Unlock()
		<-s.relay.stopped
		s.relay.mu.Lock()
		return errors.New("stopped")
	case providertest.Drop:
		s.conn.Conn().Close()
		return errors.New("dropped")
	}
	s.mail.answered = fmt.Sprintf("4bX%02d", len(s.relay.mails))
	s.relay.mails = append(s.relay.mails, s.mail)
	return smtpError(250, "2.0.0", "Ok: queued as "+s.mail.answered)
}

func (s *relaySession) Reset()        {}
func (s *relaySession) Logout() error { return nil }

// loginServer is the server's side of LOGIN, which go-sasl has not.
type loginServer struct {
	check func(user, password string) error
	user  string
	step  int
}

func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	s.step++
	switch s.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		s.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, s.check(s.user, string(response))
}

type xoauth2Server func(user, token string) error

func (check xoauth2Server) Next(response []byte) (challenge []byte, done bool, err error) {
	var user, token string
	for field := range strings.SplitSeq(string(response), "\x01") {
		if v, ok := strings.CutPrefix(field, "user="); ok {
			user = v
		}
		if v, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			token = v
		}
	}
	return nil, true, check(user, token)
}

// authority signs certificates, and writes its own where ca_file can find it.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) issue(notAfter time.Time, names ...string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: notAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// config is one that this relay takes.
func (r *relay) config(a *authority) Config {
	return Config{
		Host: r.host, Port: r.port, Username: testUser, Password: testPassword,
		From: "codes@acme.example", FromName: "Acme", Timeout: "2m", CAFile: a.file,
	}
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
