package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/health"
	"github.com/verifyd/verifyd/internal/verify"
)

const (
	// answersWithin is how long a code has to come back to count for its way.
	answersWithin = 5 * time.Minute
	// judgedBack is how far back a node looks that starts.
	judgedBack = 2 * time.Hour
	// longestLook is the time of which one look reads the attempts, at most, and judgedAtOnce how many: a
	// sample says as much.
	longestLook  = 5 * time.Minute
	judgedAtOnce = 1000
	// keptOnLoser is the share of messages that goes on by a route that converts less, so that it is
	// seen when it gets better.
	keptOnLoser = 0.05
)

// judged is how far Judge has come.
type judged struct {
	mu    sync.Mutex
	until time.Time // attempts that were made before were judged, guarded by mu
}

// Judge learns how often the codes come back that providers carried, on all nodes and before this one
// started: it reads the attempts whose codes have had their time since it looked last. It is called again and
// again; whoever starts a verification or checks a code has nothing to do with it.
func (w *Worker) Judge(ctx context.Context) error {
	j := &w.fit.judged
	j.mu.Lock()
	defer j.mu.Unlock()
	now := w.Now()
	due := now.Add(-answersWithin)
	if first := due.Add(-judgedBack); j.until.Before(first) || j.until.After(now) { // or the clock was set back
		j.until = first
	}
	for j.until.Before(due) {
		before := due
		if next := j.until.Add(longestLook); next.Before(due) {
			before = next
		}
		list, err := w.Engine.Carried(ctx, j.until, before, judgedAtOnce)
		if err != nil {
			return fmt.Errorf("read who carried the attempts from %s to %s: %w", j.until.UTC().Format(time.RFC3339), before.UTC().Format(time.RFC3339), err)
		}
		w.fit.judge(list, before.Add(answersWithin))
		j.until = before
	}
	return nil
}

// judge counts attempts whose time was up at a moment.
func (f *fitness) judge(list []verify.Carried, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range list {
		if c.Taken() {
			f.condition(way{c.Provider, c.Channel, c.Country}).score.Add(at, c.Converted)
		}
	}
}

// converting is the route that has to come first because its codes come back so much more often than
// those of the first one, 0 if none has.
func (f *fitness) converting(routes []Route, a *verify.Attempt, now time.Time, log *slog.Logger) (best int, why string) {
	var some [8]health.Score
	scores := some[:0]
	for _, r := range routes {
		var s health.Score
		if c := f.ways[wayOf(r.Name, a)]; c != nil {
			s = c.score
		}
		scores = append(scores, s)
	}
	best = health.Best(now, scores...)
	first := f.ways[wayOf(routes[0].Name, a)]
	if first == nil {
		return 0, ""
	}
	if best > 0 {
		rate, _ := scores[0].Rate(now)
		better, _ := scores[best].Rate(now)
		why = fmt.Sprintf("its codes come back %.0f times in a hundred, those of %s %.0f", 100*rate, routes[best].Name, 100*better)
	}
	if first.losing != (best > 0) {
		first.losing = best > 0
		log.Warn("route loses traffic by conversion", "provider", routes[0].Name, "channel", a.Channel, "country", a.Country, "losing", first.losing, "why", why)
	}
	if best > 0 && uniform(a.SID, "loser") < keptOnLoser {
		return 0, ""
	}
	return best, why
}
