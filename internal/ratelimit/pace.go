package ratelimit

import (
	"math"
	"time"
)

// Pace hands out places in time: so many a second, evenly, after a short burst. Whoever finds no
// place now books the next free one and comes back then, so that those who wait do not all come at
// once. The zero value has no limit.
//
// Guaranteed is that an interval of any place in time and of length t has at most
// PerSecond·t + burst places, burst being a second's worth or one.
//
// Slow halves what is handed out, and every place after that wins a little of it back: the other
// side knows better than the configuration how much it takes.
type Pace struct {
	PerSecond float64
	// next is when the next place is, if places were taken without a burst.
	next time.Time
	// share of PerSecond is handed out, less what is missing to 1.
	missing float64
}

const (
	// leastShare of a pace is left after any number of complaints.
	leastShare = 1.0 / 16
	// recovery is the part of PerSecond that a second of places wins back.
	recovery = 0.05
)

func (p *Pace) rate() float64 { return p.PerSecond * (1 - p.missing) }

func (p *Pace) interval() time.Duration {
	return time.Duration(float64(time.Second) / p.rate())
}

// burst is how far places may lie in the past.
func (p *Pace) burst() time.Duration {
	if p.rate() < 1 {
		return 0
	}
	return time.Second - p.interval()
}

// Wait is how long it is until the next free place, 0 if there is one now.
func (p *Pace) Wait(now time.Time) time.Duration {
	if p.PerSecond <= 0 {
		return 0
	}
	return max(p.next.Sub(now), 0)
}

// Take books the next free place, and returns how long it is until then.
func (p *Pace) Take(now time.Time) time.Duration {
	if p.PerSecond <= 0 {
		return 0
	}
	if earliest := now.Add(-p.burst()); p.next.Before(earliest) {
		p.next = earliest
	}
	wait := max(p.next.Sub(now), 0)
	p.next = p.next.Add(p.interval())
	p.missing = max(p.missing-recovery/p.PerSecond, 0)
	return wait
}

// Slow says that the other side had too much: half the pace from here on, and nothing until a pause
// is over.
func (p *Pace) Slow(now time.Time, pause time.Duration) {
	if p.PerSecond <= 0 {
		return
	}
	p.missing = math.Min(1-(1-p.missing)/2, 1-leastShare)
	if until := now.Add(max(pause, p.interval())); p.next.Before(until) {
		p.next = until
	}
}
