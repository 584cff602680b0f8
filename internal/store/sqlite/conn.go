package sqlite

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// conn is one connection with its prepared statements. It is used by one goroutine at a time.
//
// It calls the C interface of SQLite (https://sqlite.org/c3ref/intro.html) and not the driver of
// database/sql, because that one asks for the name and the declared type of every column of every
// query, looks parameters up by name, and allocates for each: with the twenty columns of a
// verification this costs more than the statement.
type conn struct {
	tls   *libc.TLS
	db    uintptr // sqlite3 *
	stmts map[string]*stmt
}

// openFlags: the connection is in one goroutine's hands, so SQLite need not lock it.
const openFlags = sqlite3.SQLITE_OPEN_URI | sqlite3.SQLITE_OPEN_NOMUTEX

// busyTimeout is how long a statement waits for another process, in milliseconds.
const busyTimeout = 5000

// openConn opens a file: URI with the given flags besides openFlags, and runs the pragmas.
func openConn(uri string, flags int32, pragmas ...string) (_ *conn, err error) {
	c := &conn{tls: libc.NewTLS(), stmts: map[string]*stmt{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	name, out, err := c.outArg(uri)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, out, flags|openFlags, 0)
	c.db = *(*uintptr)(pointer(out))
	if rc != sqlite3.SQLITE_OK {
		return nil, c.failure(rc)
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, busyTimeout)
	// "text" in double quotes is a column and never a string; the schema cannot be edited as data.
	for op, on := range map[int32]int32{
		sqlite3.SQLITE_DBCONFIG_DQS_DML:   0,
		sqlite3.SQLITE_DBCONFIG_DQS_DDL:   0,
		sqlite3.SQLITE_DBCONFIG_DEFENSIVE: 1,
	} {
		if rc := sqlite3.Xsqlite3_db_config(c.tls, c.db, op, libc.VaList(out, on, uintptr(0))); rc != sqlite3.SQLITE_OK {
			return nil, c.failure(rc)
		}
	}
	for _, pragma := range pragmas {
		if err := c.run("PRAGMA " + pragma); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// outArg is a C string, and behind it in the same memory room for two results.
func (c *conn) outArg(text string) (str, out uintptr, err error) {
	offset := (len(text) + 8) &^ 7 // after the string's zero
	str = libc.Xcalloc(c.tls, 1, libc.Tsize_t(offset+16))
	if str == 0 {
		return 0, 0, errNoMemory
	}
	copy(memory(str, len(text)), text)
	return str, str + uintptr(offset), nil
}

// prepare compiles a statement, once: that costs as much as running it. ?N is bound by number in
// SQLite, $N would be a name.
func (c *conn) prepare(query string) (*stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	text, out, err := c.outArg(strings.ReplaceAll(query, "$", "?"))
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0)
	if rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("prepare %.60q: %w", query, c.failure(rc))
	}
	s := &stmt{c: c, handle: *(*uintptr)(pointer(out))}
	c.stmts[query] = s
	return s, nil
}

// QueryRow implements sqlstore.Conn.
func (c *conn) QueryRow(query string, args ...any) sqlstore.Row {
	s, err := c.prepare(query)
	if err != nil {
		return failed{err}
	}
	if err := s.bind(args); err != nil {
		return failed{err}
	}
	return (*oneRow)(s)
}

// Query implements sqlstore.Conn. The rows must be closed before the same statement runs again.
func (c *conn) Query(query string, args ...any) (sqlstore.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if err := s.bind(args); err != nil {
		return nil, err
	}
	s.err = nil
	return s, nil
}

func (c *conn) run(query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	if err := s.bind(args); err != nil {
		return err
	}
	for s.err = nil; s.Next(); {
	}
	s.reset()
	return s.err
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
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.handle) // repeats the error of the last step
		libc.Xfree(c.tls, s.memory)
	}
	var err error
	if rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db); rc != sqlite3.SQLITE_OK {
		err = c.failure(rc)
	}
	c.tls.Close()
	return err
}

// stmt is a prepared statement, and the rows of its last run.
type stmt struct {
	c      *conn
	handle uintptr // sqlite3_stmt *
	// memory holds the texts and blobs of the arguments where SQLite can see them. It is the
	// statement's own, so that they stay where they are until the next run.
	memory uintptr
	size   int
	err    error
	texts  []byte // of the row that is being read, one after the other
	ends   []int  // of each
}

