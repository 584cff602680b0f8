package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Hedged sending gives a message to the next provider while the first has not answered yet. It makes up
// for the seconds until an answer is overdue, and costs a second message, so it is off unless a route has
// it, and is kept to a small share of what a provider is given.
//
// Both hand-overs are waited for to their end: the story says what became of each, the breaker learns from
// both, and the identifier that either provider gave is known when its report comes.

const (
	// hedgedShare is the part of a provider's messages that may be hedged, hedgedBurst how many of them at
	// once.
	hedgedShare = 0.05
	hedgedBurst = 20
	// knownLosers is how many messages are remembered that two providers took.
	knownLosers = 10_000
)

// ended is a hand-over that has ended.
type ended struct {
	route        Route
	began, ended time.Time
	taken        provider.Accepted
	failure      *provider.Error // nil if the provider took the message
}

// give gives the message to a provider in whose room it has a place.
func (t *turn) give(ctx context.Context, route Route) ended {
	m := t.messageFor(route)
	e, by := ended{route: route, began: t.Now()}, wayOf(route.Name, t.Attempt)
	t.begin(by, e.began)
	e.taken, e.failure = t.handOver(ctx, route, m)
	e.ended = t.Now()
	t.Worker.end(by, e.began, e.ended, e.failure)
	return e
}

// offer gives the message to one provider, or to a second one as well if its route is hedged, and says
// what follows. others are those whose turn would be next.
func (t *turn) offer(ctx context.Context, route Route, others []Route) (verify.Decision, time.Duration) {
	if route.Hedge <= 0 || len(others) == 0 {
		return t.note(t.give(ctx, route))
	}
	answers := make(chan ended, 2)
	go func() { answers <- t.give(ctx, route) }()
	timer := time.NewTimer(route.Hedge)
	defer timer.Stop()
	select {
	case e := <-answers:
		return t.note(e)
	case <-timer.C:
	}
	second, found := t.second(ctx, route, others)
	if !found {
		return t.note(<-answers)
	}
	go func() { answers <- t.give(ctx, second) }()
	return t.noteBoth(<-answers, <-answers)
}

// second is the provider that is given the message as well, if one is fit, has room, and may.
func (t *turn) second(ctx context.Context, first Route, others []Route) (Route, bool) {
	now := t.Now()
	if t.progress.sends+2 > t.Budget.sends() || t.progress.unknown || !now.Before(t.end) || !t.mayHedge(first.Name) {
		return Route{}, false
	}
	for _, route := range others {
		by := wayOf(route.Name, t.Attempt)
		if t.fit.unfit(by, now) {
			continue
		}
		if got, _, _ := t.place(ctx, by, false, false); got {
			return route, true
		}
	}
	return Route{}, false
}

// noteBoth notes the outcomes of two hand-overs at once, the earlier one first. If a provider took the
// message the attempt is sent, whatever the other one says.
func (t *turn) noteBoth(early, late ended) (verify.Decision, time.Duration) {
	winner, loser := early, late
	if early.failure != nil && late.failure == nil {
		winner, loser = late, early
	}
	if winner.failure != nil {
		first, pause := t.note(early)
		second, after := t.note(late)
		for _, d := range []verify.Decision{verify.DecidedStop, verify.DecidedWait, verify.DecidedRetry} {
			switch d {
			case first:
				return first, pause
			case second:
				return second, after
			}
		}
		return verify.DecidedNext, 0
	}
	t.noteLoser(loser, winner.route)
	return t.note(winner)
}

// noteLoser notes what a provider said of a message that another one took.
func (t *turn) noteLoser(e ended, winner Route) {
	step := stepOf(e)
	step.Outcome, step.Decision, step.Why = accepted, verify.DecidedSent, fmt.Sprintf("given to two, because it was not answered in time; %s has it", winner.Name)
	if e.failure != nil {
		step.Outcome, step.Code, step.Detail = e.failure.Class.String(), e.failure.Code, e.failure.Detail
	} else if e.taken.ID != "" && reports(e.route.Provider) {
		t.fit.remember(verify.ReportKey(e.route.Name, e.taken.ID), t.Attempt.SID)
	}
	t.result.HandOvers++
	t.step(step)
	t.log(e.route, e.ended.Sub(e.began), step, e.failure, e.taken.ID)
}

// mayHedge spends a hedge of a provider's, if it has one left.
func (w *Worker) mayHedge(name string) bool {
	f := &w.fit
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.carrier(name, w.TPS)
	if c.hedged+1 > hedgedBurst {
		return false
	}
	c.hedged++
	return true
}

// remember notes under what the report of a message will come that another provider took too. It is
// memory, as all that is known of providers: a report that comes to another node finds nothing.
func (f *fitness) remember(reportKey, attemptSID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.losers == nil {
		f.losers = map[string]string{}
	}
	if len(f.order) >= knownLosers {
		delete(f.losers, f.order[0])
		f.order = f.order[1:]
	}
	f.losers[reportKey] = attemptSID
	f.order = append(f.order, reportKey)
}

// keyOf is our key of a report by the identifier of a provider that another one was quicker than, ""
// if it is none of these.
func (w *Worker) keyOf(r verify.Report) string {
	w.fit.mu.Lock()
	defer w.fit.mu.Unlock()
	if attemptSID, found := w.fit.losers[verify.ReportKey(r.Provider, r.ID)]; found {
		return attemptSID + ":"
	}
	return ""
}
