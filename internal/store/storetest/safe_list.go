package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func safeNumbers(t *testing.T, s Store) {
	putAccount(t, s)
	want := &verify.SafeNumber{SID: numbered("GN", 1), AccountSID: accountSID, Number: "+34612345678", CreatedAt: noon}
	update(t, s, func(tx verify.Tx) { tx.AddSafeNumber(want) })
	read := func(tx verify.Tx) (*verify.SafeNumber, error) { return tx.SafeNumber(accountSID, want.Number) }
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Error(diff)
	}
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		again := *want
		again.SID = numbered("GN", 2)
		tx.AddSafeNumber(&again)
		return nil
	})
	if !errors.Is(err, verify.ErrExists) {
		t.Errorf("the same number again: %v, want ErrExists", err)
	}
	if _, err := view(t, s, func(tx verify.Tx) (*verify.SafeNumber, error) {
		return tx.SafeNumber("AC00000000000000000000000000000002", want.Number)
	}); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("another account's number: %v", err)
	}
	update(t, s, func(tx verify.Tx) { tx.DeleteSafeNumber(want) })
	if _, err := view(t, s, read); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a number that was removed: %v", err)
	}
}
