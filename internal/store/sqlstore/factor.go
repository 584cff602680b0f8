package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// What differs between the types of factor is one JSON document: nothing is looked up by it. The name
// that a device has for its key stands beside it.
const factorColumns = `sid, entity_sid, identity, service_sid, account_sid, type, friendly_name, status, secret_sealed,
	config, metadata, wrong_answers, spent_until, created_at, updated_at, credential, credential_sid, guesses`

func scanFactor(row Row) (factor.Factor, error) {
	var f factor.Factor
	var config, metadata, guesses string
	var spent, created, updated int64
	if err := row.Scan(&f.SID, &f.EntitySID, &f.Identity, &f.ServiceSID, &f.AccountSID, &f.Type, &f.FriendlyName, &f.Status,
		&f.SecretSealed, &config, &metadata, &f.WrongAnswers, &spent, &created, &updated, &f.Credential, &f.CredentialSID, &guesses); err != nil {
		return f, err
	}
	f.SpentUntil, f.CreatedAt, f.UpdatedAt = fromMillisOrNever(spent), fromMillis(created), fromMillis(updated)
	if err := json.Unmarshal([]byte(config), &f.Config); err != nil {
		return f, fmt.Errorf("configuration of factor %s: %w", f.SID, err)
	}
	if err := fromJSON(metadata, &f.Metadata); err != nil {
		return f, fmt.Errorf("metadata of factor %s: %w", f.SID, err)
	}
	history, err := parseHistory(guesses)
	if err != nil {
		return f, fmt.Errorf("guesses of factor %s: %w", f.SID, err)
	}
	f.Guesses = history.Guesses
	return f, nil
}

// Factor implements factor.Tx.
func (t *Tx) Factor(factorSID string) (*factor.Factor, error) {
	f, err := scanFactor(t.record(factorSID, `SELECT `+factorColumns+` FROM factor WHERE id = $1 AND sid = $2`, sid.Key(factorSID), factorSID))
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// FactorOfDevice implements factor.Tx. The index holds those alone that have one.
func (t *Tx) FactorOfDevice(credentialSID string) (*factor.Factor, error) {
	f, err := scanFactor(t.conn.QueryRow(`SELECT `+factorColumns+` FROM factor WHERE credential_sid = $1 AND credential_sid <> ''`, credentialSID))
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// credentialKey is the key under which a factor is read by its credential (see Recorder).
func credentialKey(serviceSID, credential string) string { return serviceSID + "#" + credential }

// changeFactor notes that a factor is written, under each key that it is read by.
func (t *Tx) changeFactor(f *factor.Factor) {
	t.change(f.SID)
	if f.Credential != "" {
		t.change(credentialKey(f.ServiceSID, f.Credential))
	}
}

// FactorByCredential implements factor.Tx. The condition is that of the index.
func (t *Tx) FactorByCredential(serviceSID, credential string) (*factor.Factor, error) {
	f, err := scanFactor(t.record(credentialKey(serviceSID, credential), `SELECT `+factorColumns+` FROM factor
		WHERE credential = $1 AND service_sid = $2 AND credential <> ''`, credential, serviceSID))
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// Factors implements factor.Tx.
func (t *Tx) Factors(entitySID string, page verify.Page) ([]factor.Factor, error) {
	return list(t, scanFactor, `SELECT `+factorColumns+` FROM factor
		WHERE entity_sid = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4`, entitySID, after(page), page.Size, page.Skip)
}

// AddFactor implements factor.Tx.
func (t *Tx) AddFactor(f *factor.Factor) {
	t.changeFactor(f)
	t.write(`INSERT INTO factor (id, `+factorColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		sid.Key(f.SID), f.SID, f.EntitySID, f.Identity, f.ServiceSID, f.AccountSID, string(f.Type), f.FriendlyName, string(f.Status),
		f.SecretSealed, toJSON(f.Config), toJSONOrNothing(f.Metadata, f.Metadata == nil), f.WrongAnswers, toMillisOrNever(f.SpentUntil),
		toMillis(f.CreatedAt), toMillis(f.UpdatedAt), f.Credential, f.CredentialSID, formatHistory(verify.History{Guesses: f.Guesses}))
}

// PutFactor implements factor.Tx. It writes what can change.
func (t *Tx) PutFactor(f *factor.Factor) {
	t.changeFactor(f)
	t.write(`UPDATE factor SET friendly_name = $3, status = $4, secret_sealed = $5, config = $6, wrong_answers = $7, spent_until = $8, updated_at = $9,
			credential = $10, guesses = $11
		WHERE id = $1 AND sid = $2`,
		sid.Key(f.SID), f.SID, f.FriendlyName, string(f.Status), f.SecretSealed, toJSON(f.Config), f.WrongAnswers,
		toMillisOrNever(f.SpentUntil), toMillis(f.UpdatedAt), f.Credential, formatHistory(verify.History{Guesses: f.Guesses}))
}

// DeleteFactor implements factor.Tx. Whoever makes a challenge has locked its factor.
func (t *Tx) DeleteFactor(f *factor.Factor) {
	t.many = true
	t.changeFactor(f)
	t.write(`DELETE FROM factor WHERE id = $1 AND sid = $2`, sid.Key(f.SID), f.SID)
	t.write(`UPDATE challenge SET status = 'expired' WHERE factor_sid = $1 AND status = 'pending'`, f.SID)
}

// Unverified implements factor.Tx. The index holds unverified factors alone.
func (t *Tx) Unverified(limit int) ([]factor.Factor, error) {
	return list(t, scanFactor, `SELECT `+factorColumns+` FROM factor WHERE status = 'unverified' ORDER BY id DESC LIMIT $1`, limit)
}

// DropUnverified implements factor.Tx. A factor that is verified at the same moment stays.
func (t *Tx) DropUnverified(before time.Time, limit int) (more bool, err error) {
	var found, last int64
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(id), 0) FROM (
			SELECT id FROM factor WHERE status = 'unverified' AND id < $1 ORDER BY id LIMIT $2
		) AS chunk`, sid.KeyAt(before), limit).Scan(&found, &last); err != nil || found == 0 {
		return false, err
	}
	t.many = true
	t.write(`DELETE FROM factor WHERE status = 'unverified' AND id <= $1`, last)
	return found == int64(limit), nil
}

// toJSON is a value that always encodes: texts, numbers, flags.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return string(text)
}

// toJSONOrNothing is an empty text for what is not there.
func toJSONOrNothing(v any, missing bool) string {
	if missing {
		return ""
	}
	return toJSON(v)
}

// fromJSON reads what toJSONOrNothing wrote.
func fromJSON(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// toMillisOrNever is 0 for the zero time.
func toMillisOrNever(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return toMillis(at)
}

func fromMillisOrNever(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMillis(ms)
}
