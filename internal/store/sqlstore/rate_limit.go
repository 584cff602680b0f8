package sqlstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// The description is a text and a flag that says whether there is one, because no column that is
// read as a text is NULL.
const rateLimitColumns = `sid, service_sid, account_sid, unique_name, description, described, created_at, updated_at`

func scanRateLimit(row Row) (verify.RateLimit, error) {
	var l verify.RateLimit
	var description string
	var described, created, updated int64
	err := row.Scan(&l.SID, &l.ServiceSID, &l.AccountSID, &l.UniqueName, &description, &described, &created, &updated)
	if described == 1 {
		l.Description = &description
	}
	l.CreatedAt, l.UpdatedAt = fromMillis(created), fromMillis(updated)
	return l, err
}

// RateLimits implements verify.Tx. SIDs sort by the time they were minted.
func (t *Tx) RateLimits(serviceSID string, page verify.Page) ([]verify.RateLimit, error) {
	return newestFirst(t, scanRateLimit, `SELECT `+rateLimitColumns+` FROM rate_limit WHERE service_sid = $1`, serviceSID, page)
}

// newestFirst reads a page of what belongs to an owner. Two statements, because a place that is ""
// would be before all.
func newestFirst[T any](t *Tx, scan func(Row) (T, error), query, owner string, page verify.Page) ([]T, error) {
	t.listed = true
	if page.After == "" {
		return list(t, scan, query+` ORDER BY sid DESC LIMIT $2 OFFSET $3`, owner, page.Size, page.Skip)
	}
	return list(t, scan, query+` AND sid < $2 ORDER BY sid DESC LIMIT $3 OFFSET $4`, owner, page.After, page.Size, page.Skip)
}

// PutRateLimit implements verify.Tx. It writes what can change.
func (t *Tx) PutRateLimit(l *verify.RateLimit) {
	t.config = true
	description := ""
	if l.Description != nil {
		description = *l.Description
	}
	t.write(`INSERT INTO rate_limit (`+rateLimitColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (sid) DO UPDATE SET description = $5, described = $6, updated_at = $8`,
		l.SID, l.ServiceSID, l.AccountSID, l.UniqueName, description, toBit(l.Description != nil),
		toMillis(l.CreatedAt), toMillis(l.UpdatedAt))
}

// DeleteRateLimit implements verify.Tx. The meters end by themselves.
func (t *Tx) DeleteRateLimit(sid string) {
	t.config = true
	t.write(`DELETE FROM bucket WHERE rate_limit_sid = $1`, sid)
	t.write(`DELETE FROM rate_limit WHERE sid = $1`, sid)
}

const bucketColumns = `sid, rate_limit_sid, service_sid, account_sid, max_starts, interval_s, created_at, updated_at`

func scanBucket(row Row) (verify.Bucket, error) {
	var b verify.Bucket
	var interval, created, updated int64
	err := row.Scan(&b.SID, &b.RateLimitSID, &b.ServiceSID, &b.AccountSID, &b.Max, &interval, &created, &updated)
	b.Interval = time.Duration(interval) * time.Second
	b.CreatedAt, b.UpdatedAt = fromMillis(created), fromMillis(updated)
	return b, err
}

// Buckets implements verify.Tx.
func (t *Tx) Buckets(rateLimitSID string, page verify.Page) ([]verify.Bucket, error) {
	return newestFirst(t, scanBucket, `SELECT `+bucketColumns+` FROM bucket WHERE rate_limit_sid = $1`, rateLimitSID, page)
}

// PutBucket implements verify.Tx. It writes what can change.
func (t *Tx) PutBucket(b *verify.Bucket) {
	t.config = true
	t.write(`INSERT INTO bucket (`+bucketColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (sid) DO UPDATE SET max_starts = $5, interval_s = $6, updated_at = $8`,
		b.SID, b.RateLimitSID, b.ServiceSID, b.AccountSID, b.Max, int64(b.Interval/time.Second),
		toMillis(b.CreatedAt), toMillis(b.UpdatedAt))
}

// DeleteBucket implements verify.Tx.
func (t *Tx) DeleteBucket(sid string) {
	t.config = true
	t.write(`DELETE FROM bucket WHERE sid = $1`, sid)
}

// Meters implements verify.Tx.
func (t *Tx) Meters(ids []string) ([]*verify.Meter, error) {
	args := make([][]any, len(ids))
	for i := range ids {
		args[i] = []any{ids[i]}
	}
	meters := make([]*verify.Meter, len(ids))
	err := t.records(ids, `SELECT id, windows, ends_at FROM meter WHERE id = $1`, args, func(i int, row Row) (err error) {
		if meters[i], err = scanMeter(row); errors.Is(err, verify.ErrNotFound) {
			return nil
		}
		return err
	})
	return meters, err
}

func scanMeter(row Row) (*verify.Meter, error) {
	var m verify.Meter
	var windows string
	var ends int64
	if err := row.Scan(&m.ID, &windows, &ends); err != nil {
		return nil, err
	}
	var err error
	if m.Windows, err = parseWindows(windows); err != nil {
		return nil, fmt.Errorf("windows of meter %s: %w", m.ID, err)
	}
	m.EndsAt = fromMillis(ends)
	return &m, nil
}

// AddMeter implements verify.Tx. It is no upsert: of two that begin a meter at once, the second
// has to run again and count on from the first.
func (t *Tx) AddMeter(m *verify.Meter) {
	t.change(m.ID)
	t.write(`INSERT INTO meter (id, windows, ends_at) VALUES ($1, $2, $3)`, m.ID, formatWindows(m.Windows), toMillis(m.EndsAt))
}

// PutMeter implements verify.Tx.
func (t *Tx) PutMeter(m *verify.Meter) {
	t.change(m.ID)
	t.write(`UPDATE meter SET windows = $2, ends_at = $3 WHERE id = $1`, m.ID, formatWindows(m.Windows), toMillis(m.EndsAt))
}

// DropMeters implements verify.Tx. The end stands in the DELETE itself, because a meter may have
// gone on since it was found.
func (t *Tx) DropMeters(now time.Time, limit int) (more bool, err error) {
	var found, last int64
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(ends_at), 0) FROM (
			SELECT ends_at FROM meter WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2
		) AS chunk`, toMillis(now), limit).Scan(&found, &last); err != nil || found == 0 {
		return false, err
	}
	t.many = true
	t.write(`DELETE FROM meter WHERE ends_at <= $1`, last)
	return found == int64(limit), nil
}
