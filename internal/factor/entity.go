package factor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// Entity is the owner of factors: a user of the application, under a name that the application
// gives. There is one for each identity in a service.
type Entity struct {
	SID string // YE…
	// Identity is the name as it was first spelt. Two that differ in case alone are one.
	Identity   string
	ServiceSID string
	AccountSID string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// FactorsMade counts the factors that were made since FactorsSince, those too that were deleted.
	FactorsMade  int
	FactorsSince time.Time
}

// The limits of entities (error pages 60326 and 60328).
const (
	maxFactorsPerDay     = 100
	maxEntitiesPerSecond = 40
)

// MayMakeFactor counts a new factor, if the entity may have another one today. The day begins with
// its first factor.
func (e *Entity) MayMakeFactor(now time.Time) bool {
	if now.Sub(e.FactorsSince) >= 24*time.Hour {
		e.FactorsMade, e.FactorsSince = 0, now
	}
	if e.FactorsMade >= maxFactorsPerDay {
		return false
	}
	e.FactorsMade++
	return true
}

// CreateEntity makes the entity of an identity; nil is one that was not sent.
func (e *Engine) CreateEntity(ctx context.Context, accountSID, serviceSID string, identity *string) (*Entity, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	if identity == nil || *identity == "" {
		return nil, missing("Identity")
	}
	if !validIdentity(*identity) {
		return nil, refuse("Identity")
	}
	var made *Entity
	err = e.update(ctx, func(tx Tx) error {
		now := e.verify.Now()
		_, err := tx.Entity(s.SID, *identity)
		if err == nil {
			return &verify.Error{Code: CodeEntityExists}
		}
		if !errors.Is(err, verify.ErrNotFound) {
			return err
		}
		if made, err = e.newEntity(tx, s, *identity, now); err != nil {
			return err
		}
		tx.AddEntity(made)
		return nil
	})
	return made, err
}

// newEntity makes an entity, if the account may have another one now. The caller adds it.
func (e *Engine) newEntity(tx Tx, s *verify.Service, identity string, now time.Time) (*Entity, error) {
	latest, err := tx.CountEntities(s.AccountSID, now.Add(-time.Second))
	if err != nil {
		return nil, err
	}
	if latest >= maxEntitiesPerSecond {
		return nil, &verify.Error{Code: CodeEntityRate, RetryAfter: time.Second}
	}
	entitySID, err := sid.New(sid.Entity, now, e.verify.Random)
	if err != nil {
		return nil, err
	}
	return &Entity{
		SID:          entitySID,
		Identity:     identity,
		ServiceSID:   s.SID,
		AccountSID:   s.AccountSID,
		CreatedAt:    now,
		UpdatedAt:    now,
		FactorsSince: now,
	}, nil
}

// Entity fetches an entity by its identity.
func (e *Engine) Entity(ctx context.Context, accountSID, serviceSID, identity string) (*Entity, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var found *Entity
	err = e.view(ctx, func(tx Tx) (err error) {
		found, err = findEntity(tx, s, identity)
		return err
	})
	return found, err
}

// Entities lists the entities of a service, oldest first.
func (e *Engine) Entities(ctx context.Context, accountSID, serviceSID string, page verify.Page) ([]Entity, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var list []Entity
	err = e.view(ctx, func(tx Tx) (err error) {
		list, err = tx.Entities(s.SID, page)
		return err
	})
	return list, err
}

// DeleteEntity removes an entity with everything below it. Its identity is free again.
func (e *Engine) DeleteEntity(ctx context.Context, accountSID, serviceSID, identity string) error {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return err
	}
	return e.update(ctx, func(tx Tx) error {
		found, err := findEntity(tx, s, identity)
		if err != nil {
			return err
		}
		if err := e.tellOfFactors(tx, hooks, found); err != nil {
			return err
		}
		tx.DeleteEntity(found)
		return nil
	})
}

// tellOfFactors tells of the end of every factor of an entity that is about to be deleted.
func (e *Engine) tellOfFactors(tx Tx, hooks []verify.Webhook, owner *Entity) error {
	if !slices.ContainsFunc(hooks, func(w verify.Webhook) bool { return w.Wants(verify.FactorDeleted) }) {
		return nil
	}
	factors, err := tx.Factors(owner.SID, verify.Page{Size: maxFactorsRead})
	if err != nil {
		return err
	}
	now := e.verify.Now()
	for i := range factors {
		if factors[i].GivenUp(now) {
			continue
		}
		if err := e.verify.Tell(tx, hooks, factorEvent(verify.FactorDeleted, &factors[i]), now); err != nil {
			return err
		}
	}
	return nil
}

// findEntity reads the entity that a path names. What cannot be an identity names none.
func findEntity(tx Tx, s *verify.Service, identity string) (*Entity, error) {
	if !validIdentity(identity) {
		return nil, &verify.Error{Code: verify.CodeNotFound}
	}
	found, err := tx.Entity(s.SID, identity)
	if errors.Is(err, verify.ErrNotFound) {
		return nil, &verify.Error{Code: verify.CodeNotFound}
	}
	return found, err
}

// validIdentity accepts 8 to 64 letters, digits and hyphens.
func validIdentity(s string) bool {
	if !Identities.Holds(len(s)) {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}
