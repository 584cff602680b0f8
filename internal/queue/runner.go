// Package queue runs the jobs that commits left behind.
//
// A job is claimed for the length of a lease, given to the worker of its kind, and finished or
// deferred by that worker in the commit that records the result. If the process dies, the lease
// runs out and the job is run again: at least once, never lost. Kinds do not share anything, so a
// kind whose worker is stuck delays no other.
//
// Where a lane has a free place, a job comes to it straight from its commit, claimed when it was
// made (see verify.Lanes), and need not be claimed and read again.
package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/fault"
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
	// Timeout bounds a job.
	Timeout time.Duration
}

// lease is how long a claimed job belongs to its worker: longer than it may take.
func (l Lane) lease() time.Duration { return l.Timeout + leaseMargin }

// Runner runs lanes until it is told to stop. Make it with New.
type Runner struct {
	jobs  Jobs
	lanes map[string]*lane
	log   *slog.Logger
	now   func() time.Time

	begun atomic.Int64  // jobs, ever
	freed chan struct{} // a place has become free, since somebody looked
}

// lane is a Lane at work.
type lane struct {
	Lane
	runner *Runner
	// free holds a token for every place that nobody has.
	free chan struct{}
	// next has a goroutine that has carried out a job carry out another: it has grown its stack, and a
	// new one would do that anew for every job.
	next chan verify.Job
	// poked has the lane look for due jobs without being asked by a commit or by the time.
	poked chan struct{}
}

const (
	// leaseMargin is for the commit that records what became of a job, and for clocks of nodes that
	// differ.
	leaseMargin = 5 * time.Second
	// maxPoll bounds the sleep of an idle lane. Wake makes it unnecessary on one node.
	maxPoll = 5 * time.Second
	// maxFaults is how often a job may fail by a fault of ours before it is buried.
	maxFaults = 3
	// faultPause is the pause after a fault.
	faultPause = time.Second
)

// New puts a runner together. Each kind has one lane.
func New(jobs Jobs, log *slog.Logger, now func() time.Time, lanes ...Lane) *Runner {
	r := &Runner{jobs: jobs, lanes: map[string]*lane{}, log: log, now: now, freed: make(chan struct{}, 1)}
	for _, l := range lanes {
		at := &lane{Lane: l, runner: r, free: make(chan struct{}, l.Parallel), next: make(chan verify.Job), poked: make(chan struct{}, 1)}
		for range l.Parallel {
			at.free <- struct{}{}
		}
		r.lanes[l.Kind] = at
	}
	return r
}

// Run runs all lanes until ctx ends, then waits for the jobs that are under way. Jobs keep running
// under a context of their own, so that a message that is half sent is not cut off.
func (r *Runner) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	for _, l := range r.lanes {
		lanes.Go(func() {
			l.run(ctx)
			l.drain()
		})
	}
	lanes.Wait()
}

func (l *lane) run(ctx context.Context) {
	r := l.runner
	wake := r.jobs.Wake(l.Kind)
	// One claim is for many jobs, but it leaves places to those that come straight from a commit:
	// they cost less.
	most := max(l.Parallel/2, 1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.free:
		}
		places := 1
		for places < most && take(l.free) {
			places++
		}
		now := r.now()
		jobs, err := r.jobs.Claim(context.WithoutCancel(ctx), l.Kind, now, now.Add(l.lease()), places)
		if err != nil {
			r.log.Error("cannot claim jobs", "kind", l.Kind, "error", err)
		}
		r.begun.Add(int64(len(jobs)))
		for _, job := range jobs {
			l.start(job)
		}
		for range places - len(jobs) {
			l.giveBack()
		}
		if len(jobs) == places {
			continue
		}
		if !l.sleep(ctx, wake, err != nil) {
			return
		}
	}
}

// drain takes all places, so that it returns when nothing is under way and nothing can begin.
func (l *lane) drain() {
	for range l.Parallel {
		<-l.free
	}
	close(l.next)
}

// start has a job carried out in a place that was taken for it.
func (l *lane) start(job verify.Job) {
	select {
	case l.next <- job:
	default: // nobody waits for one
		go l.carry(job)
	}
}

// carry carries out a job, gives its place back, and waits for the next one.
func (l *lane) carry(job verify.Job) {
	for more := true; more; job, more = <-l.next {
		l.runner.runJob(l, job)
		l.giveBack()
	}
}

// giveBack gives a place back.
func (l *lane) giveBack() {
	l.free <- struct{}{}
	signal(l.runner.freed)
}

// Reserve implements verify.Lanes.
func (r *Runner) Reserve(kind string) (verify.Place, bool) {
	l, ok := r.lanes[kind]
	if !ok || !take(l.free) {
		return nil, false
	}
	return place{l}, true
}

// place is one of a lane's.
type place struct{ lane *lane }

// Claim implements verify.Place.
func (p place) Claim(job verify.Job) verify.Job {
	job.Due, job.Runs = p.lane.runner.now().Add(p.lane.lease()), 1
	return job
}

// Run implements verify.Place.
func (p place) Run(job verify.Job) {
	p.lane.runner.begun.Add(1)
	p.lane.start(job)
}

// Release implements verify.Place.
func (p place) Release() { p.lane.giveBack() }

// sleep waits until there may be a due job, and reports whether to go on.
func (l *lane) sleep(ctx context.Context, wake <-chan struct{}, failed bool) bool {
	if !failed && take(wake) {
		return ctx.Err() == nil
	}
	r, pause := l.runner, maxPoll
	if failed {
		pause = faultPause
	} else if due, found, err := r.jobs.NextDue(context.WithoutCancel(ctx), l.Kind); err == nil && found {
		pause = min(max(due.Sub(r.now()), 0), maxPoll)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-l.poked:
	case <-timer.C:
	}
	return true
}

// runJob runs a job under a context of its own: what was begun is finished.
func (r *Runner) runJob(l *lane, job verify.Job) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	defer cancel()
	err := work(ctx, l.Worker, job)
	if err == nil {
		return
	}
	if errors.Is(err, verify.ErrUnavailable) || job.Runs < maxFaults {
		r.log.Error("job failed, will be run again", "kind", job.Kind, "ref", job.Ref, "runs", job.Runs, "error", err)
		err = r.jobs.Defer(context.WithoutCancel(ctx), job, r.now().Add(time.Duration(job.Runs)*faultPause))
	} else {
		r.log.Error("job buried", "kind", job.Kind, "ref", job.Ref, "runs", job.Runs, "error", err)
		err = r.jobs.Bury(context.WithoutCancel(ctx), job, err.Error())
	}
	if err != nil { // the lease will run out
		r.log.Error("cannot give a job back", "kind", job.Kind, "ref", job.Ref, "error", err)
	}
}

// work turns a panic of a worker into its error.
func work(ctx context.Context, w Worker, job verify.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Panicked(p)
		}
	}()
	return w.Work(ctx, job)
}

// signal leaves a word in a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // the last word has not been heard yet, and is as good
	}
}

func take(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
