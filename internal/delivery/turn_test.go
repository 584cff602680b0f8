package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// told is a story in short: who, what he said, what follows.
func told(a *verify.Attempt) (lines []string) {
	for _, s := range a.Story.Steps() {
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", s.Kind, s.Provider, s.Outcome, s.Decision)), " "))
	}
	return lines
}

func TestTheStorySaysWhatHappened(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []error
		want          []string
	}{
		{"taken at once", nil, nil, []string{"first accepted sent"}},
		{"refused", fail(badRequest), nil, []string{"first bad_request next", "second accepted sent"}},
		{"twice temporary", fail(temporary, temporary), nil, []string{"first temporary retry", "first temporary next", "second accepted sent"}},
		{"nobody reaches it", fail(badRecipient), nil, []string{"first bad_recipient stop"}},
		{"nobody takes it", fail(badRequest), fail(badRequest), []string{"first bad_request next", "second bad_request next", "end stop"}},
		{"another round", fail(throttled), fail(throttled), []string{"first throttled next", "second throttled again", "first accepted sent"}},
		{"perhaps sent", fail(unknown), fail(unknown), []string{"first unknown wait", "second unknown stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			a := w.turns(delivery.Route{Name: "first", Provider: &carrier{answers: c.first}}, delivery.Route{Name: "second", Provider: &carrier{answers: c.second}})
			if diff := cmp.Diff(c.want, told(a)); diff != "" {
				t.Errorf("%s:\n%s", a.State, diff)
			}
			for _, s := range a.Story.Steps() {
				if s.At.Time().Before(start) || s.Decision != verify.DecidedSent && s.Why == "" {
					t.Errorf("a step without a time or a reason: %+v", s)
				}
			}
		})
	}
}

func TestAShortPauseOfAThrottlingProviderIsWaitedForOnce(t *testing.T) {
	slow := func(pause time.Duration) *carrier {
		e := &provider.Error{Class: throttled, RetryAfter: pause}
		return &carrier{answers: []error{e, e}}
	}
	w := newWorld(t)
	a := w.turns(delivery.Route{Name: "first", Provider: slow(500 * time.Millisecond)}, delivery.Route{Name: "second", Provider: &carrier{}})
	if diff := cmp.Diff([]string{"first throttled retry", "first throttled next", "second accepted sent"}, told(a)); diff != "" || w.now.Sub(start) != 500*time.Millisecond {
		t.Errorf("after %s:\n%s", w.now.Sub(start), diff)
	}
	w = newWorld(t)
	a = w.turns(delivery.Route{Name: "first", Provider: slow(time.Second)}, delivery.Route{Name: "second", Provider: &carrier{}})
	if diff := cmp.Diff([]string{"first throttled next", "second accepted sent"}, told(a)); diff != "" || w.now != start {
		t.Errorf("a person waits for a second where another provider is free:\n%s", diff)
	}
	w = newWorld(t)
	a = w.turns(delivery.Route{Name: "only", Provider: slow(2 * time.Second)})
	if diff := cmp.Diff([]string{"only throttled retry", "only throttled again", "only accepted sent"}, told(a)); diff != "" {
		t.Errorf("where there is no other:\n%s", diff)
	}
}

func TestAPerhapsSentMessageIsSentOnceMoreAtMost(t *testing.T) {
	w := newWorld(t)
	carriers := []*carrier{{answers: fail(unknown)}, {answers: fail(temporary, temporary)}, {answers: fail(unknown)}, {}}
	var routes []delivery.Route
	for i, c := range carriers {
		routes = append(routes, delivery.Route{Name: fmt.Sprint(i), Provider: c})
	}
	a := w.turns(routes...)
	if diff := cmp.Diff([]string{"0 unknown wait", "1 temporary next", "2 unknown stop"}, told(a)); diff != "" || a.State != verify.AttemptUnknown {
		t.Errorf("%s:\n%s", a.State, diff)
	}
}

func TestTheBudgetOfSendsIsKept(t *testing.T) {
	w := newWorld(t)
	w.budget.MaxSends = 1
	second := &carrier{}
	a := w.turns(delivery.Route{Name: "first", Provider: &carrier{answers: fail(unknown)}}, delivery.Route{Name: "second", Provider: second})
	if len(second.keys) != 0 || a.State != verify.AttemptUnknown {
		t.Errorf("%s after a second send", a.State)
	}
}

// A message whose turn comes late, after an outage of ours, still has its first hand-over and its minute.
func TestAMessageThatComesLateHasItsMinute(t *testing.T) {
	w := newWorld(t)
	w.now = start.Add(5 * time.Minute)
	a := w.turns(delivery.Route{Name: "first", Provider: &carrier{answers: fail(temporary, temporary)}}, delivery.Route{Name: "second", Provider: &carrier{}})
	if a.State != verify.AttemptSent || a.Provider != "second" {
		t.Errorf("%s by %s", a.State, a.Provider)
	}
}

