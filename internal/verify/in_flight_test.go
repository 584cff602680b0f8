package verify

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const aQuarter = 250 * time.Millisecond

var quarter = InFlightLimit{Wait: aQuarter}

// refusedInFlight reports whether a start was told 60212 and when to come back.
func refusedInFlight(err error) bool {
	refused, ok := errors.AsType[*Error](err)
	return ok && refused.Code == CodeBurst && refused.RetryAfter == aQuarter
}

func TestOneRunsOneWaitsAndAThirdIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f inFlight
		leave, err := f.enter(t.Context(), "ana", quarter)
		if err != nil {
			t.Fatalf("the first: %v", err)
		}
		begun := time.Now()
		second := make(chan error)
		go func() {
			leave, err := f.enter(t.Context(), "ana", quarter)
			if err == nil {
				defer leave()
			}
			second <- err
		}()
		synctest.Wait()
		for range 48 {
			if _, err := f.enter(t.Context(), "ana", quarter); !refusedInFlight(err) {
				t.Fatalf("while one waits: %v, want 60212", err)
			}
		}
		other, err := f.enter(t.Context(), "ben", quarter)
		if err != nil {
			t.Fatalf("another recipient: %v", err)
		}
		other()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("somebody waited %s to be refused", waited)
		}
		time.Sleep(aQuarter - time.Millisecond)
		leave()
		if err := <-second; err != nil {
			t.Errorf("the one that waited: %v", err)
		}
		synctest.Wait()
		if len(f.runs) != 0 {
			t.Errorf("%d recipients are remembered when all have left", len(f.runs))
		}
	})
}

func TestNobodyWaitsLongerThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f inFlight
		leave, err := f.enter(t.Context(), "ana", quarter)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := f.enter(t.Context(), "ana", quarter); !refusedInFlight(err) {
			t.Errorf("%v, want 60212", err)
		}
		if waited := time.Since(begun); waited != aQuarter {
			t.Errorf("it waited %s", waited)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := f.enter(gone, "ana", quarter); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller that went away: %v", err)
		}
		leave()
		again, err := f.enter(t.Context(), "ana", quarter) // nobody was left in the way
		if err != nil {
			t.Fatal(err)
		}
		again()
		if len(f.runs) != 0 {
			t.Errorf("%d recipients are remembered when all have left", len(f.runs))
		}
	})
}

func TestWithoutALimitAllRunAtOnce(t *testing.T) {
	var f inFlight
	for range 50 {
		if _, err := f.enter(t.Context(), "ana", InFlightLimit{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.runs) != 0 {
		t.Error("what is not limited is remembered")
	}
}

// However starts come and go, never do two of a recipient run at once.
func TestTurnsOverRandomTraces(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			upTo := func(ms int) time.Duration { return time.Duration(r.IntN(ms)) * time.Millisecond }
			var f inFlight
			var mu sync.Mutex
			running, ran := map[string]int{}, 0
			count := func(key string, change int) {
				mu.Lock()
				defer mu.Unlock()
				running[key] += change
				if running[key] > 1 {
					t.Errorf("seed %d: %d starts of %s run at once", seed, running[key], key)
				}
				ran += max(change, 0)
			}
			var all sync.WaitGroup
			for range 300 {
				key, begin, last, patience := []string{"ana", "ben", "eva"}[r.IntN(3)], upTo(3000), upTo(400), upTo(500)
				all.Go(func() {
					time.Sleep(begin)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					leave, err := f.enter(ctx, key, quarter)
					if err != nil {
						return
					}
					defer leave()
					count(key, 1)
					time.Sleep(last)
					count(key, -1)
				})
			}
			all.Wait()
			if ran < 10 || len(f.runs) != 0 {
				t.Errorf("seed %d: %d ran, %d are remembered", seed, ran, len(f.runs))
			}
		})
	}
}
