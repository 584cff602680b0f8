package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// something is a record of many kinds, those that refer to others among them.
func something(tx factor.Tx) {
	var k verify.Key
	fill(&k, 100)
	k.SID, k.AccountSID = numbered("SK", 1), accountSID
	owner := entity(1)
	tx.PutAccount(account())
	tx.PutKey(&k)
	tx.PutService(service(1))
	tx.PutMessagingConfiguration(messaging("ES"))
	tx.PutTemplate(template(1))
	tx.PutRateLimit(rateLimit(1))
	tx.PutBucket(bucket(1))
	tx.AddMeter(meter(1))
	tx.AddEntity(owner)
	tx.AddFactor(factorOf(1, owner))
	tx.AddVerification(verification(1))
	tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "one", Due: noon})
}

// describe is what became of it.
func describe(t *testing.T, s Store) string {
	t.Helper()
	return mustView(t, s, func(tx factor.Tx) (string, error) {
		accounts, err := tx.Accounts()
		key, kErr := tx.Key(numbered("SK", 1))
		services, sErr := tx.Services(accountSID, verify.Page{Size: 10})
		configurations, cErr := tx.MessagingConfigurations(service1, verify.Page{Size: 10})
		templates, tErr := tx.Templates(accountSID, "", verify.Page{Size: 10})
		limits, lErr := tx.RateLimits(serviceSID, verify.Page{Size: 10})
		entities, eErr := tx.Entities(serviceSID, verify.Page{Size: 10})
		v, vErr := tx.Verification(numbered("VE", 1))
		other, oErr := tx.Verification(numbered("VE", 2))
		for _, missing := range []error{kErr, vErr, oErr} {
			if !errors.Is(missing, verify.ErrNotFound) {
				err = errors.Join(err, missing)
			}
		}
		status := verify.Status("none")
		if v != nil {
			status = v.Status
		}
		return fmt.Sprintf("%d accounts, a key %t, %d services, %d configurations, %d templates, %d limits, %d entities, %s, another %t",
			len(accounts), key != nil, len(services), len(configurations), len(templates), len(limits), len(entities), status, other != nil,
		), errors.Join(err, sErr, cErr, tErr, lErr, eErr)
	})
}

