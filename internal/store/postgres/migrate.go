package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/verifyd/verifyd/internal/sid"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up, makes the partitions of the days to come, and returns the versions
// before and after. Several may run at once: they take turns by a lock in the database. A schema that
// is newer than this program stays as it is.
func Migrate(ctx context.Context, dsn string) (from, to int64, err error) {
	a, err := parse(dsn)
	if err != nil {
		return 0, 0, err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", kind(err))
	}
	pooled := c.pooled
	c.close()
	if pooled {
		return 0, 0, errPooled
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, 0, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 30))
	if err != nil {
		return 0, 0, err
	}
	db := stdlib.OpenDB(*a.config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", err)
	}
	if to, err = provider.GetDBVersion(ctx); err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", err)
	}
	if c, err = a.connect(ctx); err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", kind(err))
	}
	defer c.close()
	if err := makeDays(c); err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", err)
	}
	return to - int64(len(results)), to, nil
}

// newestMigration is the version of the schema that this program needs.
func newestMigration() (newest int64) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic(err)
		}
		newest = max(newest, version)
	}
	return newest
}

// MigrationSums are the SHA-256 sums of the migrations by file name. A test holds them against a
// list: a released migration must never change.
func MigrationSums() (map[string]string, error) {
	sums := map[string]string{}
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := migrations.ReadFile(path)
		sums[d.Name()] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	return sums, err
}

// OpenForCopy opens a database with an up-to-date schema for package transfer. It makes partitions
// for the attempts of the days that are to be copied.
func OpenForCopy(ctx context.Context, dsn string, days []sid.Day) (*sql.DB, error) {
	a, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return nil, kind(err)
	}
	defer c.close()
	if err := makeDays(c, days...); err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*a.config), nil
}
