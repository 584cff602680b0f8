package delivery

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/channel"
	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// accepted is the outcome of a hand-over after which the provider has the message.
const accepted = "accepted"

// turn offers a message to the routes, in the order of plan. It ends when one takes it, when none is
// left, or when something has to be waited for.
func (w *Worker) turn(ctx context.Context, d verify.Delivery) verify.SendResult {
	t := w.begins(d)
	order, notes := w.plan(d.Attempt, t.configured, &t.progress, t.now)
	t.steps = append(t.steps, notes...)
	for i, route := range order {
		if t.progress.asked(route.Name) {
			continue // beside the one before it
		}
		now := w.Now()
		if t.progress.handOvers > 0 {
			if why := t.spent(now); why != "" {
				return t.over(why)
			}
			if deadline, ok := ctx.Deadline(); ok && t.result.HandOvers > 0 && time.Until(deadline) < route.Hedge+sendTimeout(d.Attempt.Channel) {
				return t.later(0) // slow routes: go on in the next run
			}
		}
		got, wait, why := w.place(ctx, wayOf(route.Name, d.Attempt), t.progress.booked == route.Name, true)
		switch {
		case wait > 0:
			t.tooFast(route, wait, why, w.Now())
			continue
		case !got:
			t.full = append(t.full, route.Name)
			t.steps = append(t.steps, passed(w.Now(), route.Name, "it has as many messages in hand as it may have"))
			continue
		}
		if decision, pause := t.offer(ctx, route, order[i+1:]); decision != verify.DecidedNext {
			return t.conclude(decision, pause)
		}
	}
	return t.routesEnd()
}

// turn is one turn of an attempt.
type turn struct {
	*Worker
	verify.Delivery
	now        time.Time
	configured []Route
	message    provider.Message
	progress   progress
	end        time.Time // nothing is tried from here on but a first hand-over
	result     verify.SendResult
	steps      []verify.Step
	asked      time.Duration // the longest pause that a provider asked for in this turn
	waitFor    string        // the provider whose pace has a place soonest, "" if none was too fast
	shortest   time.Duration // until then
	full       []string      // providers that have no room
}

func (w *Worker) begins(d verify.Delivery) turn {
	a := d.Attempt
	t := turn{Worker: w, Delivery: d, now: w.Now(), configured: w.routes(a), message: channel.Compose(d)}
	if a.Story != "" {
		t.progress = readProgress(a.Story.Steps())
	}
	began := t.progress.began
	if began.IsZero() {
		began = t.now
	}
	t.end = began.Add(w.Budget.deadline())
	if last := d.Deadline.Add(-lifeLeft); last.Before(t.end) {
		t.end = last
	}
	t.result = verify.SendResult{State: verify.AttemptFailed}
	return t
}

// spent says why there is no other hand-over, "" if there may be one.
func (t *turn) spent(now time.Time) string {
	switch {
	case t.progress.sends >= t.Budget.sends():
		return fmt.Sprintf("it was sent %d times", t.progress.sends)
	case !now.Before(t.end):
		return "there is no time for another route"
	default:
		return ""
	}
}

// tooFast notes that a provider takes nothing for a while.
func (t *turn) tooFast(route Route, wait time.Duration, why string, now time.Time) {
	if t.waitFor == "" || wait < t.shortest {
		t.waitFor, t.shortest = route.Name, wait
	}
	t.steps = append(t.steps, passed(now, route.Name, fmt.Sprintf("%s for %s", why, wait.Round(time.Millisecond))))
}

// messageFor is the message as a provider is given it. Its key names the provider by its place in the
// configuration.
func (t *turn) messageFor(route Route) provider.Message {
	m := t.message
	ordinal := 1 + slices.IndexFunc(t.configured, func(r Route) bool { return r.Name == route.Name })
	m.Key = t.Attempt.SID + ":" + strconv.Itoa(ordinal)
	m.From, m.Regulatory = cmp.Or(t.Attempt.Options.From, route.From), route.Regulatory
	return m
}

// stepOf is the beginning of the step of a hand-over.
func stepOf(e ended) verify.Step {
	return verify.Step{At: verify.MillisOf(e.began), Provider: e.route.Name, Took: verify.Millis(e.ended.Sub(e.began).Milliseconds())}
}

