package factor

import (
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Tx is a verify.Tx that reads and writes the records of this package too, in the same commit. That of every
// verify.Store is one.
type Tx interface {
	verify.Tx
	entityTx
	factorTx
	challengeTx
	pushTx
}

// InTx makes of a function on a Tx one that a verify.Store runs. Nothing else takes the one kind for the other;
// whoever puts a store before another one embeds a Tx of this package in his own.
func InTx(fn func(Tx) error) func(verify.Tx) error {
	return func(tx verify.Tx) error { return fn(tx.(Tx)) }
}

type entityTx interface {
	// Entity is the entity of an identity in a service. The case of letters does not matter.
	Entity(serviceSID, identity string) (*Entity, error)
	// Entities lists the entities of a service, oldest first.
	Entities(serviceSID string, page verify.Page) ([]Entity, error)
	// CountEntities counts the entities of an account that were minted since a time. In an Update it
	// may miss those that others are making at the same moment.
	CountEntities(accountSID string, since time.Time) (int, error)
	AddEntity(*Entity)
	PutEntity(*Entity)
	// DeleteEntity removes an entity, its factors and its challenges.
	DeleteEntity(*Entity)
	// DeleteEntities removes entities of a service as DeleteEntity does, about limit of them. more
	// says that others are left.
	DeleteEntities(serviceSID string, limit int) (more bool, err error)
}

type factorTx interface {
	Factor(sid string) (*Factor, error)
	// FactorByCredential is the factor of a service that has a credential, which is not "". What was
	// read is not locked: an Update that goes on to change the factor reads it by its SID too.
	FactorByCredential(serviceSID, credential string) (*Factor, error)
	// FactorOfDevice is the factor whose device signs under a name, CR….
	FactorOfDevice(credentialSID string) (*Factor, error)
	// Factors lists the factors of an entity, oldest first. In an Update that read the entity and
	// puts it, the list is as it will be at the commit.
	Factors(entitySID string, page verify.Page) ([]Factor, error)
	// AddFactor and PutFactor fail with ErrExists where another factor of the service has the
	// credential.
	AddFactor(*Factor)
	PutFactor(*Factor)
	// DeleteFactor removes a factor. Its pending challenges expire.
	DeleteFactor(*Factor)
	// Unverified lists factors that were never verified, newest first, at most limit of them.
	Unverified(limit int) ([]Factor, error)
	// DropUnverified removes factors that were minted before a time and never verified, about limit
	// of them. more says that others are left.
	DropUnverified(before time.Time, limit int) (more bool, err error)
}

type challengeTx interface {
	Challenge(sid string) (*Challenge, error)
	Challenges(ChallengeQuery, verify.Page) ([]Challenge, error)
	// CountChallenges counts the challenges of a factor that were minted since a time. In an Update
	// that read the factor and adds a challenge of it, the number is as it will be at the commit,
	// but for that one.
	CountChallenges(factorSID string, since time.Time) (int, error)
	AddChallenge(*Challenge)
	PutChallenge(*Challenge)
}

type pushTx interface {
	AccessToken(sid string) (*AccessToken, error)
	AddAccessToken(*AccessToken)

	Notification(sid string) (*Notification, error)
	AddNotification(*Notification)
	// PutNotification writes what a delivery changes.
	PutNotification(*Notification)
}

// ChallengeQuery says which challenges to list, and in which order.
type ChallengeQuery struct {
	EntitySID string
	FactorSID string          // "" for those of every factor
	Status    ChallengeStatus // at Now; "" for every status
	Now       time.Time
	// NewestFirst turns the order, which otherwise is that of making.
	NewestFirst bool
}
