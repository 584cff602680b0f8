package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

const day = 24 * time.Hour

// minted is a SID of a time. One pair in four thousand of one microsecond has the same key.
func minted(t *testing.T, prefix string, at time.Time) string {
	t.Helper()
	s, err := sid.New(prefix, at, rand.Reader)
	if prefix == sid.Factor || prefix == sid.Challenge {
		s, err = sid.NewTyped(prefix, sid.TOTP, at, rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// started is what a start at some time leaves.
type started struct {
	at           time.Time
	verification *verify.Verification
	attempt      *verify.Attempt
	job          verify.Job
}

func start(t *testing.T, at time.Time) started {
	t.Helper()
	v := verification(1)
	v.SID, v.CreatedAt, v.ExpiresAt = minted(t, sid.Verification, at), at, at.Add(10*time.Minute)
	v.Recipient = v.SID
	a := verify.Attempt{SID: minted(t, sid.Attempt, at), VerificationSID: v.SID, State: verify.AttemptQueued, CreatedAt: at, UpdatedAt: at}
	return started{at, v, &a, verify.Job{ID: sid.Key(a.SID), Kind: "sms", Ref: a.SID, Due: at}}
}

func (r started) add(tx verify.Tx) {
	tx.AddVerification(r.verification)
	tx.AddAttempt(r.attempt)
	tx.Enqueue(r.job)
}

// drop drops what is older than thirty days.
func drop(t *testing.T, s Store, now time.Time) {
	t.Helper()
	if err := s.DropBefore(t.Context(), now, now.Add(-30*day)); err != nil {
		t.Fatal(err)
	}
}

// kept are the verifications and attempts that a store still has, by SID.
func kept(t *testing.T, s Store, all []started) map[string]bool {
	t.Helper()
	var have map[string]bool
	if err := s.View(t.Context(), func(tx verify.Tx) error {
		have = map[string]bool{}
		for _, r := range all {
			v, err := tx.Verification(r.verification.SID)
			if err != nil && !errors.Is(err, verify.ErrNotFound) {
				return err
			}
			a, err := tx.Attempt(r.attempt.SID)
			if err != nil && !errors.Is(err, verify.ErrNotFound) {
				return err
			}
			have[r.verification.SID], have[r.attempt.SID] = v != nil, a != nil
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return have
}

// wantKept holds what a store has against the ages: an attempt may stay a day longer.
func wantKept(t *testing.T, s Store, all []started, before time.Time) {
	t.Helper()
	have := kept(t, s, all)
	wrong := 0
	for _, r := range all {
		young := !r.at.Before(before)
		if have[r.verification.SID] != young {
			wrong++
		}
		if has := have[r.attempt.SID]; young && !has || has && r.at.Before(before.Add(-day)) {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of the verifications and attempts of %d starts are gone too early or kept too long", wrong, len(all))
	}
}

func oldRecordsAreDropped(t *testing.T, s Store) {
	const perDay = 40 // thirty days of them are more than a chunk
	var all []started
	now := noon
	for range 40 {
		drop(t, s, now)
		update(t, s, func(tx verify.Tx) {
			for i := range perDay {
				r := start(t, now.Add(time.Duration(i)*time.Minute))
				r.add(tx)
				all = append(all, r)
			}
		})
		now = now.Add(day)
	}
	now = now.Add(11 * time.Hour) // almost at the end of a day
	drop(t, s, now)
	wantKept(t, s, all, now.Add(-30*day))
	if jobs := claim(t, s, "sms", now, len(all)); len(jobs) != 29*perDay { // today nothing was started
		t.Errorf("%d jobs are left, want those of 29 days, %d", len(jobs), 29*perDay)
	}
	now = now.Add(31 * day)
	drop(t, s, now)
	for _, has := range kept(t, s, all) {
		if has {
			t.Fatal("something is left though all of it is old")
		}
	}
	if _, found, err := s.NextDue(t.Context(), "sms"); found || err != nil {
		t.Errorf("a job is left though its attempt is gone: %v", err)
	}
	next := start(t, now)
	update(t, s, next.add)
	wantKept(t, s, []started{next}, now)
}

// A worker may still be busy with what is dropped.
func droppedRecordsHarmNobody(t *testing.T, s Store) {
	r, buried := start(t, noon), start(t, noon.Add(time.Second))
	update(t, s, r.add)
	update(t, s, buried.add)
	if err := s.Bury(t.Context(), buried.job, "poison"); err != nil {
		t.Fatal(err)
	}
	drop(t, s, noon.Add(32*day))
	update(t, s, func(tx verify.Tx) {
		r.attempt.State = verify.AttemptSent
		tx.PutAttempt(r.attempt)
		tx.PutVerification(r.verification)
		tx.DeferJob(r.job, noon)
		tx.FinishJob(buried.job)
	})
	for sid, has := range kept(t, s, []started{r, buried}) {
		if has {
			t.Errorf("%s was dropped and is back", sid)
		}
	}
	if jobs := claim(t, s, "sms", noon.Add(33*day), 10); len(jobs) != 0 {
		t.Errorf("jobs of dropped attempts are back: %+v", jobs)
	}
	update(t, s, r.add) // the recipient is free again, and so are the keys
}

func paymentsAreBlanked(t *testing.T, s Store) {
	// Minutes after noon at which the time of a verification was up.
	const n = 25
	var all []*verify.Verification
	update(t, s, func(tx verify.Tx) {
		for i := range n {
			r := start(t, noon.Add(time.Duration(i)*time.Second))
			r.verification.ExpiresAt = noon.Add(time.Duration(i) * time.Minute)
			if i == 3 { // no payment
				r.verification.Amount, r.verification.Payee = "", ""
			}
			r.add(tx)
			all = append(all, r.verification)
		}
	})
	steps := 0
	for more := true; more; steps++ {
		if steps > n {
			t.Fatal("blanking comes to no end")
		}
		update(t, s, func(tx verify.Tx) {
			var err error
			if more, err = tx.BlankPayments(noon.Add(9*time.Minute), 4); err != nil {
				t.Fatal(err)
			}
		})
	}
	if steps < 3 {
		t.Errorf("9 payments were blanked in %d steps of 4", steps)
	}
	for i, v := range all {
		want := *v
		if i < 10 {
			want.Amount, want.Payee = "", ""
		}
		got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(v.SID) })
		if got.Amount != want.Amount || got.Payee != want.Payee || !got.UpdatedAt.Equal(want.UpdatedAt) || got.Status != want.Status || got.Checks != want.Checks {
			t.Errorf("verification %d is %+v, want %+v", i, got, want)
		}
	}
}

func droppingLosesNothing(t *testing.T, s Store) { dropAlong(t, []Store{s}) }

// dropAlong fills stores over one database with old records, and drops them, all stores at once,
// while others start and check.
func dropAlong(t *testing.T, nodes []Store) {
	now := noon.Add(60 * day)
	const old, callers, rounds = 2000, 12, 10
	var gone []started
	update(t, nodes[0], func(tx verify.Tx) {
		for i := range old {
			r := start(t, noon.Add(time.Duration(i)*time.Minute))
			r.add(tx)
			gone = append(gone, r)
		}
	})
	var all sync.WaitGroup
	for _, s := range nodes {
		all.Go(func() {
			for range 3 {
				if err := s.DropBefore(t.Context(), now, now.Add(-30*day)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	var young []started
	var checks atomic.Int64
	for i := range callers {
		s := nodes[i%len(nodes)]
		all.Go(func() {
			for round := range rounds {
				r := start(t, now.Add(time.Duration(i*rounds+round)*time.Second))
				r.verification.MaxChecks, r.verification.Checks = 5, 0
				if err := s.Update(t.Context(), func(tx verify.Tx) error {
					r.add(tx)
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
				if err := s.Update(t.Context(), func(tx verify.Tx) error {
					v, err := tx.CurrentVerification(r.verification.ServiceSID, r.verification.Recipient)
					if err != nil {
						return fmt.Errorf("check of what was just started: %w", err)
					}
					v.Check(func([]byte) bool { return false }, r.at)
					tx.PutVerification(v)
					r.attempt.State = verify.AttemptSent
					tx.PutAttempt(r.attempt)
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
				checks.Add(1)
				mu.Lock()
				young = append(young, r)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	wantKept(t, nodes[0], append(gone, young...), now.Add(-30*day))
	counted := 0
	for _, r := range young {
		v := mustView(t, nodes[0], func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(r.verification.SID) })
		a := mustView(t, nodes[0], func(tx verify.Tx) (*verify.Attempt, error) { return tx.Attempt(r.attempt.SID) })
		counted += v.Checks
		if a.State != verify.AttemptSent {
			t.Errorf("attempt %s is %s", a.SID, a.State)
		}
	}
	if counted != callers*rounds || checks.Load() != callers*rounds {
		t.Errorf("%d checks were counted, %d made, want %d", counted, checks.Load(), callers*rounds)
	}
}