// note notes the outcome of a hand-over, and says what follows.
func (t *turn) note(e ended) (verify.Decision, time.Duration) {
	route, failure, took := e.route, e.failure, e.ended.Sub(e.began)
	t.result.HandOvers++
	t.result.Provider = route.Name
	step := stepOf(e)
	if failure == nil {
		t.taken(route, e.taken)
		step.Outcome, step.Decision = accepted, verify.DecidedSent
		t.step(step)
		t.log(route, took, step, nil, e.taken.ID)
		return verify.DecidedSent, 0
	}
	t.result.ErrorCode, t.result.ErrorClass = failure.Code, failure.Class.String()
	named := e.taken
	if failure.Class != provider.Unknown {
		named = provider.Accepted{}
	}
	t.named(route, named)
	t.asked = max(t.asked, failure.RetryAfter)
	_, repeatable := route.Provider.(provider.Repeatable)
	decision, pause, why := answer{
		class: failure.Class, retryAfter: failure.RetryAfter, channel: t.Attempt.Channel, repeatable: repeatable,
		took: took, others: t.anotherBut(route.Name),
		first: t.progress.handOvers == 0, retried: t.progress.retried == route.Name, unfit: t.fit.unfit(wayOf(route.Name, t.Attempt), e.ended),
		unknown: t.progress.unknown, left: t.end.Sub(e.ended),
	}.decide()
	step.Outcome, step.Code, step.Detail, step.Decision, step.Why = failure.Class.String(), failure.Code, failure.Detail, decision, why
	t.step(step)
	t.log(route, took, step, failure, "")
	return decision, pause
}

func (t *turn) step(s verify.Step) {
	t.steps = append(t.steps, s)
	t.progress.add(s)
}

// taken notes that a provider has the message.
func (t *turn) taken(route Route, taken provider.Accepted) {
	r := &t.result
	r.State, r.ErrorCode, r.ErrorClass = verify.AttemptSent, "", ""
	r.Price, r.Currency = taken.Price.Amount, taken.Price.Currency
	t.named(route, taken)
}

// named notes what the provider calls the message that it has; or perhaps has, if it names its messages
// itself.
func (t *turn) named(route Route, taken provider.Accepted) {
	t.result.ProviderID, t.result.ReportKey = taken.ID, ""
	if taken.ID != "" && reports(route.Provider) {
		t.result.ReportKey = verify.ReportKey(route.Name, taken.ID)
	}
}

// reports says whether a provider may say later what became of a message.
func reports(p provider.Provider) bool {
	switch p.(type) {
	case provider.Reporter, provider.Runner:
		return true
	}
	return false
}

// conclude ends the turn as a decision says that is not to go on at once.
func (t *turn) conclude(decision verify.Decision, pause time.Duration) verify.SendResult {
	switch decision {
	case verify.DecidedSent:
	case verify.DecidedRetry:
		return t.later(pause)
	case verify.DecidedWait:
		if !t.anotherRoute() {
			return t.over("there is no other route")
		}
		return t.later(pause)
	default:
		if t.result.ErrorClass == provider.Unknown.String() {
			t.result.State = verify.AttemptUnknown
		}
	}
	return t.done()
}

// routesEnd ends a turn that has come to the end of the routes.
func (t *turn) routesEnd() verify.SendResult {
	now := t.Now()
	switch {
	case t.waitFor != "":
		if now.Add(t.shortest).Before(t.end) {
			wait := t.book(wayOf(t.waitFor, t.Attempt), now)
			t.steps = append(t.steps, verify.Step{At: verify.MillisOf(now), Kind: verify.StepBooked, Provider: t.waitFor,
				Why: fmt.Sprintf("its place is in %s", wait.Round(time.Millisecond))})
			return t.later(wait)
		}
		return t.over("no provider has a place in time")
	case len(t.full) > 0:
		return t.comeBack(now)
	case !t.progress.mayHelp:
		return t.over("there is no other route")
	case t.spent(now) != "":
		return t.over(t.spent(now))
	}
	pause := backOff(t.progress.rounds+1, t.asked)
	if last := len(t.steps) - 1; last >= 0 && t.steps[last].Kind == verify.StepHandOver {
		t.steps[last].Decision = verify.DecidedAgain
		t.steps[last].Why += fmt.Sprintf("; no other route: all once more in %s", pause)
	}
	return t.later(pause)
}

