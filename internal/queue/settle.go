package queue

import (
	"context"
	"time"
)

// NextDue is when the next job of any lane is due. A job that is under way is due when its lease ends.
func (r *Runner) NextDue(ctx context.Context) (next time.Time, found bool, err error) {
	for kind := range r.lanes {
		due, has, err := r.jobs.NextDue(ctx, kind)
		if err != nil {
			return next, false, err
		}
		if has && (!found || due.Before(next)) {
			next, found = due, true
		}
	}
	return next, found, nil
}

// Settle has the lanes look for due jobs, and returns when none is due and none is under way: the clock of
// a test may move on. One caller at a time. The lanes must run.
func (r *Runner) Settle(ctx context.Context) error {
	for {
		begun := r.begun.Load()
		if !r.idle() {
			if err := r.waitForPlace(ctx); err != nil {
				return err
			}
			continue
		}
		due, found, err := r.NextDue(ctx)
		if err != nil {
			return err
		}
		if found && !due.After(r.now()) {
			for _, l := range r.lanes {
				signal(l.poked)
			}
			if err := r.waitForPlace(ctx); err != nil {
				return err
			}
			continue
		}
		// A job that was begun meanwhile may have left others behind, and ended again.
		if r.idle() && r.begun.Load() == begun {
			return nil
		}
	}
}

// idle reports whether all places are free.
func (r *Runner) idle() bool {
	for _, l := range r.lanes {
		if len(l.free) < l.Parallel {
			return false
		}
	}
	return true
}

func (r *Runner) waitForPlace(ctx context.Context) error {
	select {
	case <-r.freed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
