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
	walk := verify.Expiry{Until: time.Now()}
	for step, want := range []float64{0, 0.4, 0.8, 1} {
		if step > 0 {
			walk = expire(t, folder, walk)
		}
		if got, err := expired(t.Context(), folder, service, n); err != nil || got != want {
			t.Errorf("after %d steps: got %v, %v; want %v", step, got, err, want)
		}
	}
}

// expire does one step of an expiry.
func expire(t *testing.T, folder string, walk verify.Expiry) (rest verify.Expiry) {
	t.Helper()
	s, err := openStore(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	walk.Now, walk.Forget = walk.Until, walk.Until.Add(-time.Hour)
	if err := s.Update(t.Context(), func(tx verify.Tx) (err error) {
		rest, _, err = tx.ExpireVerifications(walk, 1000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return rest
}
