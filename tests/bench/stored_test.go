package main

import (
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestExpiredSeesHowFarTheExpiryCame(t *testing.T) {
	const service, n = "VA0123456789abcdef0123456789abcdef", 2500
	folder := t.TempDir()
	if err := fill(t.Context(), folder, service, n, isDue); err != nil {
		t.Fatal(err)
	}
	from := ""
	for step, want := range []float64{0, 0.4, 0.8, 1} {
		if step > 0 {
			from = expire(t, folder, from)
		}
		if got, err := expired(t.Context(), folder, service, n); err != nil || got != want {
			t.Errorf("after %d steps: got %v, %v; want %v", step, got, err, want)
		}
	}
}

// expire does one step of an expiry.
func expire(t *testing.T, folder, from string) (next string) {
	t.Helper()
	s, err := openStore(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	if err := s.Update(t.Context(), func(tx verify.Tx) (err error) {
		next, err = tx.ExpireVerifications(from, now, now.Add(-time.Hour), 1000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return next
}
