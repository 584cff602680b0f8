package verify

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/ratelimit"
)

// Meter counts what happens under one name: the starts with one value of one rate limit, in a window
// for each bucket; or, for a built-in limit, the times of the latest events. Nobody needs to read the
// name again, which may hold somebody's address, so it is a keyed digest. A new root key therefore
// begins to count anew.
type Meter struct {
	ID      int64 // positive
	Windows []MeterWindow
	Log     []time.Time // ascending
	// EndsAt is when nothing of it counts any more.
	EndsAt time.Time
}

// MeterWindow is the window of the bucket that has its interval. A bucket that is made anew, or
// gets another Max, goes on with it.
type MeterWindow struct {
	Interval time.Duration
	ratelimit.Window
}

// meteredLimit is a rate limit as a start needs it.
type meteredLimit struct {
	sid, name string
	buckets   []ratelimit.Limit
}

func readMeteredLimits(tx Tx, serviceSID string) (limits []meteredLimit, err error) {
	all, err := tx.RateLimits(serviceSID, everything)
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		buckets, err := tx.Buckets(l.SID, everything)
		if err != nil {
			return nil, err
		}
		m := meteredLimit{sid: l.SID, name: l.UniqueName}
		for i := range buckets {
			m.buckets = append(m.buckets, buckets[i].limit())
		}
		if len(m.buckets) > 0 {
			limits = append(limits, m)
		}
	}
	return limits, nil
}

// meters are what one start is counted by, in the order of their names, so that two starts lock
// the records of both in the same order.
type meters []metered

type metered struct {
	id    int64
	limit meteredLimit
}

// metersOf finds the meters of a start by its RateLimits. Names that the service does not have
// count nothing.
func (e *Engine) metersOf(ctx context.Context, s *Service, values map[string]string) (meters, error) {
	if len(values) == 0 {
		return nil, nil
	}
	limits, err := e.directory.limits(ctx, s.SID)
	if err != nil {
		return nil, err
	}
	var found meters
	for _, l := range limits {
		if value, given := values[l.name]; given {
			found = append(found, metered{meterID(l.sid, e.Keys.MAC(keyring.MeterMAC, l.sid, value)), l})
		}
	}
	slices.SortFunc(found, func(a, b metered) int { return cmp.Compare(a.id, b.id) })
	// Two limits that meet in one meter, which nobody will see, share the first one's buckets.
	return slices.CompactFunc(found, func(a, b metered) bool { return a.id == b.id }), nil
}

// meterID is 55 bits of a value's digest below 8 bits of its rate limit, which keep the meters of a
// limit together on few pages. Among ten million meters two share an ID with a chance of one in a
// thousand, and then their values are counted as one.
func meterID(rateLimitSID string, digest []byte) int64 {
	limit := crc32.ChecksumIEEE([]byte(rateLimitSID)) & 0xff
	id := int64(limit)<<55 | int64(binary.BigEndian.Uint64(digest[len(digest)-8:])>>9)
	return max(id, 1)
}

// spend counts a start in every bucket of every limit. If one is full, the refusal is of the one
// that stays full the longest: before, no start with the same values can succeed. Nothing is spent
// until next is written.
func (m meters) spend(before readings, now time.Time) (next []*Meter, err error) {
	var refused *Error
	for i := range m {
		counted, wait := before.of(m[i].id).spend(m[i].id, m[i].limit.buckets, now)
		if wait > 0 && (refused == nil || wait > refused.RetryAfter) {
			refused = &Error{Code: CodeTooManyRequests, RetryAfter: wait, RateLimit: m[i].limit.name}
		}
		next = append(next, counted)
	}
	if refused != nil {
		return nil, refused
	}
	return next, nil
}

// readings are meters as a transaction found them. All that it needs are read at once, because on a
// network the way there is what a read costs.
type readings struct {
	ids   []int64 // ascending, so that two transactions lock what they share in the same order
	found []*Meter
}

// readingsOf are readings of the meters that are named, still to be read. An ID of 0 names none.
func readingsOf(ids ...int64) readings {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > 0 && ids[0] == 0 {
		ids = ids[1:]
	}
	return readings{ids: ids}
}

// of is the meter that was found, nil if there is none.
func (r readings) of(id int64) *Meter {
	if i, asked := slices.BinarySearch(r.ids, id); asked {
		return r.found[i]
	}
	return nil
}

// put writes a meter, whether or not it was there.
func (r readings) put(tx Tx, m *Meter) {
	if r.of(m.ID) == nil {
		tx.AddMeter(m)
	} else {
		tx.PutMeter(m)
	}
}

// spend is the meter, nil for one without any count, with one start more in each bucket; or how
// long to wait if one is full.
func (m *Meter) spend(id int64, buckets []ratelimit.Limit, now time.Time) (next *Meter, wait time.Duration) {
	next = &Meter{ID: id, Windows: make([]MeterWindow, 0, len(buckets))}
	for _, limit := range buckets {
		w, pause, _ := limit.Spend(m.window(limit.Interval), now)
		wait = max(wait, pause)
		next.Windows = append(next.Windows, MeterWindow{limit.Interval, w})
		if end := w.Start.Add(limit.Interval); end.After(next.EndsAt) {
			next.EndsAt = end
		}
	}
	return next, wait
}

func (m *Meter) window(interval time.Duration) ratelimit.Window {
	if m != nil {
		for _, w := range m.Windows {
			if w.Interval == interval {
				return w.Window
			}
		}
	}
	return ratelimit.Window{}
}

// events are the times in a log.
func (m *Meter) events() []time.Time {
	if m == nil {
		return nil
	}
	return m.Log
}

// meterChunk is how many meters a step of SweepMeters looks at: they are small, and lie in its order.
// There is one for every address that was sent to in a day, so it rests between two steps.
const meterChunk = 1000

// SweepMeters removes the meters of which nothing counts any more.
func (e *Engine) SweepMeters(ctx context.Context) error {
	for from := int64(0); ; {
		var next int64
		err := e.Store.Update(ctx, func(tx Tx) (err error) {
			next, err = tx.DropMeters(from, e.Now(), meterChunk)
			return err
		})
		if err != nil || next == 0 || !pause(ctx, e.SweepRest) {
			return err
		}
		from = next
	}
}
