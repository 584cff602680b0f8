package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// RunNodes takes the part of the exam that is about several stores over one database. open makes
// n stores over an empty one.
func RunNodes(t *testing.T, open func(t *testing.T, n int) []Store) {
	for _, question := range []struct {
		name string
		ask  func(*testing.T, []Store)
	}{
		{"simultaneous checks on all nodes compare as often as allowed", checksOnNodes},
		{"simultaneous starts on all nodes make one verification", startsOnNodes},
		{"simultaneous replacements leave one that is current, and hide none", replacementsOnNodes},
		{"simultaneous starts on all nodes are all counted", metersOnNodes},
		{"simultaneous sends on all nodes are as many as a log admits", logsOnNodes},
		{"an account that is made if missing is made once", accountOnNodes},
		{"a job is claimed by one node", claimsOnNodes},
		{"simultaneous sweeps on all nodes announce each end once", sweepsOnNodes},
		{"counters add up over all nodes", countersOnNodes},
		{"functions that lock each other out run again", deadlocks},
		{"all nodes drop at once, and nothing is lost", dropAlong},
		{"simultaneous answers on all nodes have one outcome, and a code opens one challenge", answersOnNodes},
		{"simultaneous factors of one identity on all nodes have one entity and are all counted", factorsOnNodes},
		{"simultaneous challenges of a factor on all nodes are all counted", challengesOnNodes},
		{"a factor that is deleted during answers is deleted", deletionDuringAnswers},
		{"simultaneous registrations of one key on all nodes have one factor", registrationsOnNodes},
	} {
		t.Run(question.name, func(t *testing.T) { question.ask(t, open(t, 3)) })
	}
}

const simultaneous = 50

// onNodes runs a function fifty times at once, spread over the nodes.
func onNodes(nodes []Store, run func(i int, s Store)) {
	var all sync.WaitGroup
	for i := range simultaneous {
		all.Go(func() { run(i, nodes[i%len(nodes)]) })
	}
	all.Wait()
}

// All nodes sweep at once, and every verification is ended with one event.
func sweepsOnNodes(t *testing.T, nodes []Store) {
	const ends = 60
	putAccount(t, nodes[0])
	s := &verify.Service{SID: serviceSID, AccountSID: accountSID, CreatedAt: noon, UpdatedAt: noon}
	s.VerifyEventSubscription = true
	update(t, nodes[0], func(tx verify.Tx) {
		tx.PutService(s)
		for i := range ends {
			v := verification(1 + i*100)
			v.ServiceSID, v.Status, v.Sends = serviceSID, verify.Pending, nil
			v.Recipient, v.ExpiresAt = fmt.Sprintf("+3460000%04d", i), noon.Add(-time.Duration(i)*time.Second)
			tx.AddVerification(v)
		}
	})
	onNodes(nodes, func(_ int, s Store) {
		node := verify.NewEngine(s, nil, func() time.Time { return noon }, rand.Reader, nil)
		node.Announced = verify.Subscription{verify.VerificationExpired: true}
		if err := node.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	})
	told := mustView(t, nodes[1], func(tx verify.Tx) ([]verify.EventDelivery, error) {
		return tx.EventDeliveries(verify.EventQuery{AccountSID: accountSID}, verify.Page{Size: 1000})
	})
	bodies := map[string]bool{}
	for _, d := range told {
		_, of, _ := strings.Cut(d.Body, "/Verifications/")
		bodies[of[:sid.Length]] = true
	}
	if len(told) != ends || len(bodies) != ends {
		t.Errorf("%d events of %d verifications, want one of each of %d", len(told), len(bodies), ends)
	}
	if jobs := claim(t, nodes[2], verify.ToSink, time.Now().Add(time.Hour), 1000); len(jobs) != ends {
		t.Errorf("%d jobs, want %d", len(jobs), ends)
	}
}

func checksOnNodes(t *testing.T, nodes []Store) {
	v := verification(1)
	v.MaxChecks, v.Checks, v.ExpiresAt = 5, 0, noon.Add(time.Hour)
	update(t, nodes[0], func(tx verify.Tx) { tx.AddVerification(v) })
	var wrong, spent atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		var outcome verify.CheckOutcome
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			read := func() (*verify.Verification, error) { return tx.CurrentVerification(v.ServiceSID, v.Recipient) }
			if i%2 == 0 { // the same record by another key
				read = func() (*verify.Verification, error) { return tx.Verification(v.SID) }
			}
			got, err := read()
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
	if wrong.Load() != 5 || spent.Load() != simultaneous-5 {
		t.Errorf("%d codes were compared and %d refused, want 5 and %d", wrong.Load(), spent.Load(), simultaneous-5)
	}
}

