package verify

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
)

// Engine has the operations. Everything that it needs from outside is a field.
type Engine struct {
	Store Store
	Keys  *keyring.Ring
	// Now is the clock.
	Now func() time.Time
	// Random is the source of SIDs, codes and secrets. It must be safe for concurrent use and fit
	// for secrets: crypto/rand.Reader.
	Random io.Reader
	// Routed reports whether some provider carries a channel.
	Routed func(Channel) bool
	// Lanes take messages straight from the commits of their starts; nil if every message shall
	// wait in the queue.
	Lanes Lanes
	// Lines is asked about numbers of services with LookupEnabled; nil if nobody but the numbering
	// plan is.
	Lines Lines

	directory directory
	paces     paces
	forgotten atomic.Int64 // the last hour at which Sweep removed old counters
}

// NewEngine puts an engine together.
func NewEngine(store Store, keys *keyring.Ring, now func() time.Time, random io.Reader, routed func(Channel) bool) *Engine {
	return &Engine{
		Store:     store,
		Keys:      keys,
		Now:       now,
		Random:    random,
		Routed:    routed,
		directory: directory{store: store},
	}
}

// sweepChunk bounds the time that one step of Sweep keeps the writer busy to about a millisecond.
const sweepChunk = 1000

// Sweep goes once over the current verifications and ends those whose time is up. Nothing depends
// on it being punctual, because every operation looks at the clock itself; it wipes the codes of
// verifications that nobody asks about any more and keeps the index of current ones small.
func (e *Engine) Sweep(ctx context.Context) error {
	if err := e.forgetCounts(ctx); err != nil {
		return err
	}
	from := ""
	for {
		var next string
		err := e.Store.Update(ctx, func(tx Tx) (err error) {
			now := e.Now()
			next, err = tx.ExpireVerifications(from, now, now.Add(-remembered), sweepChunk)
			return err
		})
		if err != nil || next == "" || ctx.Err() != nil {
			return err
		}
		from = next
	}
}
