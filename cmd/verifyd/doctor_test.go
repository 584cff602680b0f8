package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// configured writes a configuration with two gateways and a relay that is not there.
func configured(t *testing.T, first, second, more string) (path string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path = filepath.Join(dir, "verifyd.toml")
	text := fmt.Sprintf(`
store = "sqlite:%s/verifyd.db"
[providers.first]
type = "httpapi"
url = %q
secret = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cyE="
[providers.second]
type = "httpapi"
url = %q
secret = "the other secret of the tests"
[providers.mail]
type = "smtp"
host = "127.0.0.1"
port = %d
tls = "none"
username = "verifyd"
password = "hunter2222"
from = "codes@example.com"
%s`, dir, first, second, port, more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const bothGateways = `
[routes]
email = ["mail"]
[[routes.sms]]
country = ["ES", "PT"]
providers = ["first", {name = "second", from = "Acme"}]
[[routes.sms]]
providers = ["second"]
`

// secrets must not be in any output.
func wantNoSecrets(t *testing.T, output string) {
	t.Helper()
	for _, secret := range []string{"c2VjcmV0", "secret of the tests", "other secret", "hunter2222", "612345678"} {
		if strings.Contains(output, secret) {
			t.Errorf("%q is told:\n%s", secret, output)
		}
	}
}

// answering is a gateway that always answers alike.
func answering(t *testing.T, status int, body string) (url string, paths *[]string) {
	t.Helper()
	paths = &[]string{}
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*paths = append(*paths, r.URL.Path)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(g.Close)
	return g.URL, paths
}

func TestTheDoctorFindsAllAtOnce(t *testing.T) {
	first, _ := answering(t, 200, "")
	second, _ := answering(t, 401, "")
	path := configured(t, first, second, bothGateways)
	stdout, stderr, code := once(t, "doctor", "--config", path)
	for _, line := range []string{
		`configuration    ok        /\S+/verifyd.toml`,
		`store            unproven  key file /\S+/verifyd.key is not there yet; the first start makes it`,
		`provider first   ok        httpapi: connected, and known there`,
		`provider mail    failed    smtp: connect: .*refused`,
		`provider second  failed    httpapi: the gateway refuses our signature \(401\): is the secret the same on both sides, and are the clocks right\?`,
		`route of email   ok        \* by mail`,
		`route of sms     ok        ES,PT by first, second; \* by second`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(stdout) {
			t.Errorf("no line %s in\n%s", line, stdout)
		}
	}
	if code != 1 || stderr != "verifyd doctor: 2 of 7 would not work\n" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	wantNoSecrets(t, stdout+stderr)
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "verifyd.db")); err == nil {
		t.Error("the doctor made a store")
	}
}

