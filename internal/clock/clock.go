// Package clock is the time of a `verifyd dev`: it runs as that of the machine does until somebody stops
// it, moves it on, or has it jump to whatever comes next.
//
// Nothing else is different. Every part of verifyd is given its time from outside, as a function or an
// argument, and dev gives them Now of a Clock; so codes expire, limits refill and retries come due by the
// code that does it in production. Time never jumps over what it sets in motion: Advance goes from one
// thing that is due to the next, and waits at each until it has been done, so that they happen in order
// and at their time, the same in every run.
//
// Time goes back in one case alone: when everything that it has brought about is taken back too (Restore).
package clock

import (
	"context"
	"sync"
	"time"
)

// Work is what time sets in motion.
type Work interface {
	// Next is when something is due next.
	Next(context.Context) (due time.Time, found bool, err error)
	// Settle does what is due, and returns when nothing is left to do.
	Settle(context.Context) error
}

// Clock is a clock that can be moved. Make one with New. It is safe for concurrent use.
type Clock struct {
	base  func() time.Time // how it runs while it runs
	above *Clock           // whose Now base is; nil if it is that of the machine
	moved func(State)      // is told of every move

	steering sync.Mutex // one at a time moves it

	mu     sync.Mutex
	ahead  time.Duration // of base, while it runs
	frozen bool
	still  time.Time     // the time, while it does not run
	ticks  time.Duration // what Tick has added to it
}

// State is what a clock shows. Next is zero if nothing is due, or nobody asked.
type State struct {
	Now    time.Time
	Frozen bool
	Next   time.Time
}

// New makes a clock that runs as base does.
func New(base func() time.Time) *Clock { return &Clock{base: base} }

// Stopped makes a clock that stands still at a time, and runs as base does when it is resumed.
func Stopped(at time.Time, base func() time.Time) *Clock {
	return &Clock{base: base, frozen: true, still: at}
}

// NewAhead makes a clock that runs and stands still as another does, and can be moved on alone.
func NewAhead(of *Clock) *Clock { return &Clock{base: of.Now, above: of} }

// OnMove has fn told of every move. It must be called before the clock is used.
func (c *Clock) OnMove(fn func(State)) { c.moved = fn }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.frozen {
		return c.still.Add(c.ticks)
	}
	return c.base().Add(c.ahead)
}

// Tick moves a clock that stands still on by the smallest step that SIDs can tell apart. Whoever mints
// something calls it, because SIDs are in the order of their time and share too few other bits.
func (c *Clock) Tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen {
		c.ticks += time.Microsecond
	}
}

// State is what the clock shows, without Next.
func (c *Clock) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state()
}

func (c *Clock) state() State {
	return State{Now: c.now(), Frozen: c.frozen || c.above != nil && c.above.State().Frozen}
}

// Freeze stops the clock.
func (c *Clock) Freeze() {
	c.change(func() { c.still, c.ticks, c.frozen = c.now(), 0, true })
}

// Resume lets it run on from where it stands.
func (c *Clock) Resume() {
	c.change(func() { c.ahead, c.frozen = c.now().Sub(c.base()), false })
}

// moveTo never moves it back.
func (c *Clock) moveTo(t time.Time) {
	c.change(func() {
		now := c.now()
		switch {
		case !t.After(now):
		case c.frozen:
			c.still, c.ticks = t, 0
		default:
			c.ahead += t.Sub(now)
		}
	})
}

func (c *Clock) change(fn func()) {
	c.mu.Lock()
	before := c.state()
	fn()
	after := c.state()
	c.mu.Unlock()
	if c.moved != nil && (before.Frozen != after.Frozen || after.Now.Sub(before.Now).Abs() >= time.Millisecond) {
		c.moved(after)
	}
}

// Hold runs fn while nobody moves the clock on.
func (c *Clock) Hold(fn func() error) error {
	c.steering.Lock()
	defer c.steering.Unlock()
	return fn()
}

// Saved is a clock as it was once.
type Saved struct {
	frozen bool
	at     time.Time
	still  time.Time
	ticks  time.Duration
}

// Time is what it showed.
func (s Saved) Time() time.Time { return s.at }

// Ahead is how far it is ahead of what it runs as, while it runs.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// SetAhead has it run, so far ahead.
func (c *Clock) SetAhead(d time.Duration) { c.change(func() { c.ahead, c.frozen = d, false }) }

// Save notes what the clock shows, to the last tick.
func (c *Clock) Save() Saved {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Saved{c.frozen, c.now(), c.still, c.ticks}
}

// Restore has the clock show what it did, and run on from there if it ran. Everything that happened since has
// to be taken back with it.
func (c *Clock) Restore(s Saved) {
	c.change(func() {
		c.frozen, c.still, c.ticks = s.frozen, s.still, s.ticks
		if !s.frozen {
			c.ahead = s.at.Sub(c.base())
		}
	})
}

// Advance moves the clock on. What comes due on the way is done at its time.
func (c *Clock) Advance(ctx context.Context, d time.Duration, w Work) error {
	c.steering.Lock()
	defer c.steering.Unlock()
	target := c.Now().Add(d)
	for {
		due, found, err := c.settled(ctx, w)
		if err != nil {
			return err
		}
		if !found || due.After(target) {
			c.moveTo(target)
			return w.Settle(ctx)
		}
		c.moveTo(due)
	}
}

// RunToNext moves the clock to the next thing that is due, and has it done. moved is false if nothing is.
func (c *Clock) RunToNext(ctx context.Context, w Work) (moved bool, err error) {
	c.steering.Lock()
	defer c.steering.Unlock()
	due, found, err := c.settled(ctx, w)
	if err != nil || !found {
		return false, err
	}
	c.moveTo(due)
	return true, w.Settle(ctx)
}

// settled is when something is due next, after all that is due now.
func (c *Clock) settled(ctx context.Context, w Work) (due time.Time, found bool, err error) {
	if err := w.Settle(ctx); err != nil {
		return due, false, err
	}
	due, found, err = w.Next(ctx)
	if err == nil {
		err = ctx.Err()
	}
	return due, found, err
}
