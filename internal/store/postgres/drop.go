package postgres

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// DropBefore implements verify.Store.
func (s *Store) DropBefore(ctx context.Context, _, before time.Time) error {
	return s.dropper.DropBefore(ctx, func(ctx context.Context, fn func(*sqlstore.Tx) error) error {
		return s.handOver(ctx, s.updates, fn)
	}, before)
}
