package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// conn is one connection with its prepared statements: preparing a statement costs as much as
// running it. It is used by one goroutine at a time.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

// Statements run under this context: a deadline on each would start a watcher each time. The
// deadlines of callers are kept before their turn comes.
var background = context.Background()

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}}, nil
}

func (c *conn) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := c.stmts[query]; ok {
		return stmt, nil
	}
	// ?N is bound by number by every driver, $N by this one alone.
	stmt, err := c.c.PrepareContext(background, strings.ReplaceAll(query, "$", "?"))
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	c.stmts[query] = stmt
	return stmt, nil
}

// QueryRow implements sqlstore.Conn.
func (c *conn) QueryRow(query string, args ...any) sqlstore.Row {
	stmt, err := c.prepare(query)
	if err != nil {
		return row{err: err}
	}
	return row{r: stmt.QueryRowContext(background, args...)}
}

// Query implements sqlstore.Conn.
func (c *conn) Query(query string, args ...any) (sqlstore.Rows, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(background, args...)
}

func (c *conn) run(query string, args ...any) error {
	stmt, err := c.prepare(query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(background, args...)
	return err
}

func (c *conn) exec(writes []sqlstore.Write) error {
	for _, w := range writes {
		if err := c.run(w.Query, w.Args...); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) close() error {
	var errs []error
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

type row struct {
	r   *sql.Row
	err error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.r.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return verify.ErrNotFound
	}
	return err
}

// The result codes that decide something (https://sqlite.org/rescode.html). The lower byte is the
// primary code.
const (
	codeBusy       = 5
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codePrimaryKey = 1555
	codeUnique     = 2067
)

// kind sorts an error of SQLite's into those of the store's contract.
func kind(err error) error {
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch code := failure.Code(); {
	case code == codeUnique || code == codePrimaryKey:
		return fmt.Errorf("%w: %w", verify.ErrExists, err)
	case code&0xff == codeBusy || code&0xff == codeFull:
		return fmt.Errorf("%w: %w", verify.ErrUnavailable, err)
	default:
		return err
	}
}

// fatal reports whether the disk itself failed.
func fatal(err error) bool {
	failure, ok := errors.AsType[*sqlite.Error](err)
	return ok && (failure.Code()&0xff == codeIOErr || failure.Code()&0xff == codeCorrupt)
}
