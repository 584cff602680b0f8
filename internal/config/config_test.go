package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/config"
)

func none(string) (string, bool) { return "", false }

func TestAnEmptyFileIsTheDefault(t *testing.T) {
	c, err := config.Parse(nil, none)
	want := config.Default()
	want.Routes, want.MessagingServices = config.Routes{}, map[string]config.Routes{}
	if diff := cmp.Diff(want, c); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestSecretsComeFromElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[providers.g]\ntype = \"httpapi\"\nurl = \"https://g\"\nsecret = \"env:SECRET\"\nfrom = \"file:%s\"\n[providers.g.headers]\nX = \"env:SECRET\"\n", file)
	c, err := config.Parse([]byte(text), func(name string) (string, bool) { return "from the environment", name == "SECRET" })
	if err != nil {
		t.Fatal(err)
	}
	kind, settings, err := c.Provider("g")
	if err != nil || kind != "httpapi" {
		t.Fatalf("%s, %v", kind, err)
	}
	var got map[string]any
	if err := json.Unmarshal(settings, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"url": "https://g", "secret": "from the environment", "from": "from a file",
		"headers": map[string]any{"X": "from the environment"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSecretOfTheLookupComesFromElsewhere(t *testing.T) {
	c, err := config.Parse([]byte("[lookup]\nurl = \"https://lookup.example.com/v1\"\nsecret = \"env:SECRET\""),
		func(name string) (string, bool) { return "from the environment", name == "SECRET" })
	if err != nil || c.Lookup.Secret != "from the environment" {
		t.Errorf("secret %q, %v", c.Lookup.Secret, err)
	}
}

func TestTheEnvironmentOverrides(t *testing.T) {
	c, err := config.Parse([]byte(`listen = "127.0.0.1:1"`), func(name string) (string, bool) { return "127.0.0.1:2", name == "VERIFYD_LISTEN" })
	if err != nil || c.Listen != "127.0.0.1:2" {
		t.Errorf("listen is %s, %v", c.Listen, err)
	}
}

func TestTheBuiltInLimitsAreOnUnlessTurnedOff(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	on, err := config.Parse(nil, none)
	off, err2 := config.Parse([]byte("built_in_limits = false"), none)
	if err != nil || err2 != nil || !on.BuiltInLimits || off.BuiltInLimits {
		t.Errorf("by default %v, turned off %v; %v, %v", on.BuiltInLimits, off.BuiltInLimits, err, err2)
	}
}

// Every mistake is said with the key at fault.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"[lookup]\nurl = \"lookup.example.com\"":                         "lookup.url",
		"[lookup]\nsecret = \"env:NOWHERE\"":                             "lookup.secret",
		"[events]\nurl = \"events.example.com\"":                         "events.url",
		"[events]\nsecret = \"env:NOWHERE\"":                             "events.secret",
		"[events]\nsecret = \"short\"":                                   "events.secret",
		"[events]\nsecret = \"whsec_!\"":                                 "events.secret",
		"[webhooks]\nformat = \"xml\"":                                   "webhooks.format",
		"[webhooks]\nallow = [\"10.0.0.0\"]":                             "line 2",
		"lisen = 1":                                                      "line 1: unknown key lisen",
		"[log]\nformt = \"json\"":                                        "line 2: unknown key log.formt",
		"listen = \"x":                                                   "line 1",
		"listen = \"8642\"":                                              "listen",
		"store = \"mysql://x\"":                                          "store",
		"store = \"sqlite:\"":                                            "store",
		"public_url = \"verify.example.com\"":                            "public_url",
		"public_url = \"https://x/\"":                                    "public_url",
		"listen = \"0.0.0.0:1\"":                                         "plain HTTP",
		"[tls]\ncert_file = \"x\"":                                       "belong together",
		"[tls]\nterminated_in_front = true":                              "public_url",
		"retention = \"a month\"":                                        `line 1, column 13: toml: an age is a number of days such as "30d"`,
		"retention = \"-3d\"":                                            "an age is",
		"retention = \"36501d\"":                                         "an age is",
		"retention = 30":                                                 "retention",
		"retention = \"47h\"":                                            "retention: 47h0m0s is too short, want at least 2d",
		"payment_retention = \"0d\"":                                     "payment_retention: want more",
		"payment_retention = \"31d\"":                                    "payment_retention: 31d is longer than retention, 30d",
		"[log]\nlevel = \"loud\"":                                        "log.level",
		"[log]\nformat = \"xml\"":                                        "log.format",
		"[routes]\nfax = []":                                             "routes.fax",
		"[routes]\nsms = [\"g\"]":                                        "providers.g",
		"[providers.g]\nurl = \"x\"":                                     "providers.g.type",
		"[providers.g]\ntype = \"env:NOT\"":                              "NOT is not set",
		"[providers.g]\ntype = \"file:/no/x\"":                           "/no/x",
		"[providers.g]\ntype=\"t\"\n[routes]\nsms = [\"g\",\"g\"]":       "stands twice",
		"[messaging_services.MG1]\nsms = []":                             "want MG and 32",
		"[push_credentials]\nCR1 = \"g\"":                                "push_credentials.CR1: want CR and 32",
		"[push_credentials]\nCR00000000000000000000000000000000 = \"g\"": "push_credentials.CR00000000000000000000000000000000: there is no [providers.g]",
		"[routes]\nfcm = [\"g\"]":                                        "routes.fcm: there is no [providers.g]",
		"[messaging_services.MG00000000000000000000000000000000]\nsms = [\"g\"]":  "messaging_services.MG00000000000000000000000000000000.sms: there is no [providers.g]",
		"[messaging_services.MG00000000000000000000000000000000]\ncall = [\"g\"]": "no such channel; there are sms, rcs, whatsapp",
		"[messaging_services.MG00000000000000000000000000000000]\nsms = []":       "has no providers",
		"brandless_countries = [\"ca\"]":                                          "no country code",
	} {
		if _, err := config.Parse([]byte(text), none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

func TestAges(t *testing.T) {
	for text, want := range map[string]time.Duration{"2d": 48 * time.Hour, "90d": 90 * 24 * time.Hour, "720h": 720 * time.Hour, "48h30m": 48*time.Hour + 30*time.Minute} {
		c, err := config.Parse(fmt.Appendf(nil, "retention = %q\npayment_retention = \"90m\"", text), none)
		if err != nil || time.Duration(c.Retention) != want || time.Duration(c.PaymentRetention) != 90*time.Minute {
			t.Errorf("retention = %q is %s and %s, %v; want %s", text, c.Retention, c.PaymentRetention, err, want)
		}
	}
}

func FuzzAge(f *testing.F) {
	for _, text := range []string{"30d", "720h", "1h30m", "-1d", "99999d", "d", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, again config.Age
		if a.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(a.String())); err != nil || again != a || a < 0 {
			t.Errorf("%q is %s, which is read as %s, %v", text, a, again, err)
		}
	})
}

func TestKeyPath(t *testing.T) {
	for text, want := range map[string]string{
		"store = \"sqlite:/x/verifyd.db\"": "/x/verifyd.key",
		"key_file = \"/etc/k\"":            "/etc/k",
	} {
		if c, err := config.Parse([]byte(text), none); err != nil || c.KeyPath() != want {
			t.Errorf("%s: %q, %v, want %q", text, c.KeyPath(), err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("listen = \"127.0.0.1:1\"\n[providers.g]\ntype = \"smtp\"\n[routes]\nemail = [\"g\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse([]byte(text), none)
		if err == nil && c.TLS.CertFile == "" && !c.TLS.TerminatedInFront && !c.Loopback() {
			t.Errorf("plain HTTP on %s", c.Listen)
		}
	})
}

func ExampleParse() {
	c, err := config.Parse([]byte(`store = "sqlite:/var/lib/verifyd/verifyd.db"`), none)
	fmt.Println(c.Listen, c.KeyPath(), err)
	// Output: 127.0.0.1:8642 /var/lib/verifyd/verifyd.key <nil>
}

func TestPostgresStore(t *testing.T) {
	c, err := config.Parse([]byte("store = \"postgres://verifyd:s3cret@db.example.com:5433/verifyd?sslmode=verify-full&password=s3cret\"\nkey_file = \"k\""), none)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.StoreName(), "postgres://verifyd@db.example.com:5433/verifyd"; got != want || !c.Postgres() {
		t.Errorf("StoreName = %q, want %q", got, want)
	}
	if c.KeyPath() != "k" {
		t.Errorf("KeyPath = %q", c.KeyPath())
	}
}

func TestAWrongStoreIsRefusedWithoutItsPassword(t *testing.T) {
	for text, want := range map[string]string{
		"store = \"postgres://u:s3cret@h/db\"":                        "key_file: is needed with a PostgreSQL store",
		"store = \"postgres://u:s3cret@h/\"\nkey_file = \"k\"":        "names no database",
		"store = \"postgres://u:s3cret%zz@h/db\"\nkey_file = \"k\"":   "cannot be read",
		"store = \"postgres://u:s3cret@h:port/db\"\nkey_file = \"k\"": "cannot be read",
		"store = \"postgre://u:s3cret@h/db\"":                         "want sqlite: and a path, or postgres://",
		"store = \"mysql:u:s3cret@h\"":                                "want sqlite: and a path, or postgres://",
	} {
		_, err := config.Parse([]byte(text), none)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q and no password", text, err, want)
		}
	}
}
