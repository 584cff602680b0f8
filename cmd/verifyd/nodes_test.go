//go:build full

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
)

// nodes are three servers over one PostgreSQL.
type nodes struct {
	*installation
	gateway *gateway

	mu       sync.Mutex
	programs [3]*program
	attempts map[string]string // attempt SID → verification SID, as answers told
}

func startNodes(t *testing.T, store string) *nodes {
	t.Helper()
	g := newGateway(t)
	n := &nodes{installation: installOn(t, store, t.TempDir(), g.URL), gateway: g, attempts: map[string]string{}}
	for i := range n.programs {
		n.programs[i] = n.serve()
	}
	return n
}

// node is a server, which may be dead.
func (n *nodes) node(i int) *program {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.programs[i]
}

// restart starts a new server in the place of a dead one.
func (n *nodes) restart(i int) {
	p := n.serve()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.programs[i] = p
}

func (n *nodes) waitUntilReady(t *testing.T) {
	t.Helper()
	for i := range n.programs {
		waitFor(t, fmt.Sprintf("node %d to be ready", i), func() bool {
			resp, err := http.Get(n.node(i).base + "/readyz")
			if err != nil {
				return false
			}
			return resp.Body.Close() == nil && resp.StatusCode == 200
		})
	}
}

// stop ends the nodes as an operator would.
func (n *nodes) stop(t *testing.T) {
	t.Helper()
	for i := range n.programs {
		if p := n.node(i); p.stop() != 0 {
			t.Errorf("node %d: exit code %d\n%s", i, p.cmd.ProcessState.ExitCode(), p.errs)
		}
	}
}

// ask puts a question to a node by HTTP.
func (n *nodes) ask(i int, q question) (a answer, done bool) {
	base, path := n.node(i).base, "/Verifications/"+url.PathEscape(q.to)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if q.patience > 0 {
		time.AfterFunc(q.patience, cancel)
	}
	var status int
	var body map[string]any
	var header http.Header
	var err error
	switch q.do {
	case "start":
		status, body, header, err = n.post(ctx, base, "/Verifications", url.Values{"To": {q.to}, "Channel": {"sms"}})
	case "check":
		status, body, header, err = n.post(ctx, base, "/VerificationCheck", url.Values{"To": {q.to}, "Code": {q.code}})
	case "cancel":
		status, body, header, err = n.post(ctx, base, path, url.Values{"Status": {"canceled"}})
	case "fetch":
		status, body, header, err = get(ctx, base, n.key, n.secret, "/v2/Services/"+n.service+path)
	}
	switch {
	case err != nil:
		broken, isNetwork := errors.AsType[*net.OpError](err)
		return answer{unknown: true}, !isNetwork || broken.Op != "dial"
	case status == 500:
		return answer{unknown: true}, true
	case status == 503:
		if body["code"] != 20503.0 || header.Get("Retry-After") == "" {
			n.t.Errorf("503 with %v, Retry-After %q", body, header.Get("Retry-After"))
		}
		return answer{}, false
	case status >= 400:
		code, _ := body["code"].(float64)
		return answer{refused: int(code), reason: header.Get("Verifyd-Reason")}, true
	}
	a.sid, _ = body["sid"].(string)
	a.status, _ = body["status"].(string)
	a.sends, a.checks, a.expires = notTold, notTold, lifeOfACode
	if left, err := strconv.Atoi(header.Get("Verifyd-Checks-Left")); err == nil {
		a.checks = checksOfOne - left
	}
	if sends, ok := body["send_code_attempts"].([]any); ok {
		a.sends = len(sends)
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, s := range sends {
			n.attempts[s.(map[string]any)["attempt_sid"].(string)] = a.sid
		}
	}
	return a, true
}

// noteOwners tells the history which code belongs to which verification.
func (n *nodes) noteOwners(h *history) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gateway.mu.Lock()
	defer n.gateway.mu.Unlock()
	for _, s := range n.gateway.sent {
		if sid := n.attempts[s.attempt]; sid != "" {
			h.owns(sid, s.to, s.code)
		}
	}
}

// crowd is one whose clock stands still: the real one runs for less than the life of a code.
func (n *nodes) crowd(numbers int) *crowd {
	c := &crowd{history: newHistory(func() int { return 0 }), ask: n.ask, codeFor: n.gateway.codeFor}
	for i := range numbers {
		c.numbers = append(c.numbers, fmt.Sprintf("+346123%05d", i))
	}
	return c
}

