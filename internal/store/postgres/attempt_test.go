//go:build full

package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// Every partition, whenever it was made, has the columns, the defaults and the indexes of the table
// above: an earlier release names a partition and leaves columns out that came later.
func TestADayMadeLaterIsLikeTheOthers(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	later := s.Now().AddDate(0, 0, 20)
	mustDrop(t, s, later)
	shape := func(table string) string {
		t.Helper()
		out, err := server.SQL(database, `SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attcollation
				|| ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
			FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			WHERE attrelid = '`+table+`'::regclass AND attnum > 0 AND NOT attisdropped
			UNION ALL SELECT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') || indisunique || indisvalid FROM pg_index WHERE indrelid = '`+table+`'::regclass
			ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := shape("attempt")
	if strings.Count(want, "btree") != 3 || !strings.Contains(want, "converted smallint true") {
		t.Fatalf("the table of attempts is not what it was when this test was written:\n%s", want)
	}
	tables := []string{"attempt_default"}
	for _, day := range partitions(t, database) {
		tables = append(tables, "attempt_"+day)
	}
	for _, table := range tables {
		if diff := cmp.Diff(want, shape(table)); diff != "" {
			t.Errorf("%s is not like the table above:\n%s", table, diff)
		}
	}
}

// spy is a connection that asks for the plan of the statements that a function has, and what it
// looked at, in place of their answers.
type spy struct {
	conn *sql.Conn
	plan string
}

var errSpied = errors.New("there is no answer, only a plan")

func (s *spy) explain(query string, args []any) error {
	var literals []string
	for _, a := range args {
		literals = append(literals, fmt.Sprintf("'%v'", a))
	}
	if _, err := s.conn.ExecContext(context.Background(), `PREPARE spied AS `+query); err != nil {
		return err
	}
	rows, err := s.conn.QueryContext(context.Background(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE spied (`+strings.Join(literals, ", ")+`)`)
	if err != nil {
		return err
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		s.plan += line + "\n"
	}
	err = errors.Join(rows.Err(), rows.Close(), errSpied)
	_, failed := s.conn.ExecContext(context.Background(), `DEALLOCATE spied`)
	return errors.Join(err, failed)
}

func (s *spy) Query(query string, args ...any) (sqlstore.Rows, error) {
	return nil, s.explain(query, args)
}

func (s *spy) QueryRow(query string, args ...any) sqlstore.Row {
	return spied{s.explain(query, args)}
}

type spied struct{ err error }

func (s spied) Scan(...any) error { return s.err }

// scanned finds the partitions in a plan that were looked at, and whether by an index.
var scanned = regexp.MustCompile(`->  (Index|Index Only|Seq|Bitmap Heap) Scan.* on (attempt_\w+).* \(actual `)

// Lists and counts look at the partitions of their dates alone, and an address or the beginning of a
// number is looked up by an index, in counters too. That holds for a plan for some parameters and for one for all,
// which PostgreSQL may choose after five runs.
func TestAttemptsAreLookedUpInTheirDays(t *testing.T) {
	database := migrated(t)
	s := open(t, server.DSN(database))
	const days, perDay = 31, 2000
	midnight := func(day int) time.Time { return s.Now().Truncate(24*time.Hour).AddDate(0, 0, day+1-days) }
	for d := range days {
		mustDrop(t, s, midnight(d))
	}
	if _, err := server.SQL(database, fmt.Sprintf(`INSERT INTO attempt (id, sid, verification_sid, service_sid, account_sid, channel, to_address, country,
			code_length, created_at, updated_at, locale, brand, options, state, route, provider, provider_id, error_code, error_class, hand_overs)
		SELECT %[1]d + n * %[2]d::bigint, n::text, '', '', 'AC', 'sms', '+34' || n, 'ES', 6, 0, 0, '', '', '', 'sent', 0, '', '', '', '', 1
		FROM generate_series(0, %[3]d) AS n;
		INSERT INTO attempt_count (key, number, prefix, service_sid, channel, country, made, converted)
		SELECT 'AC/' || span || '/' || lpad((%[4]d + d)::text, 10, '0') || '/+' || n, %[4]d + d, '+' || n, 'VA' || n %% 2, 'sms', 'C' || n %% 20, 1, 0
		FROM generate_series(0, 30) AS d, generate_series(1000, 1300) AS n, (VALUES ('h'), ('d'), ('p')) AS spans (span);
		ANALYZE attempt; ANALYZE attempt_count`, sid.KeyAt(midnight(0)), sid.KeysPerDay/perDay, days*perDay-1, sid.DayOf(midnight(0)))); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.OpenForCopy(t.Context(), server.DSN(database), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := verify.AttemptFilter{AccountSID: "AC", To: fmt.Sprint("+34", 12*perDay+7), Prefix: "+342400", From: sid.KeyAt(midnight(11)), Before: sid.KeyAt(midnight(13).Add(3 * time.Hour))}
	day := int64(sid.DayOf(midnight(11)))
	want := map[string]bool{"attempt_count": true}
	for d := 11; d <= 13; d++ {
		want["attempt_"+midnight(d).Format("20060102")] = true
	}
	for name, ask := range map[string]func(verify.Tx) error{
		"the list":                  func(tx verify.Tx) error { _, err := tx.Attempts(f, 10_000); return err },
		"the number":                func(tx verify.Tx) error { _, err := tx.CountAttempts(f); return err },
		"the carriers":              func(tx verify.Tx) error { _, err := tx.CarriedAttempts(f.From, f.Before, 10_000); return err },
		"the first of the carriers": func(tx verify.Tx) error { _, err := tx.CarriedAttempts(f.From, f.Before, 1); return err },
		"a step":                    func(tx verify.Tx) error { _, err := tx.AttemptStep(f.From, f.Before, 10_000); return err },
		"the list of an address":    func(tx verify.Tx) error { _, err := tx.AttemptsTo(f, 10); return err },
		"the number of a prefix":    func(tx verify.Tx) error { _, err := tx.CountAttemptsTo(f); return err },
		"the attempt of a report":   func(tx verify.Tx) error { _, err := tx.ReportedAttempt("a/1", f.From, f.Before); return err },
		"the counters of a prefix": func(tx verify.Tx) error {
			_, err := tx.SumCounts(verify.AttemptFilter{AccountSID: "AC", Prefix: "+1234"}, verify.PrefixDays, day, day+10)
			return err
		},
		"the first of the list": func(tx verify.Tx) error { _, err := tx.Attempts(f, 1); return err },
		"a short step":          func(tx verify.Tx) error { _, err := tx.AttemptStep(f.From, f.Before, 10); return err },
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			if _, err := conn.ExecContext(t.Context(), `SET plan_cache_mode = `+mode); err != nil {
				t.Fatal(err)
			}
			spy := &spy{conn: conn}
			if err := ask(sqlstore.NewPostgres(spy, nil)); !errors.Is(err, errSpied) {
				t.Fatal(err)
			}
			found := scanned.FindAllStringSubmatch(spy.plan, -1)
			for _, scan := range found {
				if how, table := scan[1], scan[2]; table != "attempt_default" && (!want[table] || how == "Seq" && strings.Contains(name, "of a")) {
					t.Errorf("%s, with %s, looks at %s:\n%s", name, mode, table, spy.plan)
					break
				}
			}
			if len(found) == 0 {
				t.Errorf("%s, with %s, looks at nothing:\n%s", name, mode, spy.plan)
			}
		}
	}
}
