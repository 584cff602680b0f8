package sqlstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

const attemptColumns = `sid, verification_sid, service_sid, account_sid, channel, to_address, country, code_length,
	created_at, updated_at, expires_at, locale, brand, options, state, route, provider, provider_id, error_code, error_class,
	hand_overs, price, currency, carrier, mcc, mnc, converted, story, report_key`

func scanAttempt(row Row) (verify.Attempt, error) {
	var a verify.Attempt
	var created, updated, expires, converted int64
	var options string
	err := row.Scan(&a.SID, &a.VerificationSID, &a.ServiceSID, &a.AccountSID, &a.Channel, &a.To, &a.Country, &a.CodeLength,
		&created, &updated, &expires, &a.Locale, &a.Brand, &options, &a.State, &a.Route, &a.Provider, &a.ProviderID,
		&a.ErrorCode, &a.ErrorClass, &a.HandOvers, &a.Price, &a.Currency, &a.Carrier, &a.MCC, &a.MNC, &converted,
		&a.Story, &a.ReportKey)
	if err != nil {
		return a, err
	}
	a.CreatedAt, a.UpdatedAt, a.ExpiresAt = fromMillis(created), fromMillis(updated), fromMillis(expires)
	a.Converted = converted == 1
	if options != "" {
		if err := json.Unmarshal([]byte(options), &a.Options); err != nil {
			return a, fmt.Errorf("options of attempt %s: %w", a.SID, err)
		}
	}
	return a, nil
}

// ofDay is a statement about an attempt, with the table that has it (see package postgres, days.go).
func (t *Tx) ofDay(id int64, statement string) string {
	if table, ok := t.days[sid.DayOfKey(id)]; ok {
		return strings.Replace(statement, " attempt ", " "+table+" ", 1)
	}
	return statement
}

// Attempt implements verify.Tx.
func (t *Tx) Attempt(attemptSID string) (*verify.Attempt, error) {
	id := sid.Key(attemptSID)
	return oneAttempt(t.record(attemptSID, t.ofDay(id, attemptBySID), id, attemptSID))
}

// PeekAttempt implements verify.Tx.
func (t *Tx) PeekAttempt(attemptSID string) (*verify.Attempt, error) {
	id := sid.Key(attemptSID)
	return oneAttempt(t.conn.QueryRow(t.ofDay(id, attemptBySID), id, attemptSID))
}

const attemptBySID = `SELECT ` + attemptColumns + ` FROM attempt WHERE id = $1 AND sid = $2`

