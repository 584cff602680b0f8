package smpp

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// Config is the [providers.X] table of a provider of type "smpp".
type Config struct {
	// Host is the carrier's SMSC, by the name in its certificate.
	Host string `json:"host"`
	// Port is 3550 with TLS and 2775 without, unless it is set.
	Port int `json:"port"`
	// TLS is "implicit" (or empty), or "none" for a carrier that is reached through a tunnel.
	TLS string `json:"tls"`
	// CAFile is a PEM file of the authorities to trust instead of the system's.
	CAFile string `json:"ca_file"`

	SystemID   string `json:"system_id"`
	Password   string `json:"password"`
	SystemType string `json:"system_type"`

	// Mode is "transceiver" (or empty), or "split": one connection that sends and one that receives.
	Mode string `json:"mode"`
	// Binds is how many connections of each kind are kept, 1 unless it is set.
	Binds int `json:"binds"`
	// Window is how many messages of a connection may be unanswered, 10 unless it is set.
	Window int `json:"window"`
	// TPS is how many messages a connection sends in a second, 0 for as many as the window lets.
	TPS float64 `json:"tps"`

	// EnquireLink is the silence after which the carrier is asked whether it is there: "15s".
	EnquireLink string `json:"enquire_link"`
	// ResponseTimeout is how long an answer may take: "10s".
	ResponseTimeout string `json:"response_timeout"`
	// MaxWait is how long a message waits here for a place in the window and for its turn before
	// it is given back: "500ms".
	MaxWait string `json:"max_wait"`

	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// SourceTON and SourceNPI are the type of the sender, where the one that follows from its form
	// is not what the carrier wants.
	SourceTON *int `json:"source_ton"`
	SourceNPI *int `json:"source_npi"`

	ServiceType string `json:"service_type"`
	Priority    int    `json:"priority"` // 0 to 3
	// Receipts is whether the carrier is asked to report; true unless it is set.
	Receipts *bool `json:"receipts"`
	// Validity says how the end of a code's life is told: "relative" (or empty), "absolute", "none".
	Validity string `json:"validity"`
	// Alphabet is the carrier's default alphabet, that of data_coding 0: "gsm7" (or empty),
	// "latin1" or "ascii".
	Alphabet string `json:"alphabet"`
	// Latin1 sends texts that GSM 7 cannot write and Latin-1 can as data_coding 3.
	Latin1 bool `json:"latin1"`
	// Long says how a long text is sent: "udh" (or empty), "sar" or "payload".
	Long string `json:"long"`
	// MessageID says how the ids of answers are written in receipts: "text" (or empty), "hex_to_dec"
	// where an answer's is hexadecimal and a receipt's decimal, or "dec_to_hex".
	MessageID string `json:"message_id"`
	// TimeZone is the zone of the dates in receipts, "Europe/Madrid"; empty: they are not believed.
	TimeZone string `json:"time_zone"`
	// Status gives a class to statuses of the carrier's own: {"0x410": "throttled"}.
	Status map[string]string `json:"status"`
	// TLVs are sent with every message.
	TLVs []TLV `json:"tlv"`
}

// TLV is an optional parameter that a carrier asks for, the entity id of India for one.
type TLV struct {
	Tag   string `json:"tag"`  // "0x1400"
	Type  string `json:"type"` // "cstring" (or empty), "string", "hex", "uint8", "uint16" or "uint32"
	Value string `json:"value"`
}

// settings are a Config that was found good.
type settings struct {
	address string
	host    string
	tls     *tls.Config // nil for none

	bind  smpp.Bind
	roles []smpp.Command // of each connection

	window      int
	tps         float64
	enquireLink time.Duration
	response    time.Duration
	maxWait     time.Duration

	from     string
	ton, npi int // -1: by the form of the sender

	serviceType string
	priority    byte
	receipts    bool
	validity    string
	alphabet    string
	latin1      bool
	long        string
	messageID   string
	zone        *time.Location // nil: dates are not believed
	classes     map[smpp.Status]provider.Class
	tlvs        smpp.TLVs
}

// The values of Config's texts.
const (
	tlsImplicit = "implicit"
	tlsNone     = "none"

	modeTransceiver = "transceiver"
	modeSplit       = "split"

	validityRelative = "relative"
	validityAbsolute = "absolute"
	validityNone     = "none"

	alphabetGSM7   = "gsm7"
	alphabetLatin1 = "latin1"
	alphabetASCII  = "ascii"

	longUDH     = "udh"
	longSAR     = "sar"
	longPayload = "payload"

	idText     = "text"
	idHexToDec = "hex_to_dec"
	idDecToHex = "dec_to_hex"
)

