package sqlite

import (
	"context"
	"time"
)

// DropBefore implements verify.Store. The pages of rows that are gone are used again by new ones,
// so the file stays as large as the most that it ever held.
func (s *Store) DropBefore(ctx context.Context, _, before time.Time) error {
	return s.dropper.DropBefore(ctx, s.update, before)
}
