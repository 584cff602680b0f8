package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// silence is a provider that is asked and does not answer until it is released.
type silence struct{ asked, release chan struct{} }

func newSilence() *silence {
	return &silence{asked: make(chan struct{}, 1000), release: make(chan struct{})}
}

func (s *silence) Send(context.Context, provider.Message) (provider.Accepted, error) {
	s.asked <- struct{}{}
	<-s.release
	return provider.Accepted{}, nil
}

// job is one of a message that its commit has handed over, to a number of a country.
func job(w *world, i int, country string) verify.Job {
	attempt := &verify.Attempt{SID: fmt.Sprintf("%s%032x", sid.Attempt, i), Channel: verify.SMS, To: "+34612345678", Country: country, Locale: "en", State: verify.AttemptQueued}
	return verify.Job{ID: int64(i), Kind: "sms", Runs: 1, Delivery: &verify.Delivery{Attempt: attempt, Code: "123456", Deadline: w.now.Add(time.Hour)}}
}

// A provider that falls silent holds as many messages as it may, and the others go another way.
func TestASilentProviderHoldsNoMoreThanItMay(t *testing.T) {
	w := newWorld(t)
	silent, well := newSilence(), &carrier{}
	worker := w.worker(delivery.Route{Name: "silent", Provider: silent}, delivery.Route{Name: "well", Provider: well})
	worker.MostInFlight = 3
	done := make(chan error, 10)
	for i := range 10 {
		if i == 3 {
			w.now = w.now.Add(time.Second)
		}
		j := job(w, i, "ES")
		go func() { done <- worker.Work(context.Background(), j) }()
		if i < 3 {
			<-silent.asked
			continue
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if len(well.keys) != 7 || len(silent.asked) != 0 {
		t.Errorf("the other route had %d of the 7 that were left", len(well.keys))
	}
	close(silent.release)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Where there is no other provider a message waits in the queue, and not in a place of its lane: those of
// other countries need it.
func TestASilentProviderThatIsTheOnlyOneKeepsNobodyElseWaiting(t *testing.T) {
	w := newWorld(t)
	silent, well := newSilence(), &carrier{}
	worker := w.worker()
	worker.Routes = delivery.Routes{verify.SMS: {
		"FR": {{Name: "silent", Provider: silent}}, delivery.AnyCountry: {{Name: "well", Provider: well}},
	}}
	worker.MostInFlight = 2
	done := make(chan error, 2)
	for i := range 2 {
		j := job(w, i, "FR")
		go func() { done <- worker.Work(context.Background(), j) }()
		<-silent.asked
	}
	w.now = w.now.Add(time.Second)
	const more = 1000
	for i := range more {
		// They end, so they hold nothing.
		if err := worker.Work(context.Background(), job(w, 2+i, "FR")); err != nil {
			t.Fatal(err)
		}
	}
	if err := worker.Work(context.Background(), job(w, 5000, "ES")); err != nil || len(well.keys) != 1 {
		t.Errorf("%v; the other country's provider had %d messages", err, len(well.keys))
	}
	if len(silent.asked) != 0 {
		t.Errorf("the silent one was given %d more", len(silent.asked))
	}
	close(silent.release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// callsHang is a provider that answers texts.
type callsHang struct {
	*silence
	texts carrier
}

func (p *callsHang) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel == string(verify.Call) {
		return p.silence.Send(ctx, m)
	}
	return p.texts.Send(ctx, m)
}

// A provider whose calls hang has all of its room for texts.
func TestCallsThatHangHoldNoTexts(t *testing.T) {
	w := newWorld(t)
	both := &callsHang{silence: newSilence()}
	worker := w.worker()
	route := []delivery.Route{{Name: "both", Provider: both}}
	worker.Routes = delivery.Routes{verify.SMS: {delivery.AnyCountry: route}, verify.Call: {delivery.AnyCountry: route}}
	worker.MostInFlight = 2
	done := make(chan error, 2)
	for i := range 2 {
		call := job(w, i, "ES")
		call.Kind, call.Delivery.Attempt.Channel = "call", verify.Call
		go func() { done <- worker.Work(context.Background(), call) }()
		<-both.asked
	}
	const texts = 20
	for i := range texts {
		w.now = w.now.Add(time.Second)
		if err := worker.Work(t.Context(), job(w, 2+i, "ES")); err != nil {
			t.Fatal(err)
		}
	}
	if len(both.texts.keys) != texts {
		t.Errorf("%d of %d texts were sent while calls hang", len(both.texts.keys), texts)
	}
	close(both.release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What found no room is sent when there is some, however late, and its story is of what happened.
func TestWhatFoundNoRoomIsSentLater(t *testing.T) {
	w := newWorld(t)
	only := newSilence()
	worker := w.worker(delivery.Route{Name: "only", Provider: only})
	worker.MostInFlight = 1
	done := make(chan error, 1)
	first := job(w, 1, "ES")
	go func() { done <- worker.Work(context.Background(), first) }()
	<-only.asked
	w.now = w.now.Add(time.Second)
	claim := func() {
		t.Helper()
		due, found, err := w.store.NextDue(t.Context(), "sms")
		if err != nil || !found {
			t.Fatal(found, err)
		}
		if due.After(w.now) {
			w.now = due
		}
		jobs, err := w.store.Claim(t.Context(), "sms", w.now, w.now.Add(time.Minute), 1)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		if err := worker.Work(t.Context(), jobs[0]); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		claim()
	}
	if a := w.lastAttempt(); a.State != verify.AttemptQueued || a.HandOvers != 0 || len(a.Story) != 0 {
		t.Errorf("%s after %d hand-overs: %s", a.State, a.HandOvers, a.Story)
	}
	close(only.release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	claim()
	if a := w.lastAttempt(); a.State != verify.AttemptSent {
		t.Errorf("%s: %v", a.State, told(a))
	}
}

// A message that finds no room with a provider leaves the place in its pace to one that does.
func TestWhoFindsNoRoomTakesNothingOfThePace(t *testing.T) {
	w := newWorld(t)
	full := newSilence()
	worker := w.worker(delivery.Route{Name: "full", Provider: full})
	worker.MostInFlight, worker.TPS = 1, map[string]float64{"full": 1}
	done := make(chan error, 1)
	first := job(w, 1, "ES")
	go func() { done <- worker.Work(context.Background(), first) }()
	<-full.asked
	w.now = w.now.Add(time.Second) // its pace has a place, and its room has none
	if err := worker.Work(t.Context(), job(w, 2, "ES")); err != nil {
		t.Fatal(err)
	}
	close(full.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := worker.Work(t.Context(), job(w, 3, "ES")); err != nil || len(full.asked) != 1 {
		t.Errorf("%v; it has room, it was given nothing in this second, and it had %d messages, want 1", err, len(full.asked))
	}
}

// lingering answers late.
type lingering struct {
	*carrier
	w    *world
	took time.Duration
}

func (l lingering) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	l.w.now = l.w.now.Add(l.took)
	return l.carrier.Send(ctx, m)
}

func TestAProviderThatFailsSlowlyIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	first := lingering{&carrier{answers: fail(temporary)}, w, 3 * time.Second}
	a := w.turns(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: &carrier{}})
	if diff := cmp.Diff([]string{"first temporary next", "second accepted sent"}, told(a)); diff != "" || w.now.Sub(start) != 3*time.Second {
		t.Errorf("after %s:\n%s", w.now.Sub(start), diff)
	}
}

// A failure that comes late is no sign of life: a provider that waits for its carrier gives up in the end.
func TestALateFailureDoesNotEndASilence(t *testing.T) {
	w := newWorld(t)
	silent := newSilence()
	slow := &lingering{&carrier{}, w, 500 * time.Millisecond}
	for range 100 {
		slow.answers = append(slow.answers, fail(temporary)...)
	}
	both := &inTurn{silent: silent, then: slow}
	well := &carrier{}
	worker := w.worker(delivery.Route{Name: "silent", Provider: both}, delivery.Route{Name: "well", Provider: well})
	worker.MostInFlight = 2
	first := job(w, 1, "ES")
	done := make(chan error, 1)
	go func() { done <- worker.Work(context.Background(), first) }()
	<-silent.asked
	for i := range 5 {
		if err := worker.Work(t.Context(), job(w, 2+i, "ES")); err != nil {
			t.Fatal(err)
		}
	}
	if len(slow.keys) != 1 || len(well.keys) != 5 {
		t.Errorf("the silent one was given %d more, the other %d; want 1 and 5", len(slow.keys), len(well.keys))
	}
	close(silent.release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// inTurn holds the first message, and gives up the others.
type inTurn struct {
	silent *silence
	then   provider.Provider
	held   atomic.Bool
}

func (p *inTurn) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if p.held.CompareAndSwap(false, true) {
		return p.silent.Send(ctx, m)
	}
	return p.then.Send(ctx, m)
}

func TestTheGraceOfAnUnknownOutcomeCountsFromTheHandOver(t *testing.T) {
	for _, c := range []struct{ took, total time.Duration }{{0, 8 * time.Second}, {3 * time.Second, 8 * time.Second}, {10 * time.Second, 10 * time.Second}} {
		w := newWorld(t)
		first := lingering{&carrier{answers: fail(unknown)}, w, c.took}
		a := w.turns(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: &carrier{}})
		if diff := cmp.Diff([]string{"first unknown wait", "second accepted sent"}, told(a)); diff != "" || w.now.Sub(start) != c.total {
			t.Errorf("one that took %s: sent by the other after %s, want %s\n%s", c.took, w.now.Sub(start), c.total, diff)
		}
	}
}

// A provider that throttles everything is given nothing for a while, though its table names no pace, and
// the others go by the next one without having been there.
func TestAProviderThatThrottlesIsPassedOver(t *testing.T) {
	w := newWorld(t)
	fast, well := &carrier{}, &carrier{}
	for range 1000 {
		fast.answers = append(fast.answers, &provider.Error{Class: throttled, RetryAfter: time.Second})
	}
	worker := w.worker(delivery.Route{Name: "fast", Provider: fast}, delivery.Route{Name: "well", Provider: well})
	worker.MostInFlight = 128
	attempts := w.many(50, worker, nil)
	if len(fast.keys) != 3 || len(well.keys) != 51 {
		t.Errorf("the one that throttles had %d, the other %d", len(fast.keys), len(well.keys))
	}
	last := attempts[len(attempts)-1].Story.Steps()
	if len(last) != 2 || !strings.Contains(last[0].Why, "finds us too fast") {
		t.Errorf("the story does not say why: %+v", last)
	}
	w.now = w.now.Add(time.Second)
	w.many(5, worker, nil)
	if len(fast.keys) != 4 {
		t.Errorf("%d messages after the pause, want 1 to see whether it is over", len(fast.keys)-3)
	}
	fast.answers = nil
	w.now = w.now.Add(time.Second)
	if w.many(5, worker, nil); len(fast.keys) != 9 {
		t.Errorf("it is well again, and has %d of 5", len(fast.keys)-4)
	}
}

// counted counts the jobs that a worker has in hand.
type counted struct {
	queue.Worker
	now, most atomic.Int64
}

func (c *counted) Work(ctx context.Context, job verify.Job) error {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	return c.Worker.Work(ctx, job)
}

// oneByOne is a carrier that takes a message when it is told to, and counts those that it is given at once.
type oneByOne struct {
	next, took chan struct{}
	now, most  atomic.Int64
}

func (c *oneByOne) Send(ctx context.Context, _ provider.Message) (provider.Accepted, error) {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	select {
	case <-c.next:
		c.took <- struct{}{}
		return provider.Accepted{}, nil
	case <-ctx.Done():
		return provider.Accepted{}, &provider.Error{Class: temporary, Err: ctx.Err()}
	}
}

// A carrier that takes one message now and then has the others wait in the queue, which is on the disk: in
// memory are as many as its lane has places, however many were started.
func TestWhatWaitsForASlowCarrierIsNotInMemory(t *testing.T) {
	const places, room, more = 8, 4, 200
	w := newWorld(t)
	w.engine.Now = time.Now
	slow := &oneByOne{next: make(chan struct{}), took: make(chan struct{}, more)}
	worker := w.worker(delivery.Route{Name: "slow", Provider: slow})
	worker.Now, worker.Log, worker.MostInFlight = time.Now, slog.New(slog.DiscardHandler), room
	inHand := &counted{Worker: worker}
	runner := queue.New(w.store, worker.Log, time.Now, queue.Lane{Kind: "sms", Worker: inHand, Parallel: places, Timeout: time.Minute})
	w.engine.Lanes = runner
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		runner.Run(ctx)
		close(stopped)
	}()
	for i := range more {
		to, channel := fmt.Sprintf("+346%08d", 40_000_000+i), "sms"
		if _, err := w.engine.StartVerification(t.Context(), w.acc, w.v.ServiceSID, verify.StartParams{To: &to, Channel: &channel}); err != nil {
			t.Fatal(err)
		}
	}
	for range more {
		slow.next <- struct{}{}
		<-slow.took
	}
	stop()
	close(slow.next) // what is left of the world's own
	<-stopped
	if slow.most.Load() > room || inHand.most.Load() > places {
		t.Errorf("the carrier had %d messages at once, and its lane %d; want no more than %d and %d", slow.most.Load(), inHand.most.Load(), room, places)
	}
}
