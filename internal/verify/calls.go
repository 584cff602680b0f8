package verify

import (
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
)

// calls counts reading calls, each under a key. It does so in memory and on each node for itself, so
// that reading does not write; with n nodes up to n times as many calls are taken.
//
// What was counted is kept for two generations, so that it cannot grow: where more keys are called at
// once than a generation holds, the oldest counts are lost, in favour of the caller.
type calls struct {
	mu            sync.Mutex
	young, mature map[string][]ratelimit.Window
}

// callGeneration is about two megabytes.
const callGeneration = 10_000

// spend counts a call, or refuses it.
func (c *calls) spend(limits []ratelimit.Limit, key string, now time.Time) error {
	if len(limits) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	windows, known := c.young[key]
	if !known {
		if len(c.young) >= callGeneration || c.young == nil {
			c.mature, c.young = c.young, map[string][]ratelimit.Window{}
		}
		if windows, known = c.mature[key]; !known {
			windows = make([]ratelimit.Window, len(limits))
		}
		c.young[key] = windows
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
