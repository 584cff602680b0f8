package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/verifyd/verifyd/internal/verify"
)

// failure is a result of SQLite's that is not a success (https://sqlite.org/rescode.html). The
// lower byte of the code is the primary code.
type failure struct {
	code    int32
	message string
}

func (f *failure) Error() string { return fmt.Sprintf("sqlite: %s (%d)", f.message, f.code) }

var errNoMemory = &failure{code: sqlite3.SQLITE_NOMEM, message: "out of memory"}

// failure is the last error of a connection, of which rc is the code.
func (c *conn) failure(rc int32) error {
	return &failure{code: rc, message: libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))}
}

// kind sorts an error of SQLite's into those of the store's contract.
func kind(err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	switch primary := f.code & 0xff; {
	case f.code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || f.code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("%w: %w", verify.ErrExists, err)
	case primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", verify.ErrUnavailable, err)
	default:
		return err
	}
}

// fatal reports whether the disk itself failed.
func fatal(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && (f.code&0xff == sqlite3.SQLITE_IOERR || f.code&0xff == sqlite3.SQLITE_CORRUPT)
}
