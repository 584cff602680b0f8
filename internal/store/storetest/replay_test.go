package storetest

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

func TestReplayHoldsToTheOrderOfLocks(t *testing.T) {
	s, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	one, two := verification(1), verification(100)
	attempts := []*verify.Attempt{attemptAt(1), attemptAt(2)}
	update(t, s, func(tx verify.Tx) {
		tx.AddVerification(one)
		tx.AddVerification(two)
		for _, a := range attempts {
			tx.AddAttempt(a)
		}
	})
	reads := map[string]func(verify.Tx) error{
		"verification": func(tx verify.Tx) error { _, err := tx.Verification(one.SID); return err },
		"current": func(tx verify.Tx) error {
			_, err := tx.CurrentVerification(one.ServiceSID, one.Recipient)
			return err
		},
		"another": func(tx verify.Tx) error { _, err := tx.Verification(two.SID); return err },
		"start": func(tx verify.Tx) error {
			_, _, err := tx.CurrentAndMeters(one.ServiceSID, one.Recipient, []int64{1, 2})
			return err
		},
		"meters":       func(tx verify.Tx) error { _, err := tx.Meters([]int64{1, 2}); return err },
		"attempt":      func(tx verify.Tx) error { _, err := tx.Attempt(attempts[0].SID); return err },
		"next attempt": func(tx verify.Tx) error { _, err := tx.Attempt(attempts[1].SID); return err },
		"peek":         func(tx verify.Tx) error { _, err := tx.PeekVerification(two.SID); return err },
		"peek attempt": func(tx verify.Tx) error { _, err := tx.PeekAttempt(attempts[1].SID); return err },
	}
	for order, inOrder := range map[string]bool{
		"verification, meters, attempt": true,
		"current, verification, meters": true,
		"start, attempt, attempt":       true,
		"attempt, peek, peek attempt":   true,
		"attempt, verification":         false,
		"attempt, current":              false,
		"attempt, start":                false,
		"attempt, meters":               false,
		"meters, verification":          false,
		"meters, meters":                false,
		"verification, another":         false,
		"attempt, next attempt":         false,
	} {
		err := Replay{s}.Update(t.Context(), func(tx verify.Tx) error {
			for name := range strings.SplitSeq(order, ", ") {
				if err := reads[name](tx); err != nil {
					return err
				}
			}
			return nil
		})
		if refused := err != nil && strings.Contains(err.Error(), "order of locks"); refused == inOrder || (err != nil) != refused {
			t.Errorf("%s: %v, in order is %v", order, err, inOrder)
		}
	}
}
