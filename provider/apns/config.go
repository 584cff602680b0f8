package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	production = "https://api.push.apple.com"
	sandbox    = "https://api.sandbox.push.apple.com"
)

// Config is the [providers.X] table of a provider of type "apns".
type Config struct {
	// KeyFile is the path of the key that Apple hands out, AuthKey_….p8.
	KeyFile string `json:"key_file"`
	// Key is the text of that file, in the place of its path.
	Key string `json:"key"`
	// KeyID is the key's identifier, ten characters, which Apple tells along with it.
	KeyID string `json:"key_id"`
	// TeamID is the team's identifier, ten characters.
	TeamID string `json:"team_id"`
	// Topic is the app's bundle identifier, for notifications that name no app.
	Topic string `json:"topic"`
	// Title shows the name of the service above the text. The alert is then no plain text, which an
	// app that was made for plain ones may not expect.
	Title bool `json:"title"`
	// Sandbox asks the sandbox first, where most handsets run builds from Xcode.
	Sandbox bool `json:"sandbox"`
	// BaseURL and SandboxURL are stand-ins for Apple's hosts. Where one of them is set, Apple is not
	// asked at all.
	BaseURL    string `json:"base_url"`
	SandboxURL string `json:"sandbox_url"`
	// Timeout is the limit for one notification, a second host included: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	hosts   []*url.URL
	key     *ecdsa.PrivateKey
	keyID   string
	team    string
	topic   string
	timeout time.Duration
	secrets []string
}

// identifier is how Apple names keys and teams.
var identifier = regexp.MustCompile(`^[A-Z0-9]{10}$`)

func (c Config) settings() (settings, error) {
	s := settings{keyID: c.KeyID, team: c.TeamID, topic: c.Topic}
	var err error
	if err = c.readKey(&s); err != nil {
		return s, err
	}
	switch {
	case !identifier.MatchString(c.KeyID):
		return s, errors.New("key_id is missing, or not the ten capital letters and digits by which Apple names a key")
	case !identifier.MatchString(c.TeamID):
		return s, errors.New("team_id is missing, or not the ten capital letters and digits by which Apple names a team")
	case c.Topic != "" && !bundle.MatchString(c.Topic):
		return s, fmt.Errorf("topic %q is not a bundle identifier like com.example.app", c.Topic)
	}
	if s.hosts, err = c.hosts(); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// readKey never repeats in an error what is in the file.
func (c Config) readKey(s *settings) error {
	name, text := "key", c.Key
	switch {
	case c.Key != "" && c.KeyFile != "":
		return errors.New("key and key_file are both set: one is enough")
	case c.KeyFile != "":
		b, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return fmt.Errorf("key_file: %w", err)
		}
		name, text = "key_file", string(b)
	case c.Key == "":
		return errors.New("key_file is missing: the .p8 file of a key for APNs")
	}
	var ok bool
	if s.key, ok = parseKey(text); !ok {
		return fmt.Errorf("%s is not a key for APNs: a P-256 key in PEM, as in AuthKey_….p8", name)
	}
	s.secrets = []string{text}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-----") {
			s.secrets = append(s.secrets, line)
		}
	}
	return nil
}

func parseKey(text string) (*ecdsa.PrivateKey, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, false
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false
	}
	key, ok := any.(*ecdsa.PrivateKey)
	return key, ok && key.Curve == elliptic.P256()
}

// hosts are the one to ask first, and the other. HTTP/2 comes with TLS, on this host too.
func (c Config) hosts() ([]*url.URL, error) {
	type host struct{ key, url string }
	first, second := host{"base_url", c.BaseURL}, host{"sandbox_url", c.SandboxURL}
	if c.BaseURL == "" && c.SandboxURL == "" {
		first.url, second.url = production, sandbox
	}
	if c.Sandbox {
		first, second = second, first
	}
	if first.url == "" {
		return nil, fmt.Errorf("%s is missing, and %s is set: the host that is asked first has no stand-in", first.key, second.key)
	}
	var all []*url.URL
	for _, h := range []host{first, second} {
		if h.url == "" {
			continue
		}
		u, err := httpsend.ParseBase(h.key, h.url, true)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "https" {
			return nil, fmt.Errorf("%s is not an https URL: APNs is HTTP/2 with TLS", h.key)
		}
		all = append(all, u)
	}
	return all, nil
}
