package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/transfer"
)

func runMigrate(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("migrate")
	from := flags.String("from", "", "move the records of this SQLite `store`, sqlite:PATH; its server must be stopped")
	to := flags.String("to", "", "to this PostgreSQL `store`, postgres://user@host/database")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	if *from != "" || *to != "" {
		return move(ctx, config.Config{Store: *from}, config.Config{Store: *to}, sys)
	}
	c, err := config.Load(*path, sys.getenv)
	if err != nil {
		return err
	}
	if !c.Postgres() {
		return migrateSQLite(ctx, c, sys)
	}
	before, after, err := postgres.Migrate(ctx, c.Store)
	if err != nil {
		return fmt.Errorf("%s: %w", c.StoreName(), err)
	}
	state := "was already at"
	if before != after {
		state = fmt.Sprintf("went from version %d to", before)
	}
	_, err = fmt.Fprintf(sys.stdout, "the schema of %s %s version %d\n", c.StoreName(), state, after)
	return err
}

// migrateSQLite does what serve does by itself.
func migrateSQLite(ctx context.Context, c config.Config, sys system) error {
	path, err := c.SQLitePath()
	if err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{Log: newLog(sys.stderr, "text", "warn")})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sys.stdout, "the schema of %s is up to date; on SQLite, serve brings it up by itself\n", c.StoreName())
	return err
}

// move copies everything from SQLite to PostgreSQL.
func move(ctx context.Context, from, to config.Config, sys system) (err error) {
	path, err := from.SQLitePath()
	if err != nil || !to.Postgres() {
		return errors.New("want --from sqlite:PATH and --to postgres://user@host/database")
	}
	if _, _, err := postgres.Migrate(ctx, to.Store); err != nil {
		return fmt.Errorf("%s: %w", to.StoreName(), err)
	}
	source, release, err := sqlite.OpenForCopy(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	days, err := transfer.Days(ctx, source)
	if err != nil {
		return err
	}
	target, err := postgres.OpenForCopy(ctx, to.Store, days)
	if err != nil {
		return fmt.Errorf("%s: %w", to.StoreName(), err)
	}
	defer func(db *sql.DB) { err = errors.Join(err, db.Close()) }(target)
	if err := transfer.Copy(ctx, source, target, func(line string) { fmt.Fprintln(sys.stdout, line) }); err != nil {
		return fmt.Errorf("move %s to %s: %w", from.StoreName(), to.StoreName(), err)
	}
	_, err = fmt.Fprintf(sys.stdout, "%s has everything that %s has. Set store and key_file in verifyd.toml; the key file stays the same.\n", to.StoreName(), from.StoreName())
	return err
}
