package postgres

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// What is here is for a developer, and goes past the writers, on a connection of its own: it changes everything
// at once. It locks the configuration first, as every change of that does, so that no function commits what it
// read before. Copies are tables beside the others; only one server may use the database then.

// Reset removes everything but the accounts and their keys.
func (s *Store) Reset(context.Context) error { return s.rewrite(sqlstore.Tables.Reset) }

// SaveSnapshot keeps a copy of everything under a number. It takes the place of the snapshot that had the
// number.
func (s *Store) SaveSnapshot(_ context.Context, number int) error {
	return s.rewrite(func(all sqlstore.Tables) []sqlstore.Write {
		return append(all.Drop(number), all.Save("UNLOGGED", number)...)
	})
}

// RestoreSnapshot has everything be as it was when the snapshot was taken. The version of the configuration
// goes on, so that nothing is remembered from before.
func (s *Store) RestoreSnapshot(_ context.Context, number int) error {
	return s.rewrite(func(all sqlstore.Tables) []sqlstore.Write { return all.Restore(number) })
}

// DropSnapshot removes a snapshot, if there is one.
func (s *Store) DropSnapshot(_ context.Context, number int) error {
	return s.rewrite(func(all sqlstore.Tables) []sqlstore.Write { return all.Drop(number) })
}

// recordTables are all tables but for partitions and the copies of snapshots.
const recordTables = `SELECT relname::text FROM pg_class
	WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
		AND NOT starts_with(relname::text, '` + sqlstore.CopyPrefix + `')`

// rewrite runs statements about the tables in one transaction, which raises the version of the configuration.
// A caller that went away undoes nothing.
func (s *Store) rewrite(statements func(sqlstore.Tables) []sqlstore.Write) error {
	c, err := s.connect()
	if err != nil {
		return kind(err)
	}
	defer c.close()
	answers, err := c.run(statement{query: `BEGIN`}, statement{query: `UPDATE config_version SET version = version + 1`}, statement{query: recordTables})
	if err != nil {
		return kind(err)
	}
	var names []string
	for a := answers[2]; a.Next(); {
		var name string
		if err := a.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	var pipeline []statement
	for _, w := range statements(sqlstore.RecordTables(names)) {
		pipeline = append(pipeline, statement{query: w.Query})
	}
	if _, err := c.run(append(pipeline, statement{query: `COMMIT`})...); err != nil {
		return kind(err)
	}
	if err := s.look(c); err != nil {
		return kind(err)
	}
	return s.wakeWaiting(c)
}

// wakeWaiting wakes those who wait for jobs: there may be others now.
func (s *Store) wakeWaiting(c *conn) error {
	answers, err := c.run(statement{query: `SELECT DISTINCT kind FROM job WHERE due IS NOT NULL`})
	if err != nil {
		return kind(err)
	}
	for a := answers[0]; a.Next(); {
		var jobs string
		if err := a.Scan(&jobs); err != nil {
			return err
		}
		s.wakeUp(jobs)
	}
	return nil
}

// NextDueOfService is when the next job about the records of a service is due.
func (s *Store) NextDueOfService(ctx context.Context, serviceSID string) (due time.Time, found bool, err error) {
	err = s.handOver(ctx, s.views, func(tx *sqlstore.Tx) (err error) {
		due, found, err = tx.NextDueOfService(serviceSID)
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
