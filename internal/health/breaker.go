// Package health says which of several ways is fit to be taken: arithmetic over what became of those
// who took it. It keeps nothing in a store, knows no clock and no names; whoever asks passes the time
// in.
//
// A Breaker looks at the last minute and is about failure: a way on which half of all fail is left
// alone for a while, then tried by one. A Score looks at hours and is about success: a way that
// takes everything and delivers little loses to one that delivers more.
//
// Neither may silence anybody: where all ways are unfit, the least unfit is taken, and that is the
// caller's to do.
package health

import "time"

// Outcome is what became of one who took a way, as far as a Breaker cares.
type Outcome int

// The outcomes. What is the fault of neither way nor other side (a wrong address, a pace that was too
// high) is Good.
const (
	Good     Outcome = iota + 1
	Bad              // surely failed, or took too long
	Doubtful         // perhaps failed: counts half
	Refused          // the other side takes nothing of the kind: its settings or ours are wrong
)

// The numbers of a Breaker.
const (
	slot    = 5 * time.Second // the last minute in slots
	slots   = 12
	fewest  = 20 // outcomes, before anything is said
	share   = 0.5
	slow    = slot // an outcome that lets wait longer is counted as bad before it comes
	pause   = 10 * time.Second
	longest = 5 * time.Minute
	// refusals in a row, with nothing taken between them, shut a way for the longest pause: what is
	// set up wrongly fails every time, and does not mend by itself.
	refusals = 10
	// probing is how long a probe may take before another one is sent.
	probing = 30 * time.Second
)

// State is what a Breaker says.
type State int

// The states.
const (
	Closed State = iota // fit
	Open                // unfit
	Due                 // unfit so far, and one may try
)

// Breaker is the last minute of a way. The zero value has seen nothing.
//
//	    half of twenty or more fail, or twenty in a row
//	closed ────────────────────────────────► open ◄──────┐
//	   ▲                                      │          │ fails: twice the pause
//	   │                     the pause is over▼          │
//	   └──────────── is good ──────────────  one probe ──┘
type Breaker struct {
	count   [slots]tally
	until   time.Time     // zero while closed
	pause   time.Duration // the last one
	probe   time.Time     // when the probe began, zero if there is none
	refused int           // in a row
	failing int           // in a row, whatever the failure
}

// tally is what began in a slot, and what came of it.
type tally struct {
	number int64 // of the slot
	begun  int
	ended  int
	halves int // failures, two for a whole one
}

func (b *Breaker) at(now time.Time) *tally {
	n := now.UnixNano() / int64(slot)
	t := &b.count[n%slots]
	if t.number != n {
		*t = tally{number: n}
	}
	return t
}

// Begin says that somebody takes the way.
func (b *Breaker) Begin(now time.Time) { b.at(now).begun++ }

// End says what became of somebody who took the way at a time.
func (b *Breaker) End(began, now time.Time, o Outcome) {
	if o == Good && now.Sub(began) > slow {
		o = Bad
	}
	if now.Sub(began) < slot*(slots-1) { // else its slot counts others by now
		t := b.at(began)
		t.ended++
		switch o {
		case Bad:
			t.halves += 2
		case Doubtful:
			t.halves++
		}
	}
	b.refused++
	if o != Refused {
		b.refused = 0
	}
	b.failing++
	if o == Good || o == Refused {
		b.failing = 0
	}
	switch {
	case !b.until.IsZero() && !b.probe.IsZero() && !began.Before(b.probe):
		b.probed(now, o)
	case !b.until.IsZero():
		// began before it opened: says nothing new
	case b.refused >= refusals:
		b.open(now, longest)
	case b.failing >= fewest:
		b.open(now, pause) // a minute of success before it says nothing any more
	default:
		if n, failed := b.failed(now); n >= fewest && failed >= share*float64(n) {
			b.open(now, pause)
		}
	}
}

// probed takes the outcome of a probe.
func (b *Breaker) probed(now time.Time, o Outcome) {
	if o == Good {
		*b = Breaker{}
		return
	}
	b.open(now, min(2*b.pause, longest))
}

func (b *Breaker) open(now time.Time, length time.Duration) {
	b.pause, b.until, b.probe = length, now.Add(length), time.Time{}
}

// failed are the outcomes of the last minute, and how many of them were failures. Those that should
// have come by now are among them.
func (b *Breaker) failed(now time.Time) (n int, failures float64) {
	current := now.UnixNano() / int64(slot)
	for i := range b.count {
		t := &b.count[i]
		if t.number <= current-slots || t.number > current {
			continue
		}
		n += t.ended
		failures += float64(t.halves) / 2
		if t.number < current-1 {
			n += t.begun - t.ended
			failures += float64(t.begun - t.ended)
		}
	}
	return n, failures
}

// State says whether the way is fit.
func (b *Breaker) State(now time.Time) State {
	if b.until.IsZero() {
		if n, failed := b.failed(now); n >= fewest && failed >= share*float64(n) {
			b.open(now, pause) // by those whose outcome does not come
			return Open
		}
		return Closed
	}
	if now.Before(b.until) || !b.probe.IsZero() && now.Sub(b.probe) < probing {
		return Open
	}
	return Due
}

// Probe is Begin for the one that tries a way that is Due. It reports whether he is the one.
func (b *Breaker) Probe(now time.Time) bool {
	if b.State(now) != Due {
		return false
	}
	b.probe = now
	return true
}

// Failing is the share of failures in the last minute, and of how many.
func (b *Breaker) Failing(now time.Time) (part float64, of int) {
	n, failed := b.failed(now)
	if n == 0 {
		return 0, 0
	}
	return failed / float64(n), n
}

// InARow is how many of the last failed, without a success between them.
func (b *Breaker) InARow() int { return b.failing }

// Until is when an open way is tried again; the zero time if it is not open.
func (b *Breaker) Until() time.Time { return b.until }
