package verify

import (
	"context"
)

// Cleaner carries out the jobs of kind CleanUp. A service may have millions of factors, so they are
// removed step by step and not in the commit of its deletion; nobody reaches them meanwhile.
type Cleaner struct{ Engine *Engine }

// Work removes the entities of the service that a job refers to, with their factors and challenges.
// Broken off, it goes on with the next run.
func (c Cleaner) Work(ctx context.Context, job Job) error {
	for {
		more := false
		err := c.Engine.Store.Update(ctx, func(tx Tx) (err error) {
			if more, err = tx.DeleteEntities(job.Ref, sweepChunk); err == nil && !more {
				tx.FinishJob(job)
			}
			return err
		})
		if err != nil || !more {
			return err
		}
		if !pause(ctx, c.Engine.SweepRest) {
			return context.Cause(ctx)
		}
	}
}