func startsOnNodes(t *testing.T, nodes []Store) {
	var made atomic.Int64
	onNodes(nodes, func(i int, s Store) {
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
		if err != nil {
			t.Errorf("start %d: %v", i, err)
		}
		if isNew {
			made.Add(1)
		}
	})
	if made.Load() != 1 {
		t.Errorf("%d verifications were made, want 1", made.Load())
	}
}

// Every other one replaces the current verification, the others look it up. There is one at every
// moment, so nobody may miss it.
func replacementsOnNodes(t *testing.T, nodes []Store) {
	first := verification(1)
	update(t, nodes[0], func(tx verify.Tx) { tx.AddVerification(first) })
	onNodes(nodes, func(i int, s Store) {
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			before, err := tx.CurrentVerification(serviceSID, first.Recipient)
			if err != nil || i%2 == 0 {
				return err
			}
			before.Forget()
			tx.PutVerification(before)
			next := verification(100 + i*100)
			next.Recipient = first.Recipient
			tx.AddVerification(next)
			return nil
		})
		if err != nil {
			t.Errorf("replacement or look-up %d: %v", i, err)
		}
	})
}

func accountOnNodes(t *testing.T, nodes []Store) {
	var made atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		isNew := false
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			isNew = false
			_, err := tx.Account(accountSID)
			if !errors.Is(err, verify.ErrNotFound) {
				return err
			}
			isNew = true
			a := account()
			a.Name = fmt.Sprint(i)
			tx.PutAccount(a)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if isNew {
			made.Add(1)
		}
	})
	if made.Load() != 1 {
		t.Errorf("%d made the account, want 1: a Put that replaces must not hide a lost race", made.Load())
	}
}

func claimsOnNodes(t *testing.T, nodes []Store) {
	const jobs = 100
	update(t, nodes[0], func(tx verify.Tx) {
		for i := range jobs {
			tx.Enqueue(verify.Job{ID: int64(i + 1), Kind: "sms", Ref: fmt.Sprint(i), Due: noon})
		}
	})
	var mu sync.Mutex
	seen := map[string]int{}
	onNodes(nodes, func(_ int, s Store) {
		got, err := s.Claim(t.Context(), "sms", noon, noon.Add(30*time.Second), 4)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, j := range got {
			seen[j.Ref]++
		}
	})
	for ref, times := range seen {
		if times != 1 {
			t.Errorf("job %s was claimed %d times", ref, times)
		}
	}
	// A claim passes over what others hold at that moment, so some jobs may be left for the next.
	for more := true; more; {
		got := claim(t, nodes[0], "sms", noon, jobs)
		more = len(got) > 0
		for _, j := range got {
			seen[j.Ref]++
		}
	}
	if len(seen) != jobs {
		t.Errorf("%d jobs were claimed, want %d", len(seen), jobs)
	}
}

// Half of the functions read two records in one order, half in the other.
func deadlocks(t *testing.T, nodes []Store) {
	a, b := verification(1), verification(100)
	a.Checks, b.Checks = 0, 0
	update(t, nodes[0], func(tx verify.Tx) {
		tx.AddVerification(a)
		tx.AddVerification(b)
	})
	onNodes(nodes, func(i int, s Store) {
		order := []string{a.SID, b.SID}
		if i%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			for _, sid := range order {
				v, err := tx.Verification(sid)
				if err != nil {
					return err
				}
				v.Checks++
				tx.PutVerification(v)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	for _, sid := range []string{a.SID, b.SID} {
		v := mustView(t, nodes[0], func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(sid) })
		if v.Checks != simultaneous {
			t.Errorf("%d increments were kept, want %d", v.Checks, simultaneous)
		}
	}
}

// Every node counts for itself, and each sees what all have counted.
func countersOnNodes(t *testing.T, nodes []Store) {
	onNodes(nodes, func(i int, s Store) {
		if err := s.Update(t.Context(), func(tx verify.Tx) error {
			a := attemptAt(i)
			tx.AddAttempt(a)
			tx.Count(verify.Tally{AttemptSID: a.SID, AccountSID: accountSID, ServiceSID: serviceSID, Channel: a.Channel,
				Country: a.Country, To: a.To, AttemptCount: verify.AttemptCount{Made: 1, Converted: i % 2}})
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	want := verify.AttemptCount{Made: simultaneous, Converted: simultaneous / 2}
	hour := sid.HourOfKey(sid.KeyAt(noon))
	for i, s := range nodes {
		f := everything()
		for span, number := range map[verify.Span]int64{verify.Hours: hour, verify.Days: hour / 24, verify.PrefixDays: hour / 24} {
			f.Prefix = ""
			if span == verify.PrefixDays {
				f.Prefix = "+346"
			}
			if got := mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.SumCounts(f, span, number, number+1) }); got != want {
				t.Errorf("node %d counts %+v for span %c, want %+v", i, got, span, want)
			}
		}
	}
}