func oneAttempt(row Row) (*verify.Attempt, error) {
	a, err := scanAttempt(row)
	if err != nil {
		return nil, err
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
	t.writeRow(t.ofDay(id, `INSERT INTO attempt (id, `+attemptColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)`),
		id, a.SID, a.VerificationSID, a.ServiceSID, a.AccountSID, string(a.Channel), a.To, a.Country, a.CodeLength,
		toMillis(a.CreatedAt), toMillis(a.UpdatedAt), toMillis(a.ExpiresAt), a.Locale, a.Brand, options, string(a.State), a.Route,
		a.Provider, a.ProviderID, a.ErrorCode, a.ErrorClass, a.HandOvers, a.Price, a.Currency, a.Carrier, a.MCC, a.MNC, toBit(a.Converted),
		string(a.Story), a.ReportKey)
}

// PutAttempt implements verify.Tx. It writes what a delivery can change.
func (t *Tx) PutAttempt(a *verify.Attempt) {
	id := sid.Key(a.SID)
	t.writeUnread(a.SID, t.ofDay(id, `UPDATE attempt SET updated_at = $3, state = $4, route = $5, provider = $6, provider_id = $7,
			error_code = $8, error_class = $9, hand_overs = $10, price = $11, currency = $12,
			mcc = $13, mnc = $14, story = $15, report_key = $16
		WHERE id = $1 AND sid = $2`),
		id, a.SID, toMillis(a.UpdatedAt), string(a.State), a.Route, a.Provider, a.ProviderID,
		a.ErrorCode, a.ErrorClass, a.HandOvers, a.Price, a.Currency, a.MCC, a.MNC, string(a.Story), a.ReportKey)
}

// ConvertAttempt implements verify.Tx.
func (t *Tx) ConvertAttempt(attemptSID string, at time.Time) {
	id := sid.Key(attemptSID)
	t.writeUnread(attemptSID, t.ofDay(id, `UPDATE attempt SET converted = 1, updated_at = $3 WHERE id = $1 AND sid = $2`),
		id, attemptSID, toMillis(at))
}

// Lists and counts are of many days, so they go to the table above the days, for milliseconds:
// PostgreSQL looks at the partitions of the range alone, and asks them in the order of their days.

// ofFilter is the part of a condition that is about a row alone. Its first two parameters are the
// range of ids; the rest of the filter is looked at row by row, and whoever asks bounds the range.
const ofFilter = ` account_sid = $3 AND ($4 = '' OR service_sid = $4) AND ($5 = '' OR channel = $5)
	AND ($6 = '' OR country = $6) AND ($7 < 0 OR converted = $7)`

func filterArgs(f verify.AttemptFilter, more ...any) []any {
	converted := -1
	switch f.Conversion {
	case verify.Converted:
		converted = 1
	case verify.Unconverted:
		converted = 0
	}
	return append([]any{f.From, f.Before, f.AccountSID, f.ServiceSID, string(f.Channel), f.Country, converted}, more...)
}

// Attempts implements verify.Tx.
func (t *Tx) Attempts(f verify.AttemptFilter, limit int) ([]verify.Attempt, error) {
	return list(t, scanAttempt, `SELECT `+attemptColumns+` FROM attempt
		WHERE id >= $1 AND id < $2 AND`+ofFilter+` ORDER BY id DESC LIMIT $8`, filterArgs(f, limit)...)
}

// CarriedAttempts implements verify.Tx.
func (t *Tx) CarriedAttempts(from, before int64, limit int) ([]verify.Carried, error) {
	return list(t, func(row Row) (c verify.Carried, err error) {
		var converted int64
		err = row.Scan(&c.Channel, &c.Country, &c.Provider, &c.State, &converted)
		c.Converted = converted == 1
		return c, err
	}, `SELECT channel, country, provider, state, converted FROM attempt WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3`, from, before, limit)
}

// AttemptStep implements verify.Tx.
func (t *Tx) AttemptStep(from, before int64, n int) (key int64, err error) {
	err = t.conn.QueryRow(`SELECT id FROM attempt WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3`, from, before, n-1).Scan(&key)
	return key, err
}

// CountAttempts implements verify.Tx.
func (t *Tx) CountAttempts(f verify.AttemptFilter) (n verify.AttemptCount, err error) {
	err = t.conn.QueryRow(`SELECT count(*), coalesce(sum(converted), 0) FROM attempt
		WHERE id >= $1 AND id < $2 AND`+ofFilter, filterArgs(f)...).Scan(&n.Made, &n.Converted)
	return n, err
}

// keysPerStretch is the length of a stretch of the index of addresses, four hours. Longer ones would
// scatter what is inserted, shorter ones are more places to look at: these are 180 in thirty days. A
// day's partition has six of them.
const keysPerStretch = 4 * sid.KeysPerHour

// stretchKeys is keysPerStretch as the migrations have it.
var stretchKeys = strconv.FormatInt(keysPerStretch, 10)

// stretches are those that a range of ids is in, so that the index of addresses is asked for each; $8
// and $9 are the first and the last.
var stretches = stretchesFrom("$8", "$9")

func stretchesFrom(first, last string) string {
	return `WITH RECURSIVE stretch (s) AS (SELECT CAST(` + last + ` AS bigint) UNION ALL SELECT s - 1 FROM stretch WHERE s > ` + first + `) `
}

// ofStretch is the part of a condition that holds an attempt against a stretch and against the range of
// ids. A plus sign takes the type off s, for SQLite, and takes the range of ids off the list of what
// could be looked up, so that the index of addresses is.
var ofStretch = ` id / ` + stretchKeys + ` = +s AND +id >= $1 AND +id < $2 AND`

// inStretches are columns of the attempts of the stretches that a condition lets through. PostgreSQL is kept
// from looking in another way than stretch by stretch, by OFFSET 0, and is told which ids a stretch has, so
// that it goes to one partition for each.
func (t *Tx) inStretches(columns, condition string) string {
	condition = ofStretch + condition
	if t.dialect == Postgres {
		return ` FROM stretch CROSS JOIN LATERAL (SELECT id, ` + columns + ` FROM attempt
			WHERE id >= s * ` + stretchKeys + ` AND id < (s + 1) * ` + stretchKeys + ` AND` + condition + ` OFFSET 0) AS attempt`
	}
	return ` FROM stretch CROSS JOIN attempt WHERE` + condition
}

// ReportedAttempt implements verify.Tx. Keys of reports are indexed by stretches, as addresses are, and
// for the same reason.
func (t *Tx) ReportedAttempt(key string, from, before int64) (attemptSID string, err error) {
	err = t.conn.QueryRow(stretchesFrom("$3", "$4")+`SELECT sid`+t.inStretches(`sid`, ` report_key = $5 AND report_key <> ''`)+`
		ORDER BY id DESC LIMIT 1`, from, before, from/keysPerStretch, (before-1)/keysPerStretch, key).Scan(&attemptSID)
	return attemptSID, err
}

func stretchesOf(f verify.AttemptFilter) (first, last any) {
	return f.From / keysPerStretch, (f.Before - 1) / keysPerStretch
}

// AttemptsTo implements verify.Tx.
func (t *Tx) AttemptsTo(f verify.AttemptFilter, limit int) ([]verify.Attempt, error) {
	first, last := stretchesOf(f)
	return list(t, scanAttempt, stretches+`SELECT `+attemptColumns+t.inStretches(attemptColumns, ofFilter+` AND to_address = $10`)+`
		ORDER BY id DESC LIMIT $11`, filterArgs(f, first, last, f.To, limit)...)
}

// CountAttemptsTo implements verify.Tx. A colon is what follows the digit nine.
func (t *Tx) CountAttemptsTo(f verify.AttemptFilter) (n verify.AttemptCount, err error) {
	first, last := stretchesOf(f)
	err = t.conn.QueryRow(stretches+`SELECT count(*), coalesce(sum(converted), 0)`+t.inStretches(`converted`, ofFilter+` AND to_address >= $10 AND to_address < $11`),
		filterArgs(f, first, last, f.Prefix, f.Prefix+":")...).Scan(&n.Made, &n.Converted)
	return n, err
}
