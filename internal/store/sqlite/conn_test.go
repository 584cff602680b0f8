package sqlite

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/verifyd/verifyd/internal/verify"
)

func openMemory(t *testing.T) *conn {
	t.Helper()
	c, err := openConn("file:/"+t.Name()+"?vfs=memdb", sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	mustRun(t, c, `CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, bytes BLOB) STRICT`)
	return c
}

func mustRun(t *testing.T, c *conn, query string, args ...any) {
	t.Helper()
	if err := c.run(query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	c := openMemory(t)
	long := strings.Repeat("ñ€😀\x00", 5000) // longer than the arguments before it, and with a zero in it
	for i, v := range []struct {
		word  string
		bytes []byte
	}{
		{"", []byte{}}, {"word", nil}, {"", nil}, {long, []byte(long)}, {"short again", []byte{0}}, {"", []byte{}},
	} {
		mustRun(t, c, `INSERT INTO t (id, word, bytes) VALUES ($1, $2, $3)`, i, v.word, v.bytes)
		var id int
		var big int64
		var word string
		var status verify.Status
		var got []byte
		if err := c.QueryRow(`SELECT id, id, word, word, bytes FROM t WHERE id = $1`, int64(i)).Scan(&id, &big, &word, &status, &got); err != nil {
			t.Fatal(err)
		}
		if id != i || big != int64(i) || word != v.word || string(status) != v.word {
			t.Errorf("row %d: got %d, %d, %.20q, %.20q, want %.20q", i, id, big, word, status, v.word)
		}
		if !bytes.Equal(got, v.bytes) {
			t.Errorf("row %d: got the bytes %.20q, want %.20q", i, got, v.bytes)
		}
	}
}

func TestParametersAreBoundByNumber(t *testing.T) {
	c := openMemory(t)
	mustRun(t, c, `INSERT INTO t (bytes, word, id) VALUES ($3, $2, $1)`, 7, "two", []byte("three"))
	rows, err := c.Query(`SELECT id FROM t WHERE id = $2 AND word = $1 AND $2 = 7`, "two", 7)
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Next() || rows.Err() != nil || rows.Close() != nil {
		t.Errorf("want one row: %v", rows.Err())
	}
}

func TestWhatCannotBe(t *testing.T) {
	c := openMemory(t)
	mustRun(t, c, `INSERT INTO t (id) VALUES (1)`)
	if err := c.run(`INSERT INTO t (id) VALUES (1)`); !errors.Is(kind(err), verify.ErrExists) {
		t.Errorf("a key that is taken: %v", err)
	}
	mustRun(t, c, `INSERT INTO t (id) VALUES (2)`) // the statement that failed can run again
	var n int
	if err := c.QueryRow(`SELECT id FROM t WHERE id = 3`).Scan(&n); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a row that is not there: %v", err)
	}
	var wrong chan int
	for name, err := range map[string]error{
		"a statement that is none":            c.run(`SELEKT 1`),
		"an argument of a strange type":       c.run(`INSERT INTO t (id) VALUES ($1)`, 1.5),
		"too many arguments":                  c.run(`INSERT INTO t (id) VALUES ($1)`, 4, 5),
		"a text for a number, table STRICT":   c.run(`INSERT INTO t (id, bytes) VALUES ($1, $2)`, 5, "text"),
		"a destination of a strange type":     c.QueryRow(`SELECT id FROM t WHERE id = 1`).Scan(&wrong),
		"a text in the wrong quotes":          c.run(`SELECT "no column" FROM t`),
		"a file that is not there, read only": openMissing(),
	} {
		if err == nil || errors.Is(err, verify.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func openMissing() error {
	c, err := openConn("file:/nowhere/at/all.db", sqlite3.SQLITE_OPEN_READONLY)
	if err == nil {
		err = c.close()
	}
	return err
}
