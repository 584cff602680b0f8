package httpapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestConfigurations(t *testing.T) {
	for _, c := range []struct{ name, config, problem string }{
		{"the least", `{"url":"https://gw.example.com","secret":"0123456789abcdef"}`, ""},
		{"all", `{"url":"https://gw.example.com/base/","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","timeout":"8s",` +
			`"from":"Acme","headers":{"Authorization":"Bearer x"},"allow_plain_http":true}`, ""},
		{"this host by name", `{"url":"http://localhost:8089","secret":"0123456789abcdef"}`, ""},
		{"this host by number", `{"url":"http://127.0.0.1:8089","secret":"0123456789abcdef"}`, ""},
		{"this host by IPv6", `{"url":"http://[::1]:8089","secret":"0123456789abcdef"}`, ""},
		{"plain http if allowed", `{"url":"http://gw:8089","secret":"0123456789abcdef","allow_plain_http":true}`, ""},
		{"no url", `{"secret":"0123456789abcdef"}`, "url is missing"},
		{"plain http", `{"url":"http://gw:8089","secret":"0123456789abcdef"}`, "url: plain http to gw"},
		{"a host that begins like this one", `{"url":"http://localhost.example.com","secret":"0123456789abcdef"}`, "url: plain http"},
		{"another scheme", `{"url":"ftp://gw","secret":"0123456789abcdef","allow_plain_http":true}`, "url is not an http"},
		{"no scheme", `{"url":"gw.example.com:8089","secret":"0123456789abcdef"}`, "url is not an http"},
		{"no host", `{"url":"https://:8089","secret":"0123456789abcdef"}`, "url is not an http"},
		{"nonsense", `{"url":"https://hunter2:x","secret":"0123456789abcdef"}`, "url is not an http"},
		{"a password", `{"url":"https://u:hunter2@gw","secret":"0123456789abcdef"}`, "url must not hold a password"},
		{"a query", `{"url":"https://gw/?key=hunter2","secret":"0123456789abcdef"}`, "url must end with its path"},
		{"a fragment", `{"url":"https://gw/#hunter2","secret":"0123456789abcdef"}`, "url must not hold a fragment"},
		{"no secret", `{"url":"https://gw"}`, "secret: needs 16 characters"},
		{"a short secret", `{"url":"https://gw","secret":"hunter2"}`, "secret: needs 16 characters"},
		{"a bad whsec", `{"url":"https://gw","secret":"whsec_hunter2hunter2!"}`, "secret: what follows whsec_"},
		{"a bare number", `{"url":"https://gw","secret":"0123456789abcdef","timeout":"10"}`, `timeout "10" is not a duration`},
		{"no time at all", `{"url":"https://gw","secret":"0123456789abcdef","timeout":"0s"}`, `timeout "0s" is not a duration`},
		{"a header of ours", `{"url":"https://gw","secret":"0123456789abcdef","headers":{"webhook-id":"x"}}`, "headers: Webhook-Id is set by verifyd"},
		{"no header", `{"url":"https://gw","secret":"0123456789abcdef","headers":{"X Y":"x"}}`, `headers: "X Y" is not the name`},
		{"a line break", `{"url":"https://gw","secret":"0123456789abcdef","headers":{"X-Y":"hunter2\r\nX-Z: 1"}}`, "headers: the value of X-Y"},
		{"twice", `{"url":"https://gw","secret":"0123456789abcdef","headers":{"X-Y":"1","x-y":"2"}}`, "headers: X-Y is there twice"},
		{"a misspelt key", `{"url":"https://gw","secrets":"0123456789abcdef"}`, `unknown field "secrets"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provider.Build(New)(json.RawMessage(c.config), provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestTheEndpointIsBelowTheBase(t *testing.T) {
	for base, want := range map[string]string{
		"https://gw":          "https://gw/v1/send",
		"https://gw/":         "https://gw/v1/send",
		"https://gw:8443/sms": "https://gw:8443/sms/v1/send",
		"https://gw/a%2Fb/":   "https://gw/a%2Fb/v1/send",
	} {
		if got, err := (Config{URL: base}).endpoint(); got != want {
			t.Errorf("%s: got %s, %v, want %s", base, got, err, want)
		}
	}
}
