//go:build full

package transfer_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/transfer"
	"github.com/verifyd/verifyd/internal/verify"
)

var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		result = 1
	}
	os.Exit(result)
}

const (
	account = "AC00000000000000000000000000000001"
	rows    = 2500 // more than two chunks
)

func sid(prefix string, n int) string { return fmt.Sprintf("%s%016x%016x", prefix, n, n) }

// source makes a SQLite file with something in every table.
func source(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "verifyd.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		tx.PutAccount(&verify.Account{SID: account, Name: "Zürich", TokenHash: []byte{0, 1, 255}, TokenSealed: []byte("x")})
		tx.PutKey(&verify.Key{SID: sid("SK", 1), AccountSID: account, SecretHash: []byte("x")})
		tx.PutService(&verify.Service{SID: sid("VA", 1), AccountSID: account})
		tx.PutRateLimit(&verify.RateLimit{SID: sid("RK", 1), ServiceSID: sid("VA", 1), UniqueName: "ip"})
		tx.PutBucket(&verify.Bucket{SID: sid("BL", 1), RateLimitSID: sid("RK", 1), Max: 1, Interval: time.Second})
		tx.AddMeter(&verify.Meter{ID: 1})
		tx.PutTemplate(&verify.Template{SID: sid("HJ", 1), AccountSID: account, Name: "x"})
		for _, country := range []string{"all", "ES", "CA"} {
			tx.PutMessagingConfiguration(&verify.MessagingConfiguration{ServiceSID: sid("VA", 1), AccountSID: account, Country: country})
		}
		tx.AddEntity(&factor.Entity{SID: sid("YE", 1), ServiceSID: sid("VA", 1), AccountSID: account, Identity: "User-1"})
		tx.AddFactor(&factor.Factor{SID: "YF02" + sid("", 1)[2:], EntitySID: sid("YE", 1), SecretSealed: []byte{0, 255}, Metadata: map[string]string{"ü": "\x00"}})
		tx.AddChallenge(&factor.Challenge{SID: "YC02" + sid("", 1)[2:], EntitySID: sid("YE", 1), Details: &factor.ChallengeDetails{Message: "Zürich"}})
		tx.AddNotification(&factor.Notification{SID: sid("NT", 1), State: factor.NotificationSent, ErrorCode: "Zürich"})
		tx.AddAccessToken(&factor.AccessToken{SID: sid("YK", 1), TokenSealed: []byte{0, 255}, FriendlyName: "Zürich"})
		tx.PutWebhook(&verify.Webhook{SID: sid("YW", 1), EventTypes: []verify.EventType{verify.EveryEvent}, FriendlyName: "Zürich"})
		tx.AddEventDelivery(&verify.EventDelivery{SID: sid("ED", 1), Body: "a=Z%C3%BC", Tries: []verify.EventTry{{Error: "answered 503"}}})
		for n := 1; n <= rows; n++ {
			v := verify.Verification{SID: sid("VE", n), ServiceSID: sid("VA", 1), AccountSID: account, Recipient: fmt.Sprint(n),
				Status: verify.Pending, Current: n%2 == 0, CreatedAt: time.UnixMilli(int64(n)).UTC()}
			if n%3 == 0 {
				v.CodeMAC = []byte(fmt.Sprint("mac", n))
			}
			tx.AddVerification(&v)
			tx.AddAttempt(&verify.Attempt{SID: sid("VL", n), VerificationSID: v.SID, Price: "0.04", Carrier: "Movistar", Converted: n%2 == 1})
		}
		tx.Count(verify.Tally{AttemptSID: sid("VL", 1), AccountSID: account, To: "+34612345678", AttemptCount: verify.AttemptCount{Made: 1, Converted: 1}})
		tx.AddSafeNumber(&verify.SafeNumber{SID: sid("GN", 1), AccountSID: account, Number: "+34612345678"})
		tx.PutGeoRule(verify.GeoRule{AccountSID: account})
		for n := range 3 {
			tx.Enqueue(verify.Job{ID: int64(n + 1), Kind: "sms", Ref: fmt.Sprint(n), Due: time.UnixMilli(1000)})
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func openBoth(t *testing.T, path, dsn string) (from, to *sql.DB) {
	t.Helper()
	from, release, err := sqlite.OpenForCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = release() })
	days, err := transfer.Days(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	to, err = postgres.OpenForCopy(t.Context(), dsn, days)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = to.Close() })
	return from, to
}

// said reports whether the line of a table has a text.
func said(lines []string, table, text string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, table+" ") && strings.Contains(line, text)
	})
}

