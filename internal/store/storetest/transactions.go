package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

var errRefused = errors.New("refused")

// there reports whether a verification was kept.
func there(t *testing.T, s Store, sid string) bool {
	t.Helper()
	_, err := view(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(sid) })
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func errorKeepsNothing(t *testing.T, s Store) {
	v := verification(1)
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddVerification(v)
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("Update returned %v, want the function's own error", err)
	}
	if there(t, s, v.SID) {
		t.Error("what a function put is kept though it returned an error")
	}
}

func panicKeepsNothing(t *testing.T, s Store) {
	v := verification(1)
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddVerification(v)
		panic("a fault")
	})
	if err == nil {
		t.Error("a function that panicked succeeded")
	}
	if there(t, s, v.SID) {
		t.Error("what a function put is kept though it panicked")
	}
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
}

func takenKeyKeepsNothing(t *testing.T, s Store) {
	v, other := verification(1), verification(100)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddVerification(other)
		tx.AddVerification(v)
		return nil
	})
	if !errors.Is(err, verify.ErrExists) {
		t.Errorf("Update returned %v, want ErrExists", err)
	}
	if there(t, s, other.SID) {
		t.Error("the first half of the update is kept")
	}
}

// Whoever hangs up while the update runs gets no answer, but what was begun is finished; in the
// same commit, nobody else is harmed.
func goneCallers(t *testing.T, s Store) {
	v := verification(1)
	v.MaxChecks, v.Checks = 1000, 0
	v.ExpiresAt = noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
	const callers = 40
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := s.Update(ctx, func(tx verify.Tx) error {
				if i%2 == 0 {
					cancel()
				}
				got, err := tx.Verification(v.SID)
				if err != nil {
					return err
				}
				got.Check(func([]byte) bool { return false }, noon)
				tx.PutVerification(got)
				return nil
			})
			if i%2 == 1 && err != nil {
				t.Errorf("caller %d, who waited: %v", i, err)
			}
		})
	}
	all.Wait()
	got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(v.SID) })
	if got.Checks != callers {
		t.Errorf("%d checks were counted, want %d: hanging up must not make a guess free", got.Checks, callers)
	}
}

func goneBefore(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	err := s.Update(ctx, func(verify.Tx) error {
		ran = true
		return nil
	})
	if !errors.Is(err, context.Canceled) || ran {
		t.Errorf("Update under a context that had ended: ran %v, %v", ran, err)
	}
}

