//go:build full

package postgres_test

import (
	"errors"
	"fmt"
	"net"
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

// A host that is dead does not refuse, it says nothing. The one that takes writes may be the last.
func TestHostsThatSayNothingArePassedOver(t *testing.T) {
	hosts := ""
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		hosts += l.Addr().String() + ","
	}
	open(t, fmt.Sprintf("postgres://postgres@%s%s/%s?connect_timeout=1&target_session_attrs=read-write",
		hosts, server.Address(), server.Database(t)))
}
