package intercept

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := pairs[name]
		return value, ok
	}
}

func TestSettingsTakeThePlaceOfWhatWasThere(t *testing.T) {
	got := Environ([]string{"PATH=/bin", "HTTPS_PROXY=http://old", "X=a=b", "=odd"}, []Setting{{"HTTPS_PROXY", "http://new"}, {"Y", ""}})
	want := []string{"PATH=/bin", "X=a=b", "=odd", "HTTPS_PROXY=http://new", "Y="}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProxiesAreNamedInBothCases(t *testing.T) {
	got := ProxySettings("http://127.0.0.1:1", environment(nil))
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		if !slices.Contains(got, Setting{name, "http://127.0.0.1:1"}) {
			t.Errorf("%s is not set: %v", name, got)
		}
	}
}

// A host on the list would be called without the proxy: with production credentials, at the real one.
func TestNoProxyNeverCoversADivertedName(t *testing.T) {
	const here = "localhost,127.0.0.1,::1"
	for list, want := range map[string]string{
		"":                          here,
		"*":                         here,
		"twilio.com":                here,
		".twilio.com, *.twilio.com": here,
		"com,.com":                  here,
		"Verify.Twilio.com:443 verify.twilio.com.": here,
		"au1.twilio.com,api.twilio.com":            here,
		"corp.example,10.0.0.0/8":                  here + ",corp.example,10.0.0.0/8",
		"mytwilio.com,localhost,.internal":         here + ",mytwilio.com,.internal",
	} {
		if got := noProxy(list); got != want {
			t.Errorf("NO_PROXY=%s becomes %s, want %s", list, got, want)
		}
	}
	got := ProxySettings("", environment(map[string]string{"NO_PROXY": "a.example", "no_proxy": "b.example"}))
	if !slices.Contains(got, Setting{"no_proxy", here + ",a.example,b.example"}) {
		t.Errorf("of two lists became %v", got)
	}
}

func TestACommandTrustsWhatItTrustedAndTheAuthority(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	system, own := filepath.Join(dir, "system.pem"), filepath.Join(dir, "own.pem")
	for path, text := range map[string]string{system: "SYSTEM", own: "OWN"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bundles := []string{filepath.Join(dir, "nowhere"), system}
	settings, err := trustSettings(out, []byte("OURS"), environment(map[string]string{"REQUESTS_CA_BUNDLE": own, "SSL_CERT_FILE": ""}), bundles)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"NODE_EXTRA_CA_CERTS": "OURS", "DENO_CERT": "OURS", "SSL_CERT_FILE": "SYSTEM OURS", "REQUESTS_CA_BUNDLE": "OWN OURS", "CURL_CA_BUNDLE": "SYSTEM OURS"}
	for _, s := range settings {
		if s.Name == "PYTHONPATH" {
			continue
		}
		text, err := os.ReadFile(s.Value)
		if got := strings.Join(strings.Fields(string(text)), " "); err != nil || got != want[s.Name] {
			t.Errorf("%s has %q, %v; want %q", s.Name, got, err, want[s.Name])
		}
		delete(want, s.Name)
	}
	if len(want) > 0 {
		t.Errorf("not set: %v", want)
	}

	settings, err = trustSettings(out, []byte("OURS"), environment(nil), bundles[:1])
	if !errors.Is(err, ErrNoBundle) || len(settings) != len(trustNames)+1 {
		t.Errorf("without a bundle: %v, %v", settings, err)
	}
	if _, err := trustSettings(out, nil, environment(map[string]string{"SSL_CERT_FILE": "/nowhere"}), bundles); err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
		t.Errorf("a file of the environment that is not there: %v", err)
	}
}

// Python's certifi is ours, in front of the packages that the program has.
func TestPythonAsksOurCertifi(t *testing.T) {
	for before, after := range map[string]string{"": "", "/a:/b": ":/a:/b"} {
		out := t.TempDir()
		settings, err := TrustSettings(out, []byte("OURS"), environment(map[string]string{"PYTHONPATH": before}))
		if err != nil && !errors.Is(err, ErrNoBundle) {
			t.Fatal(err)
		}
		packages := filepath.Join(out, "python")
		if !slices.Contains(settings, Setting{"PYTHONPATH", packages + after}) {
			t.Errorf("with PYTHONPATH=%s: %v", before, settings)
		}
		text, err := os.ReadFile(filepath.Join(packages, "certifi", "__init__.py"))
		if err != nil || !strings.Contains(string(text), `return "`+bundlePath(out, "REQUESTS_CA_BUNDLE")+`"`) {
			t.Errorf("certifi: %v\n%s", err, text)
		}
	}
}
