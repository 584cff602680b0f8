package verify

import (
	"sync"
	"time"
)

// pace is how often an account may call a part of the API that costs more than a verification. It
// protects this node and not the customer's money, so each node counts for itself, in memory.
type pace struct {
	name string
	max  int // a minute
}

// The paces (core reference, section 5.2).
var (
	attemptsPace = pace{"attempts", 100}
	safeListPace = pace{"safe list", 30}
)

// paces counts calls by the clock's minutes.
type paces struct {
	mu     sync.Mutex
	minute time.Time
	calls  map[pacedCaller]int
}

type pacedCaller struct {
	accountSID string
	pace       string
}

// take counts a call, or refuses it.
func (p *paces) take(accountSID string, limit pace, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if minute := now.Truncate(time.Minute); !minute.Equal(p.minute) {
		p.minute, p.calls = minute, map[pacedCaller]int{}
	}
	caller := pacedCaller{accountSID, limit.name}
	if p.calls[caller] >= limit.max {
		return &Error{Code: CodeTooManyRequests, RetryAfter: p.minute.Add(time.Minute).Sub(now)}
	}
	p.calls[caller]++
	return nil
}
