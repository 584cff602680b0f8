package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
)

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