func TestTheDoctorSaysThatAllIsWell(t *testing.T) {
	first, _ := answering(t, 200, "")
	second, _ := answering(t, 404, "") // a gateway without checks
	path := configured(t, first, second, "[routes]\nsms = [\"first\"]\n")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mail := regexp.MustCompile(`(?s)\[providers\.mail\].*\[routes\]`)
	if err := os.WriteFile(path, mail.ReplaceAll(text, []byte("[routes]")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := once(t, "account", "create", "--config", path, "--countries", "ES"); code != 0 {
		t.Fatal(stderr)
	}
	stdout, stderr, code := once(t, "doctor", "--config", path, "--json", "--report-urls")
	want := regexp.MustCompile(`(?s)^\{"what":"configuration","result":"ok",.*\{"what":"store","result":"ok","words":"sqlite:.*` +
		`\{"what":"provider second","result":"unproven","words":"httpapi: the gateway has no /v1/check: reached, `)
	if code != 0 || stderr != "" || !want.MatchString(stdout) {
		t.Errorf("exit code %d, %s\n%s", code, stderr, stdout)
	}
	wantNoSecrets(t, stdout+stderr)
}

// callsBack is a provider whose carrier calls back, and keeps a connection.
type callsBack struct{ keepsNothing }

func (callsBack) ServeReport(http.ResponseWriter, *http.Request) {}

func TestTheDoctorTellsTheURLsOfReportsWhenAsked(t *testing.T) {
	providers["callsback"] = func(json.RawMessage, provider.Deps) (provider.Provider, error) { return callsBack{}, nil }
	defer delete(providers, "callsback")
	path := filepath.Join(t.TempDir(), "verifyd.toml")
	text := "store = \"sqlite:" + filepath.Dir(path) + "/verifyd.db\"\npublic_url = \"https://verify.example.com\"\n" +
		"[providers.back]\ntype = \"callsback\"\n[routes]\nsms = [\"back\"]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doctor := func(args ...string) string {
		var out, errs bytes.Buffer
		none := func(string) (string, bool) { return "", false }
		if code := run(t.Context(), append(args, "--config", path), system{getenv: none, stdout: &out, stderr: &errs}); code != 0 {
			t.Fatalf("%v: %d\n%s%s", args, code, &out, &errs)
		}
		return out.String()
	}
	doctor("account", "create", "--countries", "ES")
	if said := doctor("doctor"); strings.Contains(said, "/reports/") || !strings.Contains(said, "provider back  unproven  callsback: the settings can be read") {
		t.Errorf("unasked:\n%s", said)
	}
	if said := doctor("doctor", "--report-urls"); !regexp.MustCompile(`reports of back  ok +https://verify\.example\.com/reports/back/[\w-]{44}\n`).MatchString(said) {
		t.Errorf("asked:\n%s", said)
	}
}

func TestTheDoctorSaysWhatIsWrongWithTheConfiguration(t *testing.T) {
	path := configured(t, "https://x", "https://x", "[routes]\nsms = [\"third\"]\n")
	stdout, stderr, code := once(t, "doctor", "--config", path)
	if code != 1 || !strings.Contains(stdout, "routes.sms: there is no [providers.third]") || !strings.Contains(stderr, "1 of 1 would not work") {
		t.Errorf("exit code %d, %s\n%s", code, stderr, stdout)
	}
}

func TestTheDoctorReadsTheCertificate(t *testing.T) {
	gateway, _ := answering(t, 200, "")
	cert, key := certificate(t, 1)
	for _, c := range []struct {
		key  []byte
		want string
	}{
		{key, `certificate +ok +/\S+/cert.pem`},
		{[]byte("no key"), `certificate +failed +certificate /\S+/cert.pem: `},
	} {
		dir := t.TempDir()
		path := configured(t, gateway, gateway, fmt.Sprintf("[tls]\ncert_file = \"%s/cert.pem\"\nkey_file = \"%[1]s/key.pem\"\n", dir))
		for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": c.key} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if stdout, _, _ := once(t, "doctor", "--config", path); !regexp.MustCompile(`(?m)^` + c.want).MatchString(stdout) {
			t.Errorf("no line %s in\n%s", c.want, stdout)
		}
	}
}

func TestATestMessage(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second int
		args          string
		want          string // of the output
		asked         string // how often each gateway
		code          int
	}{
		{"by a provider", 202, 202, "--provider second --to +34612345678", `^second took it in \d+ms, as 7\n$`, "0 1", 0},
		{"as the routes say", 202, 202, "--route --to +34612345678", `^first took it in`, "1 0", 0},
		{"as the routes of another country say", 202, 202, "--route --to +33612345678", `^second took it in`, "0 1", 0},
		{"by the next route", 403, 202, "--route --to +34612345678", `^first did not, after \d+ms: bad_request.*\nsecond took it`, "1 1", 0},
		{"perhaps, and not twice", 500, 202, "--route --to +34612345678", `^first did not, after \d+ms: unknown.*\n$`, "1 0", 1},
		{"by nobody", 403, 403, "--route --to +34612345678", `second did not`, "1 1", 1},
		{"to nobody", 202, 202, "--route --to 12", ``, "0 0", 1},
		{"on a channel without a route", 202, 202, "--route --channel call --to +34612345678", ``, "0 0", 1},
		{"on no channel", 202, 202, "--route --channel fax --to +34612345678", ``, "0 0", 1},
		{"by nobody that there is", 202, 202, "--provider third --to +34612345678", ``, "0 0", 1},
		{"by nobody that is named", 202, 202, "--to +34612345678", ``, "0 0", 2},
		{"by two", 202, 202, "--to +34612345679 --route --provider first", ``, "0 0", 2},
		{"to an address", 202, 202, "--route --to ana@example.com", `^mail did not, after \d+m?s: temporary: connect`, "0 0", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := func(status int) string {
				if status == 202 {
					return `{"id":"7"}`
				}
				return `{"error":{"message":"no"}}`
			}
			first, firstPaths := answering(t, c.first, body(c.first))
			second, secondPaths := answering(t, c.second, body(c.second))
			path := configured(t, first, second, bothGateways)
			stdout, stderr, code := once(t, append([]string{"send", "--config", path}, strings.Fields(c.args)...)...)
			if code != c.code || !regexp.MustCompile(c.want).MatchString(stdout) || code != 0 && !strings.HasPrefix(stderr, "verifyd send: ") {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
			if asked := fmt.Sprint(len(*firstPaths), len(*secondPaths)); asked != c.asked {
				t.Errorf("asked %s, want %s", asked, c.asked)
			}
			wantNoSecrets(t, stdout+stderr)
		})
	}
}

// keepsNothing is a provider that takes everything.
type keepsNothing struct{}

func (keepsNothing) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}
