package smpp

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// pool gives messages their places in the windows of the connections that are bound, first come,
// first served. Nothing else waits anywhere: what has no place is still with whoever called Send.
type pool struct {
	mu      sync.Mutex
	links   []*link   // those that take messages; their spot is guarded by mu
	queue   list.List // of waiter
	settled bool      // some attempt to bind has ended, well or not
}

// place is what the pool knows of a link.
type place struct {
	session  *session // nil unless bound
	free     int      // places in its window
	answered time.Time
	// down is why nothing is to be hoped for, nil while it is bound or about to be.
	down *provider.Error
}

// waiter waits for either of the two.
type waiter chan grant

type grant struct {
	session *session
	refused *provider.Error
}

// silence is how long a full window may go without an answer before the carrier is said to be
// silent, and not slow.
const silence = 2 * time.Second

// acquire waits for a place until ctx ends, and no longer than patience once it is known whether
// the carrier lets us bind. The place is given back by release, or vanishes with its session.
func (p *pool) acquire(ctx context.Context, patience time.Duration) (*session, *provider.Error) {
	p.mu.Lock()
	if refused := p.hopeless(); refused != nil {
		p.mu.Unlock()
		return nil, refused
	}
	if p.queue.Len() == 0 {
		if s := p.take(); s != nil {
			p.mu.Unlock()
			return s, nil
		}
	}
	w := make(waiter, 1)
	element := p.queue.PushBack(w)
	settled := p.settled
	p.mu.Unlock()

	var late <-chan time.Time
	if settled {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case g := <-w:
		return g.session, g.refused
	case <-ctx.Done():
	case <-late:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case g := <-w: // at the last moment
		return g.session, g.refused
	default:
	}
	p.queue.Remove(element)
	return nil, p.why(ctx.Err())
}

// why is what to say of a message that found no place; err is that of its context.
func (p *pool) why(err error) *provider.Error {
	e := &provider.Error{Class: provider.Temporary, Detail: "not bound yet", Err: err}
	for _, l := range p.links {
		if l.spot.session == nil {
			continue
		}
		if time.Since(l.spot.answered) < silence {
			return &provider.Error{Class: provider.Throttled, Detail: "the window is full", RetryAfter: throttlePause, Err: err}
		}
		e.Detail = "the window is full, and the carrier does not answer"
	}
	return e
}

// hopeless is set when no connection is bound and none is about to be.
func (p *pool) hopeless() *provider.Error {
	var worst *provider.Error
	for _, l := range p.links {
		down := l.spot.down
		if down == nil {
			return nil
		}
		if worst == nil || down.Class == provider.BadRequest {
			worst = down
		}
	}
	if worst == nil {
		return nil
	}
	e := *worst // errors are given to many, who may change them
	return &e
}

// take is the session with the most room, nil if all are full.
func (p *pool) take() *session {
	var best *link
	for _, l := range p.links {
		if l.spot.session != nil && l.spot.free > 0 && (best == nil || l.spot.free > best.spot.free) {
			best = l
		}
	}
	if best == nil {
		return nil
	}
	best.spot.free--
	return best.spot.session
}

// serve hands out what there is. It is called after every change.
func (p *pool) serve() {
	for p.queue.Len() > 0 {
		g := grant{refused: p.hopeless()}
		if g.refused == nil {
			if g.session = p.take(); g.session == nil {
				return
			}
		}
		p.queue.Remove(p.queue.Front()).(waiter) <- g
	}
}

// release gives a place back; answered is whether the carrier has spoken.
func (p *pool) release(s *session, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := s.link
	if l.spot.session != s {
		return
	}
	l.spot.free++
	if answered {
		l.spot.answered = time.Now()
	}
	p.serve()
}

// bound opens the window of a session.
func (p *pool) bound(l *link, s *session) {
	p.set(l, place{session: s, free: l.p.config.window, answered: time.Now()}, true)
}

// connecting takes the session away; those who wait may hope for the next.
func (p *pool) connecting(l *link) { p.set(l, place{}, false) }

// down takes the session away, and hope with it until the next bind.
func (p *pool) down(l *link, why *provider.Error) { p.set(l, place{down: why}, true) }

// forget is connecting for a session that was found ended before its link knew.
func (p *pool) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.link.spot.session == s {
		s.link.spot = place{}
	}
}

func (p *pool) set(l *link, to place, settled bool) {
	if !l.sends() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.spot = to
	p.settled = p.settled || settled
	p.serve()
}