func TestEverythingArrives(t *testing.T) {
	path, database := source(t), server.Database(t)
	from, to := openBoth(t, path, server.DSN(database))
	var lines []string
	if err := transfer.Copy(t.Context(), from, to, func(line string) { lines = append(lines, line) }); err != nil {
		t.Fatal(err)
	}
	if !said(lines, "verification", "2500 rows") || !said(lines, "messaging_configuration", "3 rows") || !said(lines, "job", "3 rows") ||
		strings.Contains(strings.Join(lines, "\n"), " 0 rows") {
		t.Errorf("progress:\n%s", strings.Join(lines, "\n"))
	}
	if n, err := server.SQL(database, `SELECT count(*) FROM attempt_default`); n != "0" {
		t.Errorf("%s attempts are in the default partition, want none: %v", n, err)
	}
	s, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := verify.Verification{SID: sid("VE", 1500), ServiceSID: sid("VA", 1), AccountSID: account, Recipient: "1500",
		Status: verify.Pending, Current: true, CodeMAC: []byte("mac1500"), CreatedAt: time.UnixMilli(1500).UTC()}
	var got *verify.Verification
	var jobs []verify.Job
	if err := s.View(t.Context(), func(tx verify.Tx) (err error) {
		got, err = tx.CurrentVerification(sid("VA", 1), "1500")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	got.UpdatedAt, got.ExpiresAt = want.UpdatedAt, want.ExpiresAt // zero times are not kept as zero
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	wantProtection(t, s)
	if err := s.View(t.Context(), factor.InTx(func(tx factor.Tx) error {
		owner, err := tx.Entity(sid("VA", 1), "user-1")
		if err != nil {
			return err
		}
		all := verify.Page{Size: 10}
		factors, err := tx.Factors(owner.SID, all)
		if err != nil {
			return err
		}
		challenges, err := tx.Challenges(factor.ChallengeQuery{EntitySID: owner.SID}, all)
		if err == nil && (len(factors) != 1 || !bytes.Equal(factors[0].SecretSealed, []byte{0, 255}) || len(challenges) != 1 || challenges[0].Details.Message != "Zürich") {
			t.Errorf("factors %+v, challenges %+v", factors, challenges)
		}
		return err
	})); err != nil {
		t.Error(err)
	}
	if err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.Enqueue(verify.Job{ID: 100, Kind: "sms", Ref: "new", Due: time.UnixMilli(2000)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	defer func() { // the rows of the test are of 2024
		if err := s.DropBefore(t.Context(), time.Now(), time.Now().AddDate(0, 0, -30)); err != nil {
			t.Error(err)
		}
		if n, err := server.SQL(database, `SELECT (SELECT count(*) FROM verification) + (SELECT count(*) FROM attempt) + (SELECT count(*) FROM job)`); n != "0" {
			t.Errorf("%s old rows are left after a drop, %v", n, err)
		}
	}()
	if jobs, err = s.Claim(t.Context(), "sms", time.Now(), time.Now().Add(time.Minute), 10); err != nil || len(jobs) != 4 {
		t.Errorf("jobs afterwards: %v, %v", jobs, err)
	}
}

// wantProtection looks for what belongs to attempts and starts beside their records.
func wantProtection(t *testing.T, s *postgres.Store) {
	t.Helper()
	if err := s.View(t.Context(), func(tx verify.Tx) error {
		a, err := tx.Attempt(sid("VL", 1))
		if err != nil || a.Price != "0.04" || a.Carrier != "Movistar" || !a.Converted {
			t.Errorf("the first attempt is %+v, %v", a, err)
		}
		for span, prefix := range map[verify.Span]string{verify.Hours: "", verify.Days: "", verify.PrefixDays: "+346"} {
			n, err := tx.SumCounts(verify.AttemptFilter{AccountSID: account, Prefix: prefix}, span, 0, 1)
			if err != nil || n.Made != 1 || n.Converted != 1 {
				t.Errorf("the counters of %c have %+v, %v", span, n, err)
			}
		}
		if _, err := tx.SafeNumber(account, "+34612345678"); err != nil {
			t.Errorf("the safe number: %v", err)
		}
		if rules, err := tx.GeoRules(account); err != nil || len(rules) != 1 {
			t.Errorf("geo rules: %+v, %v", rules, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestABrokenOffMoveGoesOn(t *testing.T) {
	path, database := source(t), server.Database(t)
	from, to := openBoth(t, path, server.DSN(database))
	ctx, cancel := context.WithCancel(t.Context())
	err := transfer.Copy(ctx, from, to, func(line string) {
		if strings.HasPrefix(line, "verification ") { // attempts are not there yet
			cancel()
		}
	})
	if err == nil {
		t.Fatal("the move was not broken off")
	}
	if _, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{}); !errors.Is(err, postgres.ErrHalfMoved) {
		t.Errorf("open in the middle of a move: %v, want ErrHalfMoved", err)
	}
	if _, err := server.SQL(database, `DELETE FROM verification WHERE id > (SELECT id FROM verification ORDER BY id OFFSET 1000 LIMIT 1)`); err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := transfer.Copy(t.Context(), from, to, func(line string) { lines = append(lines, line) }); err != nil {
		t.Fatal(err)
	}
	if want := "2500 rows, 1499 of them now"; !said(lines, "verification", want) {
		t.Errorf("the second run said\n%s\nwant %q", strings.Join(lines, "\n"), want)
	}
	mustOpen(t, database)
}

func mustOpen(t *testing.T, database string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestATargetWithOtherDataIsRefused(t *testing.T) {
	path, database := source(t), server.Database(t)
	from, to := openBoth(t, path, server.DSN(database))
	if _, err := server.SQL(database, `INSERT INTO job (id, kind, ref, due, runs, claimed) VALUES (1, 'sms', 'x', 1, 0, 0)`); err != nil {
		t.Fatal(err)
	}
	if err := transfer.Copy(t.Context(), from, to, func(string) {}); !errors.Is(err, transfer.ErrOtherData) {
		t.Errorf("%v, want ErrOtherData", err)
	}
	mustOpen(t, database) // it may be somebody's store, and the refusal has not touched it
}

func TestADifferenceIsFound(t *testing.T) {
	path, database := source(t), server.Database(t)
	from, to := openBoth(t, path, server.DSN(database))
	changed := false
	err := transfer.Copy(t.Context(), from, to, func(line string) {
		if !changed { // spoil a table that comes later
			changed = true
			_, err := server.SQL(database, `INSERT INTO attempt SELECT 0, 'VL0', '', '', '', '', '', '', 0, 0, 0, '', '', '', '', 0, '', '', '', '', 0`)
			if err != nil {
				t.Error(err)
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "table attempt differs") {
		t.Errorf("%v, want a difference in table attempt", err)
	}
}

func TestTheServerOfTheSourceMustBeStopped(t *testing.T) {
	path := source(t)
	running, err := sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	if _, _, err := sqlite.OpenForCopy(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
}
