package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
)

func rateLimit(n int) *verify.RateLimit {
	var l verify.RateLimit
	fill(&l, n)
	l.SID, l.ServiceSID, l.AccountSID = numbered("RK", n), serviceSID, accountSID
	return &l
}

func bucket(n int) *verify.Bucket {
	var b verify.Bucket
	fill(&b, n)
	b.SID, b.RateLimitSID, b.ServiceSID, b.AccountSID = numbered("BL", n), numbered("RK", 1), serviceSID, accountSID
	return &b
}

func rateLimitsComeBack(t *testing.T, s Store) {
	version := s.ConfigVersion()
	limit, full := rateLimit(1), bucket(1)
	update(t, s, func(tx verify.Tx) {
		tx.PutRateLimit(limit)
		tx.PutBucket(full)
	})
	if s.ConfigVersion() <= version {
		t.Error("a new rate limit does not raise the configuration's version")
	}
	check := func(limits []verify.RateLimit, buckets []verify.Bucket) {
		t.Helper()
		gotLimits := mustView(t, s, func(tx verify.Tx) ([]verify.RateLimit, error) {
			return tx.RateLimits(serviceSID, verify.Page{Size: 10})
		})
		if diff := cmp.Diff(limits, gotLimits); diff != "" {
			t.Errorf("rate limits:\n%s", diff)
		}
		gotBuckets := mustView(t, s, func(tx verify.Tx) ([]verify.Bucket, error) {
			return tx.Buckets(limit.SID, verify.Page{Size: 10})
		})
		if diff := cmp.Diff(buckets, gotBuckets); diff != "" {
			t.Errorf("buckets:\n%s", diff)
		}
	}
	check([]verify.RateLimit{*limit}, []verify.Bucket{*full})

	limit.Description, limit.UpdatedAt = nil, noon.Add(time.Hour)
	full.Max, full.Interval, full.UpdatedAt = 7, 8*time.Second, noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) {
		tx.PutRateLimit(limit)
		tx.PutBucket(full)
	})
	check([]verify.RateLimit{*limit}, []verify.Bucket{*full})

	version = s.ConfigVersion()
	update(t, s, func(tx verify.Tx) { tx.DeleteBucket(full.SID) })
	check([]verify.RateLimit{*limit}, nil)
	if s.ConfigVersion() <= version {
		t.Error("a bucket that is deleted does not raise the configuration's version")
	}
	update(t, s, func(tx verify.Tx) { tx.PutBucket(full) })
	update(t, s, func(tx verify.Tx) { tx.DeleteRateLimit(limit.SID) })
	check(nil, nil)

	update(t, s, func(tx verify.Tx) {
		tx.PutRateLimit(limit)
		tx.PutBucket(full)
	})
	update(t, s, func(tx verify.Tx) { tx.DeleteService(serviceSID) })
	check(nil, nil)
}

func rateLimitsAreListed(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for n := 1; n <= 5; n++ {
			tx.PutRateLimit(rateLimit(n))
			tx.PutBucket(bucket(n))
		}
		limit, full := rateLimit(6), bucket(6)
		limit.ServiceSID, full.RateLimitSID = numbered("VA", 9), numbered("RK", 9)
		tx.PutRateLimit(limit)
		tx.PutBucket(full)
	})
	for _, c := range []struct {
		size, after, skip int
		want              []int
	}{
		{10, 0, 0, []int{5, 4, 3, 2, 1}}, {2, 0, 0, []int{5, 4}}, {2, 4, 0, []int{3, 2}}, {2, 0, 4, []int{1}}, {2, 1, 0, nil},
	} {
		page := func(prefix string) verify.Page {
			p := verify.Page{Size: c.size, Skip: c.skip}
			if c.after > 0 {
				p.After = numbered(prefix, c.after)
			}
			return p
		}
		limits := mustView(t, s, func(tx verify.Tx) ([]verify.RateLimit, error) { return tx.RateLimits(serviceSID, page("RK")) })
		buckets := mustView(t, s, func(tx verify.Tx) ([]verify.Bucket, error) { return tx.Buckets(numbered("RK", 1), page("BL")) })
		var got, want []string
		for i := range limits {
			got = append(got, limits[i].SID)
		}
		for i := range buckets {
			got = append(got, buckets[i].SID)
		}
		for _, prefix := range []string{"RK", "BL"} {
			for _, n := range c.want {
				want = append(want, numbered(prefix, n))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v:\n%s", c, diff)
		}
	}
}

// A name in a service and an interval in a rate limit are there once, whoever asks first.
func rateLimitsAreUnique(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		tx.PutRateLimit(rateLimit(1))
		tx.PutBucket(bucket(1))
	})
	for what, put := range map[string]func(verify.Tx){
		"name": func(tx verify.Tx) {
			l := rateLimit(2)
			l.UniqueName = rateLimit(1).UniqueName
			tx.PutRateLimit(l)
		},
		"interval": func(tx verify.Tx) {
			b := bucket(2)
			b.Interval = bucket(1).Interval
			tx.PutBucket(b)
		},
	} {
		err := s.Update(t.Context(), func(tx verify.Tx) error {
			put(tx)
			return nil
		})
		if !errors.Is(err, verify.ErrExists) {
			t.Errorf("a second one with the same %s: %v, want ErrExists", what, err)
		}
	}
}

func meter(n int) *verify.Meter {
	var m verify.Meter
	fill(&m, n)
	m.ID = int64(n)
	return &m
}

