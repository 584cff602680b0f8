package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// openSlow opens a store whose syncs wait for permission: each takes the error that it returns.
func openSlow(t *testing.T) (s *Store, permit chan error, entered chan struct{}) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "verifyd.db"), Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	permit, entered = make(chan error), make(chan struct{}, 100)
	// The writer hands the change on to the goroutine that syncs.
	slow := make(chan error, 1)
	go func() {
		slow <- s.update(context.Background(), func(*sqlstore.Tx) error {
			s.syncLog = func() error {
				entered <- struct{}{}
				return <-permit
			}
			return nil
		})
	}()
	<-entered
	permit <- nil
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(permit) // all that follow succeed
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, permit, entered
}

func putAccount(s *Store, accountSID string) chan error {
	done := make(chan error, 1)
	go func() {
		done <- s.Update(context.Background(), func(tx verify.Tx) error {
			tx.PutAccount(&verify.Account{SID: accountSID, TokenHash: []byte("x"), TokenSealed: []byte("x")})
			return nil
		})
	}()
	return done
}

func readAccount(s *Store, accountSID string) chan error {
	done := make(chan error, 1)
	go func() {
		done <- s.View(context.Background(), func(tx verify.Tx) error {
			_, err := tx.Account(accountSID)
			return err
		})
	}()
	return done
}

// still fails the test if something was answered that must wait. It yields to whoever could answer.
func still(t *testing.T, what string, done chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Errorf("%s was answered (%v) before the log was synced", what, err)
	case <-time.After(20 * time.Millisecond):
	}
}

func TestNothingIsAnsweredBeforeItIsOnTheDisk(t *testing.T) {
	s, permit, entered := openSlow(t)
	const first, second = "AC00000000000000000000000000000001", "AC00000000000000000000000000000002"
	one := putAccount(s, first)
	<-entered // its commit is written, and can be seen
	seen := readAccount(s, first)
	absent := readAccount(s, second)
	still(t, "the Update", one)
	still(t, "a View that saw it", seen)

	// Meanwhile the next one runs.
	ran := make(chan struct{})
	two := make(chan error, 1)
	go func() {
		two <- s.Update(context.Background(), func(tx verify.Tx) error {
			close(ran)
			_, err := tx.Account(first)
			return err
		})
	}()
	<-ran
	still(t, "the next Update", two)

	permit <- nil
	if err := errors.Join(<-one, <-seen); err != nil {
		t.Error(err)
	}
	if err := <-absent; !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a View of what is not there: %v", err)
	}
	<-entered
	still(t, "the next Update", two)
	permit <- nil
	if err := <-two; err != nil {
		t.Error(err)
	}
}

func TestAViewDoesNotOutwaitItsCaller(t *testing.T) {
	s, permit, entered := openSlow(t)
	one := putAccount(s, "AC00000000000000000000000000000001")
	<-entered
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if err := s.horizon.wait(ctx); !errors.Is(err, gone) {
		t.Errorf("got %v, want the caller's reason", err)
	}
	permit <- nil
	if err := <-one; err != nil {
		t.Error(err)
	}
}

func TestADiskThatDoesNotSync(t *testing.T) {
	s, permit, entered := openSlow(t)
	one := putAccount(s, "AC00000000000000000000000000000001")
	<-entered
	two := putAccount(s, "AC00000000000000000000000000000002")
	broken := errors.New("input/output error")
	permit <- broken
	if err := <-one; !errors.Is(err, broken) {
		t.Errorf("the Update that was not synced: %v", err)
	}
	<-s.Failed()
	if !errors.Is(s.Failure(), broken) {
		t.Errorf("the store failed with %v", s.Failure())
	}
	<-entered
	permit <- nil // it says that all is well again, which proves nothing
	if err := <-two; !errors.Is(err, broken) {
		t.Errorf("an Update after the failure: %v", err)
	}
	if err := <-readAccount(s, "AC00000000000000000000000000000001"); !errors.Is(err, broken) {
		t.Errorf("a View after the failure: %v", err)
	}
}
