package factor

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// FactorUpdate are the parameters of an update of a factor (factors reference, section 2.4); nil
// means "not sent". Those of another type of factor are ignored.
type Update struct {
	AuthPayload  *string
	FriendlyName *string
	TOTPParams
	PushParams
}

// UpdateFactor verifies a factor, changes it, or both. A wrong answer is counted and is no error:
// the factor stays unverified, and the changes are made all the same (but see RefuseWrongCodes).
func (e *Engine) UpdateFactor(ctx context.Context, accountSID, serviceSID, identity, factorSID string, p Update) (*Factor, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var f *Factor
	err = e.update(ctx, func(tx Tx) (err error) {
		now := e.verify.Now()
		if f, err = e.findFactor(tx, s, identity, factorSID); err != nil {
			return err
		}
		changed, before := *f, f.Status
		if err := e.change(&changed, p); err != nil {
			return err
		}
		if p.AuthPayload != nil {
			// The code is one of the app as it was set up, so it is held against the old settings.
			if err := e.verifyFactor(f, p.AuthPayload, now); err != nil {
				return err
			}
		}
		f.FriendlyName, f.Config, f.SecretSealed, f.UpdatedAt = changed.FriendlyName, changed.Config, changed.SecretSealed, now
		tx.PutFactor(f)
		if f.Status == Verified && before != Verified {
			return e.verify.Tell(tx, hooks, factorEvent(verify.FactorVerified, f), now)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if e.verify.RefuseWrongCodes && p.AuthPayload != nil && f.Status != Verified { // only now, after the commit
		return nil, &verify.Error{Code: CodeFactorProof}
	}
	return f, nil
}

// change takes over what was sent.
func (e *Engine) change(f *Factor, p Update) error {
	if p.FriendlyName != nil {
		if !validFactorName(*p.FriendlyName) {
			return refuse("FriendlyName")
		}
		f.FriendlyName = *p.FriendlyName
	}
	switch f.Type {
	case TOTP:
		config := *f.Config.TOTP
		f.Config.TOTP = &config
		return config.apply(p.TOTPParams)
	case Push:
		return e.changePush(f, p.PushParams)
	}
	return nil
}

// verifyFactor takes an answer of a factor. It returns an error where there is nothing to count.
func (e *Engine) verifyFactor(f *Factor, payload *string, now time.Time) error {
	if err := checkPayload(f.Type, payload); err != nil {
		return err
	}
	var a answer
	var err error
	got := f.Verify(func() ChallengeStatus {
		a, err = e.readAnswer(f, nil, *payload, now)
		return a.status
	}, now)
	switch {
	case err != nil:
		return err
	case got == AnswersSpent:
		return &verify.Error{Code: CodeFactorAnswers}
	case got == AnswerRight:
		f.spend(a)
	}
	return nil
}
