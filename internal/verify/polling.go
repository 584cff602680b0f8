package verify

import (
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
)

// polls counts the fetches of verifications. It does so in memory and on each node for itself, so
// that reading does not write; with n nodes a verification may be fetched up to n times as often.
//
// What was counted is kept for two generations, so that it cannot grow: where more verifications
// are polled at once than a generation holds, the oldest counts are lost, in favour of the caller.
type polls struct {
	mu            sync.Mutex
	young, mature map[string][]ratelimit.Window
}

// pollGeneration is about two megabytes.
const pollGeneration = 10_000

// spend counts a fetch, or refuses it.
func (p *polls) spend(limits []ratelimit.Limit, verificationSID string, now time.Time) error {
	if len(limits) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	windows, known := p.young[verificationSID]
	if !known {
		if len(p.young) >= pollGeneration || p.young == nil {
			p.mature, p.young = p.young, map[string][]ratelimit.Window{}
		}
		if windows, known = p.mature[verificationSID]; !known {
			windows = make([]ratelimit.Window, len(limits))
		}
		p.young[verificationSID] = windows
	}
	next := make([]ratelimit.Window, len(limits))
	var longest time.Duration
	for i, limit := range limits {
		var wait time.Duration
		next[i], wait, _ = limit.Spend(windows[i], now)
		longest = max(longest, wait)
	}
	if longest > 0 {
		return &Error{Code: CodeTooManyRequests, RetryAfter: longest}
	}
	copy(windows, next)
	return nil
}
