//go:build full

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/verify"
)

// engines are three nodes in this process, over one PostgreSQL.
type engines struct {
	t                *testing.T
	stores           [3]*postgres.Store
	engines          [3]*verify.Engine
	account, service string

	history *history
	mu      sync.Mutex
	codes   map[string]string // the latest by number
}

// handClock is one that a test sets. A tick is a minute.
type handClock struct{ nanoseconds atomic.Int64 }

var firstMinute = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (c *handClock) now() time.Time { return firstMinute.Add(time.Duration(c.nanoseconds.Load())) }

func (c *handClock) tick() int { return int(c.now().Sub(firstMinute) / time.Minute) }

func (c *handClock) advance(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// startEngines starts nodes whose own clocks are wrong by some time. What the store leaves of that
// is how far they are from the clock of the test.
func startEngines(t *testing.T, dsn string, c *handClock, wrong [3]time.Duration) *engines {
	t.Helper()
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	e := &engines{t: t, codes: map[string]string{}, history: newHistory(c.tick)}
	for i := range e.engines {
		store, err := postgres.Open(t.Context(), dsn, postgres.Options{Local: func() time.Time { return time.Now().Add(wrong[i]) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		now := c.now
		if wrong[i] != 0 {
			now = func() time.Time { return c.now().Add(time.Until(store.Now())) }
		}
		e.stores[i] = store
		e.engines[i] = verify.NewEngine(store, keys, now, rand.Reader, func(verify.Channel) bool { return true })
	}
	a, _, err := e.engines[0].CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name := "Acme"
	s, err := e.engines[0].CreateService(t.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	e.account, e.service = a.SID, s.SID
	for i, engine := range e.engines {
		waitFor(t, fmt.Sprintf("engine %d to know the service", i), func() bool {
			_, err := engine.Service(t.Context(), e.account, e.service)
			return err == nil
		})
	}
	return e
}

func (e *engines) ask(i int, q question) (a answer, done bool) {
	ctx, engine := context.Background(), e.engines[i]
	var v *verify.Verification
	var outcome verify.CheckOutcome
	var err error
	switch q.do {
	case "start":
		channel := "sms"
		v, err = engine.StartVerification(ctx, e.account, e.service, verify.StartParams{To: &q.to, Channel: &channel})
	case "check":
		v, outcome, err = engine.CheckVerification(ctx, e.account, e.service, verify.CheckParams{To: &q.to, Code: &q.code})
	case "cancel":
		canceled := "canceled"
		v, err = engine.UpdateVerification(ctx, e.account, e.service, q.to, &canceled)
	case "fetch":
		v, err = engine.Verification(ctx, e.account, e.service, q.to)
	}
	refused, isRefused := errors.AsType[*verify.Error](err)
	switch {
	case isRefused:
		return answer{refused: int(refused.Code), reason: string(refused.Reason)}, true
	case errors.Is(err, verify.ErrUnavailable):
		return answer{}, false
	case errors.Is(err, postgres.ErrUnknown):
		return answer{unknown: true}, true
	case err != nil:
		e.t.Errorf("%s: %v", q.do, err)
		return answer{}, false
	}
	a = answer{sid: v.SID, status: string(v.Status), sends: len(v.Sends), checks: v.Checks,
		expires: int(v.ExpiresAt.Sub(firstMinute) / time.Minute)}
	if outcome == verify.CodeWrong {
		a.status = "pending" // as the API says, to the last one too
	}
	if q.do == "start" {
		e.learnCode(engine, v)
	}
	return a, true
}

// learnCode reads the code of a start, as a worker would.
func (e *engines) learnCode(engine *verify.Engine, v *verify.Verification) {
	d, ok, err := engine.Delivery(context.Background(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		return // the database is away, or the verification is over already
	}
	e.history.owns(v.SID, v.To, d.Code)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.codes[v.To] = d.Code
}

func (e *engines) codeFor(to string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.codes[to]
}

// The clock runs while clients ask, and the database stops twice.
func TestAnswersWhileTheClockRunsHaveAnOrder(t *testing.T) {
	server := startPostgres(t)
	var clock handClock
	e := startEngines(t, server.DSN(server.Database(t)), &clock, [3]time.Duration{})
	c := &crowd{history: e.history, ask: e.ask, codeFor: e.codeFor}
	for i := range 40 {
		c.numbers = append(c.numbers, fmt.Sprintf("+3461234%04d", i))
	}
	c.begin(seed(t))
	defer c.stop()
	for minute := range 45 { // none is forgotten yet, so that a 404 can say why
		c.waitForAnswers(t, 25)
		clock.advance(time.Minute)
		switch {
		case minute == 15 || minute == 30:
			server.Kill()
			if err := server.Run(); err != nil {
				t.Fatal(err)
			}
		case minute%5 == 0:
			// After its start the database takes a while; a server sweeps again later.
			if err := e.engines[minute%3].Sweep(t.Context()); err != nil && !errors.Is(err, verify.ErrUnavailable) {
				t.Error(err)
			}
		}
	}
	c.stop()
	c.askAll(question{do: "cancel"})
	c.askAll(question{do: "start"})
	clock.advance((lifeOfACode - 1) * time.Minute)
	c.askAll(question{do: "check", code: noCode})
	clock.advance(time.Minute)
	c.askAll(question{do: "check", code: noCode})
	if n := e.history.counts()["check: 20404 expired"]; n < len(c.numbers) {
		t.Errorf("%d checks found an expired code, want %d at least", n, len(c.numbers))
	}
	e.history.mustAccept(t)
}

// Two nodes are seconds apart. What one starts or claims ends for the other at the same moment as
// for itself.
func TestNoOutcomeChangesWhereClocksDiffer(t *testing.T) {
	server := startPostgres(t)
	var clock handClock
	e := startEngines(t, server.DSN(server.Database(t)), &clock, [3]time.Duration{-5 * time.Second, 7 * time.Second})
	const lease = 30 * time.Second
	want := func(when string, node int, q question, status string, refused int) {
		t.Helper()
		if a, _ := e.ask(node, q); a.status != status || a.refused != refused {
			t.Errorf("%s on node %d, %s: %+v, want %s or %d", q.do, node, when, a, status, refused)
		}
	}
	for from := range 3 {
		for to := range 3 {
			number, kind := fmt.Sprintf("+34612345%d%d0", from, to), fmt.Sprintf("from %d to %d", from, to)
			want("at first", from, question{do: "start", to: number}, "pending", 0)
			if err := e.stores[from].Update(t.Context(), func(tx verify.Tx) error {
				tx.Enqueue(verify.Job{ID: int64(100 + 10*from + to), Kind: kind, Due: clock.now()})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			claim := func(when string, node, want int) {
				t.Helper()
				now := e.engines[node].Now()
				if jobs, err := e.stores[node].Claim(t.Context(), kind, now, now.Add(lease), 10); err != nil || len(jobs) != want {
					t.Errorf("node %d, %s, claims %d jobs of node %d, want %d (%v)", node, when, len(jobs), from, want, err)
				}
			}
			clock.advance(time.Second)
			claim("when it is due", from, 1)
			clock.advance(lease - time.Second)
			claim("a second before the lease ends", to, 0)
			clock.advance(2 * time.Second)
			claim("a second after", to, 1)

			clock.advance(10*time.Minute - lease - 3*time.Second)
			check := question{do: "check", to: number, code: noCode}
			want("a second before the end", to, check, "pending", 0)
			clock.advance(2 * time.Second)
			want("a second after the end", to, check, "", 20404)
			want("a second after the end", to, question{do: "start", to: number}, "pending", 0)
		}
	}
}
