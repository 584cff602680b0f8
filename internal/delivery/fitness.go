package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/health"
	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// fitness is what this node knows of providers: how the last messages went, how many codes came back,
// how many more they take. It is memory, and nodes do not share it; how many codes came back is read from
// the store, which is the same for all of them. The zero value is one in which nothing has happened.
type fitness struct {
	mu       sync.Mutex
	ways     map[way]*condition  // guarded by mu
	carriers map[string]*carrier // guarded by mu
	losers   map[string]string   // attempts by what their second reports will be about, guarded by mu
	order    []string            // of losers, oldest first, guarded by mu
	judged   judged
}

// way is what is fit or not: carriers fail by country, and one that cannot call may well carry texts.
type way struct {
	provider string
	channel  verify.Channel
	country  string // "" for e-mail
}

// wayOf is the way of an attempt by one provider.
func wayOf(provider string, a *verify.Attempt) way { return way{provider, a.Channel, a.Country} }

// condition is how a way does.
type condition struct {
	breaker health.Breaker
	score   health.Score
	open    bool // as it was logged last
	losing  bool // likewise
}

// carrier is how much a provider takes, wherever to. Its pace is agreed with the other side, and is one. The
// rooms are by what is seen of it: one whose calls hang may well answer texts.
type carrier struct {
	pace   ratelimit.Pace
	rooms  map[verify.Channel]*room
	hedged float64 // messages that another provider was given too; a share of them is forgiven with each
}

func (f *fitness) condition(w way) *condition {
	c := f.ways[w]
	if c == nil {
		if f.ways == nil {
			f.ways = map[way]*condition{}
		}
		c = &condition{}
		f.ways[w] = c
	}
	return c
}

func (f *fitness) carrier(name string, tps map[string]float64) *carrier {
	c := f.carriers[name]
	if c == nil {
		if f.carriers == nil {
			f.carriers = map[string]*carrier{}
		}
		c = &carrier{pace: ratelimit.Pace{PerSecond: tps[name]}, rooms: map[verify.Channel]*room{}}
		f.carriers[name] = c
	}
	return c
}

// room is that of a channel.
func (c *carrier) room(channel verify.Channel) *room {
	r := c.rooms[channel]
	if r == nil {
		r = &room{}
		c.rooms[channel] = r
	}
	return r
}

// plan is the order in which the routes of an attempt are asked now, with a step of its story for each
// route that is not asked where it stands.
func (w *Worker) plan(a *verify.Attempt, configured []Route, p *progress, now time.Time) ([]Route, []verify.Step) {
	routes := preferred(configured, a)
	var notes []verify.Step
	if p.handOvers == 0 && a.Options.After != "" && len(routes) > 1 && routes[0].Name != configured[0].Name {
		notes = append(notes, passed(now, a.Options.After, "the code of the send before, which went this way, did not come back"))
	}
	if p.handOvers > 0 {
		routes = slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { return p.asked(r.Name) })
		if p.retried != "" {
			if i := slices.IndexFunc(routes, func(r Route) bool { return r.Name == p.retried }); i > 0 {
				routes = toFront(routes, i)
			}
			return routes, notes
		}
	}
	if len(routes) < 2 {
		return routes, notes
	}
	w.fit.mu.Lock()
	defer w.fit.mu.Unlock()
	if a.Options.After == "" {
		if i, why := w.fit.converting(routes, a, now, w.Log); i > 0 {
			notes = append(notes, passed(now, routes[0].Name, why))
			routes = toFront(routes, i)
		}
	}
	if i := w.fit.fittest(routes, a, now); i > 0 {
		for _, r := range routes[:i] {
			notes = append(notes, passed(now, r.Name, w.fit.ways[wayOf(r.Name, a)].why(now)))
		}
		routes = slices.Concat(routes[i:], routes[:i])
	}
	return routes, notes
}

func passed(now time.Time, name, why string) verify.Step {
	return verify.Step{At: verify.MillisOf(now), Kind: verify.StepPassed, Provider: name, Why: why}
}

func toFront(routes []Route, i int) []Route {
	return slices.Concat(routes[i:i+1], routes[:i], routes[i+1:])
}

