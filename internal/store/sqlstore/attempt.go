package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

const attemptColumns = `sid, verification_sid, service_sid, account_sid, channel, to_address, country, code_length,
	created_at, updated_at, locale, brand, options, state, route, provider, provider_id, error_code, error_class, hand_overs`

// attempts is the table that has an attempt.
func (t *Tx) attempts(id int64) string {
	if table, ok := t.days[sid.DayOfKey(id)]; ok {
		return table
	}
	return "attempt"
}

// Attempt implements verify.Tx.
func (t *Tx) Attempt(attemptSID string) (*verify.Attempt, error) {
	var a verify.Attempt
	var created, updated int64
	var options string
	id := sid.Key(attemptSID)
	err := t.record(attemptSID, `SELECT `+attemptColumns+` FROM `+t.attempts(id)+` WHERE id = $1 AND sid = $2`, id, attemptSID).
		Scan(&a.SID, &a.VerificationSID, &a.ServiceSID, &a.AccountSID, &a.Channel, &a.To, &a.Country, &a.CodeLength,
			&created, &updated, &a.Locale, &a.Brand, &options, &a.State, &a.Route, &a.Provider, &a.ProviderID,
			&a.ErrorCode, &a.ErrorClass, &a.HandOvers)
	if err != nil {
		return nil, err
	}
	a.CreatedAt, a.UpdatedAt = fromMillis(created), fromMillis(updated)
	if options != "" {
		if err := json.Unmarshal([]byte(options), &a.Options); err != nil {
			return nil, fmt.Errorf("options of attempt %s: %w", a.SID, err)
		}
	}
	return &a, nil
}

// AddAttempt implements verify.Tx.
func (t *Tx) AddAttempt(a *verify.Attempt) {
	options := "" // most have none
	if a.Options != (verify.AttemptOptions{}) {
		text, err := json.Marshal(a.Options)
		if err != nil { // texts and flags always encode
			panic(fmt.Sprintf("options of attempt %s: %v", a.SID, err))
		}
		options = string(text)
	}
	id := sid.Key(a.SID)
	t.change(a.SID)
	t.write(`INSERT INTO `+t.attempts(id)+` (id, `+attemptColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		id, a.SID, a.VerificationSID, a.ServiceSID, a.AccountSID, string(a.Channel), a.To, a.Country, a.CodeLength,
		toMillis(a.CreatedAt), toMillis(a.UpdatedAt), a.Locale, a.Brand, options, string(a.State), a.Route, a.Provider, a.ProviderID,
		a.ErrorCode, a.ErrorClass, a.HandOvers)
}

// PutAttempt implements verify.Tx. It writes what can change.
func (t *Tx) PutAttempt(a *verify.Attempt) {
	id := sid.Key(a.SID)
	t.change(a.SID)
	t.write(`UPDATE `+t.attempts(id)+` SET updated_at = $3, state = $4, route = $5, provider = $6, provider_id = $7,
			error_code = $8, error_class = $9, hand_overs = $10
		WHERE id = $1 AND sid = $2`,
		id, a.SID, toMillis(a.UpdatedAt), string(a.State), a.Route, a.Provider, a.ProviderID,
		a.ErrorCode, a.ErrorClass, a.HandOvers)
}
