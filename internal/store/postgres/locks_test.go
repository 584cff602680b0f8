//go:build full

package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/verify"
)

// Results of deliveries, reports and approvals write the same attempts at the same time. Each is run
// again after a deadlock, so nobody would notice but for the second that PostgreSQL takes to see it.
func TestWritersOfAttemptsNeverLockEachOtherOut(t *testing.T) {
	const attempts, callers, rounds = 40, 24, 60
	database := server.Database(t)
	var stores []*postgres.Store
	for range 2 {
		s, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{Writers: 2})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	now := stores[0].Now()
	var made []*verify.Attempt
	for i := range attempts {
		key := fmt.Sprintf("%016x%016x", sid.KeyAt(now.Add(-time.Duration(i)*time.Millisecond)), i)
		a := &verify.Attempt{SID: "VL" + key, VerificationSID: "VE" + key, Channel: verify.SMS, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour)}
		v := &verify.Verification{SID: "VE" + key, ServiceSID: "VA" + strings.Repeat("0", 32), Recipient: key, To: key, Status: verify.Pending,
			CodeMAC: make([]byte, 33), CodeSealed: make([]byte, 33), CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour), Current: true}
		v.Send(verify.SMS, a.SID, now)
		made = append(made, a)
		if err := stores[0].Update(t.Context(), func(tx verify.Tx) error {
			tx.AddVerification(v)
			tx.AddAttempt(a)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	result := func(tx verify.Tx, a verify.Attempt) error {
		tx.PutAttempt(&a)
		return nil
	}
	report := func(tx verify.Tx, a verify.Attempt) error {
		stored, err := tx.Attempt(a.SID)
		if err == nil {
			tx.PutAttempt(stored)
		}
		return err
	}
	approval := func(tx verify.Tx, a verify.Attempt) error {
		v, err := tx.Verification(a.VerificationSID)
		if err == nil {
			tx.PutVerification(v)
			tx.ConvertAttempt(a.SID, now)
		}
		return err
	}
	kinds := []func(verify.Tx, verify.Attempt) error{result, report, approval}
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			order := rand.New(rand.NewPCG(1, uint64(i)))
			for range rounds {
				a, do := *made[order.IntN(attempts)], kinds[order.IntN(len(kinds))]
				if err := stores[i%len(stores)].Update(t.Context(), func(tx verify.Tx) error { return do(tx, a) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, s := range stores { // a backend reports what it counted when it ends
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	deadlocks, err := server.SQL("postgres", fmt.Sprintf(`DO $$ BEGIN
			WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = '%[1]s') LOOP
				PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
			END LOOP;
		END $$;
		SELECT deadlocks FROM pg_stat_database WHERE datname = '%[1]s'`, database))
	if err != nil || deadlocks != "0" {
		t.Errorf("%q deadlocks (%v), want none", deadlocks, err)
	}
}
