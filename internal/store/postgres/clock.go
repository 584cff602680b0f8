package postgres

import (
	"sync"
	"time"
)

// clock is the local clock, corrected by its distance from the database's.
type clock struct {
	local func() time.Time

	mu        sync.Mutex
	offset    time.Duration // database minus local
	uncertain time.Duration // half the round trip that it was measured in
	measured  bool
}

// Now is the time of the database, as well as this node knows it.
func (s *Store) Now() time.Time {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	return s.clock.local().Add(s.clock.offset)
}

// sample takes the database's time, read between two local times. The true offset lies within half
// a round trip of the middle; a new sample counts if it is better than the old one, or if both
// cannot be true because a clock was moved.
func (c *clock) sample(before, after, remote time.Time) {
	half := after.Sub(before) / 2
	offset := remote.Sub(before.Add(half))
	c.mu.Lock()
	defer c.mu.Unlock()
	apart := (offset - c.offset).Abs()
	if !c.measured || half < c.uncertain || apart > half+c.uncertain {
		c.offset, c.uncertain, c.measured = offset, half, true
	}
}
