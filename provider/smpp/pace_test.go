package smpp

import (
	"math"
	"testing"
	"time"
)

var epoch = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)

// run sends as fast as p lets it from start on, and returns how many messages each second had.
func (p *pace) run(start time.Time, seconds int) []int {
	got := make([]int, seconds)
	for now := start; ; {
		wait, _ := p.reserve(now, math.MaxInt64)
		now = now.Add(wait)
		s := int(now.Sub(start) / time.Second)
		if s >= seconds {
			return got
		}
		got[s]++
		if wait == 0 {
			now = now.Add(time.Millisecond) // a carrier without a limit takes a thousand
		}
	}
}

func TestNoSecondHasMoreThanTheLimit(t *testing.T) {
	for _, limit := range []float64{1, 3, 10, 100, 500} {
		p := &pace{limit: limit}
		// After a long rest too, there is no burst.
		for _, start := range []time.Time{epoch, epoch.Add(time.Hour)} {
			for s, n := range p.run(start, 5) {
				if float64(n) > limit || float64(n) < limit-1 {
					t.Errorf("limit %v: %d in second %d", limit, n, s)
				}
			}
		}
	}
}

func TestAComplaintStopsAndHalvesAndFades(t *testing.T) {
	p := &pace{limit: 100}
	p.run(epoch, 3)
	now := epoch.Add(3 * time.Second)
	for range 10 { // as many as the window had
		p.slowDown(now)
	}
	if got := p.run(now, 8); got[0] != 0 || got[1] < 50 || got[1] > 58 || got[2] < 60 || got[2] > 68 || got[7] < 98 || got[7] > 100 {
		t.Errorf("after a complaint: %d in the seconds that follow, want 0, 50 to 58, 60 to 68, … 100", got)
	}
}

func TestAComplaintAboutAnUnlimitedPaceIsMeasured(t *testing.T) {
	p := &pace{}
	p.run(epoch, 3) // a thousand in each second
	now := epoch.Add(3 * time.Second)
	p.slowDown(now)
	if got := p.run(now, 10); got[0] != 0 || got[1] < 450 || got[1] > 600 || got[9] < 900 {
		t.Errorf("got %d, want 0, about 500, and a thousand in the end", got)
	}
}

func TestComplaintsInARowSlowFurther(t *testing.T) {
	p := &pace{limit: 100}
	now := epoch
	for range 20 {
		p.slowDown(now)
		now = now.Add(throttlePause)
	}
	if r := p.rate(now); r < 1 || r > 2 {
		t.Errorf("the rate is %v, want 1, below which it does not go", r)
	}
	if r := p.rate(now.Add(time.Minute)); r != 100 {
		t.Errorf("a minute later it is %v, want 100", r)
	}
	slow := &pace{limit: 0.2}
	slow.slowDown(epoch)
	if r := slow.rate(epoch.Add(throttlePause)); r != 0.2 {
		t.Errorf("a rate of 0.2 became %v", r)
	}
}

func TestATurnTooFarAwayIsNotBooked(t *testing.T) {
	p := &pace{limit: 1}
	p.reserve(epoch, 0)
	for range 100 {
		if wait, ok := p.reserve(epoch, 500*time.Millisecond); ok || wait != time.Second {
			t.Fatalf("got %v %v, want 1 s and false", wait, ok)
		}
	}
	if wait, ok := p.reserve(epoch, time.Second); !ok || wait != time.Second {
		t.Errorf("got %v %v", wait, ok)
	}
}
