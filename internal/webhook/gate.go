package webhook

import (
	"math"
	"sync"
	"time"
)

// pace is how fast one URL is called.
type pace struct {
	// parallel is how many calls may be under way.
	parallel int
	// spread is the time between two deliveries that wait for the URL: a backlog comes back bit by bit.
	spread time.Duration
}

var (
	// webhookPace keeps a slow receiver from taking the places of the others.
	webhookPace = pace{parallel: 8, spread: 50 * time.Millisecond}
	// sinkPace has no others to think of: the sink has a lane to itself, whose places are enough of a limit,
	// and is sent what all services announce.
	sinkPace = pace{parallel: math.MaxInt, spread: time.Millisecond}
)

const (
	// breakAfter is how many failures in a row close a URL for breakFor.
	breakAfter = 20
	breakFor   = time.Minute
)

// gate lets calls of URLs through, or says when to come again. It is this node's alone.
type gate struct {
	mu   sync.Mutex
	urls map[string]*urlState
}

// urlState is what is known of a URL that is being called, or that failed.
type urlState struct {
	underWay int
	failures int       // in a row
	closed   time.Time // until when it is not called
	queued   time.Time // until when places are given to those that wait
}

// maxURLs bounds the memory: those that nobody calls are forgotten when there are more.
const maxURLs = 10_000

// enter lets a call through. Where it does not, the call is to come again at a time.
func (g *gate) enter(target string, at pace, now time.Time) (again time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.urls == nil || len(g.urls) > maxURLs {
		g.forget()
	}
	s := g.urls[target]
	if s == nil {
		s = &urlState{}
		g.urls[target] = s
	}
	if now.Before(s.closed) || s.underWay >= at.parallel {
		earliest := now.Add(time.Second)
		for _, t := range []time.Time{s.closed, s.queued.Add(at.spread)} {
			if t.After(earliest) {
				earliest = t
			}
		}
		s.queued = earliest
		return earliest, false
	}
	s.underWay++
	return time.Time{}, true
}

// forget keeps those that are being called.
func (g *gate) forget() {
	kept := map[string]*urlState{}
	for target, s := range g.urls {
		if s.underWay > 0 {
			kept[target] = s
		}
	}
	g.urls = kept
}

// leave ends a call that was let through.
func (g *gate) leave(target string, taken bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.urls[target]
	s.underWay--
	if taken {
		s.failures = 0
		if s.underWay == 0 && !now.Before(s.queued) {
			delete(g.urls, target)
		}
		return
	}
	if s.failures++; s.failures >= breakAfter {
		s.closed = now.Add(breakFor) // then one failure more closes it again
	}
}
