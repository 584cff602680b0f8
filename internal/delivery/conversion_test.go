package delivery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// liarAndHonest are two routes of equal weight, of which one delivers nothing.
func liarAndHonest() (liar, honest *carrier, routes []delivery.Route) {
	liar, honest = &carrier{}, &carrier{}
	return liar, honest, []delivery.Route{{Name: "liar", Provider: liar, Weight: 1}, {Name: "honest", Provider: honest, Weight: 1}}
}

// used has every code that a carrier is given checked by a node, and a second pass after every message.
func (w *world) used(c *carrier, node *verify.Engine) func(int) {
	had := 0
	return func(int) {
		w.now = w.now.Add(time.Second)
		if len(c.keys) == had {
			return
		}
		had = len(c.keys)
		code, to := c.last.Code, c.last.To
		if _, _, err := node.CheckVerification(w.t.Context(), w.acc, w.v.ServiceSID, verify.CheckParams{To: &to, Code: &code}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func judge(t *testing.T, worker *delivery.Worker) {
	t.Helper()
	if err := worker.Judge(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A route that takes everything, and of whose codes few come back, loses traffic by itself.
func TestARouteWhoseCodesDoNotComeBackLosesTraffic(t *testing.T) {
	w := newWorld(t)
	liar, honest, routes := liarAndHonest()
	worker := w.worker(routes...)
	step := w.used(honest, w.engine)
	w.drain(worker)
	step(0)
	w.many(160, worker, func(i int) { step(i); judge(t, worker) })
	w.now = w.now.Add(5 * time.Minute)
	judge(t, worker)
	before, beforeHonest := len(liar.keys), len(honest.keys)
	attempts := w.many(200, worker, func(i int) { step(i); judge(t, worker) })
	lost := float64(len(liar.keys) - before)
	if lost > 20 || len(honest.keys)-beforeHonest < 180 {
		t.Errorf("of 200 more messages the route without conversions had %v", lost)
	}
	why := ""
	for _, a := range attempts {
		for _, s := range a.Story.Steps() {
			if s.Kind == verify.StepPassed {
				why = s.Why
			}
		}
	}
	if !strings.Contains(why, "come back 0 times in a hundred, those of honest 100") || !strings.Contains(w.log.String(), "loses traffic by conversion") {
		t.Errorf("the story says %q", why)
	}
}

// What nodes know of conversion is of all of them: here one sends, another one has the codes checked, and a
// third, which starts only now, has done neither.
func TestEveryNodeKnowsWhichCodesCameBack(t *testing.T) {
	w := newWorld(t)
	liar, honest, routes := liarAndHonest()
	sends := w.worker(routes...)
	checks := verify.NewEngine(w.store, w.engine.Keys, w.engine.Now, rand.Reader, w.engine.Routed)
	w.many(160, sends, w.used(honest, checks))
	w.now = w.now.Add(5 * time.Minute)
	for name, node := range map[string]*delivery.Worker{"the one that sent": sends, "one that starts": w.worker(routes...)} {
		judge(t, node)
		before := len(liar.keys)
		w.many(50, node, nil)
		if lost := len(liar.keys) - before; lost > 12 {
			t.Errorf("%s: of 50 messages the route without conversions had %d", name, lost)
		}
	}
}

// Codes that did not come back by one channel say nothing of another.
func TestConversionIsKeptByChannel(t *testing.T) {
	w := newWorld(t)
	_, honest, routes := liarAndHonest()
	worker := w.worker(routes...)
	w.many(160, worker, w.used(honest, w.engine))
	w.now = w.now.Add(5 * time.Minute)
	judge(t, worker)
	called := &carrier{}
	worker.Routes = delivery.Routes{verify.Call: delivery.Anywhere(delivery.Route{Name: "liar", Provider: called}, delivery.Route{Name: "honest", Provider: &carrier{}})}
	for i := range 10 {
		j := job(w, 1000+i, "ES")
		j.Kind, j.Delivery.Attempt.Channel = "call", verify.Call
		if err := worker.Work(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	if len(called.keys) != 10 {
		t.Errorf("a provider whose texts do not arrive had %d of 10 calls", len(called.keys))
	}
}

// looked is a store that notes what was asked of it, and answers with so many attempts.
type looked struct {
	verify.Store
	ranges [][2]int64
	limit  int
	answer []verify.Carried
	err    error
}

func (l *looked) View(_ context.Context, fn func(verify.Tx) error) error {
	if l.err != nil {
		return l.err
	}
	return fn(lookedTx{looked: l})
}

type lookedTx struct {
	verify.Tx
	looked *looked
}

func (l lookedTx) CarriedAttempts(from, before int64, limit int) ([]verify.Carried, error) {
	l.looked.ranges, l.looked.limit = append(l.looked.ranges, [2]int64{from, before}), limit
	return l.looked.answer, nil
}

// What Judge reads is bounded, and every moment is looked at once, whatever happens between.
func TestEveryAttemptIsJudgedOnce(t *testing.T) {
	store := &looked{}
	now := start
	worker := &delivery.Worker{Engine: &verify.Engine{Store: store}, Now: func() time.Time { return now }}
	due := func() int64 { return sid.KeyAt(now.Add(-5 * time.Minute)) }
	judge(t, worker)
	if n := len(store.ranges); n != 24 || store.limit != 1000 {
		t.Errorf("a node that starts looks %d times for %d attempts, want 24 times for 1000", n, store.limit)
	}
	judge(t, worker)
	for _, pause := range []time.Duration{30 * time.Second, time.Second, 20 * time.Minute} {
		now = now.Add(pause)
		judge(t, worker)
	}
	broken := errors.New("the database is away")
	store.err, now = broken, now.Add(30*time.Second)
	if err := worker.Judge(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	store.err = nil
	judge(t, worker)
	if n := len(store.ranges); n != 24+1+1+4+1 {
		t.Errorf("looked %d times", n)
	}
	at := sid.KeyAt(start.Add(-5*time.Minute - 2*time.Hour))
	for _, r := range store.ranges {
		if r[0] != at || r[1]-r[0] > sid.KeysPerHour/12 {
			t.Fatalf("looked at %d to %d, after %d", r[0], r[1], at)
		}
		at = r[1]
	}
	if at != due() {
		t.Errorf("looked until %d, want %d", at, due())
	}

	now = now.Add(-3 * time.Hour) // a clock that was set back
	judge(t, worker)
	if last := store.ranges[len(store.ranges)-1]; last[1] != due() {
		t.Errorf("with a clock that was set back: until %d, want %d", last[1], due())
	}
}

// Only what a provider took says something of it.
func TestWhatNobodyTookIsNotJudged(t *testing.T) {
	for name, c := range map[string]struct {
		states []verify.AttemptState
		loses  bool
	}{
		"not taken": {[]verify.AttemptState{verify.AttemptFailed, verify.AttemptUnknown, verify.AttemptDropped, verify.AttemptQueued}, false},
		"taken":     {[]verify.AttemptState{verify.AttemptSent, verify.AttemptDelivered, verify.AttemptUndelivered, verify.AttemptRead}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := &looked{}
			for i := range 60 {
				way := verify.Carried{Channel: verify.SMS, Country: "ES", Provider: "second", State: verify.AttemptSent, Converted: true}
				store.answer = append(store.answer, way)
				way.Provider, way.State, way.Converted = "first", c.states[i%len(c.states)], false
				store.answer = append(store.answer, way)
			}
			first, second := &carrier{}, &carrier{}
			worker := w.worker(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})
			worker.Engine = &verify.Engine{Store: store}
			judge(t, worker)
			worker.Engine = w.engine
			w.many(50, worker, nil)
			if lost := len(second.keys) > 25; lost != c.loses {
				t.Errorf("the first had %d, the second %d of 51 messages", len(first.keys), len(second.keys))
			}
		})
	}
}
