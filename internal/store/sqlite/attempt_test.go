package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// spy is a connection that asks for the plan of a statement, in place of its answer.
type spy struct {
	db   *sql.DB
	plan string
}

var errSpied = errors.New("there is no answer, only a plan")

func (s *spy) explain(query string, args []any) error {
	rows, err := s.db.Query(`EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return err
		}
		s.plan += step + "\n"
	}
	return errors.Join(rows.Err(), rows.Close(), errSpied)
}

func (s *spy) Query(query string, args ...any) (sqlstore.Rows, error) {
	return nil, s.explain(query, args)
}

func (s *spy) QueryRow(query string, args ...any) sqlstore.Row { return spied{s.explain(query, args)} }

type spied struct{ err error }

func (s spied) Scan(...any) error { return s.err }

// An address, or the beginning of a number, is looked up by its index in each stretch; everything else
// about attempts is a walk along the key.
func TestAttemptsAreLookedUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	if err := open(t, path, true).Close(); err != nil {
		t.Fatal(err)
	}
	db, release, err := sqlite.OpenForCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	}()
	const byKey = "SEARCH attempt USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
	f := verify.AttemptFilter{AccountSID: "AC", To: "+34612345678", Prefix: "+34612", From: 0, Before: 1 << 60}
	for name, c := range map[string]struct {
		ask  func(verify.Tx) error
		want string
	}{
		"the list":                {func(tx verify.Tx) error { _, err := tx.Attempts(f, 10); return err }, byKey},
		"the number":              {func(tx verify.Tx) error { _, err := tx.CountAttempts(f); return err }, byKey},
		"the carriers":            {func(tx verify.Tx) error { _, err := tx.CarriedAttempts(f.From, f.Before, 10); return err }, byKey},
		"a step":                  {func(tx verify.Tx) error { _, err := tx.AttemptStep(f.From, f.Before, 10); return err }, byKey},
		"the list of an address":  {func(tx verify.Tx) error { _, err := tx.AttemptsTo(f, 10); return err }, "SEARCH attempt USING INDEX attempt_to (<expr>=? AND to_address=?)"},
		"the attempt of a report": {func(tx verify.Tx) error { _, err := tx.ReportedAttempt("a/1", f.From, f.Before); return err }, "SEARCH attempt USING INDEX attempt_reported (<expr>=? AND report_key=?)"},
		"the number of a prefix":  {func(tx verify.Tx) error { _, err := tx.CountAttemptsTo(f); return err }, "SEARCH attempt USING INDEX attempt_to (<expr>=? AND to_address>? AND to_address<?)"},
	} {
		spy := &spy{db: db}
		if err := c.ask(sqlstore.New(spy)); !errors.Is(err, errSpied) {
			t.Fatal(err)
		}
		if !strings.Contains(spy.plan, c.want+"\n") {
			t.Errorf("the plan of %s:\n%swant it to have %s", name, spy.plan, c.want)
		}
	}
}
