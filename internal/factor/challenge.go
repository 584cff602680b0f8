package factor

import (
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Challenge asks an entity to prove with one of its factors that it is there. Its life is drawn in
// doc.go.
type Challenge struct {
	SID        string // YC…
	FactorSID  string
	FactorType Type
	EntitySID  string
	Identity   string // of the entity, as it was first spelt
	ServiceSID string
	AccountSID string
	Status     ChallengeStatus
	// Details are shown to the person, HiddenDetails to the application alone.
	Details       *ChallengeDetails
	HiddenDetails map[string]string // nil is null
	Metadata      map[string]string // nil is null
	// WrongAnswers counts the answers that were read and wrong.
	WrongAnswers int
	// Resends counts the notifications that were asked for after the one of its making.
	Resends   int
	CreatedAt time.Time
	UpdatedAt time.Time
	// RespondedAt is the time of the answer, zero while there is none.
	RespondedAt time.Time
	ExpiresAt   time.Time // whole seconds: the API shows no fraction, and devices sign what it shows
}

// ChallengeDetails are what a person is asked about. Stored as JSON; storetest pins the names.
type ChallengeDetails struct {
	Message string        `json:"message"`
	Fields  []DetailField `json:"fields"`
	// Dated says that the time of the challenge's making is shown with them. It is settled when the
	// challenge is made, because devices sign what they are shown.
	Dated bool `json:"dated,omitempty"`
}

// DetailField is one line of the details.
type DetailField struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// ChallengeStatuses are all states of a challenge.
func ChallengeStatuses() []ChallengeStatus {
	return []ChallengeStatus{ChallengePending, ChallengeExpired, ChallengeApproved, ChallengeDenied}
}

// ChallengeStatus is the state of a challenge.
type ChallengeStatus string

// The states, as the API spells them.
const (
	ChallengePending  ChallengeStatus = "pending"
	ChallengeExpired  ChallengeStatus = "expired"
	ChallengeApproved ChallengeStatus = "approved"
	ChallengeDenied   ChallengeStatus = "denied"
)

// StatusAt is the status at a time: what is pending expires without anybody's doing.
func (c *Challenge) StatusAt(now time.Time) ChallengeStatus {
	if c.Status == ChallengePending && !now.Before(c.ExpiresAt) {
		return ChallengeExpired
	}
	return c.Status
}

// closed says why a challenge takes no answer; it is 0 if it takes one.
func (c *Challenge) closed(now time.Time) AnswerOutcome {
	switch c.StatusAt(now) {
	case ChallengeApproved, ChallengeDenied:
		return AnswerTwice
	case ChallengeExpired:
		return AnswerTooLate
	}
	if c.WrongAnswers >= maxWrongAnswers {
		return AnswersSpent
	}
	return 0
}

// Answer takes an answer. read holds it against the factor and says what the challenge becomes; it
// is called only if an answer is wanted.
func (c *Challenge) Answer(read func() ChallengeStatus, now time.Time) AnswerOutcome {
	if why := c.closed(now); why != 0 {
		return why
	}
	c.UpdatedAt = now
	status := read()
	if status != ChallengeApproved && status != ChallengeDenied {
		c.WrongAnswers++
		return AnswerWrong
	}
	c.Status, c.RespondedAt = status, now
	return AnswerRight
}

// Challenge fetches a challenge. Its status is that of now.
func (e *Engine) Challenge(ctx context.Context, accountSID, serviceSID, identity, challengeSID string) (*Challenge, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var c *Challenge
	err = e.view(ctx, func(tx Tx) (err error) {
		c, err = findChallenge(tx, s, identity, challengeSID)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.Status = c.StatusAt(e.verify.Now())
	return c, nil
}

// StatusOfChallenge is the status of a challenge now, for the development inbox.
func (e *Engine) StatusOfChallenge(ctx context.Context, challengeSID string) (ChallengeStatus, error) {
	var c *Challenge
	err := e.view(ctx, func(tx Tx) (err error) {
		c, err = tx.Challenge(challengeSID)
		return err
	})
	if err != nil {
		return "", err
	}
	return c.StatusAt(e.verify.Now()), nil
}

// ListChallenges are the parameters of a list of challenges (factors reference, section 3.5); nil
// means "not sent".
type ListChallenges struct {
	FactorSID *string
	Status    *string
	Order     *string // asc, desc
}

// Challenges lists challenges of an entity. Their status is that of now.
func (e *Engine) Challenges(ctx context.Context, accountSID, serviceSID, identity string, p ListChallenges, page verify.Page) ([]Challenge, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	now := e.verify.Now()
	var list []Challenge
	err = e.view(ctx, func(tx Tx) error {
		owner, err := findEntity(tx, s, identity)
		if err != nil {
			return err
		}
		q, err := p.read()
		if err != nil {
			return err
		}
		q.EntitySID, q.Now = owner.SID, now
		list, err = tx.Challenges(q, page)
		return err
	})
	for i := range list {
		list[i].Status = list[i].StatusAt(now)
	}
	return list, err
}

// findChallenge reads the challenge that a path names. A challenge knows its owner, so the entity
// need not be read.
func findChallenge(tx Tx, s *verify.Service, identity, challengeSID string) (*Challenge, error) {
	c, err := tx.Challenge(challengeSID)
	if err != nil && !errors.Is(err, verify.ErrNotFound) {
		return nil, err
	}
	if err != nil || !within(s, identity, c.ServiceSID, c.Identity) {
		return nil, &verify.Error{Code: verify.CodeNotFound}
	}
	return c, nil
}
