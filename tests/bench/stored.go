package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

const (
	flatConnections = 64
	coldStarts      = 10
	batch           = 1000
)

// flat is the rate on a data folder with a history ÷ the rate on one without.
func (b *bench) flat(ctx context.Context) (float64, error) {
	full, err := b.startVerifyd(ctx, filepath.Join(b.dir, "full"))
	if err != nil {
		return 0, err
	}
	err = full.makeService(ctx)
	service := full.service
	full.stop()
	if err != nil {
		return 0, err
	}
	if err := b.store(ctx, filepath.Join(b.dir, "full", "verifyd.db"), service); err != nil {
		return 0, fmt.Errorf("store %d verifications: %w", b.stored, err)
	}
	if full, err = b.startVerifyd(ctx, filepath.Join(b.dir, "full")); err != nil {
		return 0, err
	}
	defer full.stop()
	full.service = service // not the first one, which dev prints

	empty, err := b.startVerifyd(ctx, filepath.Join(b.dir, "empty"))
	if err != nil {
		return 0, err
	}
	defer empty.stop()
	if err := empty.makeService(ctx); err != nil {
		return 0, err
	}
	var pairs []pair
	for round := range b.rounds {
		p, err := b.turn(ctx, round, flatConnections, empty, full)
		if err != nil {
			return 0, err
		}
		pairs = append(pairs, p)
	}
	return ratio(pairs, rate), nil
}

// store writes a history: verifications that were approved, one every millisecond up to now.
func (b *bench) store(ctx context.Context, path, service string) (err error) {
	s, err := sqlite.Open(ctx, path, sqlite.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	first := time.Now().Add(-time.Duration(b.stored) * time.Millisecond)
	for from := 0; from < b.stored; from += batch {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := s.Update(ctx, func(tx verify.Tx) error {
			for i := from; i < min(from+batch, b.stored); i++ {
				if err := addApproved(tx, service, i, first.Add(time.Duration(i)*time.Millisecond)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addApproved adds what a create, a delivery and a check at one time left behind.
func addApproved(tx verify.Tx, service string, number int, at time.Time) error {
	verificationSID, err := sid.New(sid.Verification, at, rand.Reader)
	if err != nil {
		return err
	}
	attemptSID, err := sid.New(sid.Attempt, at, rand.Reader)
	if err != nil {
		return err
	}
	to := fmt.Sprintf("+346%08d", number%100_000_000)
	tx.AddVerification(&verify.Verification{
		SID: verificationSID, ServiceSID: service, AccountSID: accountSID,
		To: to, Recipient: to, Country: "ES", Channel: verify.SMS, Status: verify.Approved,
		Sends:  []verify.Send{{At: at, Channel: verify.SMS, AttemptSID: attemptSID}},
		Checks: 1, MaxSends: 5, MaxChecks: 5, CodeLength: 6,
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(10 * time.Minute),
	})
	tx.AddAttempt(&verify.Attempt{
		SID: attemptSID, VerificationSID: verificationSID, ServiceSID: service, AccountSID: accountSID,
		Channel: verify.SMS, To: to, Country: "ES", CodeLength: 6, CreatedAt: at, UpdatedAt: at,
		Locale: "es", Brand: "Bench", State: verify.AttemptSent, Provider: "inbox", ProviderID: attemptSID, HandOvers: 1,
	})
	return nil
}

// coldStart starts verifyd on the folder that the rounds left, again and again. It returns the
// median times in ms from its start to the first good answer, and to that of a request which needs
// the account.
func (b *bench) coldStart(ctx context.Context) (live, ready float64, err error) {
	var lives, readies []float64
	for range coldStarts {
		begin := time.Now()
		c, err := b.startVerifyd(ctx, b.mainFolder())
		if err != nil {
			return 0, 0, err
		}
		// The listener takes connections before it prints its address, so nothing has to be
		// tried again.
		_, err = c.do(ctx, http.MethodGet, "/livez", nil, http.StatusOK)
		lives = append(lives, time.Since(begin).Seconds()*1000)
		if err == nil {
			_, err = c.do(ctx, http.MethodGet, "/v2/Services", nil, http.StatusOK)
			readies = append(readies, time.Since(begin).Seconds()*1000)
		}
		c.stop()
		if err != nil {
			return 0, 0, err
		}
	}
	return median(lives), median(readies), nil
}
