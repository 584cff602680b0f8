//go:build full

package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
	"github.com/verifyd/verifyd/internal/verify"
)

// A primary that has lost its synchronous standby must not acknowledge anything, because the
// standby may be promoted next. The commit waits, the store gives up, and the primary, which sees
// its client go, makes the commit visible: to be visible is not to be safe.
func TestNothingIsAcknowledgedThatTheStandbyDoesNotHave(t *testing.T) {
	primary, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer primary.Close()
	database := primary.Database(t)
	standby, err := primary.Standby()
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	s := open(t, primary.DSNWith(standby, database))
	addCounted(t, s)
	var l ledger
	if err := l.step(s, sidOf(1)); err != nil {
		t.Fatalf("with a standby: %v", err)
	}
	standby.Kill()
	if err := l.step(s, sidOf(2)); !errors.Is(err, postgres.ErrUnknown) {
		t.Errorf("without the standby: %v, want ErrUnknown", err)
	}

	primary.KillMinusNine()
	if err := errors.Join(standby.Run(), standby.Promote()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.Ping(t.Context())
		if err == nil {
			break
		}
		if !errors.Is(err, verify.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("after the failover: %v", err)
		}
	}
	if err := l.step(s, sidOf(3)); err != nil {
		t.Errorf("after the failover: %v", err)
	}
	l.audit(t, s)
}
