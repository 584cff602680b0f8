// Package fate decides what becomes of a message at a fake carrier: whether it is taken at once or
// late, refused, held for ever, or lost with its connection. A test or a person sets the fates; the
// fake lets every message that it read and found good meet its own.
//
// It is not for what a real carrier would refuse: that is the fake's to check, and comes first.
package fate

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Fate is what happens to a message. R is a refusal in the carrier's own terms. The zero value has
// the message taken.
type Fate[R any] struct {
	// Refuse, if set, is the answer.
	Refuse *R
	// Delay is how long the carrier takes before it answers.
	Delay time.Duration
	// Hold, if set, keeps the message unanswered until its sender gives up, and receives one value
	// for each. It is sent to without waiting.
	Hold chan<- struct{}
	// Drop ends the connection, or the stream of HTTP/2, without an answer.
	Drop bool
	// Lost has the message taken, and nobody get it.
	Lost bool
}

// Book holds the fates of all destinations. The zero value takes everything.
type Book[R any] struct {
	// Decide, if it is set, gives the fate of each message to a destination that has none by Set. It is
	// set before the first of them.
	Decide func(to string) Fate[R]

	mu   sync.Mutex
	rest Fate[R]
	of   map[string]Fate[R]
}

// Set gives a destination its fate from now on.
func (b *Book[R]) Set(to string, f Fate[R]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[string]Fate[R]{}
	}
	b.of[to] = f
}

// SetAll gives every destination that has none of its own the same fate from now on.
func (b *Book[R]) SetAll(f Fate[R]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest = f
}

// Meet lets a message to a destination meet its fate, and returns what is left of it: the refusal, or
// whether a message that is taken is lost. It is called by an HTTP handler, which it aborts where there is
// to be no answer.
func (b *Book[R]) Meet(ctx context.Context, to string) Fate[R] {
	b.mu.Lock()
	f, own := b.of[to]
	if !own {
		f = b.rest
	}
	b.mu.Unlock()
	if !own && b.Decide != nil {
		f = b.Decide(to)
	}

	if f.Hold != nil {
		select {
		case f.Hold <- struct{}{}:
		default:
		}
		<-ctx.Done()
	}
	if f.Delay > 0 {
		late := time.NewTimer(f.Delay)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
		}
	}
	if f.Drop || ctx.Err() != nil {
		panic(http.ErrAbortHandler)
	}
	return f
}
