package sqlite

import (
	"context"
	"fmt"
	"sync"
)

// SQLite syncs its log inside COMMIT (synchronous=FULL), and the writer would wait for that with
// its hands in its lap. So the writer's COMMIT only writes (synchronous=NORMAL), and another
// goroutine syncs the log as FULL does, before it lets the callers go; meanwhile the next batch
// runs. What was answered is as safe as with FULL: a commit is on the disk when its callers learn
// of it, and a later commit rests on the frames before it, which SQLite checks.
//
// Whoever reads may see a commit that is not on the disk yet. It must not be answered before it is,
// for a power cut would take it back: that is what the horizon is for.

// sync is the goroutine that syncs the log and answers.
func (s *Store) sync() {
	defer close(s.stopped)
	s.idle <- struct{}{}
	for batch := range s.commits {
		err := s.syncLog()
		if err != nil {
			err = fmt.Errorf("sync the log: %w", err)
			s.fail(err)
		}
		err = s.horizon.reach(err)
		for i, r := range batch {
			if r.err == nil {
				r.err = err
			}
			if r.err == nil {
				for _, kind := range r.tx.Kinds() {
					s.wakeUp(kind)
				}
			}
			close(r.done)
			batch[i] = nil
		}
		s.idle <- struct{}{}
	}
}

func notSynced() error { return nil } // in memory

func (s *Store) fail(err error) {
	s.failing.Do(func() {
		s.failure = err
		close(s.failed)
	})
}

// horizon is how far the commits are on the disk.
type horizon struct {
	mu      sync.Mutex
	begun   uint64 // commits that may be visible to readers
	reached uint64 // commits of those that are on the disk
	err     error  // of the first sync that failed; nothing after it is certain
	moved   chan struct{}
}

func (h *horizon) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun++
}

// reach says that one commit more was synced, or that it could not be. It returns the error of the
// first that could not: after it, a sync that reports success says nothing about lost pages.
func (h *horizon) reach(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached++
	if h.err == nil {
		h.err = err
	}
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
	return h.err
}

// wait returns when all that can be seen now is on the disk.
func (h *horizon) wait(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for seen := h.begun; h.reached < seen && h.err == nil; {
		if h.moved == nil {
			h.moved = make(chan struct{})
		}
		moved := h.moved
		h.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		h.mu.Lock()
		if h.reached < seen && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return h.err
}
