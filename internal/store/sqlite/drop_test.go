package sqlite_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// monthOfStarts fills a file with what thirty days of starts leave.
func monthOfStarts(t *testing.T, s *sqlite.Store, from time.Time) {
	t.Helper()
	for d := range 30 {
		if err := s.Update(t.Context(), func(tx verify.Tx) error {
			for i := range 100 {
				at := from.AddDate(0, 0, d).Add(time.Duration(i) * time.Minute)
				mint := func(prefix string) string {
					text, err := sid.New(prefix, at, rand.Reader)
					if err != nil {
						t.Fatal(err)
					}
					return text
				}
				v := &verify.Verification{SID: mint(sid.Verification), Status: verify.Expired, CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(time.Hour),
					Amount: "€ 39.99", Payee: "Acme"}
				a := &verify.Attempt{SID: mint(sid.Attempt), VerificationSID: v.SID, State: verify.AttemptSent, CreatedAt: at, UpdatedAt: at}
				v.Send(verify.SMS, a.SID, at)
				tx.AddVerification(v)
				tx.AddAttempt(a)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// pages asks the file of a store that is closed.
func pages(t *testing.T, path string) (all, free, rows int) {
	t.Helper()
	db, release, err := sqlite.OpenForCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	for query, into := range map[string]*int{
		`PRAGMA page_count`:     &all,
		`PRAGMA freelist_count`: &free,
		`SELECT (SELECT count(*) FROM verification) + (SELECT count(*) FROM attempt)`: &rows,
	} {
		if err := db.QueryRowContext(t.Context(), query).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	return all, free, rows
}

func TestTheFileStaysAsLargeAsAMonth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	empty, _, _ := pages(t, path)
	var first int
	for cycle := range 4 {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		monthOfStarts(t, s, now)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		full, _, rows := pages(t, path)
		if rows != 2*3000 {
			t.Errorf("cycle %d: a month has %d rows, want 6000: what is old was not dropped", cycle, rows)
		}
		if cycle == 0 {
			first = full
		}
		// Random keys do not split pages alike, so a page or two may be more.
		if full > first+first/50 {
			t.Errorf("cycle %d: the file has %d pages, and had %d when it first held a month", cycle, full, first)
		}
		now = now.AddDate(0, 0, 70)
		if s, err = sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		if err := s.DropBefore(t.Context(), now, now.AddDate(0, 0, -30)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if all, free, rows := pages(t, path); rows != 0 || all-free > empty {
			t.Errorf("cycle %d: after the drop %d rows are left, and %d of %d pages are in use: an empty file has %d",
				cycle, rows, all-free, all, empty)
		}
	}
}
