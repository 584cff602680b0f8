package smtp

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// maxConnections is what a relay takes from one client without finding it rude.
	maxConnections = 4
	// maxIdle is less than any relay waits: RFC 5321 wants five minutes, few give more than one.
	maxIdle = time.Minute
)

// pool keeps the connections that nobody uses, each until its minute is over.
type pool struct {
	mu     sync.Mutex
	idle   []*session // guarded by mu
	closed bool       // guarded by mu
}

// put keeps s, and ends it when its minute is over or the pool is closed.
func (p *pool) put(s *session) {
	if !p.keep(s) {
		s.quit()
	}
}

func (p *pool) keep(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	s.expiry = time.AfterFunc(maxIdle, func() {
		if p.remove(s) {
			s.quit()
		}
	})
	p.idle = append(p.idle, s)
	return true
}

// take gives the connection that was used last, so that those which are not needed grow old.
func (p *pool) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	s := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	s.expiry.Stop() // if it is too late, remove will not find s
	return s
}

func (p *pool) remove(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, s)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for s := p.take(); s != nil; s = p.take() {
		s.quit()
	}
}

// idleSession is a connection that stands and is ready for MAIL, or nil.
func (p *Provider) idleSession(ctx context.Context) *session {
	for s := p.idle.take(); s != nil; s = p.idle.take() {
		if s.alive(ctx) {
			return s
		}
		s.conn.Close()
	}
	return nil
}

// release keeps a connection on which every command was answered. What was written into any other
// is in doubt, and it is closed without a word.
func (p *Provider) release(s *session, failed *failure) {
	if failed != nil {
		r, answered := readReply(failed.err)
		s.broken = s.broken || !answered && !failed.unmet() || r.code == 421
	}
	if s.broken {
		s.conn.Close()
		return
	}
	p.idle.put(s)
}
