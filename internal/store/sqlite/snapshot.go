package sqlite

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
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

// NextDueOfService is when the next job about the records of a service is due.
func (s *Store) NextDueOfService(ctx context.Context, serviceSID string) (due time.Time, found bool, err error) {
	err = s.View(ctx, func(tx verify.Tx) (err error) {
		due, found, err = tx.(*sqlstore.Tx).NextDueOfService(serviceSID)
		return err
	})
	return due, found, err
}

// HastenService has the jobs about the records of a service be due sooner, by whole milliseconds.
func (s *Store) HastenService(ctx context.Context, serviceSID string, by time.Duration) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error {
		tx.HastenService(serviceSID, by)
		return nil
	})
}
