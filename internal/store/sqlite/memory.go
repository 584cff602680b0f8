package sqlite

import (
	"context"
	"errors"
	"strings"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// cutMemory takes the name out of "memory:NAME".
func cutMemory(path string) (name string, isMemory bool) {
	return strings.CutPrefix(path, "memory:")
}

// blank is an empty database with today's schema, in memory, from the first time that one is wanted until the
// process ends. The migrations take four times as long as all the rest of opening one, and most tests open one.
var blank struct {
	sync.Mutex
	conn *conn
}

const blankURI = "file:/blank?vfs=memdb"

// fillMemory gives a database in memory its schema, unless another Store of this process has it open under the
// same name: then it has one.
func fillMemory(ctx context.Context, c *conn) error {
	blank.Lock()
	defer blank.Unlock()
	var tables int
	if err := c.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil || tables > 0 {
		return err
	}
	if blank.conn == nil {
		made, err := openConn(blankURI, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE, cacheSize)
		if err != nil {
			return err
		}
		if err := migrate(ctx, blankURI); err != nil {
			return errors.Join(err, made.close())
		}
		blank.conn = made
	}
	return c.copyFrom(blank.conn)
}

// copyFrom makes the database of c a copy of another one, page by page
// (https://sqlite.org/c3ref/backup_finish.html). Both connections are in the caller's hands.
func (c *conn) copyFrom(source *conn) error {
	main, _, err := c.outArg("main")
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, main)
	backup := sqlite3.Xsqlite3_backup_init(c.tls, c.db, main, source.db, main)
	if backup == 0 {
		return c.failure(sqlite3.Xsqlite3_errcode(c.tls, c.db))
	}
	sqlite3.Xsqlite3_backup_step(c.tls, backup, -1) // all pages; finish repeats its error
	if rc := sqlite3.Xsqlite3_backup_finish(c.tls, backup); rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}
