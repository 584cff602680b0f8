// Package queue runs the jobs that commits left behind.
//
// A job is claimed for the length of a lease, given to the worker of its kind, and finished or
// deferred by that worker in the commit that records the result. If the process dies, the lease
// runs out and the job is run again: at least once, never lost. Kinds do not share anything, so a
// kind whose worker is stuck delays no other.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Jobs is where the jobs are kept.
type Jobs interface {
	// Claim takes at most limit due jobs of a kind, the longest due first, and makes them due
	// again when the lease ends.
	Claim(ctx context.Context, kind string, now, lease time.Time, limit int) ([]verify.Job, error)
	// Defer gives a claimed job back, to be run at another time.
	Defer(ctx context.Context, job verify.Job, due time.Time) error
	// Bury takes a job out of the queue and keeps it for a person to look at.
	Bury(ctx context.Context, job verify.Job, reason string) error
	// NextDue is when the next job of a kind is due; found is false if there is none.
	NextDue(ctx context.Context, kind string) (due time.Time, found bool, err error)
	// Wake receives after a commit that enqueued or deferred a job of the kind.
	Wake(kind string) <-chan struct{}
}

// Worker carries out jobs of one kind. When Work returns nil, the worker has finished or deferred
// the job. An error is a fault: the runner tries the job again and in the end buries it.
type Worker interface {
	Work(ctx context.Context, job verify.Job) error
}

// Lane is one kind of job and who does it.
type Lane struct {
	Kind   string
	Worker Worker
	// Parallel is how many jobs run at a time.
	Parallel int
}

// Runner runs lanes until it is told to stop.
type Runner struct {
	Jobs  Jobs
	Lanes []Lane
	Log   *slog.Logger
	Now   func() time.Time
}

const (
	// lease must be longer than a job may take (see jobTimeout).
	lease      = 30 * time.Second
	jobTimeout = 25 * time.Second
	// maxPoll bounds the sleep of an idle lane. Wake makes it unnecessary on one node.
	maxPoll = 5 * time.Second
	// maxFaults is how often a job may fail by a fault of ours before it is buried.
	maxFaults = 3
	// faultPause is the pause after a fault.
	faultPause = time.Second
)

// Run runs all lanes until ctx ends, then waits for the jobs that are under way. Jobs keep running
// under a context of their own, so that a message that is half sent is not cut off.
func (r *Runner) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	for _, lane := range r.Lanes {
		lanes.Go(func() { r.runLane(ctx, lane) })
	}
	lanes.Wait()
}

func (r *Runner) runLane(ctx context.Context, lane Lane) {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, lane.Parallel)
	for range lane.Parallel {
		free <- struct{}{}
	}
	wake := r.Jobs.Wake(lane.Kind)
	for {
		// Wait for one free place, then take what is free: one claim for many jobs.
		select {
		case <-ctx.Done():
			return
		case <-free:
		}
		places := 1
		for places < lane.Parallel && take(free) {
			places++
		}
		now := r.Now()
		jobs, err := r.Jobs.Claim(context.WithoutCancel(ctx), lane.Kind, now, now.Add(lease), places)
		if err != nil {
			r.Log.Error("cannot claim jobs", "kind", lane.Kind, "error", err)
		}
		for _, job := range jobs {
			running.Go(func() {
				r.runJob(ctx, lane, job)
				free <- struct{}{}
			})
		}
		for range places - len(jobs) {
			free <- struct{}{}
		}
		if len(jobs) == places {
			continue
		}
		if !r.sleep(ctx, lane.Kind, wake, err != nil) {
			return
		}
	}
}

// sleep waits until there may be a due job, and reports whether to go on.
func (r *Runner) sleep(ctx context.Context, kind string, wake <-chan struct{}, failed bool) bool {
	if !failed && take(wake) {
		return ctx.Err() == nil
	}
	pause := maxPoll
	if failed {
		pause = faultPause
	} else if due, found, err := r.Jobs.NextDue(context.WithoutCancel(ctx), kind); err == nil && found {
		pause = min(max(due.Sub(r.Now()), 0), maxPoll)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return true
}

func (r *Runner) runJob(ctx context.Context, lane Lane, job verify.Job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobTimeout)
	defer cancel()
	err := work(ctx, lane.Worker, job)
	if err == nil {
		return
	}
	if errors.Is(err, verify.ErrUnavailable) || job.Runs < maxFaults {
		r.Log.Error("job failed, will be run again", "kind", job.Kind, "ref", job.Ref, "runs", job.Runs, "error", err)
		err = r.Jobs.Defer(context.WithoutCancel(ctx), job, r.Now().Add(time.Duration(job.Runs)*faultPause))
	} else {
		r.Log.Error("job buried", "kind", job.Kind, "ref", job.Ref, "runs", job.Runs, "error", err)
		err = r.Jobs.Bury(context.WithoutCancel(ctx), job, err.Error())
	}
	if err != nil { // the lease will run out
		r.Log.Error("cannot give a job back", "kind", job.Kind, "ref", job.Ref, "error", err)
	}
}

// work turns a panic of a worker into its error.
func work(ctx context.Context, w Worker, job verify.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Work(ctx, job)
}

func take(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
