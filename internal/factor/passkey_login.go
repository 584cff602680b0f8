package factor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/passkey"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// PasskeyRequest is what a browser needs to ask for a passkey. It is not stored: it is that of the
// factor that the challenge names, or that of the service.
type PasskeyRequest struct {
	RelyingParty     RelyingParty
	UserVerification string
	Challenge        string // before it is encoded: the challenge's SID
	// Allow are the keys that may answer, empty if any key of the relying party may that an
	// authenticator finds by itself.
	Allow   []PasskeyCredential
	Timeout time.Duration
}

// PasskeyChallenge is a challenge with what a browser needs to have it answered.
type PasskeyChallenge struct {
	*Challenge
	Request PasskeyRequest
}

// PasskeyChallengeParams are the parameters of a challenge for passkeys (factors reference, section
// 7.4). What is empty was not sent.
type PasskeyChallengeParams struct {
	Identity  string
	FactorSID string
}

// ChallengePasskey makes a challenge for a passkey, for those of an entity, or for whichever the
// person has.
func (e *Engine) ChallengePasskey(ctx context.Context, accountSID, serviceSID string, p PasskeyChallengeParams) (*PasskeyChallenge, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	switch {
	case p.FactorSID != "" && !sid.Valid(sid.Factor, p.FactorSID):
		return nil, &verify.Error{Code: CodeInvalidFactorSID}
	case (p.FactorSID != "" || p.Identity != "") && !validIdentity(p.Identity):
		return nil, &verify.Error{Code: CodeInvalidIdentity}
	}
	var made *PasskeyChallenge
	err = e.update(ctx, func(tx Tx) error {
		now := e.verify.Now()
		c := &Challenge{
			FactorType: Passkeys,
			ServiceSID: s.SID,
			AccountSID: s.AccountSID,
			Status:     ChallengePending,
			CreatedAt:  now,
			UpdatedAt:  now,
			ExpiresAt:  now.Truncate(time.Second).Add(passkeyLogin),
		}
		if p.Identity != "" {
			owner, err := tx.Entity(s.SID, p.Identity)
			if errors.Is(err, verify.ErrNotFound) {
				return &verify.Error{Code: CodeEntityParamNotFound}
			}
			if err != nil {
				return err
			}
			c.EntitySID, c.Identity = owner.SID, owner.Identity
		}
		if p.FactorSID != "" {
			f, err := e.askedFactor(tx, s, p.FactorSID)
			switch {
			case err != nil:
				return err
			case f.EntitySID != c.EntitySID:
				return &verify.Error{Code: CodeFactorParamNotFound}
			case f.Status != Verified:
				return &verify.Error{Code: CodeFactorUnverified}
			}
			c.FactorSID = f.SID
		}
		var err error
		if c.SID, err = sid.NewTyped(sid.Challenge, sid.Passkey, now, e.verify.Random); err != nil {
			return err
		}
		request, err := passkeyRequest(tx, s, c)
		if err != nil {
			return err
		}
		tx.AddChallenge(c)
		made = &PasskeyChallenge{c, request}
		return nil
	})
	return made, err
}

// passkeyRequest is how a challenge is put to a browser.
func passkeyRequest(tx Tx, s *verify.Service, c *Challenge) (PasskeyRequest, error) {
	r := PasskeyRequest{
		RelyingParty:     relyingPartyOf(s),
		UserVerification: valueOf(s.Passkeys.UserVerification),
		Challenge:        c.SID,
		Allow:            []PasskeyCredential{},
		Timeout:          passkeyLogin,
	}
	var err error
	switch {
	case c.FactorSID != "":
		f, err := tx.Factor(c.FactorSID)
		if err != nil {
			return r, err
		}
		config := f.Config.Passkey
		r.RelyingParty, r.UserVerification, r.Allow = config.RelyingParty, config.UserVerification, []PasskeyCredential{f.passkey()}
	case c.EntitySID != "":
		r.Allow, err = passkeysOf(tx, c.EntitySID)
	}
	if err == nil {
		err = r.RelyingParty.check()
	}
	if err == nil && r.UserVerification == "" {
		err = lackingCriteria([]string{"user_verification"})
	}
	return r, err
}

