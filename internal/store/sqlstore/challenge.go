package sqlstore

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

const challengeColumns = `sid, factor_sid, factor_type, entity_sid, identity, service_sid, account_sid, status,
	details, hidden_details, metadata, wrong_answers, created_at, updated_at, responded_at, expires_at, resends`

func scanChallenge(row Row) (factor.Challenge, error) {
	var c factor.Challenge
	var details, hidden, metadata string
	var created, updated, responded, expires int64
	if err := row.Scan(&c.SID, &c.FactorSID, &c.FactorType, &c.EntitySID, &c.Identity, &c.ServiceSID, &c.AccountSID, &c.Status,
		&details, &hidden, &metadata, &c.WrongAnswers, &created, &updated, &responded, &expires, &c.Resends); err != nil {
		return c, err
	}
	c.CreatedAt, c.UpdatedAt, c.RespondedAt, c.ExpiresAt = fromMillis(created), fromMillis(updated), fromMillisOrNever(responded), fromMillis(expires)
	if err := errors.Join(fromJSON(details, &c.Details), fromJSON(hidden, &c.HiddenDetails), fromJSON(metadata, &c.Metadata)); err != nil {
		return c, fmt.Errorf("details or metadata of challenge %s: %w", c.SID, err)
	}
	return c, nil
}

// Challenge implements factor.Tx.
func (t *Tx) Challenge(challengeSID string) (*factor.Challenge, error) {
	c, err := scanChallenge(t.record(challengeSID, `SELECT `+challengeColumns+` FROM challenge WHERE id = $1 AND sid = $2`,
		sid.Key(challengeSID), challengeSID))
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Challenges implements factor.Tx. The index of an entity's challenges serves, or that of a factor's;
// both are in the order of time.
func (t *Tx) Challenges(q factor.ChallengeQuery, page verify.Page) ([]factor.Challenge, error) {
	where, order := `entity_sid = $1 AND id > $2`, `id`
	args := []any{q.EntitySID, after(page), page.Size, page.Skip}
	if q.NewestFirst {
		where, order = `entity_sid = $1 AND id < $2`, `id DESC`
		if page.After == "" {
			args[1] = int64(math.MaxInt64)
		}
	}
	add := func(condition string, value any) {
		where += fmt.Sprintf(condition, len(args)+1)
		args = append(args, value)
	}
	if q.FactorSID != "" {
		add(` AND factor_sid = $%d`, q.FactorSID)
	}
	switch q.Status {
	case "":
	case factor.ChallengePending:
		add(` AND status = 'pending' AND expires_at > $%d`, toMillis(q.Now))
	case factor.ChallengeExpired:
		add(` AND (status = 'expired' OR status = 'pending' AND expires_at <= $%d)`, toMillis(q.Now))
	default:
		add(` AND status = $%d`, string(q.Status))
	}
	return list(t, scanChallenge, `SELECT `+challengeColumns+` FROM challenge
		WHERE `+where+` ORDER BY `+order+` LIMIT $3 OFFSET $4`, args...)
}

// CountChallenges implements factor.Tx.
func (t *Tx) CountChallenges(factorSID string, since time.Time) (n int, err error) {
	err = t.conn.QueryRow(`SELECT count(*) FROM challenge WHERE factor_sid = $1 AND id >= $2`, factorSID, sid.KeyAt(since)).Scan(&n)
	return n, err
}

// AddChallenge implements factor.Tx. The factor counts as changed, so that those that make challenges
// of one factor run one after another and see how many there are.
func (t *Tx) AddChallenge(c *factor.Challenge) {
	t.change(c.SID)
	if c.FactorSID != "" {
		t.change(c.FactorSID)
	}
	t.write(`INSERT INTO challenge (id, `+challengeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		sid.Key(c.SID), c.SID, c.FactorSID, string(c.FactorType), c.EntitySID, c.Identity, c.ServiceSID, c.AccountSID, string(c.Status),
		toJSONOrNothing(c.Details, c.Details == nil), toJSONOrNothing(c.HiddenDetails, c.HiddenDetails == nil),
		toJSONOrNothing(c.Metadata, c.Metadata == nil), c.WrongAnswers,
		toMillis(c.CreatedAt), toMillis(c.UpdatedAt), toMillisOrNever(c.RespondedAt), toMillis(c.ExpiresAt), c.Resends)
}

// PutChallenge implements factor.Tx. It writes what can change: whom a passkey's challenge is about may
// be known only when it is answered.
func (t *Tx) PutChallenge(c *factor.Challenge) {
	t.change(c.SID)
	t.write(`UPDATE challenge SET status = $3, metadata = $4, wrong_answers = $5, updated_at = $6, responded_at = $7, resends = $8,
			factor_sid = $9, entity_sid = $10, identity = $11
		WHERE id = $1 AND sid = $2`,
		sid.Key(c.SID), c.SID, string(c.Status), toJSONOrNothing(c.Metadata, c.Metadata == nil), c.WrongAnswers,
		toMillis(c.UpdatedAt), toMillisOrNever(c.RespondedAt), c.Resends, c.FactorSID, c.EntitySID, c.Identity)
}