func startPostgres(t *testing.T) *pgtest.Server {
	t.Helper()
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// atOnce asks the same question fifty times at once, spread over the nodes, and counts the answers.
func (n *nodes) atOnce(q question) map[answer]int {
	var mu sync.Mutex
	counts := map[answer]int{}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			a, _ := n.ask(i%3, q)
			mu.Lock()
			defer mu.Unlock()
			a.sends, a.checks, a.expires = 0, 0, 0
			counts[a]++
		})
	}
	all.Wait()
	return counts
}

func TestFiftyAtOnceOnThreeNodes(t *testing.T) {
	server := startPostgres(t)
	n := startNodes(t, server.DSN(server.Database(t)))
	const to = "+34612345678"
	counts := n.atOnce(question{do: "start", to: to})
	made, _ := n.ask(0, question{do: "fetch", to: to})
	started := answer{sid: made.sid, status: "pending"}
	if made.sends != 5 || counts[started] != 5 || counts[answer{refused: 60203}] != 45 {
		t.Errorf("fifty starts: %v; want five of %+v, which has five sends, and 45 refusals with 60203", counts, made)
	}
	counts = n.atOnce(question{do: "check", to: to, code: noCode})
	if counts[started] != 5 || counts[answer{refused: 60202}] != 45 {
		t.Errorf("fifty wrong codes: %v; want five comparisons and 45 refusals with 60202", counts)
	}
	if a, _ := n.ask(1, question{do: "fetch", to: to}); a.status != "max_attempts_reached" {
		t.Errorf("afterwards it is %+v", a)
	}

	const another = "+34612345679"
	if a, _ := n.ask(2, question{do: "start", to: another}); a.status != "pending" {
		t.Fatalf("start: %+v", a)
	}
	waitFor(t, "the code", func() bool { return n.gateway.codeFor(another) != "" })
	counts = n.atOnce(question{do: "check", to: another, code: n.gateway.codeFor(another)})
	approved := 0
	for a, times := range counts {
		if a.status == "approved" {
			approved += times
		}
	}
	if approved != 1 || counts[answer{refused: 20404, reason: "approved"}] != 49 {
		t.Errorf("the right code fifty times: %v; want one approval", counts)
	}
	n.stop(t)
}

// Nodes are killed and the database is stopped while clients ask; what they were told must be what
// a single machine could have said.
func TestAnswersUnderFireHaveAnOrder(t *testing.T) {
	server := startPostgres(t)
	n := startNodes(t, server.DSN(server.Database(t)))
	seed := seed(t)
	choose := rand.New(rand.NewPCG(seed, 0))
	c := n.crowd(6)
	c.begin(seed)
	defer c.stop()
	stopDatabase := func(meanwhile func()) {
		server.Kill()
		meanwhile()
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func() {}
	for range 8 {
		c.waitForAnswers(t, 50+choose.IntN(200))
		victim := choose.IntN(3)
		switch choose.IntN(4) {
		case 0:
			stopDatabase(nothing)
		case 1:
			stopDatabase(n.node(victim).kill)
			n.restart(victim)
		default:
			n.node(victim).kill()
			c.waitForAnswers(t, choose.IntN(50))
			n.restart(victim)
		}
		n.waitUntilReady(t)
	}
	c.waitForAnswers(t, 100)
	n.mustHaveAnOrder(t, c)
}

// The primary is killed under load, with commits that its synchronous standby does not have, and
// the standby takes over.
func TestAFailoverLosesNothingThatWasAnswered(t *testing.T) {
	server := startPostgres(t)
	database := server.Database(t)
	standby, err := server.Standby()
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	n := startNodes(t, server.DSNWith(standby, database))
	c := n.crowd(300)
	c.begin(seed(t))
	defer c.stop()
	c.waitForAnswers(t, 1000)
	if err := standby.Deafen(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "commits that wait for the standby", func() bool {
		waiting, err := server.WaitingCommits()
		if err != nil {
			t.Fatal(err)
		}
		return waiting >= 2
	})
	server.KillMinusNine()
	if err := standby.Promote(); err != nil {
		t.Fatal(err)
	}
	n.waitUntilReady(t)
	c.waitForAnswers(t, 200)
	n.mustHaveAnOrder(t, c)
}

// mustHaveAnOrder ends the load and the nodes, and has the checker look for an order of all that was
// answered, with what is there in the end.
func (n *nodes) mustHaveAnOrder(t *testing.T, c *crowd) {
	t.Helper()
	c.stop()
	c.askAll(question{do: "fetch"})
	n.noteOwners(c.history)
	c.history.mustAccept(t)
	n.stop(t)
}
