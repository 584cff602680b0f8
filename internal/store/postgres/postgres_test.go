//go:build full

package postgres_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
	"github.com/verifyd/verifyd/internal/store/storetest"
)

// server is there for all tests of this package; those that stop one start their own.
var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start(); err != nil {
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
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Log: slog.New(slog.NewTextHandler(testOutput{t}, nil))})
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
