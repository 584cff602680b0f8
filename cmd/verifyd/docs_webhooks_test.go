//go:build full

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/config"
)

// The commands of docs/webhooks.md run in one shell: an event is refused once, and sent again.
func TestTheWebhooksPageWorks(t *testing.T) {
	page := readPage(t, "webhooks.md")
	home := t.TempDir()
	p := begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "error")
	said := p.paste(home, strings.Join(page["sh"], ""))
	for _, want := range []string{
		`"event_types":\["factor.created","factor.deleted"\]`, `"webhook_method":"POST"`,
		`ED[0-9a-f]{32}  \S+ \S+  factor.created  YW[0-9a-f]{32}  queued, try 1 at \S+ \S+ 503 in \d+ ms, answered 503\n`,
		`"verify_event_subscription_enabled":true`,
		`delivered, try 2 at \S+ \S+ 204 in \d+ ms\n`,
		`"status":"delivered","tries":\[\{"date":"[^"]+","milliseconds":\d+,"code":503,"error":"answered 503"\},\{"date":"[^"]+","milliseconds":\d+,"code":204,"error":null\}\]`,
	} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("nothing says %s:\n%s", want, said)
		}
	}
	secret := func(name string) (string, bool) { return "0123456789abcdef0123456789abcdef", name == "EVENTS_SECRET" }
	for _, text := range page["toml"] {
		if _, err := config.Parse([]byte(text), secret); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
