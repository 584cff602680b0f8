//go:build full

package postgres_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/verify"
)

// inOneBatch runs Updates in one commit: the only writer is kept until all of them wait.
func inOneBatch(t *testing.T, s *postgres.Store, updates []func(verify.Tx) error) []error {
	t.Helper()
	errs := make([]error, len(updates))
	held, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Update(t.Context(), func(verify.Tx) error {
			close(held)
			<-free
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-held
	for i, update := range updates {
		all.Go(func() { errs[i] = s.Update(t.Context(), update) })
	}
	for s.Waiting() < len(updates) {
		runtime.Gosched()
	}
	close(free)
	all.Wait()
	return errs
}

// start is a verification with all that a start adds. Every value is another one.
func start(n int, now time.Time) (*verify.Verification, *verify.Attempt, verify.Job) {
	key := fmt.Sprintf("%016x%016x", sid.KeyAt(now)+int64(n), n)
	v := &verify.Verification{SID: "VE" + key, ServiceSID: "VA" + strings.Repeat("0", 32), AccountSID: "AC" + key, Recipient: "+" + key, To: "+" + key,
		Country: fmt.Sprint(n), Channel: verify.SMS, Status: verify.Pending, Checks: n, MaxSends: n + 1, MaxChecks: n + 2, CodeLength: n + 3,
		CodeMAC: []byte{byte(n)}, CodeSealed: []byte{byte(n), 1}, Amount: fmt.Sprint(n), Payee: fmt.Sprint("p", n),
		CreatedAt: now, UpdatedAt: now.Add(time.Second), ExpiresAt: now.Add(time.Hour), Current: true}
	a := &verify.Attempt{SID: "VL" + key, VerificationSID: v.SID, ServiceSID: v.ServiceSID, AccountSID: v.AccountSID, Channel: verify.SMS,
		To: v.To, Country: v.Country, CodeLength: n, CreatedAt: now, UpdatedAt: now, ExpiresAt: v.ExpiresAt, Locale: fmt.Sprint("l", n), Brand: fmt.Sprint("b", n)}
	v.Send(verify.SMS, a.SID, now)
	return v, a, verify.Job{ID: sid.Key(a.SID), Kind: "joined", Ref: a.SID, Due: now}
}

// 23 rows go as one statement for 16, one for 4, one for 2 and one for 1.
const starts = 23

func TestRowsOfManyCallersAreEachTheirOwn(t *testing.T) {
	s := openWith(t, server.DSN(server.Database(t)), postgres.Options{Writers: 1})
	now := s.Now().Truncate(time.Millisecond)
	var updates []func(verify.Tx) error
	for n := range starts {
		updates = append(updates, func(tx verify.Tx) error {
			v, a, j := start(n, now)
			tx.AddVerification(v)
			tx.AddAttempt(a)
			tx.Enqueue(j)
			return nil
		})
	}
	for n, err := range inOneBatch(t, s, updates) {
		if err != nil {
			t.Fatalf("start %d: %v", n, err)
		}
	}
	jobs, err := s.Claim(t.Context(), "joined", now, now.Add(time.Minute), 100)
	if err != nil || len(jobs) != starts {
		t.Errorf("there are %d jobs, want %d (%v)", len(jobs), starts, err)
	}
	for n := range starts {
		wantV, wantA, _ := start(n, now)
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			v, err := tx.Verification(wantV.SID)
			if err != nil {
				return err
			}
			a, err := tx.Attempt(wantA.SID)
			if diff := cmp.Diff(wantV, v) + cmp.Diff(wantA, a); diff != "" {
				t.Errorf("start %d is not as it was written (-want +got):\n%s", n, diff)
			}
			return err
		}); err != nil {
			t.Errorf("start %d: %v", n, err)
		}
	}
}

// Of a statement that adds many rows the database does not say which one it refuses.
func TestARowThatIsRefusedIsItsCallersAlone(t *testing.T) {
	s := openWith(t, server.DSN(server.Database(t)), postgres.Options{Writers: 1})
	now := s.Now()
	const taken = 7
	first, _, _ := start(taken, now)
	runs := 0
	var updates []func(verify.Tx) error
	for n := range starts {
		updates = append(updates, func(tx verify.Tx) error {
			if n == taken {
				runs++
			}
			v, a, _ := start(n, now)
			tx.AddAttempt(a)
			tx.AddVerification(v)
			return nil
		})
	}
	if err := s.Update(t.Context(), func(tx verify.Tx) error { tx.AddVerification(first); return nil }); err != nil {
		t.Fatal(err)
	}
	for n, err := range inOneBatch(t, s, updates) {
		if n == taken && !errors.Is(err, verify.ErrExists) || n != taken && err != nil {
			t.Errorf("start %d: %v", n, err)
		}
	}
	if runs == 0 || runs > 10 {
		t.Errorf("the start that was refused ran %d times", runs)
	}
	for n := range starts {
		v, a, _ := start(n, now)
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			_, err := tx.Verification(v.SID)
			if _, missing := tx.Attempt(a.SID); err == nil && n == taken != errors.Is(missing, verify.ErrNotFound) {
				t.Errorf("attempt of start %d: %v", n, missing)
			}
			return err
		}); err != nil {
			t.Errorf("start %d: %v", n, err)
		}
	}
}

// What a function writes first is there when its rows are added: a recipient has one current verification.
func TestARowComesAfterWhatMakesRoomForIt(t *testing.T) {
	s := openWith(t, server.DSN(server.Database(t)), postgres.Options{Writers: 1})
	now := s.Now()
	var updates, replace []func(verify.Tx) error
	for n := range starts {
		v, _, _ := start(n, now)
		updates = append(updates, func(tx verify.Tx) error { tx.AddVerification(v); return nil })
		replace = append(replace, func(tx verify.Tx) error {
			old, err := tx.CurrentVerification(v.ServiceSID, v.Recipient)
			if err != nil {
				return err
			}
			old.Current = false
			tx.PutVerification(old)
			next := *old
			next.SID, next.Current = "VE"+fmt.Sprintf("%016x%016x", sid.KeyAt(now)+int64(starts+n), n), true
			tx.AddVerification(&next)
			return nil
		})
	}
	for _, batch := range [][]func(verify.Tx) error{updates, replace} {
		for n, err := range inOneBatch(t, s, batch) {
			if err != nil {
				t.Errorf("start %d: %v", n, err)
			}
		}
	}
}
