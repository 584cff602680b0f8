package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
)

// far is a carrier's message centre behind a door that can be closed: then connections are refused.
type far struct {
	*smsc.Server
	address string
	mu      sync.Mutex
	door    net.Listener // nil while it is closed
}

const farSystemID, farPassword = "acme", "secret"

func newFar(t *testing.T) *far {
	t.Helper()
	f := &far{Server: smsc.New(smsc.Config{
		Accounts: map[string]string{farSystemID: farPassword}, Fates: map[string]smsc.Fate{}, Keep: 1_000_000,
	})}
	f.address = "127.0.0.1:0"
	f.open(t)
	t.Cleanup(f.Close)
	return f
}

func (f *far) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.door, f.address = l, l.Addr().String()
	go f.Serve(l) // it ends with its listener
}

// shut refuses connections, and cuts those that there are.
func (f *far) shut(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.door.Close(); err != nil {
		t.Fatal(err)
	}
	f.Cut()
}

func (f *far) accepted() int { return f.Counts().Accepted }

// bySMPP gives an installation two carriers in the place of its gateway: most is given to the first.
func (in *installation) bySMPP(first, second *far, more string) {
	in.t.Helper()
	text, err := os.ReadFile(in.config)
	if err != nil {
		in.t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "[providers.gateway]")
	var out strings.Builder
	out.WriteString(before)
	for name, f := range map[string]*far{"first": first, "second": second} {
		host, port, _ := net.SplitHostPort(f.address)
		fmt.Fprintf(&out, "[providers.%s]\ntype = \"smpp\"\nhost = %q\nport = %s\ntls = \"none\"\nsystem_id = %q\npassword = %q\nfrom = \"Acme\"\nresponse_timeout = \"2s\"\n",
			name, host, port, farSystemID, farPassword)
	}
	fmt.Fprintf(&out, "%s\n[routes]\nsms = [\"first\", \"second\"]\n", more)
	if err := os.WriteFile(in.config, []byte(out.String()), 0o600); err != nil {
		in.t.Fatal(err)
	}
}

// load starts verifications of ever new numbers until it is stopped, some hundreds a second.
type load struct {
	in   *installation
	base string
	stop func()
	tick *time.Ticker

	mu       sync.Mutex
	started  int
	attempts map[string]string // by number, of starts that were answered
	silent   int               // starts without an answer: the machine's disk may stand still for long
}

