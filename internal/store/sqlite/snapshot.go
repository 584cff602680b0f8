package sqlite

import (
	"context"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// Reset removes everything but the accounts and their keys. It is for a developer, who starts again, as are
// snapshots.
func (s *Store) Reset(ctx context.Context) error { return s.update(ctx, (*sqlstore.Tx).Reset) }

// SaveSnapshot keeps a copy of everything under a number, in the memory of this process. It takes the place of
// the snapshot that had the number.
func (s *Store) SaveSnapshot(ctx context.Context, number int) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error { return tx.SaveSnapshot(number) })
}

// RestoreSnapshot has everything be as it was when the snapshot was taken. The version of the configuration
// goes on, so that nothing is remembered from before.
func (s *Store) RestoreSnapshot(ctx context.Context, number int) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error { return tx.RestoreSnapshot(number) })
}

// DropSnapshot forgets a snapshot, if there is one.
func (s *Store) DropSnapshot(ctx context.Context, number int) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error { return tx.DropSnapshot(number) })
}
