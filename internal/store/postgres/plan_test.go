//go:build full

package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// A new database has no statistics, and to its planner all indexes of an empty table are equally good. A
// connection keeps the plan that it made then: where it is by the wrong index, every look-up reads all that
// has come in since, until the first ANALYZE.
func TestANewDatabaseLooksRecordsUpByTheirKeys(t *testing.T) {
	db, err := postgres.OpenForCopy(t.Context(), server.DSN(migrated(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	key := strings.Repeat("1", 32)
	for column, look := range map[string]func(factor.Tx) error{
		"id": func(tx factor.Tx) error { _, err := tx.Verification(sid.Verification + key); return err },
		"recipient": func(tx factor.Tx) error {
			_, err := tx.CurrentVerification(sid.Service+key, "+34612345678")
			return err
		},
		"phone_number":   func(tx factor.Tx) error { _, err := tx.SafeNumber(sid.Account+key, "+34612345678"); return err },
		"identity_key":   func(tx factor.Tx) error { _, err := tx.Entity(sid.Service+key, key); return err },
		"credential":     func(tx factor.Tx) error { _, err := tx.FactorByCredential(sid.Service+key, key); return err },
		"credential_sid": func(tx factor.Tx) error { _, err := tx.FactorOfDevice(sid.Factor + key); return err },
		"factor_sid":     func(tx factor.Tx) error { _, err := tx.CountChallenges(sid.Factor+key, time.Now()); return err },
	} {

		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			if _, err := conn.ExecContext(t.Context(), `SET plan_cache_mode = `+mode); err != nil {
				t.Fatal(err)
			}
			spy := &spy{conn: conn}
			if err := look(sqlstore.NewPostgres(spy, nil)); !errors.Is(err, errSpied) {
				t.Fatal(err)
			}
			if _, condition, found := strings.Cut(spy.plan, "Index Cond: "); !found || !strings.Contains(strings.SplitN(condition, "\n", 2)[0], column+" = ") {
				t.Errorf("with %s, a record is not looked up by its %s:\n%s", mode, column, spy.plan)
			}
		}
	}
}