const (
	whole = "1 accounts, a key true, 1 services, 1 configurations, 1 templates, 1 limits, 1 entities, pending, another false"
	empty = "1 accounts, a key true, 0 services, 0 configurations, 0 templates, 0 limits, 0 entities, none, another false"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func resetLeavesAccounts(t *testing.T, s Store) {
	update(t, s, something)
	before := s.ConfigVersion()
	must(t, s.Reset(t.Context()))
	if got := describe(t, s); got != empty {
		t.Errorf("after a reset: %s", got)
	}
	if got := s.ConfigVersion(); got <= before {
		t.Errorf("the configuration has version %d after %d", got, before)
	}
	if jobs := claim(t, s, "sms", noon, 10); len(jobs) != 0 {
		t.Errorf("jobs after a reset: %v", jobs)
	}
	update(t, s, something) // nothing of it is in the way
	if got := describe(t, s); got != whole {
		t.Errorf("made again: %s", got)
	}
}

func snapshotsComeBack(t *testing.T, s Store) {
	update(t, s, something)
	if got := describe(t, s); got != whole {
		t.Fatalf("at first: %s", got)
	}
	must(t, s.SaveSnapshot(t.Context(), 1))
	for range 2 { // a snapshot can be restored more than once
		before := s.ConfigVersion()
		update(t, s, func(tx factor.Tx) {
			changed := verification(1)
			changed.Status = verify.Approved
			changed.Current = false
			tx.PutVerification(changed)
			tx.AddVerification(verification(2))
			tx.DeleteMessagingConfiguration(service1, "ES")
			tx.PutService(service(2))
		})
		if jobs := claim(t, s, "sms", noon, 10); len(jobs) != 1 {
			t.Fatalf("jobs: %v", jobs)
		}
		if got := describe(t, s); got == whole {
			t.Fatal("nothing has changed")
		}
		drain(s.Wake("sms"))
		must(t, s.RestoreSnapshot(t.Context(), 1))
		if got := describe(t, s); got != whole {
			t.Errorf("restored: %s", got)
		}
		if got := s.ConfigVersion(); got <= before {
			t.Errorf("the configuration has version %d after %d", got, before)
		}
		if due, found, err := s.NextDue(t.Context(), "sms"); err != nil || !found || !due.Equal(noon) {
			t.Errorf("the job is due at %v, %t, %v", due, found, err)
		}
		select {
		case <-s.Wake("sms"):
		case <-time.After(10 * time.Second):
			t.Error("nobody was woken for the job")
		}
	}
	must(t, s.Reset(t.Context()))
	must(t, s.RestoreSnapshot(t.Context(), 1))
	if got := describe(t, s); got != whole {
		t.Errorf("restored after a reset: %s", got)
	}
}

func drain(wake <-chan struct{}) {
	select {
	case <-wake:
	default:
	}
}

func snapshotsAreDropped(t *testing.T, s Store) {
	update(t, s, something)
	must(t, s.SaveSnapshot(t.Context(), 1))
	must(t, s.Reset(t.Context()))
	must(t, s.SaveSnapshot(t.Context(), 2))
	must(t, s.RestoreSnapshot(t.Context(), 1))
	if got := describe(t, s); got != whole {
		t.Errorf("the first: %s", got)
	}
	must(t, s.SaveSnapshot(t.Context(), 2)) // in the place of the other one
	must(t, s.Reset(t.Context()))
	must(t, s.RestoreSnapshot(t.Context(), 2))
	if got := describe(t, s); got != whole {
		t.Errorf("the second, taken again: %s", got)
	}
	for range 2 {
		must(t, s.DropSnapshot(t.Context(), 1))
	}
	if err := s.RestoreSnapshot(t.Context(), 1); err == nil {
		t.Error("a snapshot that was dropped was restored")
	}
	if got := describe(t, s); got != whole {
		t.Errorf("after that: %s", got)
	}
}

func jobsOfAService(t *testing.T, s Store) {
	mine, other := attemptAt(1), attemptAt(2)
	mine.ServiceSID, other.ServiceSID = numbered("VA", 1), numbered("VA", 2)
	update(t, s, func(tx factor.Tx) {
		tx.AddAttempt(mine)
		tx.AddAttempt(other)
		tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: mine.SID, Due: noon.Add(time.Hour)})
		tx.Enqueue(verify.Job{ID: 2, Kind: "sms", Ref: other.SID, Due: noon.Add(time.Minute)})
		tx.Enqueue(verify.Job{ID: 3, Kind: "fallback", Ref: mine.SID, Due: noon.Add(2 * time.Hour)})
		tx.Enqueue(verify.Job{ID: 4, Kind: "call", Ref: mine.SID, Due: noon, Runs: 1}) // somebody does it
	})
	next := func(service string) string {
		t.Helper()
		due, found, err := s.NextDueOfService(t.Context(), service)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return "none"
		}
		return due.Sub(noon).String()
	}
	if got := next(mine.ServiceSID) + " " + next(other.ServiceSID) + " " + next(numbered("VA", 3)); got != "1h0m0s 1m0s none" {
		t.Errorf("next: %s", got)
	}
	must(t, s.HastenService(t.Context(), mine.ServiceSID, 59*time.Minute+59*time.Second+999*time.Millisecond))
	if got := next(mine.ServiceSID) + " " + next(other.ServiceSID); got != "1ms 1m0s" {
		t.Errorf("next after that: %s", got)
	}
	if due, found, err := s.NextDue(t.Context(), "call"); err != nil || !found || !due.Equal(noon) {
		t.Errorf("a job that somebody does was moved: it is due at %v, %t, %v", due, found, err)
	}
}
