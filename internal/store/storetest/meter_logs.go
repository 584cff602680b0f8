package storetest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
)

func currentAndMeters(t *testing.T, s Store) {
	v, m := verification(1), meter(3)
	v.Current = true
	update(t, s, func(tx verify.Tx) {
		tx.AddVerification(v)
		tx.AddMeter(m)
	})
	read := func(recipient string, ids []int64, want *verify.Verification, meters []*verify.Meter) func(verify.Tx) error {
		return func(tx verify.Tx) error {
			gotV, gotM, err := tx.CurrentAndMeters(v.ServiceSID, recipient, ids)
			if diff := cmp.Diff(want, gotV) + cmp.Diff(meters, gotM, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("%q, %v: %v\n%s", recipient, ids, err, diff)
			}
			return nil
		}
	}
	for _, fn := range []func(verify.Tx) error{
		read(v.Recipient, []int64{m.ID, 77}, v, []*verify.Meter{m, nil}),
		read(v.Recipient, nil, v, nil),
		read("nobody", []int64{77, m.ID}, nil, []*verify.Meter{nil, m}),
		read("nobody", nil, nil, nil),
		read("no\x00body", []int64{m.ID}, nil, []*verify.Meter{m}), // which PostgreSQL cannot hold
	} {
		for _, in := range []func(context.Context, func(verify.Tx) error) error{s.View, s.Update} {
			if err := in(t.Context(), fn); err != nil {
				t.Error(err)
			}
		}
	}
}

func simultaneousLogs(t *testing.T, s Store) { logsOnNodes(t, []Store{s}) }

// Fifty at once put their times into one log, which nobody has begun, as far as it admits them. None
// may be lost, and none be one too many.
func logsOnNodes(t *testing.T, nodes []Store) {
	limit := ratelimit.Limit{Max: 20, Interval: 24 * time.Hour}
	var admitted atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		ok, now := false, noon.Add(time.Duration(i)*time.Millisecond)
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			meters, err := tx.Meters([]int64{7})
			if err != nil {
				return err
			}
			m := meters[0]
			if m == nil {
				m = &verify.Meter{ID: 7}
			}
			left, _ := limit.Left(m.Log, noon.Add(time.Second))
			if ok = left > 0; !ok {
				return nil
			}
			m.Log = append(m.Log, now)
			m.EndsAt = now.Add(limit.Interval)
			if meters[0] == nil {
				tx.AddMeter(m)
			} else {
				tx.PutMeter(m)
			}
			return nil
		})
		if err != nil {
			t.Errorf("send %d: %v", i, err)
		}
		if ok {
			admitted.Add(1)
		}
	})
	found := mustView(t, nodes[0], func(tx verify.Tx) ([]*verify.Meter, error) { return tx.Meters([]int64{7}) })
	if admitted.Load() != 20 || found[0] == nil || len(found[0].Log) != 20 {
		t.Errorf("%d were admitted, and %+v is kept; want 20 and 20", admitted.Load(), found[0])
	}
}
