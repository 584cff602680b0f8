package factor

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Factor is one thing by which an entity proves that it is there: an authenticator app, a telephone
// with the application on it, a passkey. Its life is drawn in doc.go.
type Factor struct {
	SID        string // YF…
	EntitySID  string
	Identity   string // of the entity, as it was first spelt
	ServiceSID string
	AccountSID string
	Type       Type
	// FriendlyName is the name of the device, or the account's name in the authenticator app.
	FriendlyName string
	Status       Status
	// CredentialSID is the name under which a device signs, CR…; "" where there is none.
	CredentialSID string
	// SecretSealed is the seed of an authenticator app, or the token under which a push platform knows
	// the handset. Sealed for the factor's SID.
	SecretSealed []byte
	// Credential is what a device calls its key, one factor's in a service; "" if there is none yet,
	// or never.
	Credential string
	Config     Config
	Metadata   map[string]string // nil is null
	// WrongAnswers counts those that were given to verify the factor.
	WrongAnswers int
	// Guesses are the wrong codes that its challenges got. A code is of the app and not of a challenge,
	// so another challenge must not make guesses free.
	Guesses verify.Guesses
	// SpentUntil is the time before which every code of an authenticator app is spent: the end of the
	// step whose code was taken last. It is kept when the configuration changes.
	SpentUntil time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// FactorType is a kind of factor.
type Type string

// The types of factor.
const (
	TOTP     Type = "totp"
	Push     Type = "push"
	Passkeys Type = "passkeys"
)

// FactorTypes are all of them.
func Types() []Type { return []Type{Push, TOTP, Passkeys} }

// FactorConfig is what differs between the types of factor: one of its fields is set. It is stored
// as JSON; storetest pins the names.
type Config struct {
	TOTP    *TOTPConfig    `json:"totp,omitempty"`
	Push    *PushConfig    `json:"push,omitempty"`
	Passkey *PasskeyConfig `json:"passkey,omitempty"`
}

// FactorStatuses are all states of a factor.
func Statuses() []Status { return []Status{Unverified, Verified} }

// FactorStatus is the state of a factor.
type Status string

// The states, as the API spells them.
const (
	Unverified Status = "unverified"
	Verified   Status = "verified"
)

const (
	// maxWrongAnswers is how many wrong codes a factor takes before it is verified, and a challenge
	// before it is answered (error pages 60308, 60310).
	maxWrongAnswers = 5
	// unverifiedLife is how long a factor waits to be verified. Error page 60318 says that it may be
	// deleted after 1 to 24 hours.
	unverifiedLife = 24 * time.Hour
)

// AnswerOutcome is the result of an answer to a factor that wants to be verified, or to a challenge.
type AnswerOutcome int

// The outcomes of an answer.
const (
	AnswerRight   AnswerOutcome = iota + 1
	AnswerWrong                 // counted; the status stays
	AnswersSpent                // not read: 60310, 60308
	AnswerNotDue                // not read: the factor is verified already
	AnswerTooLate               // not read: the challenge has expired, 60323
	AnswerTwice                 // not read: the challenge was answered, 60322
)

// Verify takes the first answer of a factor. read holds the answer against the factor, and is
// called only if an answer is wanted.
func (f *Factor) Verify(read func() ChallengeStatus, now time.Time) AnswerOutcome {
	if f.Status == Verified {
		return AnswerNotDue
	}
	if f.WrongAnswers >= maxWrongAnswers {
		return AnswersSpent
	}
	f.UpdatedAt = now
	if read() != ChallengeApproved {
		f.WrongAnswers++
		return AnswerWrong
	}
	f.Status = Verified
	return AnswerRight
}

// GivenUp reports whether a factor was not verified in time. It is as if it were deleted.
func (f *Factor) GivenUp(now time.Time) bool {
	return f.Status == Unverified && now.Sub(f.CreatedAt) >= unverifiedLife
}

// Factor fetches a factor.
func (e *Engine) Factor(ctx context.Context, accountSID, serviceSID, identity, factorSID string) (*Factor, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var found *Factor
	err = e.view(ctx, func(tx Tx) (err error) {
		found, err = e.findFactor(tx, s, identity, factorSID)
		return err
	})
	return found, err
}

// Factors lists the factors of an entity, oldest first.
func (e *Engine) Factors(ctx context.Context, accountSID, serviceSID, identity string, page verify.Page) ([]Factor, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var list []Factor
	err = e.view(ctx, func(tx Tx) error {
		owner, err := findEntity(tx, s, identity)
		if err != nil {
			return err
		}
		list, err = tx.Factors(owner.SID, page)
		return err
	})
	return list, err
}

// DeleteFactor removes a factor. Its pending challenges can no longer be answered.
func (e *Engine) DeleteFactor(ctx context.Context, accountSID, serviceSID, identity, factorSID string) error {
	s, hooks, err := e.verify.Told(ctx, accountSID, serviceSID)
	if err != nil {
		return err
	}
	return e.update(ctx, func(tx Tx) error {
		found, err := e.findFactor(tx, s, identity, factorSID)
		if err != nil {
			return err
		}
		tx.DeleteFactor(found)
		return e.verify.Tell(tx, hooks, factorEvent(verify.FactorDeleted, found), e.verify.Now())
	})
}

// findFactor reads the factor that a path names. A factor knows its owner, so the entity need not be
// read.
func (e *Engine) findFactor(tx Tx, s *verify.Service, identity, factorSID string) (*Factor, error) {
	found, err := tx.Factor(factorSID)
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, err
	}
	if err != nil || !within(s, identity, found.ServiceSID, found.Identity) || found.GivenUp(e.verify.Now()) {
		return nil, &verify.Error{Code: verify.CodeNotFound}
	}
	return found, nil
}