// PasskeyProof is a browser's answer to a challenge.
type PasskeyProof passkey.ProofJSON

// ApprovePasskey takes a browser's answer to a challenge. It names the challenge, and the key. A
// refused one changes nothing, and is not counted: there is nothing in it to guess.
func (e *Engine) ApprovePasskey(ctx context.Context, accountSID, serviceSID string, answer PasskeyProof) (*PasskeyChallenge, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	read, err := passkey.ReadProof(passkey.ProofJSON(answer))
	if err != nil {
		return nil, refusedPart(err)
	}
	var done *PasskeyChallenge
	err = e.update(ctx, func(tx Tx) error {
		now := e.verify.Now()
		c, err := askedChallenge(tx, s, read.Challenge())
		if err != nil {
			return err
		}
		if err := c.closed(now).refusal(); err != nil {
			return err
		}
		f, err := provenFactor(tx, s, c, read.ID)
		if err != nil {
			return err
		}
		if read.User != "" && read.User != f.EntitySID {
			return &verify.Error{Code: CodeInvalidEntitySID}
		}
		request, err := passkeyRequest(tx, s, c)
		if err != nil {
			return err
		}
		config := *f.Config.Passkey
		if config.RelyingParty.ID != request.RelyingParty.ID {
			return &verify.Error{Code: CodeOtherRelyingParty}
		}
		got := c.Answer(func() ChallengeStatus {
			var key passkey.Key
			if key, err = read.Check(wantedProof(c, request, config), config.key(read.ID)); err != nil {
				return ""
			}
			config.keep(key)
			return ChallengeApproved
		}, now)
		if err != nil {
			return refusedPart(err)
		}
		if err := got.refusal(); err != nil {
			return err
		}
		c.FactorSID, c.EntitySID, c.Identity = f.SID, f.EntitySID, f.Identity
		f.Config.Passkey = &config
		tx.PutFactor(f)
		tx.PutChallenge(c)
		done = &PasskeyChallenge{c, request}
		return e.verify.Tell(tx, hooks, challengeEvent(c), now)
	})
	return done, err
}

// wantedProof is what a challenge wants. Origins that the service has now count beside those of the
// time when the key was made: an application that comes later is one of them.
func wantedProof(c *Challenge, r PasskeyRequest, config PasskeyConfig) passkey.Wanted {
	return passkey.Wanted{
		Challenge:    c.SID,
		Site:         config.RelyingParty.ID,
		Origins:      slices.Concat(config.RelyingParty.Origins, r.RelyingParty.Origins),
		VerifiedUser: r.UserVerification == "required",
	}
}

func (c *PasskeyConfig) key(id []byte) passkey.Key {
	return passkey.Key{ID: id, Public: c.Public, Count: c.Count, Transports: c.Transports, Copyable: c.Copyable, Copied: c.Copied}
}

// askedChallenge is the challenge of a service that an answer names.
func askedChallenge(tx Tx, s *verify.Service, challenge string) (*Challenge, error) {
	if !sid.Valid(sid.Challenge, challenge) {
		return nil, &verify.Error{Code: CodeChallengeParamNotFound}
	}
	c, err := tx.Challenge(challenge)
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, err
	}
	if err != nil || c.ServiceSID != s.SID || c.FactorType != Passkeys {
		return nil, &verify.Error{Code: CodeChallengeParamNotFound}
	}
	return c, nil
}

// provenFactor is the factor of the key that answered, if it is one that was asked. It is read by its
// SID too, so that of two answers at the same moment one comes first.
func provenFactor(tx Tx, s *verify.Service, c *Challenge, keyID []byte) (*Factor, error) {
	f, err := tx.FactorByCredential(s.SID, passkey.Encode(keyID))
	if err == nil {
		f, err = tx.Factor(f.SID)
	}
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, err
	}
	if err != nil || f.Type != Passkeys || f.Status != Verified ||
		c.EntitySID != "" && c.EntitySID != f.EntitySID || c.FactorSID != "" && c.FactorSID != f.SID {
		return nil, &verify.Error{Code: CodeFactorParamNotFound}
	}
	return f, nil
}
