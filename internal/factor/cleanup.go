package factor

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// chunk bounds the time that one step keeps the writer busy to about a millisecond.
const chunk = 100

// Cleaner carries out the jobs of kind verify.CleanUp. A service may have millions of factors, so they are
// removed step by step and not in the commit of its deletion; nobody reaches them meanwhile.
type Cleaner struct{ Engine *Engine }

// Work removes the entities of the service that a job refers to, with their factors and challenges.
// Broken off, it goes on with the next run.
func (c Cleaner) Work(ctx context.Context, job verify.Job) error {
	for {
		more := false
		err := c.Engine.update(ctx, func(tx Tx) (err error) {
			if more, err = tx.DeleteEntities(job.Ref, chunk); err == nil && !more {
				tx.FinishJob(job)
			}
			return err
		})
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(c.Engine.verify.SweepRest):
		}
	}
}

// DropUnverified removes the factors that nobody verified in time. Nothing depends on it being punctual (see
// Factor.GivenUp).
func (e *Engine) DropUnverified(ctx context.Context) (err error) {
	before := e.verify.Now().Add(-unverifiedLife)
	for more := true; more && err == nil && ctx.Err() == nil; {
		err = e.update(ctx, func(tx Tx) (err error) {
			more, err = tx.DropUnverified(before, chunk)
			return err
		})
	}
	return err
}
