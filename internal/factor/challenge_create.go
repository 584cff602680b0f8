package factor

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// CreateChallenge makes a challenge. With an AuthPayload it is answered at once: a wrong answer
// leaves it pending, with one answer less.
func (e *Engine) CreateChallenge(ctx context.Context, accountSID, serviceSID, identity string, p ChallengeParams) (*Challenge, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	out := e.newSend()
	defer out.GiveUp()
	var c *Challenge
	err = e.update(ctx, func(tx Tx) error {
		out.Reset()
		now := e.verify.Now()
		owner, err := findEntity(tx, s, identity)
		if err != nil {
			return err
		}
		f, err := challengedFactor(tx, owner, p)
		if err != nil {
			return err
		}
		c = &Challenge{
			FactorSID:  f.SID,
			FactorType: f.Type,
			EntitySID:  f.EntitySID,
			Identity:   f.Identity,
			ServiceSID: f.ServiceSID,
			AccountSID: f.AccountSID,
			Status:     ChallengePending,
			CreatedAt:  now,
			UpdatedAt:  now,
		}
		if err := p.read(c, s, now); err != nil {
			return err
		}
		if err := roomForChallenge(tx, f, now); err != nil {
			return err
		}
		if c.SID, err = sid.NewTyped(sid.Challenge, factorRules[f.Type].sid, now, e.verify.Random); err != nil {
			return err
		}
		if payload, given := sent(p.AuthPayload); given && f.Type != Push {
			if err := e.answer(tx, hooks, f, c, payload, now); err != nil {
				return err
			}
		}
		tx.AddChallenge(c)
		return out.notifyOfNew(tx, s, f, c, now)
	})
	if err != nil {
		return nil, err
	}
	out.Begin()
	return c, nil
}

// challengedFactor is the factor that a challenge is to ask.
func challengedFactor(tx Tx, owner *Entity, p ChallengeParams) (*Factor, error) {
	factorSID, err := p.factorSID()
	if err != nil {
		return nil, err
	}
	f, err := tx.Factor(factorSID)
	switch {
	case err != nil && !errors.Is(err, verify.ErrNotFound):
		return nil, err
	case err != nil || f.EntitySID != owner.SID:
		return nil, &verify.Error{Code: CodeFactorParamNotFound}
	case factorRules[f.Type].apart:
		return nil, &verify.Error{Code: CodeInvalidFactorType}
	case f.Status != Verified:
		return nil, &verify.Error{Code: CodeFactorUnverified}
	}
	return f, nil
}

// challengeLimit bounds the challenges of a factor, answered or not.
type challengeLimit struct {
	most   int
	window time.Duration
}

// challengeLimits bound how often the codes of an app can be guessed at (error page 60312). Every
// challenge allows five guesses.
func challengeLimits(f *Factor) []challengeLimit {
	switch {
	case f.Type != TOTP:
		return nil
	case f.Config.TOTP.CodeLength <= 4:
		return []challengeLimit{{10, 24 * time.Hour}}
	default:
		return []challengeLimit{{50, time.Hour}, {100, 24 * time.Hour}}
	}
}

func roomForChallenge(tx Tx, f *Factor, now time.Time) error {
	for _, limit := range challengeLimits(f) {
		n, err := tx.CountChallenges(f.SID, now.Add(-limit.window))
		if err != nil {
			return err
		}
		if n >= limit.most {
			return &verify.Error{Code: CodeTooManyChallenges}
		}
	}
	return nil
}
