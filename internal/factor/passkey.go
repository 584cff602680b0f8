package factor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/passkey"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// PasskeyConfig is who asks for a passkey, and how; and, once it is verified, its key. It is stored as
// JSON; storetest pins the names.
type PasskeyConfig struct {
	RelyingParty            RelyingParty `json:"relying_party"`
	AuthenticatorAttachment string       `json:"authenticator_attachment"` // platform, cross-platform, any
	DiscoverableCredentials string       `json:"discoverable_credentials"` // required, preferred, discouraged
	UserVerification        string       `json:"user_verification"`        // required, preferred, discouraged
	// Public is the key in COSE, nil until the factor is verified. It is no secret.
	Public     []byte   `json:"public,omitempty"`
	Count      uint32   `json:"count,omitempty"`
	Transports []string `json:"transports,omitempty"`
	Copyable   bool     `json:"copyable,omitempty"`
	Copied     bool     `json:"copied,omitempty"`
}

// RelyingParty is whom a passkey is for.
type RelyingParty struct {
	ID      string   `json:"id"` // a domain
	Name    string   `json:"name"`
	Origins []string `json:"origins"` // of the pages and applications that may ask
}

// PasskeyOptions are what a browser needs to make a key.
type PasskeyOptions struct {
	Config    PasskeyConfig
	User      string              // the handle, before it is encoded: the entity's SID
	UserName  string              // for people
	Challenge string              // before it is encoded: the factor's SID
	Exclude   []PasskeyCredential // the keys that the entity has already
	Algorithm int                 // by its COSE number
	Timeout   time.Duration
}

// PasskeyCredential names a key to a browser.
type PasskeyCredential struct {
	ID         string // base64url
	Transports []string
}

// How long the browser is told to wait, and the engine waits.
const (
	passkeyRegistration = 10 * time.Minute
	passkeyLogin        = challengeLife
)

// PasskeyParams are the parameters of a new passkey (factors reference, section 7.2). What is empty
// counts as not sent: clients send empty members.
type PasskeyParams struct {
	FriendlyName string
	Identity     string
	// RelyingParty is that of the service where it is nil or empty.
	RelyingParty            *RelyingParty
	AuthenticatorAttachment string
	DiscoverableCredentials string
	UserVerification        string
}

// CreatePasskey makes a factor for a passkey, and the entity of the identity where there is none.
func (e *Engine) CreatePasskey(ctx context.Context, accountSID, serviceSID string, p PasskeyParams) (*NewFactor, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	switch {
	case p.FriendlyName == "":
		return nil, &verify.Error{Code: CodeNoDisplayName}
	case !validFactorName(p.FriendlyName):
		return nil, refuse("friendly_name")
	case !validIdentity(p.Identity):
		return nil, &verify.Error{Code: CodeInvalidIdentity}
	}
	config, err := p.config(s)
	if err != nil {
		return nil, err
	}
	return e.addFactor(ctx, s, hooks, p.Identity, &Factor{
		ServiceSID:   s.SID,
		AccountSID:   s.AccountSID,
		Type:         Passkeys,
		FriendlyName: p.FriendlyName,
		Status:       Unverified,
		Config:       Config{Passkey: config},
	}, nil)
}

// config is what was sent, member by member before what the service has; the relying party is one
// member.
func (p PasskeyParams) config(s *verify.Service) (*PasskeyConfig, error) {
	party, err := p.relyingParty(s)
	if err != nil {
		return nil, err
	}
	c := &PasskeyConfig{RelyingParty: party}
	var lacking []string
	for _, m := range []struct {
		name     string
		into     *string
		sent     string
		settings *string
		choices  []string
	}{
		{"authenticator_attachment", &c.AuthenticatorAttachment, p.AuthenticatorAttachment, s.Passkeys.AuthenticatorAttachment, verify.PasskeyAttachments},
		{"discoverable_credentials", &c.DiscoverableCredentials, p.DiscoverableCredentials, s.Passkeys.DiscoverableCredentials, verify.PasskeyPreferences},
		{"user_verification", &c.UserVerification, p.UserVerification, s.Passkeys.UserVerification, verify.PasskeyPreferences},
	} {
		*m.into = strings.ToLower(m.sent)
		if m.sent == "" && m.settings != nil {
			*m.into = *m.settings
		}
		switch {
		case *m.into == "":
			lacking = append(lacking, m.name)
		case !slices.Contains(m.choices, *m.into):
			return nil, &verify.Error{Code: CodeInvalidConfig}
		}
	}
	if len(lacking) > 0 {
		return nil, lackingCriteria(lacking)
	}
	return c, nil
}

func lackingCriteria(names []string) error {
	return &verify.Error{Code: CodeNoCriteria, Text: "Authenticator criteria are missing from the request: " + strings.Join(names, ", ")}
}

func (p PasskeyParams) relyingParty(s *verify.Service) (RelyingParty, error) {
	party := relyingPartyOf(s)
	if sent := p.RelyingParty; sent != nil && (sent.ID != "" || sent.Name != "" || len(sent.Origins) > 0) {
		party = *sent
	}
	if party.Name == "" { // a browser wants one
		party.Name = s.FriendlyName
	}
	party.ID = strings.ToLower(party.ID) // as browsers hash it
	return party, party.check()
}

func relyingPartyOf(s *verify.Service) RelyingParty {
	return RelyingParty{ID: strings.ToLower(valueOf(s.Passkeys.RelyingPartyID)), Name: valueOf(s.Passkeys.RelyingPartyName), Origins: s.Passkeys.Origins}
}

func valueOf(p *string) string {
	value, _ := sent(p)
	return value
}