// The ports are IANA's: smpp and ssmpp.
var ports = map[string]int{tlsImplicit: 3550, tlsNone: 2775}

const (
	maxBinds  = 32
	maxWindow = 1000
)

func (c Config) settings() (settings, error) {
	s := settings{host: c.Host, ton: -1, npi: -1, from: c.From, serviceType: c.ServiceType, latin1: c.Latin1, window: 10}
	for _, check := range []func(Config, *settings) error{carrier, account, pacing, senders, wording, reporting} {
		if err := check(c, &s); err != nil {
			return settings{}, err
		}
	}
	return s, nil
}

// carrier is where the SMSC is, and how it is reached.
func carrier(c Config, s *settings) error {
	mode, err := oneOf("tls", c.TLS, tlsImplicit, tlsNone)
	switch {
	case err != nil:
		return err
	case c.Host == "":
		return errors.New("host is missing: the name of the carrier's SMSC")
	case !hostname(c.Host):
		return fmt.Errorf("host %q is not a host name; the port has a key of its own", c.Host)
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("port %d is not a port", c.Port)
	case c.CAFile != "" && mode == tlsNone:
		return errors.New("ca_file is set, and tls is none")
	}
	port := c.Port
	if port == 0 {
		port = ports[mode]
	}
	s.address = net.JoinHostPort(c.Host, strconv.Itoa(port))
	if mode == tlsNone {
		return nil
	}
	s.tls = &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return fmt.Errorf("ca_file: %w", err)
	}
	s.tls.RootCAs = x509.NewCertPool()
	if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("ca_file: %s holds no certificate in PEM", c.CAFile)
	}
	return nil
}

// account is who binds, and how often.
func account(c Config, s *settings) error {
	mode, err := oneOf("mode", c.Mode, modeTransceiver, modeSplit)
	switch {
	case err != nil:
		return err
	case c.SystemID == "":
		return errors.New("system_id is missing: the name of your account at the carrier")
	case c.Binds < 0 || c.Binds > maxBinds:
		return fmt.Errorf("binds %d is not between 1 and %d", c.Binds, maxBinds)
	}
	s.bind = smpp.Bind{SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType, Version: smpp.Version}
	// The codec knows how long each may be, and names the field, not the value.
	if _, err := (smpp.PDU{Command: smpp.BindTransceiver, Body: &s.bind}).Append(nil); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "smpp: bind_transceiver: "))
	}
	for range max(c.Binds, 1) {
		if mode == modeSplit {
			s.roles = append(s.roles, smpp.BindTransmitter, smpp.BindReceiver)
		} else {
			s.roles = append(s.roles, smpp.BindTransceiver)
		}
	}
	return nil
}

func pacing(c Config, s *settings) error {
	switch {
	case c.Window < 0 || c.Window > maxWindow:
		return fmt.Errorf("window %d is not between 1 and %d", c.Window, maxWindow)
	case c.TPS < 0 || c.TPS > 0 && c.TPS < 0.01 || c.TPS > 100_000:
		return fmt.Errorf("tps %v is not between 0.01 and 100000", c.TPS)
	}
	if c.Window != 0 {
		s.window = c.Window
	}
	s.tps = c.TPS
	for _, d := range []struct {
		key, text string
		usual     time.Duration
		into      *time.Duration
	}{
		{"enquire_link", c.EnquireLink, 15 * time.Second, &s.enquireLink},
		{"response_timeout", c.ResponseTimeout, 10 * time.Second, &s.response},
		{"max_wait", c.MaxWait, 500 * time.Millisecond, &s.maxWait},
	} {
		*d.into = d.usual
		if d.text == "" {
			continue
		}
		got, err := time.ParseDuration(d.text)
		if err != nil || got <= 0 {
			return fmt.Errorf(`%s %q is not a duration like "%v"`, d.key, d.text, d.usual)
		}
		*d.into = got
	}
	return nil
}

func senders(c Config, s *settings) error {
	for _, t := range []struct {
		key   string
		value *int
		into  *int
	}{{"source_ton", c.SourceTON, &s.ton}, {"source_npi", c.SourceNPI, &s.npi}} {
		if t.value == nil {
			continue
		}
		if *t.value < 0 || *t.value > 255 {
			return fmt.Errorf("%s %d is not between 0 and 255", t.key, *t.value)
		}
		*t.into = *t.value
	}
	if _, ok := s.source(c.From); !ok {
		return fmt.Errorf("from %q is neither a number nor a name of 1 to 11 letters and digits", c.From)
	}
	return nil
}

