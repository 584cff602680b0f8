// Package config reads the configuration of `verifyd serve`: one TOML file, some settings of which
// the environment may override. A key that means nothing is an error, so that a misspelt setting is
// found at start.
package config

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/tomlfile"
)

// Config is everything that can be set. docs/configuration.md describes it for operators.
type Config struct {
	// Listen is the address to serve on, "host:port".
	Listen string `toml:"listen"`
	// PublicURL is the base of the URLs in answers, as clients reach the server. Empty: scheme and
	// Host header of each request.
	PublicURL string `toml:"public_url"`
	// Store is where the records are kept: "sqlite:" and a path, or the postgres:// address of a
	// database.
	Store string `toml:"store"`
	// KeyFile holds the root keys (see package keyring). Empty: beside the SQLite file, with the
	// ending ".key"; with PostgreSQL it has to be named, because all nodes need the same one.
	KeyFile string `toml:"key_file"`
	// Retention is the age at which verifications, their attempts, challenges and jobs are dropped.
	Retention Age `toml:"retention"`
	// PaymentRetention is how long a payment's amount and payee are kept after its code expired.
	PaymentRetention Age `toml:"payment_retention"`
	TLS              TLS `toml:"tls"`
	Log              Log `toml:"log"`
	// Providers are the tables [providers.NAME]; each has a type, perhaps a tps, and what that type
	// needs.
	Providers map[string]map[string]any `toml:"providers"`
	// RouteTables are [routes] as they are written, and Routes what they say. The platforms of
	// handsets, "fcm" and "apn", have theirs here too.
	RouteTables map[string]any `toml:"routes"`
	Routes      Routes         `toml:"-"`
	// PushCredentials are providers of notifications by the SID (CR…) under which a service names
	// them: Push.FcmCredentialSid, Push.ApnCredentialSid.
	PushCredentials map[string]string `toml:"push_credentials"`
	Delivery        Delivery          `toml:"delivery"`
	// BuiltInLimits refuses bursts, polling and guessing (docs/rate-limits.md). Without them anybody
	// who can have codes sent can guess them in the end; load tests of one number need that.
	BuiltInLimits bool `toml:"built_in_limits"`
	// RefuseWrongCodes answers a wrong code of an authenticator app with an error (docs/totp.md).
	RefuseWrongCodes bool `toml:"refuse_wrong_codes"`
	// MessagingTables are [messaging_services] as they are written. MessagingServices is what they say:
	// routes for text messages, by the SID (MG…) under which a service's messaging configurations name
	// them.
	MessagingTables   map[string]map[string]any `toml:"messaging_services"`
	MessagingServices map[string]Routes         `toml:"-"`
	// BrandlessCountries are those to which text messages must not name the brand, ISO 3166-1
	// alpha-2 in capitals.
	BrandlessCountries []string `toml:"brandless_countries"`
	Lookup             Lookup   `toml:"lookup"`
	Webhooks           Webhooks `toml:"webhooks"`
	Events             Events   `toml:"events"`
}

// Lookup says whom to ask about numbers, for services with LookupEnabled. Without a URL nobody is.
type Lookup struct {
	URL    string `toml:"url"`
	Secret string `toml:"secret"` // may be env:NAME or file:PATH
}

// Webhooks says where the URLs that customers set may lead.
type Webhooks struct {
	// Allow are networks beside the public addresses, "10.1.0.0/16".
	Allow []netip.Prefix `toml:"allow"`
	// Format is how calls are written, "form" (default) or "json".
	Format string `toml:"format"`
}

// Events says where the events of verifications go, for services with VerifyEventSubscriptionEnabled.
// Without a URL there are none.
type Events struct {
	URL    string `toml:"url"`
	Secret string `toml:"secret"` // may be env:NAME or file:PATH; "" is no signature
	// Types are the events to send, each by its name or with a * at its end; nil stands for the usual ones.
	Types []string `toml:"types"`
}

// minSecret is 16 bytes, as that of a provider.
const minSecret = 16

// Key is the secret's bytes, or what follows whsec_ in base64; nil where there is no secret.
func (e Events) Key() ([]byte, error) {
	if e.Secret == "" {
		return nil, nil
	}
	key := []byte(e.Secret)
	if encoded, ok := strings.CutPrefix(e.Secret, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, errors.New("events.secret: what follows whsec_ is not base64")
		}
	}
	if len(key) < minSecret {
		return nil, errors.New("events.secret: needs 16 characters or more: openssl rand -hex 32 makes good ones")
	}
	return key, nil
}

