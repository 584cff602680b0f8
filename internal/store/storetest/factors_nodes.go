package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// Every caller answers one of ten challenges with the same code, which is spent by the first.
func answersOnNodes(t *testing.T, nodes []Store) {
	owner := entity(1)
	f := factorOf(1, owner)
	f.SpentUntil = noon
	const challenges = 10
	update(t, nodes[0], func(tx factor.Tx) {
		tx.AddFactor(f)
		for n := range challenges {
			tx.AddChallenge(challenge(n+1, f))
		}
	})
	var approved, wrong, refused atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		var got factor.AnswerOutcome
		err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			c, err := tx.Challenge(numberedTyped("YC", i%challenges+1))
			if err != nil {
				return err
			}
			f, err := tx.Factor(c.FactorSID)
			if err != nil {
				return err
			}
			got = c.Answer(func() factor.ChallengeStatus {
				if !f.SpentUntil.After(noon) {
					return factor.ChallengeApproved
				}
				return ""
			}, noon)
			if got == factor.AnswerRight {
				f.SpentUntil = noon.Add(30 * time.Second)
				tx.PutFactor(f)
			}
			tx.PutChallenge(c)
			return nil
		}))
		switch {
		case err != nil:
			t.Error(err)
		case got == factor.AnswerRight:
			approved.Add(1)
		case got == factor.AnswerWrong:
			wrong.Add(1)
		default:
			refused.Add(1)
		}
	})
	if approved.Load() != 1 {
		t.Errorf("one code opened %d challenges, want 1", approved.Load())
	}
	counted, open := 0, 0
	for n := range challenges {
		c := mustView(t, nodes[0], func(tx factor.Tx) (*factor.Challenge, error) { return tx.Challenge(numberedTyped("YC", n+1)) })
		counted += c.WrongAnswers
		if c.Status == factor.ChallengeApproved {
			open++
		}
	}
	if int64(counted) != wrong.Load() || open != 1 || approved.Load()+wrong.Load()+refused.Load() != simultaneous {
		t.Errorf("%d wrong answers were counted, %d given; %d challenges are approved", counted, wrong.Load(), open)
	}
}

func factorsOnNodes(t *testing.T, nodes []Store) {
	var entities atomic.Int64
	const most = 20
	onNodes(nodes, func(i int, s Store) {
		isNew := false
		err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			owner, err := tx.Entity(serviceSID, "user-name")
			isNew = errors.Is(err, verify.ErrNotFound)
			if err != nil && !isNew {
				return err
			}
			if isNew {
				owner = entity(1 + i)
				owner.Identity, owner.FactorsMade = "user-name", 0
			}
			have, err := tx.Factors(owner.SID, verify.Page{Size: 1000})
			if err != nil || len(have) >= most {
				return err
			}
			owner.FactorsMade++
			if isNew {
				tx.AddEntity(owner)
			} else {
				tx.PutEntity(owner)
			}
			tx.AddFactor(factorOf(1+i, owner))
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
		if isNew {
			entities.Add(1)
		}
	})
	owner := mustView(t, nodes[0], func(tx factor.Tx) (*factor.Entity, error) { return tx.Entity(serviceSID, "USER-NAME") })
	have := mustView(t, nodes[0], func(tx factor.Tx) ([]factor.Factor, error) { return tx.Factors(owner.SID, verify.Page{Size: 1000}) })
	if entities.Load() != 1 || len(have) != most || owner.FactorsMade != most {
		t.Errorf("%d entities, %d factors, %d counted; want 1, %d, %d", entities.Load(), len(have), owner.FactorsMade, most, most)
	}
}

func challengesOnNodes(t *testing.T, nodes []Store) {
	f := factorOf(1, entity(1))
	update(t, nodes[0], func(tx factor.Tx) { tx.AddFactor(f) })
	const most = 20
	var made atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		added := false
		err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			added = false
			f, err := tx.Factor(f.SID)
			if err != nil {
				return err
			}
			n, err := tx.CountChallenges(f.SID, time.Unix(0, 0))
			if err != nil || n >= most {
				return err
			}
			tx.AddChallenge(challenge(i+1, f))
			added = true
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
		if added {
			made.Add(1)
		}
	})
	if made.Load() != most {
		t.Errorf("%d challenges were made, want %d", made.Load(), most)
	}
}

// Whatever comes first, afterwards the factor is gone, and no challenge waits for it.
func deletionDuringAnswers(t *testing.T, nodes []Store) {
	f := factorOf(1, entity(1))
	update(t, nodes[0], func(tx factor.Tx) {
		tx.AddFactor(f)
		for n := range simultaneous {
			tx.AddChallenge(challenge(n+1, f))
		}
	})
	onNodes(nodes, func(i int, s Store) {
		err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			if i == simultaneous/2 {
				f, err := tx.Factor(f.SID)
				if err == nil {
					tx.DeleteFactor(f)
				}
				return err
			}
			if i%3 == 0 {
				f, err := tx.Factor(f.SID)
				if err == nil {
					tx.AddChallenge(challenge(1000+i, f))
				}
				return err
			}
			c, err := tx.Challenge(numberedTyped("YC", i+1))
			if err != nil {
				return err
			}
			f, err := tx.Factor(c.FactorSID)
			if err != nil {
				return err
			}
			c.Answer(func() factor.ChallengeStatus { return factor.ChallengeApproved }, noon)
			tx.PutChallenge(c)
			tx.PutFactor(f)
			return nil
		}))
		if err != nil && !errors.Is(err, verify.ErrNotFound) {
			t.Error(err)
		}
	})
	if _, err := view(t, nodes[0], func(tx factor.Tx) (*factor.Factor, error) { return tx.Factor(f.SID) }); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the factor is there: %v", err)
	}
	left := mustView(t, nodes[0], func(tx factor.Tx) ([]factor.Challenge, error) {
		return tx.Challenges(factor.ChallengeQuery{EntitySID: f.EntitySID, Status: factor.ChallengePending, Now: noon}, verify.Page{Size: 1000})
	})
	if len(left) != 0 {
		t.Errorf("%d challenges wait for a factor that is gone", len(left))
	}
}
