package queue_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
)

// Settled is settled: what a job leaves behind is done as well, in whatever lane.
func TestSettleWaitsForAllThatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		now := time.Now()
		var mu sync.Mutex
		clock := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		var done []string
		work := workerFunc(func(_ context.Context, job verify.Job) error {
			time.Sleep(time.Second) // of the machine; the clock stands still
			mu.Lock()
			done = append(done, job.Ref)
			mu.Unlock()
			switch job.Ref {
			case "one":
				j.add("b", "two", clock())
			case "two":
				j.add("a", "three", clock())
				j.add("a", "tomorrow", clock().Add(24*time.Hour))
			}
			j.finish(job.ID)
			return nil
		})
		r := queue.New(j, slog.New(slog.DiscardHandler), clock,
			queue.Lane{Kind: "a", Worker: work, Parallel: 2, Timeout: time.Minute}, queue.Lane{Kind: "b", Worker: work, Parallel: 2, Timeout: time.Minute})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })

		j.add("a", "one", clock())
		if err := r.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []string{"one", "two", "three"}; !slices.Equal(done, want) {
			t.Errorf("done %v, want %v", done, want)
		}
		due, found, err := r.NextDue(t.Context())
		if want := now.Add(24 * time.Hour); err != nil || !found || !due.Equal(want) {
			t.Errorf("next is %v %v %v, want %v", due, found, err, want)
		}
		mu.Lock()
		now = due
		mu.Unlock()
		if err := r.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done[len(done)-1] != "tomorrow" {
			t.Errorf("a day later: %v", done)
		}
		stop()
		running.Wait()
	})
}

func TestSettleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		stuck := workerFunc(func(ctx context.Context, job verify.Job) error {
			<-ctx.Done()
			j.finish(job.ID)
			return nil
		})
		r := queue.New(j, slog.New(slog.DiscardHandler), time.Now, queue.Lane{Kind: "a", Worker: stuck, Parallel: 1, Timeout: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })
		j.add("a", "one", time.Now())
		patience, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.Settle(patience); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		stop()
		running.Wait()
	})
}
