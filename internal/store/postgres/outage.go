package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// outage is what the connections of a store know together about a database that is away: one of
// them tries at a time, with pauses that grow, and the others do not wait for it.
type outage struct {
	mu     sync.Mutex
	err    error     // of the last try; nil while the database is there
	since  time.Time // of the first error
	next   time.Time // when to try again
	pause  time.Duration
	trying bool
}

const (
	// patience is how long functions wait for a database that has gone away; after that they are
	// refused at once, until it is back.
	patience  = 1500 * time.Millisecond
	minPause  = 20 * time.Millisecond
	maxPause  = time.Second
	pauseStep = 10 * time.Millisecond
)

// connect opens a connection, unless that is known to be in vain now.
func (s *Store) connect() (*conn, error) {
	if err := s.outage.mayTry(); err != nil {
		return nil, err
	}
	c, err := s.address.connect(context.Background())
	return c, s.outage.tried(err)
}

func (o *outage) mayTry() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil && (o.trying || time.Now().Before(o.next)) {
		return o.err
	}
	o.trying = o.err != nil
	return nil
}

// tried notes how a try ended, and returns its error in the store's terms.
func (o *outage) tried(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trying = false
	now := time.Now()
	if err == nil {
		o.err, o.pause = nil, 0
		return nil
	}
	if o.err == nil {
		o.since = now
	}
	o.err = kind(err)
	o.pause = min(max(2*o.pause, minPause), maxPause)
	o.next = now.Add(o.pause/2 + rand.N(o.pause))
	return o.err
}

// wait lets a moment pass, and reports whether to go on waiting.
func (o *outage) wait() bool {
	o.mu.Lock()
	goOn := o.err == nil || time.Since(o.since) < patience
	o.mu.Unlock()
	if goOn {
		time.Sleep(pauseStep)
	}
	return goOn
}
