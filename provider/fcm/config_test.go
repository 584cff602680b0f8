package fcm

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
	good := keyFileOf(t)
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	old := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())}))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
		config  map[string]any
		problem string
	}{
		{"the text of the file", map[string]any{"credentials": good}, ""},
		{"the path of the file", map[string]any{"credentials_file": path}, ""},
		{"all", map[string]any{"credentials": good, "project": "123456789", "base_url": "https://fcm.example.com/x",
			"token_url": "http://127.0.0.1:8080/token", "timeout": "5s"}, ""},
		{"an old form of key", map[string]any{"credentials": keyFileOf(t, "private_key", old)}, ""},
		{"no token_uri in the file", map[string]any{"credentials": keyFileOf(t, "token_uri", "")}, ""},
		{"nothing", map[string]any{}, "credentials_file is missing"},
		{"both", map[string]any{"credentials": good, "credentials_file": path}, "both set"},
		{"no such file", map[string]any{"credentials_file": "/nowhere/key.json"}, "credentials_file: open /nowhere/key.json"},
		{"no JSON", map[string]any{"credentials": "hunter2"}, "credentials is not the JSON key file"},
		{"another JSON", map[string]any{"credentials": `{"hunter2":1}`}, `credentials: its type is not "service_account"`},
		{"another type", map[string]any{"credentials": keyFileOf(t, "type", "hunter2")}, `credentials: its type is not "service_account"`},
		{"no account", map[string]any{"credentials": keyFileOf(t, "client_email", "")}, "credentials: client_email is missing in it"},
		{"no key", map[string]any{"credentials": keyFileOf(t, "private_key", "")}, "credentials: private_key is missing in it"},
		{"a key of nonsense", map[string]any{"credentials": keyFileOf(t, "private_key", "hunter2")}, "credentials: private_key in it is not an RSA key"},
		{"another kind of key", map[string]any{"credentials": keyFileOf(t, "private_key", other)}, "credentials: private_key in it is not an RSA key"},
		{"a token_uri of somebody's", map[string]any{"credentials": keyFileOf(t, "token_uri", "http://example.com/token")},
			"credentials: token_uri in it: plain http is for this host alone"},
		{"no project", map[string]any{"credentials": keyFileOf(t, "project_id", "")}, "project is missing"},
		{"a project that is a path", map[string]any{"credentials": good, "project": "../x"}, "project is missing, or not"},
		{"plain http", map[string]any{"credentials": good, "base_url": "http://example.com"}, "base_url: plain http is for this host alone"},
		{"a base with a query", map[string]any{"credentials": good, "base_url": "https://example.com?key=hunter2"}, "base_url must end with its path"},
		{"no URL", map[string]any{"credentials": good, "token_url": "hunter2"}, "token_url is not an http or https URL"},
		{"no time at all", map[string]any{"credentials": good, "timeout": "0s"}, `timeout "0s" is not a duration`},
		{"a misspelt key", map[string]any{"credential": good}, `unknown field "credential"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := json.Marshal(c.config)
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
