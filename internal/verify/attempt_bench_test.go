package verify_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

var rows = flag.Int("attempts", 100_000, "how many attempts of thirty days BenchmarkAttempts has stored")

// BenchmarkAttempts lists and sums up attempts of thirty days on a file:
//
//	go test -run '^$' -bench Attempts ./internal/verify -attempts 10000000
func BenchmarkAttempts(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "verifyd.db"), sqlite.Options{Server: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		b.Fatal(err)
	}
	engine := verify.NewEngine(store, keys, func() time.Time { return start }, rand.Reader, nil)
	a, _, err := engine.CreateAccount(b.Context(), "bench", "", "")
	if err != nil {
		b.Fatal(err)
	}
	fillAttempts(b, store, a.SID, *rows)
	const service = "VA00000000000000000000000000000001"
	inHour := start.Add(-9*24*time.Hour - 20*time.Minute).Format(time.RFC3339)
	for name, q := range map[string]verify.AttemptQuery{
		"list/all":            {},
		"list/country":        {Country: "CH"},
		"list/rare country":   {Country: "IS"},
		"list/no match":       {Country: "ZW"},
		"list/address":        {To: "+34612345678"},
		"list/service, calls": {ServiceSID: service, Channel: "call"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := engine.Attempts(b.Context(), a.SID, q, verify.Page{Size: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, q := range map[string]verify.AttemptQuery{
		"summary/month":               {},
		"summary/country":             {Country: "CH"},
		"summary/from within an hour": {DateCreatedAfter: inHour},
		"summary/prefix of 4":         {DestinationPrefix: "+3461"},
		"summary/prefix of 7":         {DestinationPrefix: "+3461234"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := engine.AttemptSummary(b.Context(), a.SID, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillAttempts stores n attempts of twenty countries, two services and two channels, evenly over the
// thirty days before start. Numbers of Spain begin in hundred ways.
func fillAttempts(b *testing.B, store *sqlite.Store, account string, n int) {
	w := &world{account: account}
	const chunk = 1000
	pause := 30 * 24 * time.Hour / time.Duration(n)
	for done := 0; done < n; done += chunk {
		err := store.Update(b.Context(), func(tx verify.Tx) error {
			for i := done; i < min(done+chunk, n); i++ {
				a := w.attemptAt(start.Add(-time.Duration(n-i)*pause), i)
				a.ServiceSID = fmt.Sprintf("VA%032d", 1+i%2)
				a.Country = "C" + string(rune('A'+i%20))
				a.To = fmt.Sprintf("+%d%04d%05d", 30+i%20, i*7919%10000, i%100_000)
				if i%20 == 4 {
					a.To = fmt.Sprintf("+346%02d%06d", i*7919%100, i%1_000_000)
				}
				if i == n/2 {
					a.Country, a.To = "IS", ana
				}
				if i%3 == 0 {
					a.Channel = verify.Call
				}
				tx.AddAttempt(a)
				y := verify.Tally{AttemptSID: a.SID, AccountSID: account, ServiceSID: a.ServiceSID,
					Channel: a.Channel, Country: a.Country, To: a.To, AttemptCount: verify.AttemptCount{Made: 1}}
				tx.Count(y)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
