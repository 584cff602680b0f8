package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/internal/server"
)

// gateway is the customer's own: it takes every message and counts how often it got each.
type gateway struct {
	*httptest.Server
	mu   sync.Mutex
	got  map[string]int // by attempt
	code map[string]string
	text map[string]string // by number
	sent []sent
	hold chan struct{} // while it is open, answers wait
	held chan struct{}
}

// sent is a code in a message.
type sent struct{ attempt, to, code string }

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{got: map[string]int{}, code: map[string]string{}, text: map[string]string{}, held: make(chan struct{}, 1000)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the server was killed while it wrote
		}
		var m struct{ Attempt, To, Text string }
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("gateway: %v", err)
		}
		g.mu.Lock()
		g.got[m.Attempt]++
		g.text[m.To] = m.Text
		g.code[m.To] = sixDigits.FindString(m.Text)
		g.sent = append(g.sent, sent{m.Attempt, m.To, g.code[m.To]})
		hold := g.hold
		g.mu.Unlock()
		if hold != nil {
			g.held <- struct{}{}
			<-hold
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"id":%q}`, m.Attempt)
	}))
	t.Cleanup(g.Close)
	return g
}

var sixDigits = regexp.MustCompile(`\d{6}`)

func (g *gateway) count(attempt string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.got[attempt]
}

func (g *gateway) textFor(to string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text[to]
}

// installation is a production installation over a gateway. It has no built-in limits, because its
// tests fire at few numbers.
type installation struct {
	t                       *testing.T
	config                  string
	account, token, service string
	key, secret             string
}

var serveReady = regexp.MustCompile(`"msg":"serving","url":"(http://[^"]+)"`)

// install makes an installation on a SQLite file beside its configuration.
func install(t *testing.T, gatewayURL string) *installation {
	t.Helper()
	dir := t.TempDir()
	return installOn(t, "sqlite:"+dir+"/verifyd.db", dir, gatewayURL)
}

// installOn makes an installation on a store that has its schema, with its files in a folder.
func installOn(t *testing.T, store, dir, gatewayURL string) *installation {
	t.Helper()
	in := &installation{t: t, config: filepath.Join(dir, "verifyd.toml")}
	text := fmt.Sprintf(`
built_in_limits = false
listen = "127.0.0.1:0"
store = %q
key_file = "%s/verifyd.key"
[providers.gateway]
type = "httpapi"
url = %q
secret = "a secret of the tests"
[routes]
sms = ["gateway"]
`, store, dir, gatewayURL)
	if err := os.WriteFile(in.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	values := regexp.MustCompile(`(?m)^(?:account SID|auth token|key SID|secret) +(\S+)$`)
	stdout, stderr, code := once(t, "account", "create", "--config", in.config, "--name", "crash", "--countries", "all")
	got := values.FindAllStringSubmatch(stdout, -1)
	if code != 0 || len(got) != 2 {
		t.Fatalf("account create: %d %s%s", code, stdout, stderr)
	}
	in.account, in.token = got[0][1], got[1][1]
	p := in.serve()
	stdout, stderr, code = once(t, "key", "create", "--config", in.config) // beside the running server
	if got = values.FindAllStringSubmatch(stdout, -1); code != 0 || len(got) != 3 {
		t.Fatalf("key create: %d %s%s", code, stdout, stderr)
	}
	in.key, in.secret = got[1][1], got[2][1]
	var body map[string]any
	waitFor(t, "the server to know the key that a command made", func() bool {
		status, b, _, err := post(t.Context(), p.base, in.key, in.secret, "/v2/Services", url.Values{"FriendlyName": {"Acme"}})
		body = b
		return err == nil && status == 201
	})
	in.service = body["sid"].(string)
	if resp, err := http.Get(p.base + "/dev/inbox"); err != nil || resp.StatusCode != 401 {
		t.Errorf("serve has a /dev/inbox: %v, %v", resp, err)
	}
	if code := p.stop(); code != 0 {
		t.Fatalf("stop: %d\n%s", code, p.errs)
	}
	return in
}

func (in *installation) serve() *program {
	in.t.Helper()
	return begin(in.t, serveReady, nil, "serve", "--config", in.config)
}

func (in *installation) post(ctx context.Context, base, path string, form url.Values) (int, map[string]any, http.Header, error) {
	return post(ctx, base, in.key, in.secret, "/v2/Services/"+in.service+path, form)
}

func attemptOf(body map[string]any) string {
	sends := body["send_code_attempts"].([]any)
	return sends[len(sends)-1].(map[string]any)["attempt_sid"].(string)
}

func TestSIGTERMInMidSendLosesNothing(t *testing.T) {
	g := newGateway(t)
	in := install(t, g.URL)
	p := in.serve()
	hold := make(chan struct{})
	g.mu.Lock()
	g.hold = hold
	g.mu.Unlock()
	status, body, _, err := in.post(t.Context(), p.base, "/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start: %d, %v", status, err)
	}
	<-g.held // the message is on its way, the gateway has not answered
	exit := make(chan int)
	go func() { exit <- p.stop() }()
	waitFor(t, "the server to take no more requests", func() bool {
		_, _, _, err := in.post(t.Context(), p.base, "/Verifications", url.Values{})
		return err != nil
	})
	g.mu.Lock()
	g.hold = nil
	g.mu.Unlock()
	close(hold)
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
	p = in.serve()
	attempt := attemptOf(body)
	status, _, _, err = in.post(t.Context(), p.base, "/VerificationCheck", url.Values{"To": {"+34612345678"}, "Code": {g.code["+34612345678"]}})
	if err != nil || status != 200 {
		t.Errorf("check after the restart: %d, %v", status, err)
	}
	p.stop()
	if n := g.count(attempt); n != 1 {
		t.Errorf("the message went out %d times", n)
	}
}