func TestTheSenderIsTheRoutes(t *testing.T) {
	w := newWorld(t)
	first, second := &carrier{answers: fail(badRequest)}, &carrier{}
	w.turns(delivery.Route{Name: "first", Provider: first, From: "Acme"}, delivery.Route{Name: "second", Provider: second})
	if first.last.From != "Acme" || second.last.From != "" {
		t.Errorf("from %q and %q", first.last.From, second.last.From)
	}
}

// On WhatsApp the sender is the service's, where it has one.
func TestTheSenderOfAServiceGoesBeforeTheRoutes(t *testing.T) {
	w := newWorld(t)
	c := &carrier{}
	worker := w.worker()
	worker.Routes = delivery.Routes{verify.WhatsApp: delivery.Anywhere(delivery.Route{Name: "c", Provider: c, From: "+34600000000"})}
	j := job(w, 1, "ES")
	j.Delivery.Attempt.Channel, j.Delivery.Attempt.Options.From = verify.WhatsApp, "+34911234567"
	if err := worker.Work(t.Context(), j); err != nil || c.last.From != "+34911234567" {
		t.Errorf("%v; it was sent by %q", err, c.last.From)
	}
}

func TestAResendGoesTheNextWay(t *testing.T) {
	w := newWorld(t)
	first, second := &carrier{}, &carrier{}
	routes := []delivery.Route{{Name: "first", Provider: first}, {Name: "second", Provider: second}}
	w.turns(routes...)
	for range 2 {
		if err := w.resend(w.v.ServiceSID); err != nil {
			t.Fatal(err)
		}
		w.turns(routes...)
	}
	if len(first.keys) != 2 || len(second.keys) != 1 {
		t.Errorf("first had %d, second %d of three sends", len(first.keys), len(second.keys))
	}
	if second.last.Key[strings.LastIndex(second.last.Key, ":"):] != ":2" {
		t.Errorf("the key %s does not name the route by its place in the configuration", second.last.Key)
	}
	a := w.lastAttempt()
	if diff := cmp.Diff([]string{"first accepted sent"}, told(a)); diff != "" || a.Options.After != "second" {
		t.Errorf("after %s:\n%s", a.Options.After, diff)
	}
}

// many makes and delivers verifications of other numbers, and returns their attempts.
func (w *world) many(n int, worker *delivery.Worker, between func(i int)) (attempts []*verify.Attempt) {
	w.t.Helper()
	w.drain(worker)
	for range n {
		w.made++
		to, channel := fmt.Sprintf("+346%08d", 20_000_000+w.made), "sms"
		v, err := w.engine.StartVerification(w.t.Context(), w.acc, w.v.ServiceSID, verify.StartParams{To: &to, Channel: &channel})
		if err != nil {
			w.t.Fatal(err)
		}
		w.drain(worker)
		attempts = append(attempts, w.attempt(v.Sends[0].AttemptSID))
		if between != nil {
			between(w.made)
		}
	}
	return attempts
}

func (w *world) attempt(attemptSID string) (a *verify.Attempt) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		a, err = tx.Attempt(attemptSID)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// lastAttempt is that of the last send of the world's verification.
func (w *world) lastAttempt() *verify.Attempt {
	w.t.Helper()
	v, err := w.engine.Verification(w.t.Context(), w.acc, w.v.ServiceSID, w.v.SID)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.attempt(v.Sends[len(v.Sends)-1].AttemptSID)
}

func TestADeadRouteIsLeftAloneAndComesBackByItself(t *testing.T) {
	w := newWorld(t)
	sick := &carrier{}
	for range 1000 {
		sick.answers = append(sick.answers, fail(temporary)...)
	}
	well := &carrier{}
	worker := w.worker(delivery.Route{Name: "sick", Provider: sick}, delivery.Route{Name: "well", Provider: well})
	w.many(30, worker, nil)
	asked := len(sick.keys)
	if asked < 20 || asked > 42 || len(well.keys) != 31 {
		t.Errorf("the dead route was asked %d times, the other had %d of 31", asked, len(well.keys))
	}
	attempts := w.many(5, worker, nil)
	if len(sick.keys) != asked {
		t.Errorf("a dead route was asked %d times more", len(sick.keys)-asked)
	}
	steps := attempts[0].Story.Steps()
	if len(steps) != 2 || steps[0].Kind != verify.StepPassed || !strings.Contains(steps[0].Why, "100 % of its last") {
		t.Errorf("the story does not say why: %+v", steps)
	}
	w.now = w.now.Add(10 * time.Second)
	w.many(3, worker, nil)
	if len(sick.keys) != asked+1 {
		t.Errorf("%d probes after the pause, want 1", len(sick.keys)-asked)
	}
	sick.answers = nil
	w.now = w.now.Add(20 * time.Second)
	if last := w.many(3, worker, nil); last[2].Provider != "sick" || len(told(last[2])) != 1 {
		t.Errorf("it works again, and the last message went by %s: %v", last[2].Provider, told(last[2]))
	}
	for _, line := range []string{`"msg":"route is left alone"`, `"msg":"route is back"`} {
		if n := strings.Count(w.log.String(), line); n < 1 || n > 3 {
			t.Errorf("%d lines %s", n, line)
		}
	}
}