// wording is how a message is written.
func wording(c Config, s *settings) error {
	var err error
	for _, w := range []struct {
		key, value string
		into       *string
		values     []string
	}{
		{"validity", c.Validity, &s.validity, []string{validityRelative, validityAbsolute, validityNone}},
		{"alphabet", c.Alphabet, &s.alphabet, []string{alphabetGSM7, alphabetLatin1, alphabetASCII}},
		{"long", c.Long, &s.long, []string{longUDH, longSAR, longPayload}},
	} {
		if *w.into, err = oneOf(w.key, w.value, w.values...); err != nil {
			return err
		}
	}
	if c.Priority < 0 || c.Priority > 3 {
		return fmt.Errorf("priority %d is not between 0 and 3", c.Priority)
	}
	s.priority = byte(c.Priority)
	for i, t := range c.TLVs {
		tlv, err := t.parse()
		if err != nil {
			return fmt.Errorf("tlv %d: %w", i+1, err)
		}
		s.tlvs = append(s.tlvs, tlv)
	}
	probe := smpp.PDU{Command: smpp.SubmitSM, Body: &smpp.ShortMessage{ServiceType: c.ServiceType, TLVs: s.tlvs}}
	if _, err := probe.Append(nil); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "smpp: submit_sm: "))
	}
	return nil
}

// reporting is how answers and receipts are read.
func reporting(c Config, s *settings) error {
	var err error
	s.receipts = c.Receipts == nil || *c.Receipts
	if s.messageID, err = oneOf("message_id", c.MessageID, idText, idHexToDec, idDecToHex); err != nil {
		return err
	}
	if c.TimeZone != "" {
		if s.zone, err = time.LoadLocation(c.TimeZone); err != nil {
			return fmt.Errorf(`time_zone %q is not known; they are called "Europe/Madrid" and "UTC"`, c.TimeZone)
		}
	}
	s.classes = map[smpp.Status]provider.Class{}
	for _, text := range slices.Sorted(maps.Keys(c.Status)) {
		status, err := strconv.ParseUint(text, 0, 32)
		if err != nil || status == 0 {
			return fmt.Errorf(`status %q is not a number like "0x410"`, text)
		}
		class, ok := provider.ParseClass(c.Status[text])
		if !ok {
			return fmt.Errorf("status %s: %q is none of bad_recipient, bad_request, temporary, throttled, unknown", text, c.Status[text])
		}
		s.classes[smpp.Status(status)] = class
	}
	return nil
}

// oneOf is value, or the first of values if it is empty.
func oneOf(key, value string, values ...string) (string, error) {
	if value == "" {
		return values[0], nil
	}
	if !slices.Contains(values, value) {
		return "", fmt.Errorf("%s %q is none of %s", key, value, strings.Join(values, ", "))
	}
	return value, nil
}

func (t TLV) parse() (smpp.TLV, error) {
	tag, err := strconv.ParseUint(t.Tag, 0, 16)
	if err != nil {
		return smpp.TLV{}, fmt.Errorf(`tag %q is not a number like "0x1400"`, t.Tag)
	}
	kind, err := oneOf("type", t.Type, "cstring", "string", "hex", "uint8", "uint16", "uint32")
	if err != nil {
		return smpp.TLV{}, err
	}
	value := []byte(t.Value)
	switch kind {
	case "cstring":
		value = append(value, 0)
	case "hex":
		if value, err = hex.DecodeString(t.Value); err != nil {
			return smpp.TLV{}, errors.New("value is not hexadecimal")
		}
	case "uint8", "uint16", "uint32":
		bits, _ := strconv.Atoi(kind[len("uint"):])
		n, err := strconv.ParseUint(t.Value, 0, bits)
		if err != nil {
			return smpp.TLV{}, fmt.Errorf("value is not a number of %d bits", bits)
		}
		value = binary.BigEndian.AppendUint64(nil, n)[8-bits/8:]
	}
	return smpp.TLV{Tag: smpp.Tag(tag), Value: value}, nil
}

var hostShape = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func hostname(s string) bool { return net.ParseIP(s) != nil || hostShape.MatchString(s) }
