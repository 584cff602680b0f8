package factor

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// FactorParams are the parameters of a new factor (factors reference, section 2.1); nil means "not
// sent". Those of another type of factor are ignored.
type Params struct {
	FriendlyName *string
	FactorType   *string
	Metadata     *string // JSON object of texts
	// BindingSecret is the seed of an authenticator app, to move one here. A new one is drawn if it
	// is missing.
	BindingSecret *string
	TOTPParams
	// BindingAlg and BindingPublicKey are of the key that a device signs with.
	BindingAlg       *string
	BindingPublicKey *string
	PushParams
	// Grant is what a device was allowed that has no account; nil for the account itself.
	Grant *Grant
}

// NewFactor is a factor with what is shown at its making and never again.
type NewFactor struct {
	*Factor
	TOTP    *TOTPBinding    // nil for other types
	Passkey *PasskeyOptions // nil for other types
}

// CreateFactor makes a factor, and the entity of the identity where there is none. The refusals come
// in the order of the factors reference, section 13.
func (e *Engine) CreateFactor(ctx context.Context, accountSID, serviceSID, identity string, p Params) (*NewFactor, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	draft, secret, err := e.readFactor(s, identity, p)
	if err != nil {
		return nil, err
	}
	return e.addFactor(ctx, s, hooks, identity, draft, secret)
}

// addFactor makes a factor that has been read, and the entity where there is none.
func (e *Engine) addFactor(ctx context.Context, s *verify.Service, hooks []verify.Webhook, identity string, draft *Factor, secret []byte) (*NewFactor, error) {
	var made *NewFactor
	err := e.update(ctx, func(tx Tx) error {
		f := *draft
		made = &NewFactor{Factor: &f}
		now := e.verify.Now()
		owner, err := tx.Entity(s.SID, identity)
		isNew := errors.Is(err, verify.ErrNotFound)
		switch {
		case isNew:
			owner, err = e.newEntity(tx, s, identity, now)
		case err == nil:
			err = e.roomForFactor(tx, owner, &f, secret)
		}
		if err != nil {
			return err
		}
		if !owner.MayMakeFactor(now) {
			return &verify.Error{Code: CodeFactorRate}
		}
		if f.SID, err = sid.NewTyped(sid.Factor, factorRules[f.Type].sid, now, e.verify.Random); err != nil {
			return err
		}
		f.EntitySID, f.Identity = owner.SID, owner.Identity
		f.CreatedAt, f.UpdatedAt = now, now
		if err := e.bind(tx, s, made, secret); err != nil {
			return err
		}
		if isNew {
			tx.AddEntity(owner)
		} else {
			tx.PutEntity(owner)
		}
		tx.AddFactor(&f)
		return e.verify.Tell(tx, hooks, factorEvent(verify.FactorCreated, &f), now)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// readFactor checks the parameters. It needs nothing but the service.
func (e *Engine) readFactor(s *verify.Service, identity string, p Params) (f *Factor, secret []byte, err error) {
	if !validIdentity(identity) {
		return nil, nil, refuse("Identity")
	}
	name, given := sent(p.FriendlyName)
	if !given && p.Grant != nil {
		name, given = p.Grant.FriendlyName, p.Grant.FriendlyName != ""
	}
	if !given {
		return nil, nil, missing("FriendlyName")
	}
	kind, err := readFactorType(p.FactorType)
	if err != nil {
		return nil, nil, err
	}
	if p.Grant != nil && !p.Grant.allows(s, identity, kind) {
		return nil, nil, &verify.Error{Code: CodeWrongGrant}
	}
	if !validFactorName(name) {
		return nil, nil, refuse("FriendlyName")
	}
	f = &Factor{
		ServiceSID:   s.SID,
		AccountSID:   s.AccountSID,
		Type:         kind,
		FriendlyName: name,
		Status:       Unverified,
	}
	switch kind {
	case TOTP:
		config := totpDefaults(s.TOTP)
		f.Config.TOTP = &config
		if secret, err = newTOTPSecret(p.BindingSecret, e.verify.Random); err == nil {
			err = config.apply(p.TOTPParams)
		}
	case Push:
		f.Config.Push, secret, err = newPush(p)
	}
	if err != nil {
		return nil, nil, err
	}
	f.Metadata, err = optionalTexts(p.Metadata, "Metadata")
	return f, secret, err
}

// bind seals what the factor keeps secret, and fills in what is shown once.
func (e *Engine) bind(tx Tx, s *verify.Service, made *NewFactor, secret []byte) (err error) {
	switch made.Type {
	case TOTP:
		made.SecretSealed = e.verify.Keys.Seal(keyring.TOTPSeal, string(secret), made.SID)
		made.TOTP, err = e.totpBinding(s, made.Factor)
	case Push:
		if secret != nil {
			made.SecretSealed = e.verify.Keys.Seal(keyring.HandsetSeal, string(secret), made.SID)
		}
		made.CredentialSID, err = newCredentialSID(e.verify.Random)
	case Passkeys:
		made.Passkey, err = passkeyOptions(tx, made.Factor)
	}
	return err
}

// roomForFactor refuses a factor that the entity has already, and one too many. The entity has been
// read and will be put, so nobody makes another one at the same moment.
func (e *Engine) roomForFactor(tx Tx, owner *Entity, f *Factor, secret []byte) error {
	all, err := tx.Factors(owner.SID, verify.Page{Size: maxFactorsRead})
	if err != nil {
		return err
	}
	same := 0
	for i := range all {
		if all[i].Type != f.Type || all[i].GivenUp(e.verify.Now()) {
			continue
		}
		same++
		bound, err := e.sameBinding(&all[i], f, secret)
		if err != nil {
			return err
		}
		if bound {
			return &verify.Error{Code: CodeFactorExists}
		}
	}
	if most := factorRules[f.Type].most; same >= most {
		return &verify.Error{Code: CodeTooManyFactors, Text: fmt.Sprintf("Reached max limit of %d %s Factors associated per Entity", most, f.Type)}
	}
	return nil
}

// sameBinding reports whether a factor is bound to what a new one of its type shall be bound to.
func (e *Engine) sameBinding(known, f *Factor, secret []byte) (bool, error) {
	switch f.Type {
	case TOTP:
		theirs, err := e.verify.Keys.Open(keyring.TOTPSeal, known.SecretSealed, known.SID)
		if err != nil {
			return false, fmt.Errorf("secret of factor %s: %w", known.SID, err)
		}
		return subtle.ConstantTimeCompare([]byte(theirs), secret) == 1, nil
	case Push:
		return known.Config.Push.PublicKey == f.Config.Push.PublicKey, nil
	default:
		return false, nil
	}
}

// maxFactorsRead is above the number of factors that an entity can have.
const maxFactorsRead = 1000
