//go:build full

package postgres_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/verify"
)

const month = 30 * 24 * time.Hour

// migrated is a database whose partitions no other test has made.
func migrated(t *testing.T) (database string) {
	t.Helper()
	database = server.Empty(t)
	if _, _, err := postgres.Migrate(t.Context(), server.DSN(database)); err != nil {
		t.Fatal(err)
	}
	return database
}

// partitions are the days that have one, in order.
func partitions(t *testing.T, database string) (days []string) {
	t.Helper()
	out, err := server.SQL(database, `SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'attempt'::regclass ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(out) {
		if day := strings.TrimPrefix(name, "attempt_"); day != "default" {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days
}

// from are the names of n days.
func from(first time.Time, n int) (days []string) {
	for i := range n {
		days = append(days, first.AddDate(0, 0, i).Format("20060102"))
	}
	return days
}

func addAttempt(t *testing.T, s *postgres.Store, at time.Time) (attemptSID string) {
	t.Helper()
	attemptSID, err := sid.New(sid.Attempt, at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddAttempt(&verify.Attempt{SID: attemptSID, CreatedAt: at, UpdatedAt: at})
		return nil
	}); err != nil {
		t.Fatalf("add an attempt of %s: %v", at, err)
	}
	return attemptSID
}

// where is the table that has an attempt.
func where(t *testing.T, database, attemptSID string) string {
	t.Helper()
	out, err := server.SQL(database, `SELECT tableoid::regclass FROM attempt WHERE sid = '`+attemptSID+`'`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustDrop(t *testing.T, s *postgres.Store, now time.Time) {
	t.Helper()
	if err := s.DropBefore(t.Context(), now, now.Add(-month)); err != nil {
		t.Fatal(err)
	}
}

func TestDaysAreMadeAheadAndDroppedWhole(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	now := s.Now()
	if diff := cmp.Diff(from(now, 8), partitions(t, database)); diff != "" {
		t.Errorf("after migrate:\n%s", diff)
	}
	if got, want := where(t, database, addAttempt(t, s, now)), "attempt_"+now.Format("20060102"); got != want {
		t.Errorf("an attempt of today is in %s, want %s", got, want)
	}
	for range 40 {
		now = now.AddDate(0, 0, 1)
		mustDrop(t, s, now)
		attempt := addAttempt(t, s, now)
		if got, want := where(t, database, attempt), "attempt_"+now.Format("20060102"); got != want {
			t.Errorf("an attempt of %s is in %s", now, got)
		}
	}
	if diff := cmp.Diff(from(now.Add(-month), 30+8), partitions(t, database)); diff != "" {
		t.Errorf("after forty days:\n%s", diff)
	}
	if out, err := server.SQL(database, `SELECT count(*) FROM attempt`); out != "31" {
		t.Errorf("%s attempts are there, want those of 31 days: %v", out, err)
	}
}

// No node was running for weeks, and the first attempts came before its partitions.
func TestAnAttemptWithoutItsDayIsKeptAllTheSame(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	now := s.Now().AddDate(0, 0, 50)
	first := addAttempt(t, s, now)
	mustDrop(t, s, now)
	second := addAttempt(t, s, now.Add(time.Second))
	third := addAttempt(t, s, now.AddDate(0, 0, 1))
	for attempt, want := range map[string]string{first: "attempt_default", second: "attempt_default", third: "attempt_" + now.AddDate(0, 0, 1).Format("20060102")} {
		if got := where(t, database, attempt); got != want {
			t.Errorf("an attempt is in %s, want %s", got, want)
		}
		if err := s.Update(t.Context(), func(tx verify.Tx) error {
			a, err := tx.Attempt(attempt)
			if err == nil {
				a.State = verify.AttemptSent
				tx.PutAttempt(a)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	mustDrop(t, s, now.Add(month+2*time.Second))
	if out, err := server.SQL(database, `SELECT sid FROM attempt`); out != third {
		t.Errorf("when the first two were old, %s was there, want %s: %v", out, third, err)
	}
}

func TestAPartitionThatIsGoneStopsNobody(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	now := s.Now()
	gone := addAttempt(t, s, now)
	drop := func() {
		if _, err := server.SQL(database, `DROP TABLE attempt_`+now.Format("20060102")); err != nil {
			t.Fatal(err)
		}
	}
	drop()
	if got := where(t, database, addAttempt(t, s, now)); got != "attempt_default" {
		t.Errorf("the attempt is in %q", got)
	}
	if _, err := server.SQL(database, `DELETE FROM attempt`); err != nil {
		t.Fatal(err)
	}
	mustDrop(t, s, now)
	if got := where(t, database, addAttempt(t, s, now)); got != "attempt_"+now.Format("20060102") {
		t.Errorf("when the partition was made anew, the attempt is in %q", got)
	}
	drop()
	if err := s.View(t.Context(), func(tx verify.Tx) error {
		_, err := tx.Attempt(gone)
		return err
	}); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a View of what is gone: %v, want ErrNotFound", err)
	}
}

// A dump of the database reads the table for hours.
func TestALongReaderPutsOffADropAndNothingElse(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	now := s.Now()
	db, err := postgres.OpenForCopy(t.Context(), server.DSN(database), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dump, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dump.ExecContext(t.Context(), `SELECT count(*) FROM attempt`); err != nil {
		t.Fatal(err)
	}
	later := now.Add(month).AddDate(0, 0, 2)
	if err := s.DropBefore(t.Context(), later, later.Add(-month)); !errors.Is(err, verify.ErrUnavailable) || !strings.Contains(err.Error(), "drop partition") {
		t.Errorf("drop during a dump: %v, want one that is put off", err)
	}
	addAttempt(t, s, now)
	addAttempt(t, s, later)
	if err := dump.Rollback(); err != nil {
		t.Fatal(err)
	}
	mustDrop(t, s, later)
	if got, want := partitions(t, database)[0], later.Add(-month).Format("20060102"); got < want {
		t.Errorf("the first partition is %s, want none before %s", got, want)
	}
}

func TestANodeThatMayNotChangeTheSchemaKeepsAttemptsAllTheSame(t *testing.T) {
	database := migrated(t)
	role := "guest_of_" + database
	if _, err := server.SQL(database, `CREATE ROLE `+role+` LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO `+role); err != nil {
		t.Fatal(err)
	}
	owner := open(t, server.DSN(database))
	now := owner.Now().AddDate(0, 0, 20)
	mustDrop(t, owner, now) // makes partitions of which the guest has no right
	s := open(t, strings.Replace(server.DSN(database), "postgres@", role+"@", 1))
	for _, at := range []time.Time{owner.Now(), now, now.AddDate(0, 0, 20)} {
		addAttempt(t, s, at)
		if err := s.DropBefore(t.Context(), at, at.Add(-month)); err == nil && at.After(now) {
			t.Error("a node that cannot make partitions does not say so")
		}
		addAttempt(t, s, at.Add(time.Second))
	}
	// What is in no partition goes by chunks.
	later := now.AddDate(0, 0, 51)
	_ = s.DropBefore(t.Context(), later, later.Add(-month)) // says the same again
	if out, err := server.SQL(database, `SELECT count(*) FROM attempt_default`); out != "0" {
		t.Errorf("%s old attempts are in the default partition: %v", out, err)
	}
}

func TestNodesMakeAndDropDaysAtOnce(t *testing.T) {
	database := migrated(t)
	bouncer := startBouncer(t)
	var stores []*postgres.Store
	for i := range 4 {
		dsn := server.DSN(database)
		if i%2 == 1 {
			dsn = strings.Replace(dsn, server.Address(), bouncer, 1)
		}
		stores = append(stores, open(t, dsn))
	}
	now := stores[0].Now()
	for range 12 {
		now = now.AddDate(0, 0, 5)
		var all sync.WaitGroup
		for i, s := range stores {
			all.Go(func() {
				if err := s.DropBefore(t.Context(), now, now.Add(-month)); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			})
			all.Go(func() {
				for k := range 5 {
					addAttempt(t, s, now.Add(time.Duration(5*i+k)*time.Millisecond))
				}
			})
		}
		all.Wait()
	}
	// Where attempts of a day came before its partition, the day has none.
	days := partitions(t, database)
	if want := from(now.Add(-month), 1)[0]; len(days) < 8 || days[0] < want || days[len(days)-1] != now.AddDate(0, 0, 7).Format("20060102") {
		t.Errorf("partitions afterwards: %v, want none before %s, and seven days ahead", days, want)
	}
	if out, err := server.SQL(database, `SELECT count(*) FROM attempt`); out != fmt.Sprint(7*20) {
		t.Errorf("%s attempts are left, want those of 7 fifth days, 140: %v", out, err)
	}
}
