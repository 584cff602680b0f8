package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// DropBefore implements verify.Store. Attempts go with the partition of their day, and those of the
// default partition by chunks, as everything else does.
func (s *Store) DropBefore(ctx context.Context, now, before time.Time) error {
	return errors.Join(s.keepDays(now, before), s.dropper.DropBefore(ctx, s.update, before))
}

func (s *Store) update(ctx context.Context, fn func(*sqlstore.Tx) error) error {
	return s.handOver(ctx, s.updates, fn)
}
