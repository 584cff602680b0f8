//go:build full

package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// Among many attempts, those to one address are found by the index, whatever the planner is told of
// the statement's parameters.
func TestAttemptsToAnAddressAreLookedUp(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database))
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if _, err := server.SQL(database, `INSERT INTO attempt (id, sid, verification_sid, service_sid, account_sid, channel, to_address, country,
			code_length, created_at, updated_at, locale, brand, options, state, route, provider, provider_id, error_code, error_class, hand_overs)
		SELECT (1000 + n::bigint) * 4096 * 60000000, 'VL' || lpad(n::text, 32, '0'), '', '', 'AC', 'sms', '+34' || n, 'ES', 6, 0, 0, '', '', '', 'sent', 0, '', '', '', '', 1
		FROM generate_series(1, 100000) AS n;
		ANALYZE attempt; SELECT pg_stat_reset()`); err != nil {
		t.Fatal(err)
	}
	f := verify.AttemptFilter{AccountSID: "AC", To: "+34777", Prefix: "+3477777", From: 0, Before: sid.KeyAt(now)}
	for range 10 { // after five runs PostgreSQL may plan for all parameters at once
		err := s.View(t.Context(), func(tx verify.Tx) error {
			list, err := tx.AttemptsTo(f, 10)
			if err != nil || len(list) != 1 {
				t.Errorf("%d attempts to %s, %v, want 1", len(list), f.To, err)
			}
			n, err := tx.CountAttemptsTo(f)
			if err != nil || n.Made != 1 {
				t.Errorf("%+v, %v to numbers that begin with %s, want 1", n, err, f.Prefix)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // the statistics come with the end of the connection
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for used := "0"; used == "0"; <-tick.C {
		text, err := server.SQL(database, `SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'attempt_to'`)
		if err != nil || t.Context().Err() != nil {
			t.Fatalf("the index is not used: %v", err)
		}
		used = strings.TrimSpace(text)
	}
	passed, err := server.SQL(database, `SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'attempt'`)
	if err != nil || strings.TrimSpace(passed) != "0" {
		t.Errorf("the whole table was read %s times, %v", strings.TrimSpace(passed), err)
	}
}
