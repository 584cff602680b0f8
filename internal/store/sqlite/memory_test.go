package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sqlite3 "modernc.org/sqlite/lib"
)

func openStore(ctx context.Context, t *testing.T, path string) error {
	s, err := Open(ctx, path, Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return err
}

// beside is another connection to a database that is open.
func beside(t *testing.T, uri string) *conn {
	t.Helper()
	c, err := openConn(uri, sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// schema is all that the migrations leave.
func schema(t *testing.T, c *conn) (lines []string) {
	t.Helper()
	for _, query := range []string{
		"SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name",
		"SELECT version_id || ' ' || is_applied FROM goose_db_version ORDER BY id",
		"SELECT 'page size ' || page_size FROM pragma_page_size",
		"SELECT 'integrity ' || integrity_check FROM pragma_integrity_check",
	} {
		rows, err := c.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

func TestADatabaseInMemoryHasTheSchemaOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verifyd.db")
	for _, path := range []string{file, "memory:" + t.Name()} {
		if err := openStore(t.Context(), t, path); err != nil {
			t.Fatal(err)
		}
	}
	want, got := schema(t, beside(t, "file:"+file)), schema(t, beside(t, "file:/"+t.Name()+"?vfs=memdb"))
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 20 {
		t.Errorf("%d lines:\n%s", len(got), diff)
	}
}

const (
	addAccount    = "INSERT INTO account (sid, name, token_hash, token_sealed, created_at) VALUES ($1, '', x'', x'', 0)"
	countAccounts = "SELECT count(*) FROM account"
)

// What is written to one database is in no other one, and not in those that are opened later.
func TestDatabasesInMemoryAreApart(t *testing.T) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprint(t.Name(), i)
			if err := openStore(t.Context(), t, "memory:"+name); err != nil {
				t.Error(err)
				return
			}
			c, n := beside(t, "file:/"+name+"?vfs=memdb"), 0
			err := c.QueryRow(countAccounts).Scan(&n)
			if err != nil || n != 0 {
				t.Errorf("%s has %d accounts, %v", name, n, err)
			}
			if err := c.run(addAccount, "AC1"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestADatabaseInMemoryThatIsOpenKeepsItsRecords(t *testing.T) {
	if err := openStore(t.Context(), t, "memory:"+t.Name()); err != nil {
		t.Fatal(err)
	}
	c, n := beside(t, "file:/"+t.Name()+"?vfs=memdb"), 0
	mustRun(t, c, addAccount, "AC1")
	if err := openStore(t.Context(), t, "memory:"+t.Name()); err != nil {
		t.Fatal(err)
	}
	if err := c.QueryRow(countAccounts).Scan(&n); err != nil || n != 1 {
		t.Errorf("there are %d accounts, %v", n, err)
	}
}

func TestAFirstOpenThatIsBrokenOffDoesNotSpoilTheNext(t *testing.T) {
	blank.Lock()
	if blank.conn != nil {
		if err := blank.conn.close(); err != nil {
			t.Error(err)
		}
		blank.conn = nil
	}
	blank.Unlock()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openStore(gone, t, "memory:"+t.Name()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := openStore(t.Context(), t, "memory:"+t.Name()); err != nil {
		t.Error(err)
	}
}
