package smpp

import (
	"sync"
	"time"
)

// pace spreads the messages of one connection over time: never more in a second than the carrier
// allows, and fewer after it complained. It is apart from the window, which counts what is
// unanswered.
//
// A complaint stops everything for a second and halves the rate, be it the configured one or what
// was sent of late; then a tenth of the old rate comes back with each second.
type pace struct {
	mu    sync.Mutex
	limit float64 // messages in a second, 0 for no limit

	// A bucket that holds one token, so that no second, wherever it begins, sees more messages than
	// the limit. It is in debt for those who wait.
	tokens float64
	last   time.Time // when tokens was true; in a pause, its end

	// While slowed is not 0, the rate climbs from base at rising to slowed.
	slowed, base float64
	rising       time.Time

	second        int64 // since 1970, of count
	count, before int   // sent in that second and in the one before it
}

// reserve books the next turn and returns how long it is away. It books nothing, and returns false,
// if that is longer than patience.
func (p *pace) reserve(now time.Time, patience time.Duration) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Duration(0)
	if rate := p.rate(now); rate > 0 {
		if now.After(p.last) {
			p.tokens = min(1, p.tokens+rate*now.Sub(p.last).Seconds())
			p.last = now
		}
		wait = p.last.Sub(now)
		if p.tokens < 1 {
			wait += time.Duration((1 - p.tokens) / rate * float64(time.Second))
		}
		if wait > patience {
			return wait, false
		}
		p.tokens--
	}
	p.tally(now)
	return wait, true
}

func (p *pace) tally(now time.Time) {
	if s := now.Unix(); s != p.second {
		p.before = 0
		if s == p.second+1 {
			p.before = p.count
		}
		p.second, p.count = s, 0
	}
	p.count++
}

// rate is that of now, 0 for no limit.
func (p *pace) rate(now time.Time) float64 {
	if p.slowed == 0 {
		return p.limit
	}
	rate := p.base
	if now.After(p.rising) {
		rate += p.slowed / 10 * now.Sub(p.rising).Seconds()
	}
	if rate >= p.slowed && !now.Before(p.rising) {
		p.slowed = 0
		return p.limit
	}
	return rate
}

// slowDown heeds a complaint. A window full of messages brings as many of them, and they are one.
func (p *pace) slowDown(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slowed != 0 && now.Before(p.rising) {
		return
	}
	rate := p.rate(now)
	if rate == 0 {
		rate = float64(max(p.count, p.before, 1))
	}
	if p.slowed == 0 {
		p.slowed = rate
	}
	p.base = max(rate/2, min(1, p.slowed))
	p.rising = now.Add(throttlePause)
	p.tokens, p.last = 1, p.rising
}
