//go:build full

package postgres_test

import (
	crypto "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
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
		v, a := pending(now, i)
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
	fallback := func(tx verify.Tx, a verify.Attempt) error {
		v, err := tx.Verification(a.VerificationSID)
		var stored *verify.Attempt
		if err == nil {
			stored, err = tx.Attempt(a.SID)
		}
		if err == nil {
			tx.PutVerification(v)
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
	kinds := []func(verify.Tx, verify.Attempt) error{result, report, fallback, approval}
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
	wantNoDeadlocks(t, database, stores)
}

// What the engine does about a verification and its attempts at the same time, on two nodes: codes come
// back, messages did not arrive, codes go on by another channel, people ask once more, time is up.
func TestOperationsNeverLockEachOtherOut(t *testing.T) {
	const people, rounds = 60, 4
	database := server.Database(t)
	var late atomic.Int64 // how far the clocks are put on
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	var stores []*postgres.Store
	var engines []*verify.Engine
	for range 2 {
		s, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{Writers: 2})
		if err != nil {
			t.Fatal(err)
		}
		e := verify.NewEngine(s, keys, func() time.Time { return s.Now().Add(time.Duration(late.Load())) }, crypto.Reader, func(verify.Channel) bool { return true })
		e.Limits = verify.BuiltIn()
		if e.Announced, err = verify.Subscribe(verify.UsualEvents()); err != nil {
			t.Fatal(err)
		}
		stores, engines = append(stores, s), append(engines, e)
	}
	fallback, name, tell := "sms,call", "Acme", true
	account, _, err := engines[0].CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	service, err := engines[0].CreateService(t.Context(), account.SID, verify.ServiceParams{FriendlyName: &name, Fallback: &fallback, VerifyEventSubscription: &tell})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	sms := "sms"
	start := func(e *verify.Engine, to string) (*verify.Verification, error) {
		return e.StartVerification(ctx, account.SID, service.SID, verify.StartParams{To: &to, Channel: &sms})
	}
	for round := range rounds {
		var operations []func(e *verify.Engine) error
		for i := range people {
			to := fmt.Sprintf("+346123%05d", round*people+i)
			v, err := start(engines[0], to)
			if err != nil {
				t.Fatal(err)
			}
			attempt := v.Sends[0].AttemptSID
			d, _, err := engines[0].Delivery(ctx, attempt)
			if err != nil {
				t.Fatal(err)
			}
			job := verify.Job{ID: sid.Key(attempt), Kind: sms, Ref: attempt}
			if err := engines[0].RecordSend(ctx, job, d.Attempt, verify.SendResult{State: verify.AttemptSent, HandOvers: 1, Provider: "p"}); err != nil {
				t.Fatal(err)
			}
			operations = append(operations,
				func(e *verify.Engine) error {
					_, err := start(e, to)
					return err
				},
				func(e *verify.Engine) error {
					_, _, err := e.CheckVerification(ctx, account.SID, service.SID, verify.CheckParams{To: &to, Code: &d.Code})
					return err
				},
				func(e *verify.Engine) error {
					r := verify.Report{Provider: "p", Key: attempt + ":1", State: verify.AttemptUndelivered}
					_, err := e.Report(ctx, r, func(*verify.Attempt) bool { return true })
					return err
				},
				func(e *verify.Engine) error { // of another hand-over
					again := *d.Attempt
					again.HandOvers = 1
					return e.RecordSend(ctx, job, &again, verify.SendResult{State: verify.AttemptFailed, HandOvers: 1, Provider: "p"})
				},
				func(e *verify.Engine) error {
					return verify.Fallbacks{Engine: e}.Work(ctx, verify.Job{ID: job.ID, Kind: verify.Fallback, Ref: attempt})
				})
		}
		rand.New(rand.NewPCG(1, uint64(round))).Shuffle(len(operations), func(i, j int) { operations[i], operations[j] = operations[j], operations[i] })
		var all sync.WaitGroup
		for i, do := range operations {
			all.Go(func() {
				err := do(engines[i%len(engines)])
				if _, refused := errors.AsType[*verify.Error](err); err != nil && !refused {
					t.Error(err)
				}
			})
		}
		all.Wait()
		late.Add(int64(11 * time.Minute)) // what is pending is over
		for _, e := range engines {
			all.Go(func() {
				if err := e.Sweep(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	wantNoDeadlocks(t, database, stores)
}

// Who only looks at a record is not kept by those who change it, nor keeps them.
func TestAPeekWaitsForNobody(t *testing.T) {
	database := server.Database(t)
	a, b := open(t, server.DSN(database)), open(t, server.DSN(database))
	now := a.Now()
	v, attempt := pending(now, 0)
	if err := a.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddVerification(v)
		tx.AddAttempt(attempt)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.Update(t.Context(), func(tx verify.Tx) error {
		_, err := tx.Verification(v.SID)
		if err == nil {
			_, err = tx.Attempt(attempt.SID)
		}
		if err != nil {
			return err
		}
		return b.Update(t.Context(), func(tx verify.Tx) error {
			if _, err := tx.PeekVerification(v.SID); err != nil {
				return err
			}
			_, err := tx.PeekAttempt(attempt.SID)
			return err
		})
	}); err != nil {
		t.Error(err)
	}
}

// pending is the i-th verification of a test, with its one attempt.
func pending(now time.Time, i int) (*verify.Verification, *verify.Attempt) {
	key := fmt.Sprintf("%016x%016x", sid.KeyAt(now.Add(-time.Duration(i)*time.Millisecond)), i)
	a := &verify.Attempt{SID: "VL" + key, VerificationSID: "VE" + key, Channel: verify.SMS, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour)}
	v := &verify.Verification{SID: "VE" + key, ServiceSID: "VA" + strings.Repeat("0", 32), Recipient: key, To: key, Status: verify.Pending,
		CodeMAC: make([]byte, 33), CodeSealed: make([]byte, 33), CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour), Current: true}
	v.Send(verify.SMS, a.SID, now)
	return v, a
}

// wantNoDeadlocks closes stores and asks how many deadlocks their database has seen: a backend reports
// what it counted when it ends.
func wantNoDeadlocks(t *testing.T, database string, stores []*postgres.Store) {
	t.Helper()
	for _, s := range stores {
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
