package sip

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config is the [providers.X] table of a provider of type "sip".
type Config struct {
	// Server is the trunk, or the proxy before it: "sip.example.com", with ":5060" if the port is
	// another than 5060 (5061 for tls).
	Server string `json:"server"`
	// Transport is "udp" (or empty), "tcp" or "tls".
	Transport string `json:"transport"`
	// CAFile is a PEM file of the authorities to trust instead of the system's, for tls.
	CAFile string `json:"ca_file"`
	// Domain is the name in addresses, sip:+34612345678@domain; the server's, unless it is set.
	Domain string `json:"domain"`
	// Username is empty for a trunk that knows us by our address.
	Username string `json:"username"`
	Password string `json:"password"`
	// Register has the provider register itself, for trunks that want it.
	Register bool `json:"register"`
	// From is the number that the called person sees, leased on the trunk.
	From string `json:"from"`
	// AssertedIdentity adds From as P-Asserted-Identity (RFC 3325) as well.
	AssertedIdentity bool `json:"asserted_identity"`
	// WithoutPlus leaves the + out of numbers, for trunks that do not know it.
	WithoutPlus bool `json:"without_plus"`
	// Listen is where the trunk reaches us: an address of this host and a port, "0.0.0.0:5060".
	Listen string `json:"listen"`
	// PublicAddress is the IP address that the trunk knows us by, where it is not this host's own.
	PublicAddress string `json:"public_address"`
	// RTPPorts is the range of UDP ports for sound, "16384-16583". Each call takes one.
	RTPPorts string `json:"rtp_ports"`
	// MaxCalls is how many calls the trunk carries at once.
	MaxCalls int `json:"max_calls"`
	// RingTimeout is how long a telephone rings, "30s".
	RingTimeout string `json:"ring_timeout"`
	// Recordings is a folder of recordings that come before the built-in ones.
	Recordings string `json:"recordings"`
	// SpeechCommand is a program that speaks, with its arguments: words in, WAV out.
	SpeechCommand []string `json:"speech_command"`
	// SpeechVoices are the program's names of languages, {"zh" = "cmn-latn-pinyin"}.
	SpeechVoices map[string]string `json:"speech_voices"`
}

// The values of Config.Transport.
const (
	overUDP = "udp"
	overTCP = "tcp"
	overTLS = "tls"
)

const (
	defaultListen      = "0.0.0.0:5060"
	defaultRTPPorts    = "16384-16583"
	defaultMaxCalls    = 20
	defaultRingTimeout = 30 * time.Second
)

// settings is a Config that was found good.
type settings struct {
	server, host, transport string
	domain                  string
	username, password      string
	register                bool
	from                    string
	assertedIdentity        bool
	withoutPlus             bool
	listen                  netip.AddrPort
	public                  netip.Addr // the zero value where this host's own is right
	firstPort, lastPort     int
	maxCalls                int
	ringTimeout             time.Duration
	recordings              fs.FS
	speechCommand           []string
	speechVoices            map[string]string
}

