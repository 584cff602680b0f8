//go:build full

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
	"github.com/verifyd/verifyd/internal/verify"
)

const counted = "VE00000000000000010000000000000001"

func addVerification(tx verify.Tx, sid, recipient string) {
	tx.AddVerification(&verify.Verification{SID: sid, ServiceSID: "VA1", Recipient: recipient, Status: verify.Pending, Current: true})
}

// ledger counts in one record and adds another in the same Update, and remembers what it was told.
type ledger struct {
	mu                     sync.Mutex
	kept, refused, unknown []string
	jobs                   atomic.Int64
}

func (l *ledger) step(s *postgres.Store, sid string) error {
	job := l.jobs.Add(1)
	err := s.Update(context.Background(), func(tx verify.Tx) error {
		v, err := tx.Verification(counted)
		if err != nil {
			return err
		}
		v.Checks++
		tx.PutVerification(v)
		addVerification(tx, sid, sid)
		tx.Enqueue(verify.Job{ID: job, Kind: "sms", Ref: sid})
		return nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.kept = append(l.kept, sid)
	case errors.Is(err, postgres.ErrUnknown):
		l.unknown = append(l.unknown, sid)
	default:
		l.refused = append(l.refused, sid)
	}
	return err
}

// audit holds what callers were told against what is there.
func (l *ledger) audit(t *testing.T, s *postgres.Store) {
	t.Helper()
	has := func(sid string) bool {
		err := s.View(t.Context(), func(tx verify.Tx) error { _, err := tx.Verification(sid); return err })
		if err != nil && !errors.Is(err, verify.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	total := len(l.kept)
	for _, sid := range l.kept {
		if !has(sid) {
			t.Errorf("%s was acknowledged and is not there", sid)
		}
	}
	for _, sid := range l.refused {
		if has(sid) {
			t.Errorf("%s was refused and is there", sid)
		}
	}
	for _, sid := range l.unknown {
		if has(sid) {
			total++
		}
	}
	var checks int
	if err := s.View(t.Context(), func(tx verify.Tx) error {
		v, err := tx.Verification(counted)
		if err == nil {
			checks = v.Checks
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if checks != total {
		t.Errorf("%d Updates counted, want %d: one ran twice or was lost", checks, total)
	}
}

func addCounted(t *testing.T, s *postgres.Store) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx verify.Tx) error {
		addVerification(tx, counted, "counted")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func sidOf(n int) string { return fmt.Sprintf("VE%016x%016x", 100+n, n) }

// The connection breaks after the k-th message of an Update, for every k. The database stays
// reachable, so every Update is kept in the end, once. In the second walk the last bytes reach the
// server after the store has asked what became of the commit.
func TestTheConnectionBreaksAtEveryMessage(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "and the last bytes arrive late": 150 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			p, s, direct := behindProxy(t)
			addCounted(t, s)
			var l ledger
			k := 1
			for ; ; k++ {
				p.cutAfter(k, late)
				if err := l.step(s, sidOf(k)); err != nil {
					t.Errorf("cut before message %d: %v", k+1, err)
				}
				if !p.cut() {
					break
				}
			}
			t.Logf("an Update sends %d messages", k)
			if k < 15 {
				t.Errorf("only %d cuts were made", k)
			}
			l.audit(t, direct)
		})
	}
}

func TestBackendsAreKilledUnderLoad(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database))
	addCounted(t, s)
	var l ledger
	var all sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					_ = l.step(s, sidOf(worker*100000+i))
				}
			}
		})
	}
	for range 10 {
		time.Sleep(100 * time.Millisecond)
		if _, err := server.SQL("postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+database+`'`); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
	if len(l.kept) == 0 || len(l.unknown) > 0 {
		t.Errorf("%d kept, %d refused, %d unknown", len(l.kept), len(l.refused), len(l.unknown))
	}
	l.audit(t, s)
}

func TestTheDatabaseStopsAndComesBackUnderLoad(t *testing.T) {
	own, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	s, err := postgres.Open(t.Context(), own.DSN(own.Database(t)), postgres.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	addCounted(t, s)
	var l ledger
	var all sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				began := time.Now()
				if err := l.step(s, sidOf(worker*1000000+i)); err != nil {
					if !errors.Is(err, verify.ErrUnavailable) && !errors.Is(err, postgres.ErrUnknown) {
						t.Errorf("refused with %v, want ErrUnavailable", err)
					}
					if took := time.Since(began); took > 15*time.Second {
						t.Errorf("refused after %s", took)
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	kept := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.kept)
	}
	until := func(what string, true func() bool) {
		for deadline := time.Now().Add(time.Minute); !true(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	for range 2 {
		before := kept()
		until("load", func() bool { return kept() > before+20 })
		own.Kill()
		until("a Ping that says so", func() bool { return errors.Is(s.Ping(t.Context()), verify.ErrUnavailable) })
		if err := own.Run(); err != nil {
			t.Fatal(err)
		}
		until("the store to heal", func() bool { return s.Ping(t.Context()) == nil })
	}
	close(stop)
	all.Wait()
	t.Logf("%d kept, %d refused, %d unknown", len(l.kept), len(l.refused), len(l.unknown))
	l.audit(t, s)
}

func TestCloseWaitsAndLeavesNothingBehind(t *testing.T) {
	database := server.Database(t)
	before := runtime.NumGoroutine()
	s, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	addCounted(t, s)
	var l ledger
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { _ = l.step(s, sidOf(i)) })
	}
	all.Go(func() {
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	nothing := func(verify.Tx) error { return nil }
	if err := s.Update(t.Context(), nothing); !errors.Is(err, verify.ErrUnavailable) {
		t.Errorf("Update after Close: %v, want ErrUnavailable", err)
	}
	if err := s.View(t.Context(), nothing); !errors.Is(err, verify.ErrUnavailable) {
		t.Errorf("View after Close: %v, want ErrUnavailable", err)
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after Close", before, runtime.NumGoroutine())
		}
	}
	l.audit(t, open(t, server.DSN(database)))
}

// behindProxy opens an empty database twice: through a proxy that can break the connection, with one
// writer, and directly.
func behindProxy(t *testing.T) (p *proxy, s, direct *postgres.Store) {
	t.Helper()
	p = newProxy(t, server.Address())
	database := server.Database(t)
	dsn := strings.Replace(server.DSN(database), server.Address(), p.address(), 1)
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Writers: 1, Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return p, s, open(t, server.DSN(database))
}
