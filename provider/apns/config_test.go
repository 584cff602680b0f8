package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestConfigurations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "AuthKey.p8")
	if err := os.WriteFile(path, []byte(keyText(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	other := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))

	for _, c := range []struct {
		name    string
		change  map[string]any // nil removes
		problem string
	}{
		{"the text of the file", nil, ""},
		{"the path of the file", map[string]any{"key": nil, "key_file": path}, ""},
		{"all", map[string]any{"topic": "com.acme.app", "title": true, "sandbox": true, "base_url": "https://127.0.0.1:8443",
			"sandbox_url": "https://127.0.0.1:8444", "timeout": "5s"}, ""},
		{"no key", map[string]any{"key": nil}, "key_file is missing"},
		{"two keys", map[string]any{"key_file": path}, "both set"},
		{"no such file", map[string]any{"key": nil, "key_file": "/nowhere/AuthKey.p8"}, "key_file: open /nowhere/AuthKey.p8"},
		{"a key of nonsense", map[string]any{"key": "hunter2"}, "key is not a key for APNs"},
		{"a key on another curve", map[string]any{"key": other}, "key is not a key for APNs"},
		{"no key's identifier", map[string]any{"key_id": nil}, "key_id is missing"},
		{"a short identifier", map[string]any{"key_id": "KEY"}, "key_id is missing, or not"},
		{"no team", map[string]any{"team_id": nil}, "team_id is missing"},
		{"small letters", map[string]any{"team_id": "team123456"}, "team_id is missing, or not"},
		{"a topic of nonsense", map[string]any{"topic": "my app"}, `topic "my app" is not a bundle identifier`},
		{"plain http", map[string]any{"base_url": "http://127.0.0.1:8443"}, "base_url is not an https URL"},
		{"a password", map[string]any{"base_url": "https://u:hunter2@example.com"}, "base_url must not hold a password"},
		{"a stand-in for the other alone", map[string]any{"sandbox_url": "https://127.0.0.1"}, "base_url is missing, and sandbox_url is set"},
		{"and the other way round", map[string]any{"base_url": "https://127.0.0.1", "sandbox": true}, "sandbox_url is missing, and base_url is set"},
		{"no time at all", map[string]any{"timeout": "0s"}, `timeout "0s" is not a duration`},
		{"a misspelt key", map[string]any{"keyid": "x"}, `unknown field "keyid"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := map[string]any{"key": keyText(t), "key_id": testKeyID, "team_id": testTeam}
			for name, value := range c.change {
				if all[name] = value; value == nil {
					delete(all, name)
				}
			}
			config, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			_, err = provider.Build(New)(config, provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "PRIVATE KEY")) {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestTheHostsAndTheirOrder(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "https://api.push.apple.com https://api.sandbox.push.apple.com"},
		{Config{Sandbox: true}, "https://api.sandbox.push.apple.com https://api.push.apple.com"},
		{Config{BaseURL: "https://a"}, "https://a"},
		{Config{BaseURL: "https://a", SandboxURL: "https://b"}, "https://a https://b"},
		{Config{BaseURL: "https://a", SandboxURL: "https://b", Sandbox: true}, "https://b https://a"},
		{Config{SandboxURL: "https://b", Sandbox: true}, "https://b"},
	} {
		hosts, err := c.config.hosts()
		var got []string
		for _, h := range hosts {
			got = append(got, h.String())
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v: got %v, %v, want %s", c.config, got, err, c.want)
		}
	}
}
