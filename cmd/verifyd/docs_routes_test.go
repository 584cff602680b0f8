//go:build full

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/config"
)

// An installation by the tables of docs/routes.md, of which one gateway is out of order, tells the story
// that the page tells; and the commands of the page run.
func TestTheRoutesPageWorks(t *testing.T) {
	page := readPage(t, "routes.md")
	gateway := func(status int, body string) string {
		g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				return // the doctor
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(g.Close)
		return g.URL
	}
	replacer := strings.NewReplacer(
		"https://local.example.com", gateway(503, `{"error":{"class":"temporary","code":"503","message":"out of order"}}`),
		"https://gateway.example.com", gateway(202, `{"id":"7"}`))
	home := t.TempDir()
	text := "listen = \"127.0.0.1:0\"\nstore = \"sqlite:" + home + "/verifyd.db\"\n" + replacer.Replace(page["toml"][0])
	if err := os.WriteFile(filepath.Join(home, "verifyd.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"LOCAL_SECRET=a secret of the tests", "GATEWAY_SECRET=another secret of the tests"}
	in := filepath.Join(home, "verifyd.toml")
	stdout, stderr, code := onceWith(t, env, "account", "create", "--config", in, "--countries", "ES")
	credentials := regexp.MustCompile(`(?m)^(?:account SID|auth token) +(\S+)$`).FindAllStringSubmatch(stdout, -1)
	if code != 0 || len(credentials) != 2 {
		t.Fatal(stdout, stderr)
	}
	p := begin(t, serveReady, env, "serve", "--config", in)
	client := []string{"HOME=" + home, "VERIFYD_URL=" + p.base, "TWILIO_ACCOUNT_SID=" + credentials[0][1], "TWILIO_AUTH_TOKEN=" + credentials[1][1]}
	for _, line := range []string{"service create Acme", "verification start +34612345678 --channel sms"} {
		if _, stderr, code := onceWith(t, client, strings.Fields(line)...); code != 0 {
			t.Fatal(line, stderr)
		}
	}
	attempt := strings.TrimSpace(first(onceWith(t, client, "attempt", "list", "--quiet")))
	want := strings.TrimPrefix(page["text"][0], "$ verifyd attempt VL…\n")
	got := ""
	waitFor(t, "the message to be sent", func() bool {
		got = first(onceWith(t, client, "attempt", attempt))
		return strings.Contains(got, "accepted")
	})
	if got := columns(got); got != columns(want) {
		t.Errorf("the story is\n%s\nthe page has\n%s", got, columns(want))
	}

	// The commands, in one shell. local is out of order, and says so.
	service := strings.TrimSpace(first(onceWith(t, client, "service", "list", "--quiet")))
	script := strings.Join(page["sh"], "\n")
	script = strings.ReplaceAll(script, "--provider local", "--provider gateway")
	said := p.pasteWith(home, script, append(client, append(env, "BASE="+p.base, "SERVICE="+service, "ACCOUNT="+credentials[0][1], "TOKEN="+credentials[1][1])...))
	for _, part := range []string{"provider local    ok        httpapi: connected, and known there", "gateway took it in ", "local did not, after ",
		`"friendly_name":"Acme"`, "friendly_name                      Acme"} {
		if !strings.Contains(said, part) {
			t.Errorf("nothing said %q:\n%s", part, said)
		}
	}
}

// columns is a table without what differs from run to run, and without the widths of its columns.
func columns(s string) string {
	s = regexp.MustCompile(` +`).ReplaceAllString(steady(s), " ")
	s = regexp.MustCompile(`(hand_over \w+) \d+`).ReplaceAllString(s, "$1 MS")
	return strings.TrimSpace(s)
}

// Every table of the page is one that the server takes.
func TestTheTablesOfTheRoutesPage(t *testing.T) {
	tables := readPage(t, "routes.md")["toml"]
	providers, _, _ := strings.Cut(tables[0], "[routes]")
	secret := func(name string) (string, bool) { return "a secret of the tests", !strings.HasPrefix(name, "VERIFYD_") }
	for i, text := range tables {
		if i > 0 {
			text = providers + text
		}
		c, err := config.Parse([]byte(text), secret)
		if err != nil || len(c.Routes) == 0 {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range readPage(t, "configuration.md")["toml"][:1] {
		if _, err := config.Parse([]byte(strings.ReplaceAll(text, "file:", "")), secret); err != nil {
			t.Errorf("configuration.md: %s: %v", text, err)
		}
	}
}
