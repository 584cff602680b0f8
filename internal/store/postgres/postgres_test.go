//go:build full

package postgres_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

// server is there for all tests of this package; those that stop one start their own.
var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start("deadlock_timeout=100ms"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		result = 1
	}
	os.Exit(result)
}

func open(t *testing.T, dsn string) *postgres.Store {
	t.Helper()
	return openWith(t, dsn, postgres.Options{})
}

func openWith(t *testing.T, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(testOutput{t}, nil))
	s, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

type testOutput struct{ t *testing.T }

func (o testOutput) Write(line []byte) (int, error) {
	o.t.Logf("log: %s", line)
	return len(line), nil
}

func TestExam(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, server.DSN(server.Database(t))) })
}

func nodes(t *testing.T, dsn string, n int) []storetest.Store {
	var stores []storetest.Store
	for range n {
		stores = append(stores, open(t, dsn))
	}
	return stores
}

func TestNodes(t *testing.T) {
	storetest.RunNodes(t, func(t *testing.T, n int) []storetest.Store { return nodes(t, server.DSN(server.Database(t)), n) })
}

func TestFactorsOfAnOlderRelease(t *testing.T) {
	database := server.Database(t)
	storetest.OlderRelease(t, open(t, server.DSN(database)), func(statement string) error {
		_, err := server.SQL(database, statement)
		return err
	})
}

func TestFourMigrationsAtOnce(t *testing.T) {
	dsn := server.DSN(server.Empty(t))
	var all sync.WaitGroup
	var applied atomic.Int64
	for range 4 {
		all.Go(func() {
			from, to, err := postgres.Migrate(t.Context(), dsn)
			if err != nil {
				t.Error(err)
			}
			applied.Add(to - from)
		})
	}
	all.Wait()
	if sums, err := postgres.MigrationSums(); err != nil || applied.Load() != int64(len(sums)) {
		t.Errorf("%d migrations were applied, want each of the %d once (%v)", applied.Load(), len(sums), err)
	}
	open(t, dsn)
}

func TestAnOldSchemaIsRefusedAndANewerOneIsNot(t *testing.T) {
	empty := server.Empty(t)
	_, err := postgres.Open(t.Context(), server.DSN(empty), postgres.Options{})
	if !errors.Is(err, postgres.ErrSchema) || !strings.Contains(err.Error(), "run verifyd migrate") {
		t.Errorf("open without a schema: %v, want ErrSchema with what to do", err)
	}
	if _, _, err := postgres.Migrate(t.Context(), server.DSN(empty)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.SQL(empty, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	open(t, server.DSN(empty))
	if _, _, err := postgres.Migrate(t.Context(), server.DSN(empty)); err != nil {
		t.Errorf("migrate on a newer schema: %v", err)
	}
}

func TestADatabaseThatIsNotThereIsUnavailable(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://nobody:s3cret@127.0.0.1:1/db": "the database cannot be reached",
		server.DSN("missing"):                     `database "missing" does not exist`,
	} {
		_, err := postgres.Open(t.Context(), dsn, postgres.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("open: %v, want %q and no password", err, want)
		}
	}
}

func TestAChangeOnOneNodeIsSeenByAnother(t *testing.T) {
	dsn := server.DSN(server.Database(t))
	a, b := open(t, dsn), open(t, dsn)
	woken := b.Wake("sms")
	changeIsSeen(t, a, b)
	// The other node may not have listened yet when it was told of the first job.
	for id := int64(2); ; id++ {
		select {
		case <-woken:
			return
		case <-t.Context().Done():
			t.Fatal("the other node was never woken for a job")
		case <-time.After(200 * time.Millisecond):
		}
		if err := a.Update(t.Context(), func(tx verify.Tx) error {
			tx.Enqueue(verify.Job{ID: id, Kind: "sms", Ref: "VL1", Due: time.Now()})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func changeIsSeen(t *testing.T, a, b *postgres.Store) {
	t.Helper()
	before := b.ConfigVersion()
	if err := a.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutAccount(&verify.Account{SID: "AC00000000000000000000000000000001", TokenHash: []byte("x"), TokenSealed: []byte("x")})
		tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "VL1", Due: time.Now()})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for b.ConfigVersion() == before {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the other node never saw the account")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("seen after %s", time.Since(began))
}

func TestNodesWithWrongClocksAgree(t *testing.T) {
	dsn := server.DSN(server.Database(t))
	for _, wrong := range []time.Duration{-5 * time.Second, 0, 7 * time.Second} {
		s, err := postgres.Open(t.Context(), dsn, postgres.Options{Local: func() time.Time { return time.Now().Add(wrong) }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if off := time.Until(s.Now()).Abs(); off > time.Second {
			t.Errorf("a node whose clock is off by %s is still off by %s", wrong, off)
		}
	}
}