func metersComeBack(t *testing.T, s Store) {
	a, b := meter(1), meter(100)
	update(t, s, func(tx verify.Tx) {
		tx.AddMeter(a)
		tx.AddMeter(b)
	})
	b.Windows, b.EndsAt = b.Windows[:1], noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.PutMeter(b) })
	for _, within := range []func(*testing.T, Store, func(verify.Tx) ([]*verify.Meter, error)) []*verify.Meter{mustView[[]*verify.Meter, verify.Tx], mustUpdate} {
		got := within(t, s, func(tx verify.Tx) ([]*verify.Meter, error) {
			return tx.Meters([]int64{b.ID, 77, a.ID})
		})
		if diff := cmp.Diff([]*verify.Meter{b, nil, a}, got); diff != "" {
			t.Error(diff)
		}
	}
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddMeter(a)
		return nil
	})
	if !errors.Is(err, verify.ErrExists) {
		t.Errorf("a meter that is there was added: %v, want ErrExists", err)
	}
}

// mustUpdate reads one thing in an Update.
func mustUpdate(t *testing.T, s Store, read func(verify.Tx) ([]*verify.Meter, error)) (got []*verify.Meter) {
	t.Helper()
	update(t, s, func(tx verify.Tx) {
		var err error
		if got, err = read(tx); err != nil {
			t.Errorf("read in an update: %v", err)
		}
	})
	return got
}

func metersAreDropped(t *testing.T, s Store) {
	const n, chunk = 25, 4
	ids, ends := make([]int64, n), make([]time.Time, n)
	update(t, s, func(tx verify.Tx) {
		for i := range n {
			m := meter(i + 1)
			m.EndsAt = noon.Add(time.Duration(i%5-3) * time.Second) // of five, one ends at noon and one later
			ids[i], ends[i] = m.ID, m.EndsAt
			tx.AddMeter(m)
		}
	})
	steps := 0
	for from := int64(0); ; steps++ {
		update(t, s, func(tx verify.Tx) {
			next, err := tx.DropMeters(from, noon, chunk)
			if err != nil {
				t.Error(err)
			}
			from = next
		})
		if from == 0 {
			break
		}
	}
	if steps < n/chunk {
		t.Errorf("the walk took %d steps for %d meters in chunks of %d", steps+1, n, chunk)
	}
	for i, m := range mustView(t, s, func(tx verify.Tx) ([]*verify.Meter, error) { return tx.Meters(ids) }) {
		if (m != nil) != ends[i].After(noon) {
			t.Errorf("meter %d, which ends at %s, is there: %v", ids[i], ends[i], m != nil)
		}
	}
}

// spend counts once on each of two meters if both admit it, as a start does.
func spend(tx verify.Tx, ids []int64, limit ratelimit.Limit, now time.Time) (ok bool, err error) {
	meters, err := tx.Meters(ids)
	if err != nil {
		return false, err
	}
	next := make([]*verify.Meter, len(ids))
	for i, m := range meters {
		var w ratelimit.Window
		if m != nil {
			w = m.Windows[0].Window
		}
		if w, _, ok = limit.Spend(w, now); !ok {
			return false, nil
		}
		next[i] = &verify.Meter{ID: ids[i], EndsAt: now.Add(limit.Interval),
			Windows: []verify.MeterWindow{{Interval: limit.Interval, Window: w}}}
	}
	for i := range next {
		if meters[i] == nil {
			tx.AddMeter(next[i])
		} else {
			tx.PutMeter(next[i])
		}
	}
	return true, nil
}

func simultaneousMeters(t *testing.T, s Store) { metersOnNodes(t, []Store{s}) }

// Two values in pairs, in both orders: each is in two pairs, and no count may be lost or doubled.
// Meanwhile another one drops what has ended, and the windows of noon have not.
func metersOnNodes(t *testing.T, nodes []Store) {
	limit := ratelimit.Limit{Max: 10, Interval: time.Minute}
	pairs := [][]int64{{1, 2}, {2, 3}, {3, 1}}
	var admitted [3]atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for range 10 {
			if err := nodes[0].Update(t.Context(), func(tx verify.Tx) error {
				_, err := tx.DropMeters(0, noon, 100)
				return err
			}); err != nil {
				t.Errorf("drop: %v", err)
			}
		}
	})
	onNodes(nodes, func(i int, s Store) {
		ok := false
		err := s.Update(t.Context(), func(tx verify.Tx) (err error) {
			ok, err = spend(tx, pairs[i%3], limit, noon)
			return err
		})
		if err != nil {
			t.Errorf("start %d: %v", i, err)
		}
		if ok {
			admitted[i%3].Add(1)
		}
	})
	all.Wait()
	counted := map[int64]int{}
	for i := range pairs {
		for _, id := range pairs[i] {
			counted[id] += int(admitted[i].Load())
		}
	}
	full := 0
	for i, m := range mustView(t, nodes[0], func(tx verify.Tx) ([]*verify.Meter, error) { return tx.Meters([]int64{1, 2, 3}) }) {
		id, count := int64(i+1), 0
		if m != nil {
			count = m.Windows[0].Count
		}
		if count != counted[id] || count > limit.Max {
			t.Errorf("meter %d counts %d, and %d starts were admitted of at most %d", id, count, counted[id], limit.Max)
		}
		if counted[id] == limit.Max {
			full++
		}
	}
	if full < 2 { // while two are not full, a pair of them is admitted
		t.Errorf("%v were admitted, want two meters full", counted)
	}
}
