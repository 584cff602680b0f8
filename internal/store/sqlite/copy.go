package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// OpenForCopy opens the file of a server that is stopped, for package transfer: it brings the
// schema up, keeps servers away until release, and writes nothing else.
func OpenForCopy(ctx context.Context, path string) (db *sql.DB, release func() error, err error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w; stop it first", path, err)
	}
	uri := (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String() + "?mode=rw"
	if err := migrate(ctx, uri); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", path, err), lock.release())
	}
	if db, err = sql.Open("sqlite", uri+fmt.Sprintf("&_pragma=busy_timeout(%d)", busyTimeout)); err != nil {
		return nil, nil, errors.Join(err, lock.release())
	}
	db.SetMaxOpenConns(1)
	return db, func() error { return errors.Join(db.Close(), lock.release()) }, nil
}
