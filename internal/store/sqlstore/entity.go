package sqlstore

import (
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// An entity is found by its service and the lower-case form of its identity, which are unique. All
// tables here are in the order of the number in their SIDs, that is of time.
const entityColumns = `sid, service_sid, account_sid, identity, factors_made, factors_since, created_at, updated_at`

func scanEntity(row Row) (factor.Entity, error) {
	var e factor.Entity
	var since, created, updated int64
	err := row.Scan(&e.SID, &e.ServiceSID, &e.AccountSID, &e.Identity, &e.FactorsMade, &since, &created, &updated)
	e.FactorsSince, e.CreatedAt, e.UpdatedAt = fromMillis(since), fromMillis(created), fromMillis(updated)
	return e, err
}

// entityKey is the key under which an entity is read and written (see Recorder).
func entityKey(serviceSID, identity string) string {
	return serviceSID + "/" + strings.ToLower(identity)
}

// Entity implements factor.Tx.
func (t *Tx) Entity(serviceSID, identity string) (*factor.Entity, error) {
	e, err := scanEntity(t.record(entityKey(serviceSID, identity), `SELECT `+entityColumns+` FROM entity
		WHERE service_sid = $1 AND identity_key = $2`, serviceSID, strings.ToLower(identity)))
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// Entities implements factor.Tx.
func (t *Tx) Entities(serviceSID string, page verify.Page) ([]factor.Entity, error) {
	return list(t, scanEntity, `SELECT `+entityColumns+` FROM entity
		WHERE service_sid = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4`, serviceSID, after(page), page.Size, page.Skip)
}

// after is the key behind which a page of a list begins. Keys are not negative.
func after(page verify.Page) int64 {
	if page.After == "" {
		return -1
	}
	return sid.Key(page.After)
}

// CountEntities implements factor.Tx.
func (t *Tx) CountEntities(accountSID string, since time.Time) (n int, err error) {
	err = t.conn.QueryRow(`SELECT count(*) FROM entity WHERE account_sid = $1 AND id >= $2`, accountSID, sid.KeyAt(since)).Scan(&n)
	return n, err
}

// AddEntity implements factor.Tx.
func (t *Tx) AddEntity(e *factor.Entity) {
	t.change(e.SID, entityKey(e.ServiceSID, e.Identity))
	t.write(`INSERT INTO entity (id, identity_key, `+entityColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		sid.Key(e.SID), strings.ToLower(e.Identity), e.SID, e.ServiceSID, e.AccountSID, e.Identity,
		e.FactorsMade, toMillis(e.FactorsSince), toMillis(e.CreatedAt), toMillis(e.UpdatedAt))
}

// PutEntity implements factor.Tx. It writes what can change.
func (t *Tx) PutEntity(e *factor.Entity) {
	t.change(e.SID, entityKey(e.ServiceSID, e.Identity))
	t.write(`UPDATE entity SET factors_made = $3, factors_since = $4, updated_at = $5 WHERE id = $1 AND sid = $2`,
		sid.Key(e.SID), e.SID, e.FactorsMade, toMillis(e.FactorsSince), toMillis(e.UpdatedAt))
}

// DeleteEntity implements factor.Tx. Whoever makes a factor has locked the entity, and whoever makes
// a challenge its factor; in this order every statement sees what they made.
func (t *Tx) DeleteEntity(e *factor.Entity) {
	t.many = true
	t.change(e.SID, entityKey(e.ServiceSID, e.Identity))
	t.write(`DELETE FROM entity WHERE id = $1 AND sid = $2`, sid.Key(e.SID), e.SID)
	t.write(`DELETE FROM factor WHERE entity_sid = $1`, e.SID)
	t.write(`DELETE FROM challenge WHERE entity_sid = $1`, e.SID)
}

// DeleteEntities implements factor.Tx.
func (t *Tx) DeleteEntities(serviceSID string, limit int) (more bool, err error) {
	chunk, err := list(t, scanEntity, `SELECT `+entityColumns+` FROM entity WHERE service_sid = $1 ORDER BY id LIMIT $2`, serviceSID, limit)
	for i := range chunk {
		t.DeleteEntity(&chunk[i])
	}
	return len(chunk) == limit, err
}