// Under load the server is killed again and again. Every start that was answered reaches the
// gateway, no message more often than its process was killed while it was in flight, and every
// wrong code that was answered is counted.
func TestKillMinusNineLosesNothingThatWasAnswered(t *testing.T) {
	g := newGateway(t)
	in := install(t, g.URL)
	const kills, callers = 4, 8

	var mu sync.Mutex
	attempts := map[string]bool{}  // answered starts
	checked := map[string]int{}    // answered wrong codes by number
	uncertain := map[string]bool{} // numbers with a check that had no answer
	for round := range kills {
		p := in.serve()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					to := fmt.Sprintf("+346%02d%02d%04d", round, caller, i)
					status, body, _, err := in.post(ctx, p.base, "/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
					if err != nil {
						return // killed
					}
					if status != 201 {
						t.Errorf("start: %d %v", status, body)
						return
					}
					mu.Lock()
					attempts[attemptOf(body)] = true
					mu.Unlock()
					status, body, _, err = in.post(ctx, p.base, "/VerificationCheck", url.Values{"To": {to}, "Code": {"no code"}})
					mu.Lock()
					switch {
					case err != nil:
						uncertain[to] = true
					case status == 200:
						checked[to]++
					default:
						t.Errorf("check: %d %v", status, body)
					}
					mu.Unlock()
				}
			})
		}
		answered := func() int { mu.Lock(); defer mu.Unlock(); return len(checked) }
		enough := answered() + 20 + rand.IntN(30)
		waitFor(t, "answers", func() bool { return answered() >= enough || t.Failed() })
		p.kill()
		cancel()
		all.Wait()
	}

	p := in.serve()
	waitFor(t, "every message that was promised", func() bool {
		for attempt := range attempts {
			if g.count(attempt) == 0 {
				return false
			}
		}
		return true
	})
	for to, n := range checked {
		if uncertain[to] {
			continue
		}
		status, _, header, err := get(t.Context(), p.base, in.account, in.token, "/v2/Services/"+in.service+"/Verifications/"+url.PathEscape(to))
		if err != nil {
			t.Fatal(err)
		}
		if left := header.Get("Verifyd-Checks-Left"); status != 200 || left != strconv.Itoa(5-n) {
			t.Errorf("%s: %d, %s checks left after %d answered wrong codes", to, status, left, n)
		}
	}
	twice := 0
	for attempt, n := range g.got {
		if n > 1+kills {
			t.Errorf("attempt %s went out %d times", attempt, n)
		}
		twice += n - 1
	}
	if limit := kills * server.ParallelSends; twice > limit {
		t.Errorf("%d duplicates, at most %d messages were in flight at the kills", twice, limit)
	}
	t.Logf("%d starts answered, %d wrong codes counted, %d duplicates in %d kills", len(attempts), len(checked), twice, kills)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
}
