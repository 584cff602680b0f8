package verify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/sid"
)

// RateLimit is a name under which starts of a service are counted, by a value that the customer
// gives with each: RateLimits={"end_user_ip":"192.0.2.7"}. How many may start in how long is in its
// buckets; without any it limits nothing.
type RateLimit struct {
	SID         string // RK…
	ServiceSID  string
	AccountSID  string
	UniqueName  string  // in the service; never changes
	Description *string // nil is null
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Bucket is one bound of a rate limit.
type Bucket struct {
	SID          string // BL…
	RateLimitSID string
	ServiceSID   string
	AccountSID   string
	Max          int           // starts with one value in one interval
	Interval     time.Duration // whole seconds; no two buckets of a limit have the same
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

func (b *Bucket) limit() ratelimit.Limit { return ratelimit.Limit{Max: b.Max, Interval: b.Interval} }

// The bounds of rate limits. Twilio's are unpublished; these are ours.
const (
	MaxRateLimits     = 10 // of a service
	MaxBuckets        = 10 // of a rate limit
	MaxBucketInterval = 24 * time.Hour
)

// RateLimitParams are the parameters of a create or an update (core reference, section 8.1); nil
// means "not sent".
type RateLimitParams struct {
	UniqueName  *string // of a create
	Description *string // "" is null
}

// CreateRateLimit makes a rate limit.
func (e *Engine) CreateRateLimit(ctx context.Context, accountSID, serviceSID string, p RateLimitParams) (*RateLimit, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	if p.UniqueName == nil {
		return nil, missing("UniqueName")
	}
	if !validUniqueName(*p.UniqueName) {
		return nil, &Error{Code: CodeUniqueNameInvalid}
	}
	now := e.Now()
	rateLimitSID, err := sid.New(sid.RateLimit, now, e.Random)
	if err != nil {
		return nil, err
	}
	l := &RateLimit{
		SID: rateLimitSID, ServiceSID: s.SID, AccountSID: s.AccountSID,
		UniqueName: *p.UniqueName, CreatedAt: now, UpdatedAt: now,
	}
	if err := l.describe(p.Description); err != nil {
		return nil, err
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := ownService(tx, accountSID, serviceSID); err != nil {
			return err
		}
		all, err := tx.RateLimits(s.SID, everything)
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(all, func(other RateLimit) bool { return other.UniqueName == l.UniqueName }):
			return &Error{Code: CodeRateLimitExists}
		case len(all) >= MaxRateLimits:
			return &Error{Code: CodeTooManyRateLimits}
		}
		tx.PutRateLimit(l)
		return nil
	})
	return l, err
}

// everything is the page of a whole list that is short.
var everything = Page{Size: 1000}

// validUniqueName: [A-Za-z0-9._-]+ (error page 60209).
func validUniqueName(name string) bool {
	return UniqueNames.Holds(len(name)) && strings.Trim(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func (l *RateLimit) describe(description *string) error {
	c := change{}
	c.nullable(&l.Description, description, "Description", func(s string) bool { return OneLine(s, Descriptions.Max) })
	return c.err
}

// RateLimit fetches a rate limit by its SID or its unique name.
func (e *Engine) RateLimit(ctx context.Context, accountSID, serviceSID, sidOrName string) (l *RateLimit, err error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		l, err = findRateLimit(tx, s, sidOrName)
		return err
	})
	return l, err
}

// RateLimits lists a service's rate limits, newest first.
func (e *Engine) RateLimits(ctx context.Context, accountSID, serviceSID string, page Page) (list []RateLimit, err error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.RateLimits(s.SID, page)
		return err
	})
	return list, err
}

// UpdateRateLimit changes the description, if one was sent.
func (e *Engine) UpdateRateLimit(ctx context.Context, accountSID, serviceSID, sidOrName string, p RateLimitParams) (l *RateLimit, err error) {
	err = e.changeRateLimit(ctx, accountSID, serviceSID, sidOrName, func(tx Tx, found *RateLimit) error {
		l = found
		if err := l.describe(p.Description); err != nil {
			return err
		}
		l.UpdatedAt = e.Now()
		tx.PutRateLimit(l)
		return nil
	})
	return l, err
}

// DeleteRateLimit removes a rate limit and its buckets.
func (e *Engine) DeleteRateLimit(ctx context.Context, accountSID, serviceSID, sidOrName string) error {
	return e.changeRateLimit(ctx, accountSID, serviceSID, sidOrName, func(tx Tx, l *RateLimit) error {
		tx.DeleteRateLimit(l.SID)
		return nil
	})
}

// changeRateLimit runs fn in an Update with a rate limit that is there.
func (e *Engine) changeRateLimit(ctx context.Context, accountSID, serviceSID, sidOrName string, fn func(Tx, *RateLimit) error) error {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return err
	}
	return e.Store.Update(ctx, func(tx Tx) error {
		if _, err := ownService(tx, accountSID, serviceSID); err != nil {
			return err
		}
		l, err := findRateLimit(tx, s, sidOrName)
		if err != nil {
			return err
		}
		return fn(tx, l)
	})
}

// findRateLimit reads the rate limit that a path names. It searches the list, which is short.
func findRateLimit(tx Tx, s *Service, sidOrName string) (*RateLimit, error) {
	all, err := tx.RateLimits(s.SID, everything)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].SID == sidOrName || all[i].UniqueName == sidOrName {
			return &all[i], nil
		}
	}
	return nil, &Error{Code: CodeNotFound}
}
