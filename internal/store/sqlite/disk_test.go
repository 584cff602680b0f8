package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// A full disk refuses what it cannot keep, and says so; nothing is half done, reads go on, and
// when there is room again so do writes. SQLite's limit on pages fails exactly like ENOSPC does.
func TestAFullDisk(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "verifyd.db"), Options{Server: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages int) {
		t.Helper()
		if err := s.update(t.Context(), func(*sqlstore.Tx) error {
			return s.writer.run(fmt.Sprintf("PRAGMA max_page_count(%d)", pages))
		}); err != nil {
			t.Fatal(err)
		}
	}
	add := func(i int) error {
		return s.Update(t.Context(), func(tx verify.Tx) error {
			tx.PutAccount(&verify.Account{SID: fmt.Sprintf("AC%032d", i), Name: strings.Repeat("x", 1000), TokenHash: []byte("x"), TokenSealed: []byte("x")})
			return nil
		})
	}
	count := func() int {
		t.Helper()
		var n int
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			accounts, err := tx.Accounts()
			n = len(accounts)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}

	limit(1) // SQLite makes that the pages there are
	kept, err := 0, error(nil)
	for ; kept < 100 && err == nil; kept++ {
		err = add(kept)
	}
	kept--
	if !errors.Is(err, verify.ErrUnavailable) || !strings.Contains(err.Error(), "full") {
		t.Fatalf("a full disk: %v after %d accounts, want ErrUnavailable", err, kept)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Logf("a ping needs room too: %v", err)
	}
	if got := count(); got != kept {
		t.Errorf("%d accounts are there, %d were kept", got, kept)
	}
	select {
	case <-s.Failed():
		t.Error("a full disk was taken for a broken one")
	default:
	}
	limit(1 << 20)
	if err := add(1000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if got := count(); got != kept+1 {
		t.Errorf("%d accounts are there, want %d", got, kept+1)
	}
}
