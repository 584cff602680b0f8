package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
)

// jobs keeps jobs in memory: the real stores wait on files, which stops the clock of synctest.
// storetest holds the real ones to the same contract.
type jobs struct {
	mu     sync.Mutex
	due    []verify.Job
	buried []verify.Job
	why    []string // of each that was buried
	wake   map[string]chan struct{}
	nextID int64
}

func newJobs() *jobs { return &jobs{wake: map[string]chan struct{}{}} }

func (j *jobs) add(kind, ref string, due time.Time) {
	j.mu.Lock()
	j.nextID++
	j.due = append(j.due, verify.Job{ID: j.nextID, Kind: kind, Ref: ref, Due: due})
	j.mu.Unlock()
	select {
	case j.channel(kind) <- struct{}{}:
	default:
	}
}

func (j *jobs) channel(kind string) chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.wake[kind] == nil {
		j.wake[kind] = make(chan struct{}, 1)
	}
	return j.wake[kind]
}

func (j *jobs) Wake(kind string) <-chan struct{} { return j.channel(kind) }

func (j *jobs) Claim(_ context.Context, kind string, now, lease time.Time, limit int) ([]verify.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var got []verify.Job
	for i := range j.due {
		if j.due[i].Kind == kind && !j.due[i].Due.After(now) && len(got) < limit {
			j.due[i].Due = lease
			j.due[i].Runs++
			got = append(got, j.due[i])
		}
	}
	return got, nil
}

func (j *jobs) remove(id int64) (removed verify.Job) {
	j.due = slices.DeleteFunc(j.due, func(job verify.Job) bool {
		if job.ID == id {
			removed = job
		}
		return job.ID == id
	})
	return removed
}

func (j *jobs) finish(id int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.remove(id)
}

func (j *jobs) Defer(_ context.Context, job verify.Job, due time.Time) error {
	j.mu.Lock()
	job = j.remove(job.ID)
	job.Due = due
	j.due = append(j.due, job)
	j.mu.Unlock()
	return nil
}

func (j *jobs) Bury(_ context.Context, job verify.Job, reason string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.why = append(j.why, reason)
	j.buried = append(j.buried, j.remove(job.ID))
	return nil
}

func (j *jobs) NextDue(_ context.Context, kind string) (due time.Time, found bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, job := range j.due {
		if job.Kind == kind && (!found || job.Due.Before(due)) {
			due, found = job.Due, true
		}
	}
	return due, found, nil
}

type workerFunc func(context.Context, verify.Job) error

func (f workerFunc) Work(ctx context.Context, job verify.Job) error { return f(ctx, job) }

// play runs lanes for a while of the bubble's own time.
func play(j *jobs, during time.Duration, lanes ...queue.Lane) {
	ctx, cancel := context.WithTimeout(context.Background(), during)
	defer cancel()
	queue.New(j, slog.New(slog.DiscardHandler), time.Now, lanes...).Run(ctx)
}

func TestJobsRunWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		begin := time.Now()
		j.add("sms", "now", begin)
		j.add("sms", "later", begin.Add(7*time.Second))
		ran := map[string]time.Duration{}
		play(j, time.Minute, queue.Lane{Kind: "sms", Parallel: 1, Timeout: 25 * time.Second, Worker: workerFunc(func(_ context.Context, job verify.Job) error {
			ran[job.Ref] = time.Since(begin)
			j.finish(job.ID)
			return nil
		})})
		if ran["now"] != 0 || ran["later"] != 7*time.Second {
			t.Errorf("ran after %v", ran)
		}
	})
}

func TestAStuckKindDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		begin := time.Now()
		for i := range 5 {
			j.add("call", fmt.Sprint(i), begin)
			j.add("sms", fmt.Sprint(i), begin)
		}
		var took atomic.Int64 // nanoseconds
		stuck := workerFunc(func(ctx context.Context, job verify.Job) error {
			<-ctx.Done()
			j.finish(job.ID)
			return nil
		})
		quick := workerFunc(func(_ context.Context, job verify.Job) error {
			took.Store(int64(time.Since(begin)))
			j.finish(job.ID)
			return nil
		})
		play(j, time.Minute, queue.Lane{Kind: "call", Parallel: 2, Timeout: 25 * time.Second, Worker: stuck}, queue.Lane{Kind: "sms", Parallel: 2, Timeout: 25 * time.Second, Worker: quick})
		if waited := time.Duration(took.Load()); waited != 0 {
			t.Errorf("the last sms waited %s for calls", waited)
		}
	})
}

func TestNoMoreThanParallelJobsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		for i := range 20 {
			j.add("sms", fmt.Sprint(i), time.Now())
		}
		var mu sync.Mutex
		running, most, ran := 0, 0, 0
		play(j, time.Minute, queue.Lane{Kind: "sms", Parallel: 3, Timeout: 25 * time.Second, Worker: workerFunc(func(_ context.Context, job verify.Job) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			ran++
			mu.Unlock()
			j.finish(job.ID)
			return nil
		})})
		if most != 3 || ran != 20 {
			t.Errorf("%d ran, at most %d at a time; want 20, 3", ran, most)
		}
	})
}

func TestAPoisonJobIsBuriedAndOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		for _, ref := range []string{"panics", "fails", "busy", "good"} {
			j.add("sms", ref, time.Now())
		}
		runs := map[string]int{}
		play(j, time.Minute, queue.Lane{Kind: "sms", Parallel: 1, Timeout: 25 * time.Second, Worker: workerFunc(func(_ context.Context, job verify.Job) error {
			runs[job.Ref]++
			switch {
			case job.Ref == "panics":
				panic("poison")
			case job.Ref == "fails":
				return errors.New("fault")
			case job.Ref == "busy" && runs["busy"] < 5:
				return fmt.Errorf("store: %w", verify.ErrUnavailable)
			}
			j.finish(job.ID)
			return nil
		})})
		if runs["panics"] != 3 || runs["fails"] != 3 || runs["busy"] != 5 || runs["good"] != 1 {
			t.Errorf("runs: %v", runs)
		}
		if len(j.buried) != 2 || len(j.due) != 0 {
			t.Errorf("buried %v, left %v", j.buried, j.due)
		}
	})
}

// What a worker panics with may repeat what it was to send; the log and the buried job are for a person who was
// not sent it.
func TestAPanicIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		j := newJobs()
		j.add("sms", "VL1", time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		queue.New(j, slog.New(slog.NewTextHandler(&log, nil)), time.Now, queue.Lane{Kind: "sms", Parallel: 1, Timeout: 25 * time.Second, Worker: workerFunc(func(context.Context, verify.Job) error {
			panic(fmt.Sprintf("no text for the code %s to %s", "WX4938", "+34612345678"))
		})}).Run(ctx)
		if len(j.why) != 1 || strings.Count(log.String(), "panic with a string") != 3 {
			t.Fatalf("buried %q, and the log has\n%s", j.why, &log)
		}
		for name, said := range map[string]string{"the job": j.why[0], "the log": log.String()} {
			if strings.Contains(said, "WX4938") || strings.Contains(said, "+34612345678") {
				t.Errorf("%s repeats it:\n%s", name, said)
			}
			if !strings.Contains(said, "panic with a string") || !strings.Contains(said, "TestAPanicIsNotRepeated") {
				t.Errorf("%s does not say where:\n%s", name, said)
			}
		}
	})
}

func TestStopWaitsForJobsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		j.add("sms", "slow", time.Now())
		finished := false
		play(j, time.Second, queue.Lane{Kind: "sms", Parallel: 1, Timeout: 25 * time.Second, Worker: workerFunc(func(ctx context.Context, job verify.Job) error {
			time.Sleep(5 * time.Second)
			if ctx.Err() != nil {
				t.Error("a job under way was cut off")
			}
			finished = true
			j.finish(job.ID)
			return nil
		})})
		if !finished {
			t.Error("Run returned before the job was finished")
		}
	})
}

func TestAJobComesStraightFromItsCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJobs()
		hold := make(chan struct{})
		var mu sync.Mutex
		var ran []string
		r := queue.New(j, slog.New(slog.DiscardHandler), time.Now, queue.Lane{
			Kind: "sms", Parallel: 2, Timeout: 25 * time.Second,
			Worker: workerFunc(func(_ context.Context, job verify.Job) error {
				mu.Lock()
				ran = append(ran, job.Ref)
				mu.Unlock()
				<-hold
				return nil
			}),
		})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			r.Run(ctx)
			close(stopped)
		}()
		synctest.Wait()

		if _, ok := r.Reserve("email"); ok {
			t.Error("there is a place in a lane that does not exist")
		}
		first, ok1 := r.Reserve("sms")
		second, ok2 := r.Reserve("sms")
		if _, ok := r.Reserve("sms"); !ok1 || !ok2 || ok {
			t.Fatal("a lane of two has not two places")
		}
		job := first.Claim(verify.Job{ID: 1, Kind: "sms", Ref: "direct", Due: time.Now()})
		if job.Runs != 1 || time.Until(job.Due) != 30*time.Second {
			t.Errorf("a job with a place is not claimed for a lease: %+v", job)
		}
		first.Run(job)
		second.Release()
		j.add("sms", "from the queue", time.Now()) // it gets the place that was given back
		synctest.Wait()
		slices.Sort(ran)
		if !slices.Equal(ran, []string{"direct", "from the queue"}) {
			t.Errorf("ran %v", ran)
		}

		stop()
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("the runner stopped with jobs under way")
		default:
		}
		close(hold)
		<-stopped
		if _, ok := r.Reserve("sms"); ok {
			t.Error("a stopped runner takes jobs")
		}
	})
}