func simultaneousUpdates(t *testing.T, s Store) {
	const starts = 50
	var made, met atomic.Int64
	var all sync.WaitGroup
	for i := range starts {
		all.Go(func() {
			isNew := false
			err := s.Update(t.Context(), func(tx verify.Tx) error {
				isNew = false
				_, err := tx.CurrentVerification(serviceSID, "+34612345678")
				if !errors.Is(err, verify.ErrNotFound) {
					return err
				}
				isNew = true
				v := verification(1 + i*100)
				v.Recipient = "+34612345678"
				tx.AddVerification(v)
				return nil
			})
			switch {
			case err != nil:
				t.Errorf("start %d: %v", i, err)
			case isNew:
				made.Add(1)
			default:
				met.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || met.Load() != starts-1 {
		t.Errorf("%d verifications were made and %d starts met one, want 1 and %d", made.Load(), met.Load(), starts-1)
	}
}

func simultaneousChecks(t *testing.T, s Store) {
	v := verification(1)
	v.MaxChecks, v.Checks, v.ExpiresAt = 5, 0, noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
	var wrong, spent atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			var outcome verify.CheckOutcome
			err := s.Update(t.Context(), func(tx verify.Tx) error {
				got, err := tx.CurrentVerification(v.ServiceSID, v.Recipient)
				if err != nil {
					return err
				}
				outcome = got.Check(func([]byte) bool { return false }, noon)
				tx.PutVerification(got)
				return nil
			})
			switch {
			case err != nil:
				t.Error(err)
			case outcome == verify.CodeWrong:
				wrong.Add(1)
			case outcome == verify.ChecksSpent:
				spent.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 5 || spent.Load() != 45 {
		t.Errorf("%d codes were compared and %d refused, want 5 and 45", wrong.Load(), spent.Load())
	}
}

func configVersion(t *testing.T, s Store) {
	version := s.ConfigVersion()
	grown := func(what string, want bool) {
		t.Helper()
		next := s.ConfigVersion()
		if (next > version) != want || next < version {
			t.Errorf("after %s the version went from %d to %d", what, version, next)
		}
		version = next
	}
	putAccount(t, s)
	grown("an account", true)
	update(t, s, func(tx verify.Tx) {
		tx.PutKey(&verify.Key{SID: numbered("SK", 1), AccountSID: accountSID, SecretHash: []byte("x")})
	})
	grown("a key", true)
	update(t, s, func(tx verify.Tx) { tx.PutService(service(1)) })
	grown("a service", true)
	update(t, s, func(tx verify.Tx) { tx.PutTemplate(template(1)) })
	grown("a template", true)
	update(t, s, func(tx verify.Tx) { tx.DeleteTemplate(template(1).SID) })
	grown("a deleted template", true)
	update(t, s, func(tx verify.Tx) { tx.PutMessagingConfiguration(messaging("ES")) })
	grown("a messaging configuration", true)
	update(t, s, func(tx verify.Tx) { tx.DeleteMessagingConfiguration(service1, "ES") })
	grown("a deleted messaging configuration", true)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(verification(1)) })
	grown("a verification", false)
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutService(service(2))
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	grown("a service that was not kept", false)
	update(t, s, func(tx verify.Tx) { tx.DeleteService(serviceSID) })
	grown("a deleted service", true)
}

// claim takes jobs and returns what they refer to.
func claim(t *testing.T, s Store, kind string, now time.Time, limit int) []verify.Job {
	t.Helper()
	jobs, err := s.Claim(t.Context(), kind, now, now.Add(30*time.Second), limit)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func jobsAreClaimed(t *testing.T, s Store) {
	const n = 20
	update(t, s, func(tx verify.Tx) {
		for i := range n {
			tx.Enqueue(verify.Job{ID: int64(i + 1), Kind: "sms", Ref: fmt.Sprint(i), Due: noon})
		}
		tx.Enqueue(verify.Job{ID: 101, Kind: "call", Ref: "other", Due: noon})
		tx.Enqueue(verify.Job{ID: 102, Kind: "sms", Ref: "later", Due: noon.Add(time.Hour)})
	})
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				jobs, err := s.Claim(t.Context(), "sms", noon, noon.Add(30*time.Second), 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, j := range jobs {
					seen[j.Ref]++
					if j.Kind != "sms" || j.ID == 0 || j.Runs != 1 {
						t.Errorf("claimed %+v", j)
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(seen) != n {
		t.Errorf("%d jobs were claimed, want %d", len(seen), n)
	}
	for ref, times := range seen {
		if times != 1 {
			t.Errorf("job %s was claimed %d times", ref, times)
		}
	}
	again := claim(t, s, "sms", noon.Add(time.Minute), 100)
	if len(again) != n || again[0].Runs != 2 {
		t.Errorf("after the lease %d jobs were claimed again, want %d in their second run", len(again), n)
	}
}

// A job that is claimed when it is made belongs to whoever made it until the lease ends.
func jobsBornClaimed(t *testing.T, s Store) {
	wake := s.Wake("sms")
	update(t, s, func(tx verify.Tx) {
		tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "mine", Due: noon.Add(30 * time.Second), Runs: 1})
	})
	select {
	case <-wake:
		t.Error("somebody was woken for a job that is under way")
	default:
	}
	if jobs := claim(t, s, "sms", noon.Add(29*time.Second), 10); len(jobs) != 0 {
		t.Errorf("%+v was claimed twice", jobs)
	}
	jobs := claim(t, s, "sms", noon.Add(30*time.Second), 10)
	if len(jobs) != 1 || jobs[0].Runs != 2 {
		t.Errorf("after the lease %+v was claimed, want the second run", jobs)
	}
	update(t, s, func(tx verify.Tx) { tx.FinishJob(verify.Job{ID: 1, Kind: "sms"}) })
	if _, found, err := s.NextDue(t.Context(), "sms"); found || err != nil {
		t.Errorf("a finished job is due: %v, %v", found, err)
	}
}

func jobsInOrder(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for _, i := range []int{3, 1, 2} {
			tx.Enqueue(verify.Job{ID: int64(i), Kind: "sms", Ref: fmt.Sprint(i), Due: noon.Add(time.Duration(i) * time.Second)})
		}
	})
	due, found, err := s.NextDue(t.Context(), "sms")
	if err != nil || !found || !due.Equal(noon.Add(time.Second)) {
		t.Errorf("NextDue = %s, %v, %v", due, found, err)
	}
	for i := 1; i <= 3; i++ {
		jobs := claim(t, s, "sms", noon.Add(time.Minute), 1)
		if len(jobs) != 1 || jobs[0].Ref != fmt.Sprint(i) {
			t.Fatalf("claim %d gave %+v", i, jobs)
		}
	}
	if _, found, err := s.NextDue(t.Context(), "call"); err != nil || found {
		t.Errorf("NextDue of a kind without jobs: %v, %v", found, err)
	}
}

func jobsEnd(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for i, ref := range []string{"finished", "deferred", "deferred by the runner", "buried"} {
			tx.Enqueue(verify.Job{ID: int64(i + 1), Kind: "sms", Ref: ref, Due: noon})
		}
	})
	for _, j := range claim(t, s, "sms", noon, 10) {
		var err error
		switch j.Ref {
		case "finished":
			update(t, s, func(tx verify.Tx) { tx.FinishJob(j) })
		case "deferred":
			update(t, s, func(tx verify.Tx) { tx.DeferJob(j, noon.Add(time.Second)) })
		case "deferred by the runner":
			err = s.Defer(t.Context(), j, noon.Add(2*time.Second))
		case "buried":
			err = s.Bury(t.Context(), j, "poison")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if jobs := claim(t, s, "sms", noon, 10); len(jobs) != 0 {
		t.Errorf("before its time %+v was claimed", jobs)
	}
	jobs := claim(t, s, "sms", noon.Add(time.Hour), 10)
	if len(jobs) != 2 || jobs[0].Ref != "deferred" || jobs[1].Ref != "deferred by the runner" {
		t.Errorf("afterwards %+v was claimed, want the two deferred jobs", jobs)
	}
}

func jobsWake(t *testing.T, s Store) {
	sms, call := s.Wake("sms"), s.Wake("call")
	update(t, s, func(tx verify.Tx) { tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "x", Due: noon}) })
	select {
	case <-sms:
	case <-t.Context().Done():
		t.Error("nobody was woken")
	}
	select {
	case <-call:
		t.Error("another kind was woken")
	default:
	}
	update(t, s, func(tx verify.Tx) { tx.DeferJob(verify.Job{ID: 1, Kind: "sms"}, noon) })
	<-sms
}

func jobsRollBack(t *testing.T, s Store) {
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "x", Due: noon})
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	if jobs := claim(t, s, "sms", noon.Add(time.Hour), 10); len(jobs) != 0 {
		t.Errorf("%+v was claimed", jobs)
	}
}