// comeBack puts a message off that no provider has room for. It stays in the queue, where it costs no
// memory and holds no place that others need, and its story does not grow by it.
func (t *turn) comeBack(now time.Time) verify.SendResult {
	if t.result.HandOvers == 0 && t.progress.handOvers == 0 {
		t.steps = nil
	}
	return t.later(t.away(t.full, t.Attempt.Channel, now))
}

// anotherRoute reports whether there is a route that has neither the message nor had its turn.
func (t *turn) anotherRoute() bool { return t.progress.another(t.configured) }

// anotherBut is anotherRoute, not counting one.
func (t *turn) anotherBut(name string) bool {
	return t.progress.another(slices.DeleteFunc(slices.Clone(t.configured), func(r Route) bool { return r.Name == name }))
}

func (p *progress) another(routes []Route) bool {
	return slices.ContainsFunc(routes, func(r Route) bool { return !p.asked(r.Name) })
}

// asked reports whether a provider has the message, or had its turn in this round.
func (p *progress) asked(name string) bool {
	return slices.Contains(p.done, name) || slices.Contains(p.gone, name)
}

// later puts the next turn off, or gives up if it would come too late.
func (t *turn) later(pause time.Duration) verify.SendResult {
	t.result.RetryAt = t.Now().Add(pause)
	if !t.result.RetryAt.Before(t.end) {
		return t.over("there is no time for more")
	}
	t.result.State = verify.AttemptQueued
	return t.done()
}

// over ends the attempt.
func (t *turn) over(why string) verify.SendResult {
	t.result.State = t.lost()
	t.steps = append(t.steps, verify.Step{At: verify.MillisOf(t.Now()), Kind: verify.StepEnd, Decision: verify.DecidedStop, Why: why})
	return t.done()
}

// lost is the state of an attempt that nothing more is tried for.
func (t *turn) lost() verify.AttemptState {
	if t.progress.unknown {
		return verify.AttemptUnknown
	}
	return verify.AttemptFailed
}

// done is the result of the turn.
func (t *turn) done() verify.SendResult {
	t.result.Route = len(t.progress.done)
	t.result.Steps = t.steps
	return t.result
}

// handOver gives a message to one provider.
func (w *Worker) handOver(ctx context.Context, route Route, m provider.Message) (provider.Accepted, *provider.Error) {
	ctx, cancel := context.WithTimeout(ctx, min(sendTimeout(verify.Channel(m.Channel)), m.Deadline.Sub(w.Now())))
	defer cancel()
	return ask(ctx, w.Log, route, m)
}

// ask has a provider send a message. One that panics has perhaps sent it; what it panicked with may repeat
// the message, as an error of a parser does.
func ask(ctx context.Context, log *slog.Logger, route Route, m provider.Message) (taken provider.Accepted, failure *provider.Error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a provider panicked", "provider", route.Name, "panic", provider.Excerpt(fmt.Sprint(p), m), "stack", string(debug.Stack()))
			taken, failure = provider.Accepted{}, &provider.Error{Class: provider.Unknown, Detail: "a fault of the provider's code: it panicked"}
		}
	}()
	taken, err := route.Provider.Send(ctx, m)
	if err == nil {
		return taken, nil
	}
	return taken, provider.AsError(err)
}

// log writes the line of a hand-over.
func (t *turn) log(route Route, took time.Duration, s verify.Step, failure *provider.Error, id string) {
	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("attempt", t.Attempt.SID),
		slog.String("channel", t.message.Channel),
		slog.String("to", phone.Masked(t.message.To)),
		slog.String("provider", route.Name),
		slog.Duration("took", took),
		slog.String("outcome", s.Outcome))
	if failure == nil {
		t.Log.LogAttrs(context.Background(), slog.LevelInfo, "delivery", append(attrs, slog.String("id", id))...)
		return
	}
	t.Log.LogAttrs(context.Background(), slog.LevelWarn, "delivery", append(attrs,
		slog.String("code", failure.Code), slog.String("error", failure.Error()),
		slog.String("then", string(s.Decision)), slog.String("why", s.Why))...)
}
