package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sort"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// lifetime is how long a verification can be checked.
const lifetime = 10 * time.Minute

// history makes a data folder with a service that has verifications already, and returns the SID
// of the service.
func (b *bench) history(ctx context.Context, folder string, n int, state func(*verify.Verification)) (service string, err error) {
	c, err := withService(ctx)(b.startVerifyd(ctx, folder))
	if err != nil {
		return "", err
	}
	c.stop()
	b.say("writing %d verifications, some minutes for ten million", n)
	return c.service, fill(ctx, folder, c.service, n, state)
}

// fill adds verifications to the store of a data folder: one every millisecond, so that the last
// one's time is up now.
func fill(ctx context.Context, folder, service string, n int, state func(*verify.Verification)) error {
	first := time.Now().Add(-lifetime - time.Duration(n)*time.Millisecond)
	return inBatches(ctx, folder, n, func(tx factor.Tx, i int) error {
		return add(tx, service, i, first.Add(time.Duration(i)*time.Millisecond), state)
	})
}

// inBatches opens the store of a data folder and adds the records 0 to n-1, many in a commit.
func inBatches(ctx context.Context, folder string, n int, add func(tx factor.Tx, i int) error) (err error) {
	s, err := openStore(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	const batch = 10_000
	for from := 0; from < n; from += batch {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := s.Update(ctx, factor.InTx(func(tx factor.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := add(tx, i); err != nil {
					return err
				}
			}
			return nil
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// openStore opens the store of a data folder, as a short-lived command does.
func openStore(ctx context.Context, folder string) (*sqlite.Store, error) {
	return sqlite.Open(ctx, filepath.Join(folder, "verifyd.db"), sqlite.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

// wasApproved is the state of a verification that was checked and forgotten.
func wasApproved(v *verify.Verification) {
	v.Status, v.Checks = verify.Approved, 1
}

// isDue is the state of a verification that nobody checked.
func isDue(v *verify.Verification) {
	v.Status, v.Current = verify.Pending, true
	v.CodeMAC, v.CodeSealed = bytes.Repeat([]byte{1}, 33), bytes.Repeat([]byte{2}, 48)
}

// add adds what a create and a delivery at one time left behind, and a check if the state says so.
func add(tx verify.Tx, service string, number int, at time.Time, state func(*verify.Verification)) error {
	verificationSID, err := sid.New(sid.Verification, at, rand.Reader)
	if err != nil {
		return err
	}
	attemptSID, err := sid.New(sid.Attempt, at, rand.Reader)
	if err != nil {
		return err
	}
	to := storedRecipient(number)
	v := &verify.Verification{
		SID: verificationSID, ServiceSID: service, AccountSID: accountSID,
		To: to, Recipient: to, Country: "ES", Channel: verify.SMS,
		Sends:    []verify.Send{{At: at, Channel: verify.SMS, AttemptSID: attemptSID}},
		MaxSends: 5, MaxChecks: 5, CodeLength: 6,
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(lifetime),
	}
	state(v)
	tx.AddVerification(v)
	addSent(tx, v, attemptSID)
	return nil
}

// addSent adds and counts an attempt that was delivered, the only one of a verification.
func addSent(tx verify.Tx, v *verify.Verification, attemptSID string) {
	a := &verify.Attempt{
		SID: attemptSID, VerificationSID: v.SID, ServiceSID: v.ServiceSID, AccountSID: v.AccountSID,
		Channel: v.Channel, To: v.To, Country: v.Country, CodeLength: v.CodeLength,
		CreatedAt: v.CreatedAt, UpdatedAt: v.CreatedAt, ExpiresAt: v.ExpiresAt,
		Locale: "es", Brand: "Bench", State: verify.AttemptSent, Provider: "inbox", ProviderID: attemptSID, HandOvers: 1,
	}
	n := verify.AttemptCount{Made: 1}
	if v.Status == verify.Approved {
		a.Converted, n.Converted = true, 1
	}
	tx.AddAttempt(a)
	tx.Count(verify.Tally{AttemptSID: a.SID, AccountSID: a.AccountSID, ServiceSID: a.ServiceSID,
		Channel: a.Channel, Country: a.Country, To: a.To, AttemptCount: n})
}

// storedRecipient is a number that no load uses. The numbers grow in the order of time, so
// whatever way expiry takes through the rows, it takes them in this order.
func storedRecipient(number int) string { return fmt.Sprintf("+337%08d", number%100_000_000) }

// expired is which share of the due verifications of a data folder are pending no more.
func expired(ctx context.Context, folder, service string, n int) (share float64, err error) {
	s, err := openStore(ctx, folder)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.View(ctx, func(tx verify.Tx) (failed error) {
		left := sort.Search(n, func(i int) bool {
			v, err := tx.CurrentVerification(service, storedRecipient(i))
			if err != nil && !errors.Is(err, verify.ErrNotFound) {
				failed = err
			}
			return err == nil && v.Status == verify.Pending
		})
		share = float64(left) / float64(n)
		return failed
	})
	return share, err
}
