package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestTheHelpNamesWhatGoesByTheCarrier: by each of them, and push is none.
func TestTheHelpNamesWhatGoesByTheCarrier(t *testing.T) {
	help, _, _ := onceWith(t, nil, "dev", "--help")
	_, line, _ := strings.Cut(help, "--carrier")
	line, _, _ = strings.Cut(line, "\n")
	for kind := range devChannels {
		if !strings.Contains(strings.ToLower(line), kind) {
			t.Errorf("the help of --carrier does not name %s: %s", kind, line)
		}
	}
}

// TestDevSendsByAFakeCarrier: a message is at the carrier and in the inbox, its receipt is in its attempt, and
// what the carrier refuses is in neither.
func TestDevSendsByAFakeCarrier(t *testing.T) {
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "warn", "--carrier")
	carrier := p.said("carrier")
	api := func(method, path, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, carrier+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answered, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answered.Body.Close()
		text, err := io.ReadAll(answered.Body)
		if err != nil || answered.StatusCode != 200 {
			t.Fatalf("%s %s: %d %s %v", method, path, answered.StatusCode, text, err)
		}
		return string(text)
	}
	start := func(to, channel string) (attempt string) {
		status, body, _, err := post(t.Context(), p.base, p.said("account SID"), p.said("auth token"),
			"/v2/Services/"+p.said("service SID")+"/Verifications", url.Values{"To": {to}, "Channel": {channel}})
		if err != nil || status != 201 {
			t.Fatalf("start: %d %v %v", status, body, err)
		}
		return attemptOf(body)
	}
	story := func(attempt string) string {
		_, body, _, err := get(t.Context(), p.base, p.said("account SID"), p.said("auth token"), "/v2/Verifyd/Attempts/"+attempt)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	for _, c := range []struct{ to, channel, provider, state string }{
		{"+34612345678", "sms", "smpp", "delivered"}, {"+34612345679", "whatsapp", "whatsapp", "delivered"},
		{"+34612345680", "rcs", "rcs", "delivered"}, {"ann@acme.example", "email", "smtp", "sent"},
	} {
		attempt := start(c.to, c.channel)
		if got := api("GET", "/messages?wait=60s&to="+url.QueryEscape(c.to), ""); !strings.Contains(got, `"provider":"`+c.provider+`"`) {
			t.Errorf("%s: the carrier has %s", c.channel, got)
		}
		waitFor(t, "the "+c.channel+" to be "+c.state, func() bool { return strings.Contains(story(attempt), `"state":"`+c.state+`"`) })
	}
	answered, err := http.Get(p.base + "/dev/inbox?wait=10s&to=ann@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	if text, err := io.ReadAll(answered.Body); err != nil || !strings.Contains(string(text), `"channel":"email"`) {
		t.Errorf("the inbox has %s, %v", text, err)
	}

	api("PUT", "/knobs", `{"knobs":[{"provider":"smpp","answer":"bad_recipient"}]}`)
	refused := start("+34612345611", "sms")
	waitFor(t, "the message to be refused", func() bool { return strings.Contains(story(refused), "bad_recipient") })
	// A message by RCS that does not arrive is taken back, and goes on.
	if status, body, _, err := post(t.Context(), p.base, p.said("account SID"), p.said("auth token"), "/v2/Services/"+p.said("service SID"),
		url.Values{"Verifyd.Fallback": {"rcs,sms"}, "Verifyd.FallbackAfter": {"1"}}); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	api("PUT", "/knobs", `{"knobs":[{"provider":"rcs","arrives":false}]}`)
	const off = "+34612345681"
	waits := start(off, "rcs")
	if got := api("GET", "/messages?wait=60s&provider=smpp&to="+url.QueryEscape(off), ""); !strings.Contains(got, `"provider":"smpp"`) {
		t.Errorf("the carrier has %s", got)
	}
	if got := story(waits); !strings.Contains(got, "revoked") {
		t.Errorf("the story is %s", got)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("SIGTERM: exit code %d\n%s", code, p.errs)
	}
}

// TestTheNamesOfADev: the inbox and the carrier are called what the flags say, and nothing else that could be
// somebody's website.
func TestTheNamesOfADev(t *testing.T) {
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "warn", "--carrier", "--hosts", "dev.acme.example, Other.Example")
	for host, want := range map[string]int{"dev.acme.example": 200, "other.example:1": 200, "localhost": 200, "rebound.example": 403} {
		for _, target := range []string{p.base + "/dev/inbox", p.said("carrier") + "/messages"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			answered, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(answered.Body)
			answered.Body.Close()
			if err != nil || answered.StatusCode != want || want == 403 && !strings.Contains(string(text), "start it with --hosts rebound.example") {
				t.Errorf("%s as %s: %d %s, want %d", target, host, answered.StatusCode, text, want)
			}
		}
	}
}
