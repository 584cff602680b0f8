//go:build full

package postgres_test

import (
	"crypto/rand"
	"flag"
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

var attempts = flag.Int("attempts", 100_000, "how many attempts of thirty days BenchmarkAttempts has stored")

// BenchmarkAttempts lists and sums up attempts of thirty days, one partition each, without HTTP:
//
//	go test -tags full -run '^$' -bench Attempts ./internal/store/postgres -attempts 3000000
func BenchmarkAttempts(b *testing.B) {
	database := server.Empty(b)
	if _, _, err := postgres.Migrate(b.Context(), server.DSN(database)); err != nil {
		b.Fatal(err)
	}
	store, err := postgres.Open(b.Context(), server.DSN(database), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	now := store.Now().Truncate(time.Hour)
	for d := range 31 {
		at := now.AddDate(0, 0, d-30)
		if err := store.DropBefore(b.Context(), at, at.AddDate(0, 0, -30)); err != nil {
			b.Fatal(err)
		}
	}
	account := "AC00000000000000000000000000000001"
	var fill []string
	first, keys := sid.KeyAt(now.AddDate(0, 0, -30)), 30*sid.KeysPerDay/int64(*attempts)
	for from := 0; from < *attempts; from += 500_000 {
		fill = append(fill, fmt.Sprintf(`INSERT INTO attempt (id, sid, verification_sid, service_sid, account_sid, channel, to_address, country, code_length,
				created_at, updated_at, locale, brand, options, state, route, provider, provider_id, error_code, error_class, hand_overs)
			SELECT id, 'VL' || lpad(to_hex(id), 16, '0') || lpad(to_hex(n), 16, '0'), 'VE' || lpad(to_hex(n), 32, '0'),
				'VA00000000000000000000000000000001', '%s', 'sms', '+346' || lpad((n * 7919 %% 100000000)::text, 8, '0'),
				CASE WHEN n = %d THEN 'IS' ELSE 'C' || chr(65 + (n %% 20)::int) END, 6, 0, 0, 'es', 'Acme', '', 'sent', 0, 'gateway', 'id', '', '', 1
			FROM (SELECT n, %d + n * %d AS id FROM generate_series(%d::bigint, %d) AS n) AS numbered`,
			account, *attempts/2, first, keys, from, min(from+500_000, *attempts)-1))
	}
	fill = append(fill,
		// As sqlstore/attempt_count.go does.
		fmt.Sprintf(`INSERT INTO attempt_count (key, number, prefix, service_sid, channel, country, made, converted)
			SELECT account_sid || '/' || span || '/' || lpad(number::text, 10, '0') || '/' || prefix || '/' || service_sid || '/' || channel || '/' || country || '/00',
				number, prefix, service_sid, channel, country, count(*), 0
			FROM (SELECT *, id / %[1]d AS number, 'h' AS span, '' AS prefix FROM attempt
				UNION ALL SELECT *, id / %[1]d / 24, 'd', '' FROM attempt
				UNION ALL SELECT *, id / %[1]d / 24, 'p', substr(to_address, 1, 5) FROM attempt) AS each
			GROUP BY account_sid, span, number, prefix, service_sid, channel, country`, sid.KeysPerHour),
		`VACUUM ANALYZE`)
	for _, statement := range fill {
		if _, err := server.SQL(database, statement); err != nil {
			b.Fatal(err)
		}
	}
	engine := verify.NewEngine(store, nil, func() time.Time { return now }, nil, nil)
	for name, q := range map[string]verify.AttemptQuery{
		"all": {}, "country": {Country: "CB"}, "rare country": {Country: "IS"}, "no match": {Country: "ZW"},
		"address": {To: "+34612345678"}, "address of a day": {To: "+34612345678", DateCreatedAfter: now.AddDate(0, 0, -1).Format(time.RFC3339)},
	} {
		b.Run("list/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := engine.Attempts(b.Context(), account, q, verify.Page{Size: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, q := range map[string]verify.AttemptQuery{
		"month": {}, "country": {Country: "CB"}, "prefix of 4": {DestinationPrefix: "+3461"}, "prefix of 7": {DestinationPrefix: "+3461234"},
		"from within an hour": {DateCreatedAfter: now.Add(-9*24*time.Hour - 20*time.Minute).Format(time.RFC3339)},
	} {
		b.Run("summary/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := engine.AttemptSummary(b.Context(), account, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
