//go:build full

package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// The connection breaks after the k-th message of an answer, for every k. Each change leaves its event
// and its job once: a commit whose answer is lost is not made again.
func TestAnEventWhoseConnectionBreaksIsThereOnce(t *testing.T) {
	p, s, direct := behindProxy(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	const account, most = "AC00000000000000000000000000000001", 60
	k := 1
	for ; k <= most; k++ {
		p.cutAfter(k, 0)
		run := 0
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			run++ // an operation mints another SID in every run
			d := &verify.EventDelivery{
				SID: fmt.Sprintf("ED%016x%016x", 100*k+run, k), Kind: verify.ToWebhook, AccountSID: account, UUID: fmt.Sprint(k),
				State: verify.EventQueued, CreatedAt: now, UpdatedAt: now, GiveUpAt: now.Add(time.Hour),
			}
			if _, err := tx.EventDelivery(d.SID); err == nil {
				t.Errorf("%s is there before it is made", d.SID)
			}
			tx.AddEventDelivery(d)
			tx.Enqueue(verify.Job{ID: int64(100*k + run), Kind: verify.ToWebhook, Ref: d.SID, Due: now})
			return nil
		})
		if err != nil {
			t.Errorf("cut before message %d: %v", k+1, err)
		}
		if !p.cut() {
			break
		}
	}
	if k < 10 || k == most {
		t.Errorf("%d cuts were made", k)
	}
	var list []verify.EventDelivery
	if err := direct.View(t.Context(), func(tx verify.Tx) (err error) {
		list, err = tx.EventDeliveries(verify.EventQuery{AccountSID: account}, verify.Page{Size: 1000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, d := range list {
		seen[d.UUID]++
	}
	for i := 1; i <= k; i++ {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("event %d is there %d times", i, seen[fmt.Sprint(i)])
		}
	}
	jobs, err := direct.Claim(t.Context(), verify.ToWebhook, now.Add(time.Second), now.Add(time.Minute), 1000)
	if err != nil || len(jobs) != len(list) {
		t.Errorf("%d jobs of %d events, %v", len(jobs), len(list), err)
	}
}