// bind gives the statement its arguments: int64, int, string, []byte or nil.
func (s *stmt) bind(args []any) error {
	need := 8 // an empty text needs an address too
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			need += len(arg)
		case []byte:
			need += len(arg)
		}
	}
	tls := s.c.tls
	if need > s.size {
		libc.Xfree(tls, s.memory)
		s.memory, s.size = libc.Xmalloc(tls, libc.Tsize_t(2*need)), 2*need
		if s.memory == 0 {
			s.size = 0
			return errNoMemory
		}
	}
	const static = 0 // SQLITE_STATIC: SQLite need not copy it
	at := s.memory
	for i, arg := range args {
		var rc int32
		n := int32(i + 1)
		switch arg := arg.(type) {
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, arg)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, int64(arg))
		case string:
			copy(memory(at, len(arg)), arg)
			rc = sqlite3.Xsqlite3_bind_text(tls, s.handle, n, at, int32(len(arg)), static)
			at += uintptr(len(arg))
		case []byte:
			if arg == nil {
				rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
				break
			}
			copy(memory(at, len(arg)), arg)
			rc = sqlite3.Xsqlite3_bind_blob(tls, s.handle, n, at, int32(len(arg)), static)
			at += uintptr(len(arg))
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
		default:
			return fmt.Errorf("argument %d has the type %T", n, arg)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.c.failure(rc)
		}
	}
	return nil
}

// Next implements sqlstore.Rows.
func (s *stmt) Next() bool {
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.handle); rc {
	case sqlite3.SQLITE_ROW:
		return true
	case sqlite3.SQLITE_DONE:
	default:
		s.err = s.c.failure(rc)
	}
	return false
}

// Err implements sqlstore.Rows.
func (s *stmt) Err() error { return s.err }

// Close implements sqlstore.Rows.
func (s *stmt) Close() error {
	s.reset()
	return nil
}

// reset makes the statement ready for its next run. SQLite repeats the error of the last step,
// which is known already.
func (s *stmt) reset() { sqlite3.Xsqlite3_reset(s.c.tls, s.handle) }

// Scan implements sqlstore.Rows. NULL is a nil []byte, and the zero of every other type. The texts
// of a row share one piece of memory.
func (s *stmt) Scan(dest ...any) error {
	s.texts, s.ends = s.texts[:0], s.ends[:0]
	for i, d := range dest {
		column := int32(i)
		switch d := d.(type) {
		case *int64:
			*d = sqlite3.Xsqlite3_column_int64(s.c.tls, s.handle, column)
		case *int:
			*d = int(sqlite3.Xsqlite3_column_int64(s.c.tls, s.handle, column))
		case *[]byte:
			*d = nil
			if p := sqlite3.Xsqlite3_column_blob(s.c.tls, s.handle, column); p != 0 {
				*d = append([]byte{}, memory(p, s.length(column))...)
			}
		default:
			s.texts = append(s.texts, s.text(column)...)
			s.ends = append(s.ends, len(s.texts))
		}
	}
	texts, begin, n := string(s.texts), 0, 0
	for i, d := range dest {
		switch d := d.(type) {
		case *int64, *int, *[]byte:
			continue
		case *string:
			*d = texts[begin:s.ends[n]]
		default:
			// The texts of the domain have types of their own.
			v := reflect.ValueOf(d)
			if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.String {
				return fmt.Errorf("column %d cannot be read into a %T", i, d)
			}
			v.Elem().SetString(texts[begin:s.ends[n]])
		}
		begin, n = s.ends[n], n+1
	}
	return nil
}

func (s *stmt) text(column int32) []byte {
	p := sqlite3.Xsqlite3_column_text(s.c.tls, s.handle, column)
	if p == 0 {
		return nil
	}
	return memory(p, s.length(column))
}

func (s *stmt) length(column int32) int {
	return int(sqlite3.Xsqlite3_column_bytes(s.c.tls, s.handle, column))
}

// oneRow is a statement whose first row alone is wanted.
type oneRow stmt

// Scan implements sqlstore.Row.
func (r *oneRow) Scan(dest ...any) error {
	s := (*stmt)(r)
	defer s.reset()
	s.err = nil
	switch {
	case s.Next():
		return s.Scan(dest...)
	case s.err != nil:
		return s.err
	default:
		return verify.ErrNotFound
	}
}

// failed is the row of a statement that could not run.
type failed struct{ err error }

// Scan implements sqlstore.Row.
func (f failed) Scan(...any) error { return f.err }

// pointer makes an address that C gave out into a pointer. The memory is not Go's.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func memory(address uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(address)), n) }