// TLS says how connections are kept private.
type TLS struct {
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
	// TerminatedInFront allows plain HTTP on an address that others can reach, because something
	// in front of the server speaks TLS.
	TerminatedInFront bool `toml:"terminated_in_front"`
}

// Log says what the log looks like.
type Log struct {
	Format string `toml:"format"` // "json" (default) or "text"
	Level  string `toml:"level"`  // "debug", "info" (default), "warn" or "error"
}

// Default is the configuration before the file is read.
func Default() Config {
	return Config{
		Listen:    "127.0.0.1:8642",
		Store:     "sqlite:verifyd.db",
		Retention: Age(30 * day), PaymentRetention: Age(day),
		BuiltInLimits: true,
		Delivery:      Delivery{MaxSends: 3, Deadline: Duration(time.Minute)},
		Log:           Log{Format: "json", Level: "info"},
	}
}

// minRetention is longer than the longest life of a code, a day, and the hour for which a
// verification that is over can still say why.
const minRetention = Age(2 * day)

var (
	// channels may have routes.
	channels = []string{"sms", "call", "email", "whatsapp", "rcs", "fcm", "apn"}
	// messagingChannels are those that a messaging service carries.
	messagingChannels = []string{"sms", "rcs", "whatsapp"}

	messagingService = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	pushCredential   = regexp.MustCompile(`^CR[0-9a-fA-F]{32}$`)
	countryCode      = regexp.MustCompile(`^[A-Z]{2}$`)
)

// Load reads the file at path. getenv is os.LookupEnv.
func Load(path string, getenv func(string) (string, bool)) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(text, getenv)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads the text of a configuration file.
func Parse(text []byte, getenv func(string) (string, bool)) (Config, error) {
	c := Default()
	if err := tomlfile.Decode(text, &c); err != nil {
		return Config{}, err
	}
	for name, field := range map[string]*string{
		"VERIFYD_LISTEN":     &c.Listen,
		"VERIFYD_PUBLIC_URL": &c.PublicURL,
		"VERIFYD_STORE":      &c.Store,
		"VERIFYD_KEY_FILE":   &c.KeyFile,
	} {
		if value, set := getenv(name); set {
			*field = value
		}
	}
	for name, table := range c.Providers {
		if err := expand(table, getenv); err != nil {
			return Config{}, fmt.Errorf("providers.%s.%w", name, err)
		}
	}
	for name, secret := range map[string]*string{"lookup": &c.Lookup.Secret, "events": &c.Events.Secret} {
		table := map[string]any{"secret": *secret}
		if err := expand(table, getenv); err != nil {
			return Config{}, fmt.Errorf("%s.%w", name, err)
		}
		*secret = table["secret"].(string)
	}
	if err := c.validate(); err != nil {
		return c, err
	}
	return c, c.readAllRoutes()
}

// expand replaces texts of the form "env:NAME" and "file:PATH" by what they name, so that secrets
// need not stand in the configuration.
func expand(table map[string]any, getenv func(string) (string, bool)) error {
	for key, v := range table {
		if inner, ok := v.(map[string]any); ok {
			if err := expand(inner, getenv); err != nil {
				return fmt.Errorf("%s.%w", key, err)
			}
			continue
		}
		text, ok := v.(string)
		if !ok {
			continue
		}
		if name, found := strings.CutPrefix(text, "env:"); found {
			value, set := getenv(name)
			if !set {
				return fmt.Errorf("%s: environment variable %s is not set", key, name)
			}
			table[key] = value
		}
		if path, found := strings.CutPrefix(text, "file:"); found {
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			table[key] = strings.TrimSpace(string(content))
		}
	}
	return nil
}

