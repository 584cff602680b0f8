package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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

const meterColumns = `id, windows, ends_at`

// Meters implements verify.Tx. Where records are locked each is read by itself, all in one round
// trip; otherwise one statement reads them all, because most of what it costs is that it is one.
func (t *Tx) Meters(ids []int64) ([]*verify.Meter, error) {
	if r, ok := t.conn.(Recorder); ok {
		return scanMeters(r.Records(meterReads(ids)...))
	}
	meters, args := make([]*verify.Meter, len(ids)), make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i]
	}
	found, err := list(t, scanMeter, metersByID(len(ids)), args...)
	for _, m := range found {
		meters[slices.Index(ids, m.ID)] = m
	}
	return meters, err
}

// CurrentAndMeters implements verify.Tx.
func (t *Tx) CurrentAndMeters(serviceSID, recipient string, ids []int64) (v *verify.Verification, meters []*verify.Meter, err error) {
	if r, ok := t.conn.(Recorder); ok {
		rows := r.Records(append([]Read{currentRead(serviceSID, recipient)}, meterReads(ids)...)...)
		if v, err = scanVerification(rows[0]); err == nil || errors.Is(err, verify.ErrNotFound) {
			meters, err = scanMeters(rows[1:])
		}
		return v, meters, err
	}
	if v, err = t.CurrentVerification(serviceSID, recipient); err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, nil, err
	}
	if len(ids) == 0 {
		return v, nil, nil
	}
	meters, err = t.Meters(ids)
	return v, meters, err
}

// meterReads are questions for meters, one each.
func meterReads(ids []int64) []Read {
	reads := make([]Read, len(ids))
	for i, id := range ids {
		reads[i] = Read{meterKey(id), metersByID(1), []any{id}}
	}
	return reads
}

// scanMeters reads the answers, nil for a meter that is not there.
func scanMeters(rows []Row) (meters []*verify.Meter, err error) {
	meters = make([]*verify.Meter, len(rows))
	for i, row := range rows {
		if meters[i], err = scanMeter(row); err != nil && !errors.Is(err, verify.ErrNotFound) {
			return nil, err
		}
	}
	return meters, nil
}

// metersByID is the query for n meters. SQLite would sort the list of an IN first.
func metersByID(n int) string {
	const one = `SELECT ` + meterColumns + ` FROM meter WHERE id = $`
	query := []byte(one + "1")
	for i := 2; i <= n; i++ {
		query = strconv.AppendInt(append(query, " UNION ALL "+one...), int64(i), 10)
	}
	return string(query)
}

// meterKey names the record of a meter. It comes after all SIDs: a start reads its verification and its
// meters at once, in the order of their keys, and a check reads the verification first.
func meterKey(id int64) string { return "~" + strconv.FormatInt(id, 36) }

func scanMeter(row Row) (*verify.Meter, error) {
	var m verify.Meter
	var windows string
	var ends int64
	if err := row.Scan(&m.ID, &windows, &ends); err != nil {
		return nil, err
	}
	if err := parseMeter(windows, &m); err != nil {
		return nil, fmt.Errorf("meter %d: %w", m.ID, err)
	}
	m.EndsAt = fromMillis(ends)
	return &m, nil
}

// AddMeter implements verify.Tx. It is no upsert: of two that begin a meter at once, the second
// has to run again and count on from the first.
func (t *Tx) AddMeter(m *verify.Meter) {
	t.change(meterKey(m.ID))
	t.write(`INSERT INTO meter (`+meterColumns+`) VALUES ($1, $2, $3)`, m.ID, formatMeter(m), toMillis(m.EndsAt))
}

// PutMeter implements verify.Tx.
func (t *Tx) PutMeter(m *verify.Meter) {
	t.change(meterKey(m.ID))
	t.write(`UPDATE meter SET windows = $2, ends_at = $3 WHERE id = $1`, m.ID, formatMeter(m), toMillis(m.EndsAt))
}

// DropMeters implements verify.Tx. The DELETE looks at the end itself, because a meter may have gone
// on since it was found.
func (t *Tx) DropMeters(from int64, now time.Time, limit int) (next int64, err error) {
	var found, last int64
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(id), 0) FROM (
			SELECT id FROM meter WHERE id > $1 ORDER BY id LIMIT $2
		) AS chunk`, from, limit).Scan(&found, &last); err != nil || found == 0 {
		return 0, err
	}
	t.many = true
	t.write(`DELETE FROM meter WHERE id > $1 AND id <= $2 AND ends_at <= $3`, from, last, toMillis(now))
	if found < int64(limit) {
		return 0, nil
	}
	return last, nil
}
