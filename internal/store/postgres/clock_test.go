package postgres

import (
	"testing"
	"time"
)

func TestTheOffsetOfTheClock(t *testing.T) {
	local := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	type sample struct {
		remote    time.Duration // the database's time after ours when it answered
		roundTrip time.Duration
	}
	for name, c := range map[string]struct {
		samples []sample
		want    time.Duration
	}{
		"none":                                 {nil, 0},
		"in the middle of the round trip":      {[]sample{{5 * time.Second, 20 * time.Millisecond}}, 5*time.Second - 10*time.Millisecond},
		"behind":                               {[]sample{{-3 * time.Second, 0}}, -3 * time.Second},
		"a shorter round trip is better":       {[]sample{{500 * time.Millisecond, time.Second}, {20 * time.Millisecond, 20 * time.Millisecond}}, 10 * time.Millisecond},
		"a longer one is not":                  {[]sample{{20 * time.Millisecond, 20 * time.Millisecond}, {300 * time.Millisecond, time.Second}}, 10 * time.Millisecond},
		"a longer one that contradicts counts": {[]sample{{20 * time.Millisecond, 20 * time.Millisecond}, {time.Hour, time.Second}}, time.Hour - 500*time.Millisecond},
		"a clock that was moved back":          {[]sample{{time.Hour, 2 * time.Millisecond}, {0, 2 * time.Millisecond}}, -time.Millisecond},
	} {
		s := Store{clock: clock{local: func() time.Time { return local }}}
		for _, one := range c.samples {
			s.clock.sample(local, local.Add(one.roundTrip), local.Add(one.remote))
		}
		if got := s.Now().Sub(local); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
