package smtp

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider/email"
)

// defaultTimeout leaves a relay the time to scan a mail before it answers the dot. Giving up
// earlier would turn mails that arrive into Unknown.
const defaultTimeout = 30 * time.Second

// Config is the [providers.X] table of a provider of type "smtp".
type Config struct {
	// Host is the relay, by the name in its certificate.
	Host string `json:"host"`
	// Port is 587 for starttls, 465 for implicit, 25 for none, unless it is set.
	Port int `json:"port"`
	// TLS is "starttls" (or empty), "implicit", or "none", which only this host may have. There
	// is no opportunistic mode: a code is not sent in the clear because somebody removed a line.
	TLS string `json:"tls"`
	// Username is empty for a relay that knows us by our address.
	Username string `json:"username"`
	Password string `json:"password"`
	// Auth is "plain" (or empty), "login", or "xoauth2", where the password is an access token.
	Auth string `json:"auth"`
	// From is the address in From and in the envelope, for mails that bring none of their own.
	From string `json:"from"`
	// FromName is the name beside it.
	FromName string `json:"from_name"`
	// Helo is the name by which we greet; the domain of From, unless it is set.
	Helo string `json:"helo"`
	// CAFile is a PEM file of the authorities to trust instead of the system's.
	CAFile string `json:"ca_file"`
	// BounceAddress is the address at which mail servers say that a mail did not arrive, like
	// bounces@bounces.example.com. With it every mail has an envelope sender of its own,
	// bounces+vl…-1@bounces.example.com; without it that is From, and nobody reads bounces.
	BounceAddress string `json:"bounce_address"`
	// BounceListen is where the provider takes mail for that address, "0.0.0.0:2525".
	BounceListen string `json:"bounce_listen"`
	// Timeout is the limit for one mail, from dialling to the answer: "30s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	host, address      string
	mode               string
	username, password string
	auth               string
	from               address
	fromName           string
	helo               string
	verp               verp // "" where bounces are nobody's
	bounceListen       string
	timeout            time.Duration
}

// The values of Config.TLS and Config.Auth.
const (
	startTLS    = "starttls"
	implicitTLS = "implicit"
	noTLS       = "none"

	authPlain   = "plain"
	authLogin   = "login"
	authXOAuth2 = "xoauth2"
)

var ports = map[string]int{startTLS: 587, implicitTLS: 465, noTLS: 25}

func (c Config) settings() (settings, error) {
	s := settings{
		host: c.Host, mode: c.TLS, username: c.Username, password: c.Password, auth: c.Auth,
		fromName: c.FromName, helo: c.Helo, timeout: defaultTimeout,
	}
	if s.mode == "" {
		s.mode = startTLS
	}
	if s.auth == "" {
		s.auth = authPlain
	}
	switch {
	case s.host == "":
		return s, errors.New("host is missing: the name of the relay")
	case !hostname(s.host):
		return s, fmt.Errorf("host %q is not a host name; the port has a key of its own", s.host)
	case ports[s.mode] == 0:
		return s, fmt.Errorf("tls %q is none of starttls, implicit and none", c.TLS)
	case s.mode == noTLS && !loopback(s.host):
		return s, fmt.Errorf("tls: none is for this host only, and %s is another; codes do not travel in the clear", s.host)
	case c.Port < 0 || c.Port > 65535:
		return s, fmt.Errorf("port %d is not a port", c.Port)
	case s.auth != authPlain && s.auth != authLogin && s.auth != authXOAuth2:
		return s, fmt.Errorf("auth %q is none of plain, login and xoauth2", c.Auth)
	case c.Auth != "" && c.Username == "":
		return s, errors.New("username is missing, and auth is set")
	case c.Username != "" && c.Password == "":
		return s, errors.New("password is missing, and username is set")
	case c.Password != "" && c.Username == "":
		return s, errors.New("username is missing, and password is set")
	case strings.ContainsRune(c.Username+c.Password, 0):
		return s, errors.New("username and password must not hold a zero byte")
	}
	if err := email.CheckSender(c.From, c.FromName); err != nil {
		return s, err
	}
	s.from = address(c.From)
	if s.helo == "" {
		s.helo = s.from.domain()
		if !hostname(s.helo) { // an internationalised domain, which EHLO cannot say
			s.helo = "localhost"
		}
	}
	if !hostname(strings.Trim(s.helo, "[]")) {
		return s, fmt.Errorf("helo %q is not a host name", c.Helo)
	}
	if err := s.setBounces(c); err != nil {
		return s, err
	}
	if c.Timeout != "" {
		d, err := time.ParseDuration(c.Timeout)
		if err != nil || d <= 0 {
			return s, fmt.Errorf(`timeout %q is not a duration like "30s"`, c.Timeout)
		}
		s.timeout = d
	}
	port := c.Port
	if port == 0 {
		port = ports[s.mode]
	}
	s.address = net.JoinHostPort(s.host, fmt.Sprint(port))
	return s, nil
}

func (s *settings) setBounces(c Config) error {
	if c.BounceAddress != "" {
		a := address(c.BounceAddress)
		local, _, _ := strings.Cut(c.BounceAddress, "@")
		switch {
		case !email.Address(c.BounceAddress) || !a.ascii():
			return fmt.Errorf("bounce_address %q is not a bare address in ASCII like bounces@bounces.example.com", c.BounceAddress)
		case strings.Contains(local, "+") || len(local) > maxBounceLocal:
			return fmt.Errorf("bounce_address %q: what stands before @ gets +vl…-1 behind it, and may hold no + and at most %d characters", c.BounceAddress, maxBounceLocal)
		}
		s.verp = verp(a)
	}
	if c.BounceListen == "" {
		return nil
	}
	if c.BounceAddress == "" {
		return errors.New("bounce_address is missing, and bounce_listen is set: no mail would name it")
	}
	if _, _, err := net.SplitHostPort(c.BounceListen); err != nil {
		return fmt.Errorf(`bounce_listen %q is not an address like "0.0.0.0:2525"`, c.BounceListen)
	}
	s.bounceListen = c.BounceListen
	return nil
}

// maxBounceLocal leaves room for a token in the 64 octets of a local part (RFC 5321, 4.5.3.1.1).
const maxBounceLocal = 20

// roots are nil for the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM", c.CAFile)
	}
	return roots, nil
}

// secrets are the credentials in every form in which they travel: a relay that loses its place
// quotes the line that it did not understand.
func (s settings) secrets() []string {
	if s.username == "" {
		return nil
	}
	coded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return []string{
		s.username, s.password, coded(s.username), coded(s.password),
		coded("\x00" + s.username + "\x00" + s.password),
		coded("user=" + s.username + "\x01auth=Bearer " + s.password + "\x01\x01"),
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hostname is generous, but nothing that it lets through can end a command or name a port.
func hostname(s string) bool {
	if net.ParseIP(s) != nil {
		return true
	}
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._", r)
	})
}