func (c Config) settings() (settings, error) {
	s := settings{
		transport: c.Transport, domain: c.Domain, username: c.Username, password: c.Password,
		register: c.Register, from: c.From, assertedIdentity: c.AssertedIdentity, withoutPlus: c.WithoutPlus,
		maxCalls: c.MaxCalls, ringTimeout: defaultRingTimeout,
		speechCommand: c.SpeechCommand, speechVoices: c.SpeechVoices,
	}
	if s.transport == "" {
		s.transport = overUDP
	}
	if s.maxCalls == 0 {
		s.maxCalls = defaultMaxCalls
	}
	switch {
	case s.transport != overUDP && s.transport != overTCP && s.transport != overTLS:
		return s, fmt.Errorf("transport %q is none of udp, tcp and tls", c.Transport)
	case c.Server == "":
		return s, errors.New("server is missing: the name of the trunk")
	case c.Username != "" && c.Password == "":
		return s, errors.New("password is missing, and username is set")
	case c.Password != "" && c.Username == "":
		return s, errors.New("username is missing, and password is set")
	case c.Register && c.Username == "":
		return s, errors.New("username is missing, and register is set")
	case c.Username != "" && !token(c.Username):
		return s, errors.New("username holds a character that a SIP address cannot have")
	case c.From == "":
		return s, errors.New("from is missing: the number that the called person sees")
	case !number(c.From):
		return s, fmt.Errorf("from %q is not a number like +34910000000", c.From)
	case s.maxCalls < 1:
		return s, fmt.Errorf("max_calls %d is not a number of calls", c.MaxCalls)
	case c.CAFile != "" && s.transport != overTLS:
		return s, errors.New("ca_file is for tls, and transport is another")
	case len(c.SpeechCommand) > 0 && c.SpeechCommand[0] == "":
		return s, errors.New("speech_command has no program")
	case len(c.SpeechVoices) > 0 && len(c.SpeechCommand) == 0:
		return s, errors.New("speech_command is missing, and speech_voices is set")
	}
	if err := s.setAddresses(c); err != nil {
		return s, err
	}
	if c.RingTimeout != "" {
		d, err := time.ParseDuration(c.RingTimeout)
		if err != nil || d <= 0 {
			return s, fmt.Errorf(`ring_timeout %q is not a duration like "30s"`, c.RingTimeout)
		}
		s.ringTimeout = d
	}
	if c.Recordings != "" {
		if info, err := os.Stat(c.Recordings); err != nil || !info.IsDir() {
			return s, fmt.Errorf("recordings: %s is not a folder", c.Recordings)
		}
		s.recordings = os.DirFS(c.Recordings)
	}
	return s, nil
}

// setAddresses reads where we are and where the trunk is.
func (s *settings) setAddresses(c Config) error {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil {
		host, port = c.Server, "5060"
		if s.transport == overTLS {
			port = "5061"
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || !hostname(host) {
		return fmt.Errorf("server %q is not a host name with or without a port", c.Server)
	}
	s.host, s.server = host, net.JoinHostPort(host, port)
	if s.domain == "" {
		s.domain = host
	}
	if !hostname(s.domain) {
		return fmt.Errorf("domain %q is not a host name", c.Domain)
	}
	listen := c.Listen
	if listen == "" {
		listen = defaultListen
	}
	if s.listen, err = netip.ParseAddrPort(listen); err != nil {
		return fmt.Errorf(`listen %q is not an IP address with a port like %q`, c.Listen, defaultListen)
	}
	if c.PublicAddress != "" {
		if s.public, err = netip.ParseAddr(c.PublicAddress); err != nil || s.public.Zone() != "" || s.public.IsUnspecified() {
			return fmt.Errorf("public_address %q is not an IP address", c.PublicAddress)
		}
	}
	ports := c.RTPPorts
	if ports == "" {
		ports = defaultRTPPorts
	}
	first, last, _ := strings.Cut(ports, "-")
	low, err1 := strconv.ParseUint(first, 10, 16)
	high, err2 := strconv.ParseUint(last, 10, 16)
	if err1 != nil || err2 != nil || low < 1024 || high < low {
		return fmt.Errorf("rtp_ports %q is not a range like %q above 1023", c.RTPPorts, defaultRTPPorts)
	}
	s.firstPort, s.lastPort = int(low), int(high)
	if n := s.lastPort - s.firstPort + 1; n < s.maxCalls {
		return fmt.Errorf("rtp_ports %s has room for %d calls, and max_calls is %d", ports, n, s.maxCalls)
	}
	return nil
}

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

// hostname is generous, but nothing that it lets through can end a line or an address.
func hostname(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return !strings.Contains(s, "%")
	}
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._", r)
	})
}

// token can stand before the @ of a SIP address as it is (RFC 3261, 25.1).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.!~*'()&=+$,;?/", r)
	})
}

// number is a telephone number with or without its +.
func number(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return len(digits) >= 2 && len(digits) <= 20 && strings.Trim(digits, "0123456789") == ""
}
