// Package ratelimit is the arithmetic of limits: how much may happen in how long. It keeps nothing
// and knows no clock; who counts stores what comes back, and passes the time in.
//
// There are two ways to count.
//
// A Window is two numbers, however high the limit: it begins with the first event and lasts one
// interval, and the next one begins with the first event after that. Guaranteed is that no window
// admits more than Max, and that windows begin at least an interval apart; so an interval of any
// place in time meets two of them at most, and has at most 2·Max events, and n intervals on end
// have at most (n+1)·Max. Whoever keeps to Max in every interval is never refused.
//
// A log (Left, Trim) remembers the time of every event, for limits that are low. Guaranteed is that
// no interval, wherever it lies, has more than Max.
//
// An interval is half open: what happened at t counts until just before t+Interval.
//
// Clocks are not perfect. A reading before a window's beginning counts as in that window, so where
// readings are off by at most D in both directions the above holds for intervals that are shorter
// by 2·D. A window that begins more than an interval in the future was begun by a clock that has
// been corrected since; it is over, because nobody shall wait for a mistake.
package ratelimit

import (
	"math"
	"slices"
	"time"
)

// Limit is how much may happen. A Max of 0 is no limit.
type Limit struct {
	Max      int
	Interval time.Duration
}

// Window is what has happened. The zero value is one in which nothing has.
type Window struct {
	Start time.Time
	Count int
}

// Over reports whether a window of a length counts no more.
func (w Window) Over(length time.Duration, now time.Time) bool {
	age := now.Sub(w.Start)
	return w.Count == 0 || age >= length || age < -length
}

// Spend counts one event, if the limit admits it: next is the window with it. If not, nothing is
// counted, and the limit admits one again after wait.
func (l Limit) Spend(w Window, now time.Time) (next Window, wait time.Duration, ok bool) {
	switch {
	case l.Max <= 0:
		return w, 0, true
	case w.Over(l.Interval, now):
		return Window{Start: now, Count: 1}, 0, true
	case w.Count < l.Max:
		return Window{Start: w.Start, Count: w.Count + 1}, 0, true
	default:
		return w, w.Start.Add(l.Interval).Sub(now), false
	}
}

// Left is how many events the limit admits besides those in a log, whose times ascend. If it is 0,
// one is admitted after wait.
func (l Limit) Left(log []time.Time, now time.Time) (left int, wait time.Duration) {
	if l.Max <= 0 {
		return math.MaxInt, 0
	}
	recent := l.Trim(log, now)
	if n := len(recent); n >= l.Max {
		return 0, recent[n-l.Max].Add(l.Interval).Sub(now)
	}
	return l.Max - len(recent), 0
}

// Trim is the part of a log that counts. It shares its memory.
func (l Limit) Trim(log []time.Time, now time.Time) []time.Time {
	first, _ := slices.BinarySearchFunc(log, now.Add(-l.Interval), func(at, edge time.Time) int {
		if at.After(edge) {
			return 1
		}
		return -1
	})
	return log[first:]
}