func (c Config) validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %q is no host:port", c.Listen)
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.HasSuffix(c.PublicURL, "/") {
			return fmt.Errorf("public_url: %q: want https://host without a slash at the end", c.PublicURL)
		}
	}
	if err := c.validateStore(); err != nil {
		return err
	}
	for name, text := range map[string]string{"lookup": c.Lookup.URL, "events": c.Events.URL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
			return fmt.Errorf("%s.url: want https://host/path", name)
		}
	}
	if f := c.Webhooks.Format; f != "" && f != "form" && f != "json" {
		return fmt.Errorf("webhooks.format: %q is neither form nor json", f)
	}
	if _, err := c.Events.Key(); err != nil {
		return err
	}
	switch {
	case c.Retention < minRetention:
		return fmt.Errorf("retention: %s is too short, want at least %s", c.Retention, minRetention)
	case c.PaymentRetention <= 0:
		return errors.New("payment_retention: want more than nothing")
	case c.PaymentRetention > c.Retention:
		return fmt.Errorf("payment_retention: %s is longer than retention, %s", c.PaymentRetention, c.Retention)
	case (c.TLS.CertFile == "") != (c.TLS.KeyFile == ""):
		return errors.New("tls: cert_file and key_file belong together")
	case c.TLS.CertFile == "" && !c.TLS.TerminatedInFront && !c.Loopback():
		return fmt.Errorf("listen: %s can be reached by others, and plain HTTP would show them codes and tokens: "+
			"set tls.cert_file and tls.key_file, or tls.terminated_in_front = true if a proxy in front speaks TLS", c.Listen)
	case c.TLS.TerminatedInFront && c.PublicURL == "":
		return errors.New("public_url: is needed with tls.terminated_in_front, because the server cannot see how clients reach it")
	}
	if c.Log.Format != "json" && c.Log.Format != "text" {
		return fmt.Errorf("log.format: %q is neither json nor text", c.Log.Format)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		return fmt.Errorf("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	if err := c.Delivery.validate(); err != nil {
		return err
	}
	for sid, name := range c.PushCredentials {
		if !pushCredential.MatchString(sid) {
			return fmt.Errorf("push_credentials.%s: want CR and 32 hexadecimal digits", sid)
		}
		if _, ok := c.Providers[name]; !ok {
			return fmt.Errorf("push_credentials.%s: there is no [providers.%s]", sid, name)
		}
	}
	for _, country := range c.BrandlessCountries {
		if !countryCode.MatchString(country) {
			return fmt.Errorf("brandless_countries: %q is no country code such as CA", country)
		}
	}
	for name, table := range c.Providers {
		if kind, _ := table["type"].(string); kind == "" {
			return fmt.Errorf("providers.%s.type: is missing", name)
		}
		if _, err := c.TPS(name); err != nil {
			return err
		}
	}
	return nil
}

// validateStore does not repeat what was written, because there may be a password in it.
func (c Config) validateStore() error {
	if !c.Postgres() {
		_, err := c.SQLitePath()
		return err
	}
	u, err := url.Parse(c.Store)
	switch {
	case err != nil:
		return errors.New("store: the postgres:// address cannot be read; write special characters of a password as %XX")
	case strings.Trim(u.Path, "/") == "":
		return fmt.Errorf("store: %s names no database: want postgres://user@host/database", c.StoreName())
	case c.KeyFile == "":
		return errors.New("key_file: is needed with a PostgreSQL store: all nodes must have the same key file")
	}
	return nil
}

// Postgres reports whether the store is a PostgreSQL database.
func (c Config) Postgres() bool {
	return strings.HasPrefix(c.Store, "postgres://") || strings.HasPrefix(c.Store, "postgresql://")
}

// StoreName is the store for people and logs, without password and settings.
func (c Config) StoreName() string {
	if !c.Postgres() {
		return c.Store
	}
	u, err := url.Parse(c.Store)
	if err != nil {
		return "postgres://…"
	}
	name := url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}
	if u.User != nil {
		name.User = url.User(u.User.Username())
	}
	return name.String()
}

// SQLitePath is the path of the SQLite file.
func (c Config) SQLitePath() (string, error) {
	path, found := strings.CutPrefix(c.Store, "sqlite:")
	if !found || path == "" {
		scheme, _, _ := strings.Cut(c.Store, ":")
		return "", fmt.Errorf("store: %q: want sqlite: and a path, or postgres://user@host/database", scheme+":…")
	}
	return path, nil
}

// KeyPath is the path of the key file.
func (c Config) KeyPath() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return strings.TrimSuffix(strings.TrimPrefix(c.Store, "sqlite:"), ".db") + ".key"
}

// Loopback reports whether nobody but this machine can reach the listener.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Provider is a provider's type and its own settings as JSON.
func (c Config) Provider(name string) (kind string, settings json.RawMessage, err error) {
	table := map[string]any{}
	for key, value := range c.Providers[name] {
		if key != "type" && key != "tps" {
			table[key] = value
		}
	}
	kind, _ = c.Providers[name]["type"].(string)
	settings, err = json.Marshal(table)
	return kind, settings, err
}