// check refuses a relying party that no browser would take.
func (r RelyingParty) check() error {
	switch {
	case r.ID == "" && len(r.Origins) == 0:
		return &verify.Error{Code: CodeInvalidRelyingParty}
	case !verify.ValidRelyingPartyID(r.ID):
		return &verify.Error{Code: CodeInvalidRelyingPartyID}
	case len(r.Origins) == 0 || len(r.Origins) > verify.MaxOrigins || !verify.OneLine(r.Name, verify.ShortTexts.Max):
		return &verify.Error{Code: CodeInvalidRelyingParty}
	}
	for _, origin := range r.Origins {
		if !verify.ValidOrigin(origin) {
			return &verify.Error{Code: CodeInvalidRelyingParty}
		}
	}
	return nil
}

// passkeyOptions are what a browser needs to make the key of a new factor.
func passkeyOptions(tx Tx, f *Factor) (*PasskeyOptions, error) {
	known, err := passkeysOf(tx, f.EntitySID)
	if err != nil {
		return nil, err
	}
	return &PasskeyOptions{
		Config:    *f.Config.Passkey,
		User:      f.EntitySID,
		UserName:  f.FriendlyName,
		Challenge: f.SID,
		Exclude:   known,
		Algorithm: passkey.Algorithm,
		Timeout:   passkeyRegistration,
	}, nil
}

// passkeysOf are the verified passkeys of an entity.
func passkeysOf(tx Tx, entitySID string) ([]PasskeyCredential, error) {
	all, err := tx.Factors(entitySID, verify.Page{Size: maxFactorsRead})
	if err != nil {
		return nil, err
	}
	list := []PasskeyCredential{}
	for i := range all {
		if all[i].Type == Passkeys && all[i].Status == Verified {
			list = append(list, all[i].passkey())
		}
	}
	return list, nil
}

func (f *Factor) passkey() PasskeyCredential {
	return PasskeyCredential{ID: f.Credential, Transports: f.Config.Passkey.Transports}
}

// keep takes over what is kept of a key.
func (c *PasskeyConfig) keep(key passkey.Key) {
	c.Public, c.Count, c.Transports, c.Copyable, c.Copied = key.Public, key.Count, key.Transports, key.Copyable, key.Copied
}

// PasskeyRegistration is a browser's answer to a request for a new key.
type PasskeyRegistration passkey.RegistrationJSON

// VerifyPasskey takes a browser's answer to a request for a new key. It names its factor by the
// challenge in it.
func (e *Engine) VerifyPasskey(ctx context.Context, accountSID, serviceSID string, answer PasskeyRegistration) (*Factor, error) {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	read, err := passkey.ReadRegistration(passkey.RegistrationJSON(answer))
	if err != nil {
		return nil, refusedPart(err)
	}
	var f *Factor
	err = e.update(ctx, func(tx Tx) (err error) {
		now := e.verify.Now()
		if f, err = e.askedFactor(tx, s, read.Challenge()); err != nil {
			return err
		}
		if f.Status != Unverified || now.Sub(f.CreatedAt) >= passkeyRegistration {
			return &verify.Error{Code: CodeFactorStatus}
		}
		config := *f.Config.Passkey
		key, err := read.Check(passkey.Wanted{
			Challenge:    f.SID,
			Site:         config.RelyingParty.ID,
			Origins:      config.RelyingParty.Origins,
			VerifiedUser: config.UserVerification == "required",
		})
		if err != nil {
			return refusedPart(err)
		}
		credential := passkey.Encode(key.ID)
		if _, err := tx.FactorByCredential(s.SID, credential); !errors.Is(err, verify.ErrNotFound) {
			if err == nil {
				err = &verify.Error{Code: CodeFactorExists}
			}
			return err
		}
		config.keep(key)
		f.Config.Passkey, f.Credential, f.Status, f.UpdatedAt = &config, credential, Verified, now
		tx.PutFactor(f)
		return e.verify.Tell(tx, hooks, factorEvent(verify.FactorVerified, f), now)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// askedFactor is the passkey's factor of a service that was asked for a new key.
func (e *Engine) askedFactor(tx Tx, s *verify.Service, challenge string) (*Factor, error) {
	if !sid.Valid(sid.Factor, challenge) {
		return nil, &verify.Error{Code: CodeFactorParamNotFound}
	}
	f, err := tx.Factor(challenge)
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, err
	}
	if err != nil || f.ServiceSID != s.SID || f.Type != Passkeys || f.GivenUp(e.verify.Now()) {
		return nil, &verify.Error{Code: CodeFactorParamNotFound}
	}
	return f, nil
}

// partCodes are the codes of the parts of an answer that can be wrong.
var partCodes = map[passkey.Part]verify.Code{
	passkey.PartID:                 CodeInvalidID,
	passkey.PartRawID:              CodeInvalidRawID,
	passkey.PartAttachment:         CodeInvalidAttachment,
	passkey.PartResponse:           CodeInvalidResponse,
	passkey.PartAuthenticatorData:  CodeInvalidAuthenticatorData,
	passkey.PartClientData:         CodeInvalidClientData,
	passkey.PartSignature:          CodeInvalidSignature,
	passkey.PartRelyingParty:       CodeOtherRelyingParty,
	passkey.PartPublicKey:          CodeInvalidPublicKey,
	passkey.PartAttestation:        CodeInvalidAttestation,
	passkey.PartAttestedCredential: CodeInvalidCredentialData,
}

// refusedPart is the error of a part of an answer.
func refusedPart(err error) error {
	refused, ok := errors.AsType[*passkey.Error](err)
	if !ok {
		return err
	}
	return &verify.Error{Code: partCodes[refused.Part]}
}
