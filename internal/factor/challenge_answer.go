package factor

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// ChallengeUpdate are the parameters of an update of a challenge (factors reference, section 3.4);
// nil means "not sent".
type ChallengeUpdate struct {
	AuthPayload *string
	Metadata    *string // JSON object of texts, set by the device
}

// AnswerChallenge takes an answer to a challenge, metadata, or both. A wrong answer is counted and is
// no error: the challenge stays pending (but see RefuseWrongCodes).
func (e *Engine) AnswerChallenge(ctx context.Context, accountSID, serviceSID, identity, challengeSID string, p ChallengeUpdate) (*Challenge, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var c *Challenge
	err = e.update(ctx, func(tx Tx) (err error) {
		now := e.verify.Now()
		if c, err = findChallenge(tx, s, identity, challengeSID); err != nil {
			return err
		}
		if err := c.closed(now).refusal(); err != nil {
			return err
		}
		metadata, err := optionalTexts(p.Metadata, "Metadata")
		if err != nil {
			return err
		}
		if p.AuthPayload != nil || metadata == nil {
			if err := checkPayload(c.FactorType, p.AuthPayload); err != nil {
				return err
			}
			f, err := tx.Factor(c.FactorSID)
			if errors.Is(err, verify.ErrNotFound) { // its challenges have expired with it
				return &verify.Error{Code: CodeChallengeExpired}
			}
			if err != nil {
				return err
			}
			if err := e.answer(tx, hooks, f, c, *p.AuthPayload, now); err != nil {
				return err
			}
		}
		if metadata != nil {
			c.Metadata, c.UpdatedAt = metadata, now
		}
		tx.PutChallenge(c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if e.verify.RefuseWrongCodes && p.AuthPayload != nil && c.Status == ChallengePending { // only now, after the commit
		return nil, &verify.Error{Code: CodeChallengeProof}
	}
	return c, nil
}

// answer holds an answer against the challenge and its factor. Both have been read in this Update, so
// of two answers at the same moment one comes first, and the other one sees what it did: a challenge
// has one outcome, and a code is good for one challenge. The caller puts the challenge.
func (e *Engine) answer(tx Tx, hooks []verify.Webhook, f *Factor, c *Challenge, payload string, now time.Time) error {
	if wait := e.guessesWait(f, now); wait > 0 {
		return &verify.Error{Code: CodeChallengeAnswers, RetryAfter: wait}
	}
	var a answer
	var err error
	got := c.Answer(func() ChallengeStatus {
		a, err = e.readAnswer(f, c, payload, now)
		return a.status
	}, now)
	if err != nil {
		return err
	}
	switch got {
	case AnswerWrong:
		f.Guesses.Guessed(now, verify.MaxGuesses)
		tx.PutFactor(f)
	case AnswerRight:
		f.spend(a)
		f.Guesses = verify.Guesses{}
		tx.PutFactor(f)
		return e.verify.Tell(tx, hooks, challengeEvent(c), now)
	}
	return got.refusal()
}

// guessesWait is how long a factor takes no answer, 0 if it takes one.
func (e *Engine) guessesWait(f *Factor, now time.Time) (wait time.Duration) {
	if f.Type == TOTP {
		app := f.Config.TOTP
		_, wait = e.verify.Limits.FactorGuesses.Of(app.CodeLength, app.Skew, f.Guesses.Failed).Left(f.Guesses.Times, now)
	}
	return wait
}

// refusal is what an outcome of a challenge is answered with. Nothing has changed where it is not
// nil, so the update may be rolled back.
func (o AnswerOutcome) refusal() error {
	switch o {
	case AnswerTwice:
		return &verify.Error{Code: CodeChallengeResponded}
	case AnswerTooLate:
		return &verify.Error{Code: CodeChallengeExpired}
	case AnswersSpent:
		return &verify.Error{Code: CodeChallengeAnswers}
	default:
		return nil
	}
}
