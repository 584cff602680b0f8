package webhook

import (
	"math"
	"sync"
	"time"
)

// Parallel is how many calls a node makes at a time: the places of a lane, of which webhooks and the sink have
// one each.
const Parallel = 64

// pace is how fast URLs are called.
type pace struct {
	// parallel is how many calls of one URL may be under way.
	parallel int
	// spread is the time between two deliveries that wait for the URL: a backlog comes back bit by bit.
	spread time.Duration
	// places are those of all URLs. One account has no more of them than it leaves free, so that there is
	// always one for an account that has none: half of them where it is alone, a third where another one
	// wants as many.
	places int
}

var (
	// webhookPace keeps a slow receiver from taking the places of the others, and an account with many such
	// receivers from taking those of other accounts.
	webhookPace = pace{parallel: 8, spread: 50 * time.Millisecond, places: Parallel}
	// sinkPace has no others to think of: the sink has a lane to itself, whose places are enough of a limit,
	// and is sent what all services announce.
	sinkPace = pace{parallel: math.MaxInt, spread: time.Millisecond, places: math.MaxInt}
)

// accountSpread is the spread of what waits because its account has its share. That may be of many URLs that
// are well, and come back faster than one alone.
const accountSpread = 10 * time.Millisecond

const (
	// breakAfter is how many failures in a row close a URL for breakFor.
	breakAfter = 20
	breakFor   = time.Minute
)

// gate lets calls of URLs through, or says when to come again. It is this node's alone.
type gate struct {
	mu       sync.Mutex
	urls     map[string]*urlState
	accounts map[string]*line // those with calls under way
	underWay int
}

// line is what is under way of a URL or of an account, and what waits for that.
type line struct {
	underWay int
	queued   time.Time // until when places are given to those that wait
}

// again is when the next of those that wait is to come again, not before a time.
func (l *line) again(earliest time.Time, spread time.Duration) time.Time {
	if t := l.queued.Add(spread); t.After(earliest) {
		earliest = t
	}
	l.queued = earliest
	return earliest
}

// urlState is what is known of a URL that is being called, or that failed.
type urlState struct {
	line
	failures int       // in a row
	closed   time.Time // until when it is not called
}

// maxURLs bounds the memory: those that nobody calls are forgotten when there are more.
const maxURLs = 10_000

// enter lets a call of an account's URL through. Where it does not, the call is to come again at a time.
func (g *gate) enter(account, target string, at pace, now time.Time) (again time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.urls == nil:
		g.urls, g.accounts = map[string]*urlState{}, map[string]*line{}
	case len(g.urls) > maxURLs:
		g.forget()
	}
	s := g.urls[target]
	if s == nil {
		s = &urlState{}
		g.urls[target] = s
	}
	earliest := now.Add(time.Second)
	if now.Before(s.closed) || s.underWay >= at.parallel {
		if s.closed.After(earliest) {
			earliest = s.closed
		}
		return s.again(earliest, at.spread), false
	}
	a := g.accounts[account]
	if a == nil {
		a = &line{}
		g.accounts[account] = a
	}
	if a.underWay > 0 && a.underWay >= at.places-g.underWay {
		return a.again(earliest, accountSpread), false
	}
	s.underWay++
	a.underWay++
	g.underWay++
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
func (g *gate) leave(account, target string, taken bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underWay--
	a := g.accounts[account]
	if a.underWay--; a.underWay == 0 {
		delete(g.accounts, account)
	}
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
