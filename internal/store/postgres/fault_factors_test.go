//go:build full

package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/store/postgres"
)

// The connection breaks after the k-th message of an answer, for every k. Each challenge is approved
// by its code, once: an answer that ran again after its commit would find the code spent.
func TestAnAnswerWhoseConnectionBreaksCountsOnce(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "and the last bytes arrive late": 150 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			p, s, direct := behindProxy(t)
			now := time.Now().UTC().Truncate(time.Millisecond)
			factorSID := fmt.Sprintf("YF02%030x", 1)
			challenge := func(k int) string { return fmt.Sprintf("YC02%016x%014x", k, k) }
			const most = 60
			if err := direct.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
				tx.AddFactor(&factor.Factor{SID: factorSID, Type: factor.TOTP, Status: factor.Verified, CreatedAt: now, UpdatedAt: now})
				for k := 1; k <= most; k++ {
					tx.AddChallenge(&factor.Challenge{SID: challenge(k), FactorSID: factorSID, Status: factor.ChallengePending, ExpiresAt: now.Add(time.Hour)})
				}
				return nil
			})); err != nil {
				t.Fatal(err)
			}
			k := 1
			for ; k <= most; k++ {
				p.cutAfter(k, late)
				if err := answer(t, s, challenge(k), now.Add(time.Duration(k)*time.Minute), now); err != nil {
					t.Errorf("cut before message %d: %v", k+1, err)
				}
				if !p.cut() {
					break
				}
			}
			if k < 15 || k == most {
				t.Errorf("%d cuts were made", k)
			}
			for i := 1; i <= k; i++ {
				var c *factor.Challenge
				if err := direct.View(t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
					c, err = tx.Challenge(challenge(i))
					return err
				})); err != nil {
					t.Fatal(err)
				}
				if c.Status != factor.ChallengeApproved || c.WrongAnswers != 0 {
					t.Errorf("challenge %d is %s after %d wrong answers", i, c.Status, c.WrongAnswers)
				}
			}
		})
	}
}

// answer is the engine's, with a code that is right while the time until end is not spent.
func answer(t *testing.T, s *postgres.Store, challengeSID string, end, now time.Time) error {
	return s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		c, err := tx.Challenge(challengeSID)
		if err != nil {
			return err
		}
		f, err := tx.Factor(c.FactorSID)
		if err != nil {
			return err
		}
		got := c.Answer(func() factor.ChallengeStatus {
			if f.SpentUntil.Before(end) {
				return factor.ChallengeApproved
			}
			return ""
		}, now)
		if got == factor.AnswerRight {
			f.SpentUntil = end
			tx.PutFactor(f)
		}
		tx.PutChallenge(c)
		return nil
	}))
}
