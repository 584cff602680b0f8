package sqlite

import (
	"context"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// Reset removes everything but the accounts and their keys. It is for a developer, who starts again.
func (s *Store) Reset(ctx context.Context) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error { return tx.Reset() })
}
