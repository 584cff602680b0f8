package verify

import (
	"context"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// BucketParams are the parameters of a create or an update (core reference, section 8.2); nil means
// "not sent".
type BucketParams struct {
	Max      *int
	Interval *int // seconds
}

// CreateBucket makes a bucket of a rate limit. It counts from the beginning.
func (e *Engine) CreateBucket(ctx context.Context, accountSID, serviceSID, limit string, p BucketParams) (*Bucket, error) {
	if _, err := e.serviceInPath(ctx, accountSID, serviceSID); err != nil {
		return nil, err
	}
	now := e.Now()
	bucketSID, err := sid.New(sid.Bucket, now, e.Random)
	if err != nil {
		return nil, err
	}
	var b *Bucket
	err = e.changeRateLimit(ctx, accountSID, serviceSID, limit, func(tx Tx, l *RateLimit) error {
		switch {
		case p.Max == nil:
			return missing("Max")
		case p.Interval == nil:
			return missing("Interval")
		}
		b = &Bucket{
			SID: bucketSID, RateLimitSID: l.SID, ServiceSID: l.ServiceSID, AccountSID: l.AccountSID,
			CreatedAt: now, UpdatedAt: now,
		}
		if err := b.apply(p); err != nil {
			return err
		}
		all, err := tx.Buckets(l.SID, everything)
		switch {
		case err != nil:
			return err
		case b.takenBy(all):
			return &Error{Code: CodeBucketExists}
		case len(all) >= MaxBuckets:
			return &Error{Code: CodeTooManyBuckets}
		}
		tx.PutBucket(b)
		return nil
	})
	return b, err
}

// apply takes over what was sent.
func (b *Bucket) apply(p BucketParams) error {
	c := change{}
	c.number(&b.Max, p.Max, "Max", BucketMaxima)
	seconds := int(b.Interval / time.Second)
	c.number(&seconds, p.Interval, "Interval", BucketIntervals)
	b.Interval = time.Duration(seconds) * time.Second
	return c.err
}

// takenBy reports whether another bucket has the same interval.
func (b *Bucket) takenBy(all []Bucket) bool {
	return slices.ContainsFunc(all, func(other Bucket) bool { return other.Interval == b.Interval && other.SID != b.SID })
}

// Bucket fetches a bucket.
func (e *Engine) Bucket(ctx context.Context, accountSID, serviceSID, limit, bucketSID string) (b *Bucket, err error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		l, err := findRateLimit(tx, s, limit)
		if err != nil {
			return err
		}
		b, err = findBucket(tx, l, bucketSID)
		return err
	})
	return b, err
}

// Buckets lists a rate limit's buckets, newest first.
func (e *Engine) Buckets(ctx context.Context, accountSID, serviceSID, limit string, page Page) (l *RateLimit, list []Bucket, err error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, nil, err
	}
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		if l, err = findRateLimit(tx, s, limit); err != nil {
			return err
		}
		list, err = tx.Buckets(l.SID, page)
		return err
	})
	return l, list, err
}

// UpdateBucket changes what was sent. What was counted in the interval stays counted; another
// interval begins with nothing.
func (e *Engine) UpdateBucket(ctx context.Context, accountSID, serviceSID, limit, bucketSID string, p BucketParams) (b *Bucket, err error) {
	err = e.changeRateLimit(ctx, accountSID, serviceSID, limit, func(tx Tx, l *RateLimit) (err error) {
		if b, err = findBucket(tx, l, bucketSID); err != nil {
			return err
		}
		if err := b.apply(p); err != nil {
			return err
		}
		all, err := tx.Buckets(l.SID, everything)
		if err != nil {
			return err
		}
		if b.takenBy(all) {
			return &Error{Code: CodeBucketExists}
		}
		b.UpdatedAt = e.Now()
		tx.PutBucket(b)
		return nil
	})
	return b, err
}

// DeleteBucket removes a bucket.
func (e *Engine) DeleteBucket(ctx context.Context, accountSID, serviceSID, limit, bucketSID string) error {
	return e.changeRateLimit(ctx, accountSID, serviceSID, limit, func(tx Tx, l *RateLimit) error {
		b, err := findBucket(tx, l, bucketSID)
		if err != nil {
			return err
		}
		tx.DeleteBucket(b.SID)
		return nil
	})
}

// findBucket reads a bucket of a rate limit.
func findBucket(tx Tx, l *RateLimit, bucketSID string) (*Bucket, error) {
	all, err := tx.Buckets(l.SID, everything)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].SID == bucketSID {
			return &all[i], nil
		}
	}
	return nil, &Error{Code: CodeNotFound}
}
