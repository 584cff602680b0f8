package ratelimit

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

func TestSpend(t *testing.T) {
	three := Limit{Max: 3, Interval: 60 * time.Second}
	for name, c := range map[string]struct {
		limit Limit
		w     Window
		now   int
		next  Window
		wait  time.Duration
		ok    bool
	}{
		"the first begins a window":      {three, Window{}, 0, Window{at(0), 1}, 0, true},
		"the last one fits":              {three, Window{at(0), 2}, 59, Window{at(0), 3}, 0, true},
		"one more waits for the end":     {three, Window{at(0), 3}, 20, Window{at(0), 3}, 40 * time.Second, false},
		"to the last moment":             {three, Window{at(0), 3}, 59, Window{at(0), 3}, time.Second, false},
		"the end is another window":      {three, Window{at(0), 3}, 60, Window{at(60), 1}, 0, true},
		"which begins with its first":    {three, Window{at(0), 3}, 100, Window{at(100), 1}, 0, true},
		"a limit that was lowered":       {three, Window{at(0), 9}, 20, Window{at(0), 9}, 40 * time.Second, false},
		"a limit that was raised":        {Limit{9, time.Minute}, Window{at(0), 3}, 20, Window{at(0), 4}, 0, true},
		"a reading from before":          {three, Window{at(0), 3}, -5, Window{at(0), 3}, 65 * time.Second, false},
		"a clock that was an hour ahead": {three, Window{at(3600), 3}, 0, Window{at(0), 1}, 0, true},
		"no limit":                       {Limit{}, Window{at(0), 9}, 1, Window{at(0), 9}, 0, true},
	} {
		next, wait, ok := c.limit.Spend(c.w, at(c.now))
		if next != c.next || wait != c.wait || ok != c.ok {
			t.Errorf("%s: %+v, %s, %v; want %+v, %s, %v", name, next, wait, ok, c.next, c.wait, c.ok)
		}
	}
}

func TestLeft(t *testing.T) {
	three := Limit{Max: 3, Interval: 60 * time.Second}
	for name, c := range map[string]struct {
		log  []time.Time
		now  int
		left int
		wait time.Duration
	}{
		"nothing yet":                    {nil, 0, 3, 0},
		"two":                            {[]time.Time{at(0), at(10)}, 20, 1, 0},
		"three":                          {[]time.Time{at(0), at(10), at(15)}, 20, 0, 40 * time.Second},
		"the oldest is out":              {[]time.Time{at(0), at(10), at(15)}, 60, 1, 0},
		"all are out":                    {[]time.Time{at(0), at(10), at(15)}, 75, 3, 0},
		"more than a lower limit allows": {[]time.Time{at(0), at(10), at(15), at(16), at(17)}, 20, 0, 55 * time.Second},
	} {
		if left, _ := (Limit{}).Left(c.log, at(c.now)); left < 1000 {
			t.Errorf("%s: no limit leaves %d", name, left)
		}
		if left, wait := three.Left(c.log, at(c.now)); left != c.left || wait != c.wait {
			t.Errorf("%s: %d left, wait %s; want %d, %s", name, left, wait, c.left, c.wait)
		}
	}
}

// randomLimit is small, so that its edges are met often.
func randomLimit(r *rand.Rand) Limit {
	return Limit{Max: 1 + r.IntN(6), Interval: time.Duration(1+r.IntN(50)) * time.Millisecond}
}

// pause is sometimes short, sometimes long, sometimes just the interval.
func pause(r *rand.Rand, interval time.Duration) time.Duration {
	switch r.IntN(8) {
	case 0:
		return interval
	case 1:
		return interval - 1
	case 2:
		return time.Duration(r.Int64N(int64(3 * interval)))
	default:
		return time.Duration(r.Int64N(int64(interval)/4 + 1))
	}
}

// most is the most of ascending times that any half-open interval of a length has.
func most(times []time.Time, length time.Duration) (n int) {
	for i := range times {
		end, _ := slices.BinarySearchFunc(times, times[i].Add(length), time.Time.Compare)
		n = max(n, end-i)
	}
	return n
}

const traces = 2000

// The traces are read on clocks that are off by as much as an eighth of the interval either way.
func TestNoIntervalMeetsMoreThanTwoWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range traces {
		l := randomLimit(r)
		skew := time.Duration(r.IntN(2)) * l.Interval / 8
		var w Window
		var admitted []time.Time
		perWindow := map[time.Time]int{}
		for now := noon; len(admitted) < 60; now = now.Add(pause(r, l.Interval)) {
			reading := now
			if skew > 0 {
				reading = now.Add(time.Duration(r.Int64N(int64(2*skew+1))) - skew)
			}
			next, wait, ok := l.Spend(w, reading)
			if !ok {
				if wait <= 0 || wait > l.Interval+2*skew {
					t.Fatalf("%+v: wait %s after a reading that is off by %s", l, wait, reading.Sub(now))
				}
				if next != w {
					t.Fatalf("%+v: a refusal was counted", l)
				}
				if _, _, ok := l.Spend(w, reading.Add(wait)); !ok {
					t.Fatalf("%+v: refused after the wait it was told", l)
				}
				if _, _, ok := l.Spend(w, reading.Add(wait-1)); ok {
					t.Fatalf("%+v: the wait it was told is too long", l)
				}
				continue
			}
			w = next
			perWindow[w.Start]++
			admitted = append(admitted, now)
		}
		for start, n := range perWindow {
			if n > l.Max {
				t.Fatalf("%+v: the window of %s admitted %d", l, start, n)
			}
		}
		for n := 1; n <= 4; n++ {
			length := time.Duration(n)*l.Interval - 2*skew
			if got := most(admitted, length); got > (n+1)*l.Max {
				t.Fatalf("%+v: %d in %s, want at most %d", l, got, length, (n+1)*l.Max)
			}
		}
	}
}

func TestWhoKeepsToTheLimitIsNotRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range traces {
		l := randomLimit(r)
		var w Window
		var kept []time.Time
		for now := noon; len(kept) < 60; now = now.Add(pause(r, l.Interval)) {
			if left, _ := l.Left(kept, now); left == 0 {
				continue
			}
			next, _, ok := l.Spend(w, now)
			if !ok {
				t.Fatalf("%+v: refused at %s after %v", l, now.Sub(noon), kept)
			}
			w, kept = next, append(kept, now)
		}
	}
}

func TestALogLetsNoIntervalHaveMoreThanMax(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range traces {
		l := randomLimit(r)
		var all, log []time.Time
		for now := noon; len(all) < 60; now = now.Add(pause(r, l.Interval)) {
			left, wait := l.Left(log, now)
			if (left == 0) != (wait > 0) {
				t.Fatalf("%+v: %d left, wait %s", l, left, wait)
			}
			if left == 0 {
				if left, _ := l.Left(log, now.Add(wait)); left < 1 {
					t.Fatalf("%+v: none left after the wait it was told", l)
				}
				if left, _ := l.Left(log, now.Add(wait-1)); left != 0 {
					t.Fatalf("%+v: the wait it was told is too long", l)
				}
				continue
			}
			// What is left may be kept for later: it is still within the limit then.
			for range 1 + r.IntN(left) {
				all = append(all, now)
				log = append(l.Trim(log, now), now)
				now = now.Add(time.Duration(r.Int64N(int64(l.Interval) / 8)))
			}
		}
		if got := most(all, l.Interval); got > l.Max {
			t.Fatalf("%+v: an interval has %d", l, got)
		}
	}
}
