package postgres

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

var _ queue.Jobs = (*Store)(nil)

// Claim implements queue.Jobs. Jobs that another node is claiming at the same moment are passed
// over; those of a node that died come back when its lease ends.
func (s *Store) Claim(ctx context.Context, kind string, now, lease time.Time, limit int) (jobs []verify.Job, err error) {
	err = s.handOver(ctx, s.updates, func(tx *sqlstore.Tx) (err error) {
		jobs, err = tx.ClaimJobs(kind, now, lease, limit)
		if len(jobs) > 0 {
			tx.Keep()
		}
		return err
	})
	return jobs, err
}

// Defer implements queue.Jobs.
func (s *Store) Defer(ctx context.Context, job verify.Job, due time.Time) error {
	return s.handOver(ctx, s.updates, func(tx *sqlstore.Tx) error {
		tx.DeferJob(job, due)
		return nil
	})
}

// Bury implements queue.Jobs.
func (s *Store) Bury(ctx context.Context, job verify.Job, reason string) error {
	return s.handOver(ctx, s.updates, func(tx *sqlstore.Tx) error {
		tx.BuryJob(job, reason)
		return nil
	})
}

// NextDue implements queue.Jobs.
func (s *Store) NextDue(ctx context.Context, kind string) (due time.Time, found bool, err error) {
	err = s.handOver(ctx, s.views, func(tx *sqlstore.Tx) (err error) {
		due, found, err = tx.NextDue(kind)
		return err
	})
	return due, found, err
}

// Ping commits a row, so that its success says that the database takes what is written.
func (s *Store) Ping(ctx context.Context) error {
	return s.handOver(ctx, s.updates, func(tx *sqlstore.Tx) error {
		tx.Keep() // the mark of the commit is a row
		return nil
	})
}

// Wake implements queue.Jobs.
func (s *Store) Wake(kind string) <-chan struct{} { return s.wakeChannel(kind) }

func (s *Store) wakeChannel(kind string) chan struct{} {
	if c, ok := s.wake.Load(kind); ok {
		return c.(chan struct{})
	}
	c, _ := s.wake.LoadOrStore(kind, make(chan struct{}, 1))
	return c.(chan struct{})
}

func (s *Store) wakeUp(kind string) {
	select {
	case s.wakeChannel(kind) <- struct{}{}:
	default: // it is awake already
	}
}
