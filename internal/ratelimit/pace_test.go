package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var paceStart = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// No interval has more places than the guarantee says, whenever they were booked.
func TestNoIntervalHasMorePlacesThanThePace(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := Pace{PerSecond: []float64{0.2, 1, 3, 20, 250}[seed%5]}
		rate := p.PerSecond
		now, places := paceStart, []time.Time(nil)
		for range 300 {
			now = now.Add(time.Duration(random.Int64N(int64(2 * float64(time.Second) / rate))))
			places = append(places, now.Add(p.Take(now)))
			if random.IntN(50) == 0 {
				p.Slow(now, 0)
			}
		}
		burst := max(rate, 1)
		for i := range places {
			for j := i; j < len(places); j++ {
				length := places[j].Sub(places[i]).Seconds()
				if n := float64(j - i + 1); n > rate*length+burst+1e-6 {
					t.Fatalf("seed %d: %v places in %.3fs at %v a second", seed, n, length, rate)
				}
			}
		}
	}
}

func TestWhoWaitsGetsAPlaceOfHisOwn(t *testing.T) {
	p := Pace{PerSecond: 2}
	var got []time.Duration
	for range 5 {
		got = append(got, p.Take(paceStart))
	}
	want := []time.Duration{0, 0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("five at once wait %v, want %v", got, want)
	}
	if wait := p.Wait(paceStart.Add(time.Second)); wait != time.Second {
		t.Errorf("a second later the next place is in %s, want 1s", wait)
	}
}

func TestAComplaintHalvesThePaceAndPlacesWinItBack(t *testing.T) {
	p := Pace{PerSecond: 10}
	p.Slow(paceStart, 3*time.Second)
	if wait := p.Wait(paceStart); wait != 3*time.Second {
		t.Errorf("the next place is in %s, want the 3s that were asked for", wait)
	}
	count := func(from time.Time) (n int) {
		for now := from; now.Before(from.Add(10 * time.Second)); now = now.Add(time.Millisecond) {
			if p.Wait(now) == 0 {
				p.Take(now)
				n++
			}
		}
		return n
	}
	slow := count(paceStart.Add(3 * time.Second))
	for minute := range 5 {
		count(paceStart.Add(time.Duration(minute+1) * time.Minute))
	}
	if fast := count(paceStart.Add(time.Hour)); slow < 40 || slow > 80 || fast < 100 || fast > 110 {
		t.Errorf("%d in the ten seconds after, and %d much later; want about 55 and 100", slow, fast)
	}
	for range 100 {
		p.Slow(paceStart, 0)
	}
	if p.rate() <= 0 || p.interval() > 2*time.Second {
		t.Errorf("after a hundred complaints the pace is %v a second", p.rate())
	}
}

func TestAPaceOfNothingHasNoLimit(t *testing.T) {
	var p Pace
	p.Slow(paceStart, time.Hour)
	if p.Take(paceStart) != 0 || p.Wait(paceStart) != 0 {
		t.Error("the zero value makes wait")
	}
}

func ExamplePace() {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := Pace{PerSecond: 1}
	fmt.Println(p.Take(now), p.Take(now), p.Take(now))
	// Output: 0s 1s 2s
}
