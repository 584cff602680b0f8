// Package world is the test world that a repository carries: a file with the services, limits, templates,
// people and rules that its tests expect, under the SIDs that its settings name.
//
// The file wants things to be there; Apply makes what is missing and changes what is otherwise, by the
// operations that the API has, so nothing gets in that a customer could not have made. To apply a file twice
// is to apply it once, and what it does not speak of stays as it is.
//
// It is for verifyd dev. A server for production is set up by its API.
package world

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/rules"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/tomlfile"
)

// World is what a file wants. docs/testing.md shows one.
type World struct {
	Templates []Template   `toml:"template"`
	Services  []Service    `toml:"service"`
	Rules     []rules.Rule `toml:"rule"`
}

// Template is a template in a file of its own (docs/templates.md), approved.
type Template struct {
	SID  string `toml:"sid"`  // HJ…
	File string `toml:"file"` // from the folder of the world

	content *message.File
}

// Service is a service with what belongs to it. Its settings have the names that the API answers with; one
// that is not there is left alone.
type Service struct {
	SID string `toml:"sid"` // VA…
	Settings

	RateLimits []RateLimit `toml:"rate_limit"`
	Messaging  []Messaging `toml:"messaging_configuration"`
	Entities   []Entity    `toml:"entity"`
	Webhooks   []Webhook   `toml:"webhook"`
}

// RateLimit is a rate limit, found by its unique name.
type RateLimit struct {
	UniqueName  string   `toml:"unique_name"`
	Description *string  `toml:"description"`
	Buckets     []Bucket `toml:"bucket"`
}

// Bucket is a bucket, found by its interval.
type Bucket struct {
	Max      int `toml:"max"`
	Interval int `toml:"interval"` // seconds
}

// Messaging is a messaging configuration, found by its country.
type Messaging struct {
	Country             string `toml:"country"` // ISO 3166-1 alpha-2, or "all"
	MessagingServiceSID string `toml:"messaging_service_sid"`
}

// Entity is somebody, found by the identity.
type Entity struct {
	Identity string   `toml:"identity"`
	Factors  []Factor `toml:"factor"`
}

// Factor is an authenticator app with a secret that tests know, found by its friendly name.
type Factor struct {
	FriendlyName string `toml:"friendly_name"`
	Secret       string `toml:"secret"`   // base32
	Verified     bool   `toml:"verified"` // it may be challenged at once
	// What the service decides where it is not there.
	Alg        *string `toml:"alg"` // sha1, sha256, sha512
	TimeStep   *int    `toml:"time_step"`
	CodeLength *int    `toml:"code_length"`
	Skew       *int    `toml:"skew"`

	secret []byte
}

// Webhook is a webhook, found by its friendly name.
type Webhook struct {
	FriendlyName string   `toml:"friendly_name"`
	EventTypes   []string `toml:"event_types"`
	URL          string   `toml:"webhook_url"`
}

// maxEntities is how many entities an account may make in a second (factors reference, section 1).
const maxEntities = 40

// Read reads the file of a world, and those that it names. An error says in which table and of which key the
// mistake is.
func Read(path string) (*World, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w, err := parse(text, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return os.ReadFile(name)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

// parse reads the text of a world; open reads a file that it names.
func parse(text []byte, open func(string) ([]byte, error)) (*World, error) {
	w := &World{}
	if err := tomlfile.Decode(text, w); err != nil {
		return nil, err
	}
	for i := range w.Templates {
		if err := w.Templates[i].read(open); err != nil {
			return nil, fmt.Errorf("[[template]] %d: %w", i+1, err)
		}
	}
	var sids []string
	entities := 0
	for i := range w.Services {
		s := &w.Services[i]
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("[[service]] %d: %w", i+1, err)
		}
		if slices.Contains(sids, s.SID) {
			return nil, fmt.Errorf("[[service]] %d: sid: %s is another service's already", i+1, s.SID)
		}
		sids = append(sids, s.SID)
		entities += len(s.Entities)
	}
	if entities > maxEntities {
		return nil, fmt.Errorf("[[service.entity]]: %d are more than the %d that an account may make in a second; make the others by the API", entities, maxEntities)
	}
	for i, r := range w.Rules {
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("[[rule]] %d: %w", i+1, err)
		}
	}
	return w, nil
}

func (t *Template) read(open func(string) ([]byte, error)) error {
	if !sid.Valid(sid.Template, t.SID) {
		return badSID(sid.Template, t.SID)
	}
	text, err := open(t.File)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	if t.content, err = message.ReadFile(text); err != nil {
		return fmt.Errorf("file: %s: %w", t.File, err)
	}
	return nil
}

func badSID(prefix, value string) error {
	return fmt.Errorf("sid: %q is no SID: %s and 32 hexadecimal digits, as `openssl rand -hex 16` makes them", value, prefix)
}

// check finds what can be told from the file alone, so that nothing is half applied for the most common
// mistakes.
func (s *Service) check() error {
	if !sid.Valid(sid.Service, s.SID) {
		return badSID(sid.Service, s.SID)
	}
	if s.FriendlyName == nil {
		return fmt.Errorf("friendly_name: is missing")
	}
	for _, e := range s.Entities {
		for i := range e.Factors {
			f := &e.Factors[i]
			var ok bool
			if f.secret, ok = otp.ParseSecret(f.Secret); !ok {
				return fmt.Errorf("[[service.entity.factor]] %q of %s: secret: want 10 to 128 bytes in base32", f.FriendlyName, e.Identity)
			}
		}
	}
	return nil
}
