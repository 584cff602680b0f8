//go:build full

package postgres_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// BenchmarkVerification starts and checks verifications from 64 callers at once, on both stores in
// turns: what a store makes of an engine's Updates, without HTTP.
func BenchmarkVerification(b *testing.B) {
	file, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "verifyd.db"), sqlite.Options{Server: true, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	database, err := postgres.Open(b.Context(), server.DSN(server.Database(b)), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer database.Close()
	for range 3 {
		for name, s := range map[string]verify.Store{"sqlite": file, "postgres": database} {
			b.Run(name, func(b *testing.B) { verifications(b, s, 64) })
		}
	}
}

var recipient atomic.Int64

func verifications(b *testing.B, s verify.Store, callers int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := verification(b, s, fmt.Sprint("+", recipient.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verif/s")
}

func verification(b *testing.B, s verify.Store, to string) error {
	now := time.Now()
	mint := func(prefix string) string {
		text, err := sid.New(prefix, now, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	service, mac := "VA00000000000000000000000000000001", make([]byte, 33)
	if err := s.Update(b.Context(), func(tx verify.Tx) error {
		if v, err := tx.CurrentVerification(service, to); err == nil {
			return fmt.Errorf("there is %s already", v.SID)
		}
		v := &verify.Verification{SID: mint(sid.Verification), ServiceSID: service, Recipient: to, To: to, Status: verify.Pending,
			MaxChecks: 5, CodeMAC: mac, CodeSealed: mac, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour), Current: true}
		a := &verify.Attempt{SID: mint(sid.Attempt), VerificationSID: v.SID, CreatedAt: now, UpdatedAt: now}
		v.Send(verify.SMS, a.SID, now)
		tx.AddVerification(v)
		tx.AddAttempt(a)
		tx.Enqueue(verify.Job{ID: sid.Key(a.SID), Kind: "bench", Ref: a.SID, Due: now})
		return nil
	}); err != nil {
		return err
	}
	return s.Update(b.Context(), func(tx verify.Tx) error {
		v, err := tx.CurrentVerification(service, to)
		if err == nil {
			v.Check(func([]byte) bool { return true }, now)
			tx.PutVerification(v)
		}
		return err
	})
}
