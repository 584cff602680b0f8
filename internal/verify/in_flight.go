package verify

import (
	"context"
	"sync"
	"time"
)

// InFlightLimit bounds the starts of one recipient in a service that are under way at once on one node
// to two: one that runs, and one that waits for it, at most for Wait. A Wait of 0 is no limit.
//
// It is there for what a start costs before it is counted: a lookup that somebody pays, a place in the
// store's queue. What it lets through is counted as every start is, in the commit, over all nodes.
type InFlightLimit struct{ Wait time.Duration }

// inFlight are the starts under way. Nothing of it outlives the process, nor has to.
type inFlight struct {
	mu   sync.Mutex
	runs map[string]*run
}

// run is a start that runs, and perhaps one that waits for its end.
type run struct {
	next chan struct{} // closed when the turn is the waiting one's; nil if nobody waits
}

// enter waits for a recipient's turn. Whoever has it calls leave in the end; who is refused, or was
// called off, has nothing to give back.
func (f *inFlight) enter(ctx context.Context, key string, limit InFlightLimit) (leave func(), err error) {
	if limit.Wait <= 0 {
		return func() {}, nil
	}
	leave = func() { f.leave(key) }
	f.mu.Lock()
	r, busy := f.runs[key]
	if !busy {
		if f.runs == nil {
			f.runs = map[string]*run{}
		}
		f.runs[key] = &run{}
		f.mu.Unlock()
		return leave, nil
	}
	refused := &Error{Code: CodeBurst, RetryAfter: limit.Wait}
	if r.next != nil {
		f.mu.Unlock()
		return nil, refused
	}
	mine := make(chan struct{})
	r.next = mine
	f.mu.Unlock()

	timer := time.NewTimer(limit.Wait)
	defer timer.Stop()
	select {
	case <-mine:
		return leave, nil
	case <-timer.C:
		err = refused
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.next != mine { // the turn came at the last moment
		return leave, nil
	}
	r.next = nil
	return nil, err
}

// leave ends a run, and hands the turn to the one that waits.
func (f *inFlight) leave(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.runs[key]
	if r.next == nil {
		delete(f.runs, key)
		return
	}
	close(r.next)
	r.next = nil
}