func (in *installation) load(base string, callers int) *load {
	ctx, cancel := context.WithCancel(in.t.Context())
	l := &load{in: in, base: base, attempts: map[string]string{}, tick: time.NewTicker(2 * time.Millisecond)}
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for {
				select {
				case <-l.tick.C:
					l.start()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	l.stop = func() {
		cancel()
		all.Wait()
		l.tick.Stop()
	}
	return l
}

func (l *load) start() {
	l.mu.Lock()
	l.started++
	to := fmt.Sprintf("+346%08d", l.started)
	l.mu.Unlock()
	status, body, _, err := l.in.post(l.in.t.Context(), l.base, "/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.silent++
	case status != 201:
		l.in.t.Errorf("start: %d %v", status, body)
	default:
		l.attempts[to] = attemptOf(body)
	}
}

func (l *load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.attempts)
}

// waitForMore waits until so many more starts were answered.
func (l *load) waitForMore(n int) {
	l.in.t.Helper()
	want := l.answered() + n
	waitFor(l.in.t, "starts to be answered", func() bool { return l.answered() >= want || l.in.t.Failed() })
}

// A team loses one carrier in the middle of the day: its connection is cut, then nobody lets it in, then
// the carrier says nothing any more, or takes messages without a word, then it finds everything too fast,
// and then it is well. Nobody who verifies notices: every start is answered, and every code arrives, as
// the carriers' own books say; more than once if its outcome was in doubt, and then once more.
func TestACarrierIsLostInMidLoad(t *testing.T) {
	g := newGateway(t)
	in := install(t, g.URL)
	first, second := newFar(t), newFar(t)
	in.bySMPP(first, second, "")
	p := in.serve()
	l := in.load(p.base, 4)
	defer l.stop()

	waitFor(t, "the first carrier to have most", func() bool { return first.accepted() > 100 || t.Failed() })
	for range 3 {
		first.Cut()
		l.waitForMore(100)
	}
	first.shut(t)
	l.waitForMore(300)

	first.Mute(true)
	first.open(t)
	l.waitForMore(300)
	first.Mute(false)
	first.Cut() // those that bound and were not heard
	was := first.accepted()
	waitFor(t, "the first carrier to be back", func() bool { return first.accepted() > was+100 || t.Failed() })
	first.Mute(true) // in mid-load, with messages under way
	l.waitForMore(300)
	first.Mute(false)
	was = first.accepted()
	waitFor(t, "the first carrier to be back", func() bool { return first.accepted() > was+100 || t.Failed() })

	first.Set("", smsc.Fate{Silent: true, Taken: true})
	l.waitForMore(300)
	first.Set("", smsc.Fate{Status: smpp.Throttled})
	was = first.Counts().Refused
	l.waitForMore(300)
	waitFor(t, "complaints", func() bool { return first.Counts().Refused > was || t.Failed() })
	first.Unset("")
	was = first.accepted()
	waitFor(t, "the first carrier to be back", func() bool { return first.accepted() > was+100 || t.Failed() })
	l.stop()

	inDoubt := map[string]bool{}
	copies := map[string]int{}
	waitFor(t, "every message to arrive", func() bool {
		for _, m := range unknownOutcome.FindAllStringSubmatch(p.printed(), -1) {
			inDoubt[m[1]] = true
		}
		for attempt := range inDoubt { // its second message is on its way, or none is
			if body := in.attempt(p.base, attempt); body["state"] == "queued" {
				return false
			}
		}
		clear(copies)
		for _, f := range []*far{first, second} {
			for _, m := range f.Messages("") {
				copies["+"+m.To]++
			}
		}
		for to := range l.attempts {
			if copies[to] == 0 {
				return false
			}
		}
		return true
	})
	twice := 0
	for to, attempt := range l.attempts {
		if copies[to] == 1 {
			continue
		}
		twice++
		if !inDoubt[attempt] || copies[to] > 2 {
			t.Errorf("%s arrived %d times:\n%v", to, copies[to], in.attempt(p.base, attempt)["story"])
		}
	}
	t.Logf("%d starts were answered and %d not; %d messages by the first, %d by the second; %d outcomes in doubt, %d arrived twice",
		len(l.attempts), l.silent, first.accepted(), second.accepted(), len(inDoubt), twice)
	if len(inDoubt) == 0 {
		t.Error("no outcome was in doubt: the story was not told")
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
}

var unknownOutcome = regexp.MustCompile(`"attempt":"(VL[0-9a-f]+)"[^\n]*"outcome":"unknown"`)

// printed is what it printed since it was ready.
func (p *program) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// attempt is one with its story.
func (in *installation) attempt(base, sid string) map[string]any {
	in.t.Helper()
	status, body, _, err := get(in.t.Context(), base, in.key, in.secret, "/v2/Verifyd/Attempts/"+sid)
	if err != nil || status != 200 {
		in.t.Fatalf("attempt %s: %d %v", sid, status, err)
	}
	return body
}

// A carrier that takes long to answer has a message that is hedged, and so has the next one. Both answer
// and report in the end, and the attempt knows them both.
func TestAHedgedMessageIsKnownByBothCarriers(t *testing.T) {
	g := newGateway(t)
	in := install(t, g.URL)
	first, second := newFar(t), newFar(t)
	in.bySMPP(first, second, "[delivery]\nhedge = \"500ms\"\n")
	p := in.serve()
	waitFor(t, "binds", func() bool { return first.Counts().Binds > 0 && second.Counts().Binds > 0 })
	first.Set("", smsc.Fate{Delay: time.Second})
	status, body, _, err := in.post(t.Context(), p.base, "/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start: %d %v", status, err)
	}
	for _, name := range []string{"first", "second"} {
		taken := regexp.MustCompile(`"msg":"report","provider":"` + name + `"[^\n]*"outcome":"taken"`)
		waitFor(t, "the report of "+name, func() bool { return taken.MatchString(p.printed()) })
	}
	a := in.attempt(p.base, attemptOf(body))
	var steps []string
	for _, s := range a["story"].([]any) {
		step := s.(map[string]any)
		steps = append(steps, fmt.Sprint(step["kind"], " ", step["provider"], " ", step["outcome"]))
	}
	if a["state"] != "delivered" || a["hand_overs"] != 2.0 || len(steps) != 3 ||
		!slices.Contains(steps, "hand_over first accepted") || !slices.Contains(steps, "hand_over second accepted") {
		t.Errorf("%v after %v hand-overs: %q", a["state"], a["hand_overs"], steps)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
}