// A provider whose calls fail in a country is left alone with calls to that country, and with nothing else.
func TestAProviderThatFailsAtOneThingKeepsTheOthers(t *testing.T) {
	w := newWorld(t)
	both, other := &carrier{}, &carrier{}
	routes := []delivery.Route{{Name: "both", Provider: both}, {Name: "other", Provider: other}}
	worker := w.worker()
	worker.Routes = delivery.Routes{verify.SMS: delivery.Anywhere(routes...), verify.Call: delivery.Anywhere(routes...)}
	made := 0
	send := func(c verify.Channel, country string) {
		t.Helper()
		made++
		j := job(w, made, country)
		j.Kind, j.Delivery.Attempt.Channel = string(c), c
		if err := worker.Work(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		both.answers = fail(badRequest)
		send(verify.Call, "ES")
	}
	both.answers, both.keys = nil, nil
	for _, c := range []struct {
		channel verify.Channel
		country string
		want    int
	}{{verify.Call, "ES", 0}, {verify.SMS, "ES", 1}, {verify.Call, "FR", 1}} {
		had := len(both.keys)
		send(c.channel, c.country)
		if got := len(both.keys) - had; got != c.want {
			t.Errorf("after its calls to ES failed it had %d of one %s to %s, want %d", got, c.channel, c.country, c.want)
		}
	}
	if line := `"msg":"route is left alone","provider":"both","channel":"call","country":"ES"`; !strings.Contains(w.log.String(), line) {
		t.Errorf("the log has no line %s", line)
	}
}

// A wrong breaker must not mean silence.
func TestWhereAllRoutesAreDeadTheyAreTriedAll(t *testing.T) {
	w := newWorld(t)
	a, b := &carrier{}, &carrier{}
	for range 400 {
		a.answers, b.answers = append(a.answers, fail(temporary)...), append(b.answers, fail(temporary)...)
	}
	worker := w.worker(delivery.Route{Name: "a", Provider: a}, delivery.Route{Name: "b", Provider: b})
	w.many(10, worker, nil)
	a.answers, b.answers = nil, nil
	if last := w.many(1, worker, nil)[0]; last.State != verify.AttemptSent {
		t.Errorf("%s: %v", last.State, told(last))
	}
}

func TestAPaceIsKeptAndNobodyIsLost(t *testing.T) {
	w := newWorld(t)
	slow, other := &carrier{}, &carrier{}
	worker := w.worker(delivery.Route{Name: "slow", Provider: slow})
	worker.TPS = map[string]float64{"slow": 2}
	var attempts []*verify.Attempt
	w.drain(worker)
	for i := range 10 {
		to, channel := fmt.Sprintf("+346%08d", 30_000_000+i), "sms"
		v, err := w.engine.StartVerification(t.Context(), w.acc, w.v.ServiceSID, verify.StartParams{To: &to, Channel: &channel})
		if err != nil {
			t.Fatal(err)
		}
		attempts = append(attempts, &verify.Attempt{SID: v.Sends[0].AttemptSID})
	}
	began := w.now
	w.drain(worker)
	for i := range attempts {
		if attempts[i] = w.attempt(attempts[i].SID); attempts[i].State != verify.AttemptSent || attempts[i].HandOvers != 1 {
			t.Errorf("%s: %v", attempts[i].State, told(attempts[i]))
		}
	}
	if took := w.now.Sub(began); took < 4*time.Second || took > 5*time.Second {
		t.Errorf("ten at two a second took %s", took)
	}
	// Another route is better than a queue.
	worker.Routes = delivery.Routes{verify.SMS: delivery.Anywhere(delivery.Route{Name: "slow", Provider: slow}, delivery.Route{Name: "other", Provider: other})}
	began = w.now
	w.many(10, worker, nil)
	if len(other.keys) < 8 || w.now != began {
		t.Errorf("the other route had %d, it took %s", len(other.keys), w.now.Sub(began))
	}
}

func TestMessagesThatHaveNoPlaceInTimeFailAndSayWhy(t *testing.T) {
	w := newWorld(t)
	worker := w.worker(delivery.Route{Name: "slow", Provider: &carrier{}})
	worker.TPS = map[string]float64{"slow": 0.01}
	w.drain(worker)
	a := w.many(1, worker, nil)[0]
	steps := a.Story.Steps()
	if a.State != verify.AttemptFailed || !strings.Contains(steps[len(steps)-1].Why, "no provider has a place in time") {
		t.Errorf("%s: %+v", a.State, steps)
	}
}

// What the carriers of a country want goes with the messages of the route that has it, and of no other.
func TestWhatACountryWantsIsToldByItsRoute(t *testing.T) {
	w := newWorld(t)
	first, second := &carrier{answers: fail(badRequest)}, &carrier{}
	told := &provider.Regulatory{DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}
	w.turns(delivery.Route{Name: "first", Provider: first, Regulatory: told}, delivery.Route{Name: "second", Provider: second})
	if first.last.Regulatory != told || second.last.Regulatory != nil {
		t.Errorf("told %+v, then %+v", first.last.Regulatory, second.last.Regulatory)
	}
}