// fittest is the first route that is fit, or that may be tried by this message; if none is, the one
// that fails least.
func (f *fitness) fittest(routes []Route, a *verify.Attempt, now time.Time) int {
	least, part := 0, 2.0
	for i, r := range routes {
		c := f.ways[wayOf(r.Name, a)]
		if c == nil {
			return i
		}
		switch c.breaker.State(now) {
		case health.Closed:
			return i
		case health.Due:
			if c.breaker.Probe(now) {
				return i
			}
		}
		if failing, _ := c.breaker.Failing(now); failing < part {
			least, part = i, failing
		}
	}
	return least
}

// why says why a way is not asked where it stands.
func (c *condition) why(now time.Time) string {
	part, of := c.breaker.Failing(now)
	if row := c.breaker.InARow(); float64(row) > part*float64(of) {
		part, of = 1, row // the minute before was good
	}
	return fmt.Sprintf("left alone: %.0f %% of its last %d failed; tried again at %s", 100*part, of, c.breaker.Until().UTC().Format("15:04:05"))
}

// unfit reports whether a way is left alone.
func (f *fitness) unfit(w way, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.ways[w]
	return c != nil && c.breaker.State(now) != health.Closed
}

// place takes a place of a message with a provider: one in its room, and one in its pace unless that was
// booked. Where it has no room nothing of the pace is taken, which others need that find some. If the pace
// has no place, wait is how long it is until the next, and why says so; patient messages wait for room.
func (w *Worker) place(ctx context.Context, by way, booked, patient bool) (got bool, wait time.Duration, why string) {
	f := &w.fit
	f.mu.Lock()
	wait, why = f.carrier(by.provider, w.TPS).paced(by.channel, booked, w.Now())
	f.mu.Unlock()
	if wait > 0 || !w.enter(ctx, by, patient) {
		return false, wait, why
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c, now := f.carrier(by.provider, w.TPS), w.Now()
	if wait, why = c.paced(by.channel, booked, now); wait > 0 { // others were quicker
		c.room(by.channel).leave(now)
		return false, wait, why
	}
	if !booked {
		c.pace.Take(now)
	}
	return true, 0, ""
}

// paced is how long it is until a message may be given to a provider, and why.
func (c *carrier) paced(channel verify.Channel, booked bool, now time.Time) (wait time.Duration, why string) {
	if wait = c.room(channel).shut.Sub(now); wait > 0 {
		return wait, "it finds us too fast, and is given nothing"
	}
	if booked {
		return 0, ""
	}
	return c.pace.Wait(now), "its pace has no place"
}

// book takes the next place in a provider's pace, and says how long it is until then.
func (w *Worker) book(by way, now time.Time) time.Duration {
	w.fit.mu.Lock()
	defer w.fit.mu.Unlock()
	c := w.fit.carrier(by.provider, w.TPS)
	return max(c.pace.Take(now), c.room(by.channel).shut.Sub(now))
}

// begin notes that a provider is given a message.
func (w *Worker) begin(by way, now time.Time) {
	f := &w.fit
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.carrier(by.provider, w.TPS)
	c.hedged = max(c.hedged-hedgedShare, 0)
	f.condition(by).breaker.Begin(now)
}

// end notes what it answered; failure is nil if it took the message.
func (w *Worker) end(by way, began, now time.Time, failure *provider.Error) {
	outcome := health.Good
	if failure != nil {
		switch failure.Class {
		case provider.Temporary:
			outcome = health.Bad
		case provider.Unknown:
			outcome = health.Doubtful
		case provider.BadRequest:
			outcome = health.Refused
		}
	}
	f := &w.fit
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.carrier(by.provider, w.TPS)
	r, took := c.room(by.channel), now.Sub(began)
	r.giveBack(now, took, failure == nil || took < atOnce && failure.Class != provider.Unknown, failure == nil, w.MostInFlight)
	if failure != nil && failure.Class == provider.Throttled {
		// The pause may be meant for one number alone, so all others do not wait longer than a short one.
		pause := min(failure.RetryAfter, shortPause)
		c.pace.Slow(now, pause)
		r.throttle(now, pause)
	}
	cond := f.condition(by)
	cond.breaker.End(began, now, outcome)
	if open := cond.breaker.State(now) != health.Closed; open != cond.open {
		cond.open = open
		if open {
			w.Log.Warn("route is left alone", "provider", by.provider, "channel", by.channel, "country", by.country, "why", cond.why(now))
		} else {
			w.Log.Info("route is back", "provider", by.provider, "channel", by.channel, "country", by.country)
		}
	}
}
