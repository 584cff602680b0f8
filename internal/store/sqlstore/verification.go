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

// A verification is keyed by the number in its SID, which grows with time, so that rows are
// appended and not scattered. The other indexes are small: two hold current verifications alone, one
// those of payments of the last day. So a commit touches few pages however long the history is.
const verificationColumns = `sid, service_sid, account_sid, recipient, to_address, country, channel, status,
	sends, checks, max_sends, max_checks, code_length, code_mac, code_sealed, amount, payee, line,
	created_at, updated_at, expires_at, is_current, history, held_until, device, payer`

const verificationBySID = `SELECT ` + verificationColumns + ` FROM verification WHERE id = $1 AND sid = $2`

func scanVerification(row Row) (*verify.Verification, error) {
	// One piece of memory for all that is read.
	var r struct {
		verify.Verification
		sends, line, history                     string
		created, updated, expires, current, held int64
	}
	v := &r.Verification
	err := row.Scan(&v.SID, &v.ServiceSID, &v.AccountSID, &v.Recipient, &v.To, &v.Country, &v.Channel, &v.Status,
		&r.sends, &v.Checks, &v.MaxSends, &v.MaxChecks, &v.CodeLength, &v.CodeMAC, &v.CodeSealed, &v.Amount, &v.Payee, &r.line,
		&r.created, &r.updated, &r.expires, &r.current, &r.history, &r.held, &v.Device, &v.Payer)
	if err != nil {
		return nil, err
	}
	if v.Sends, err = parseSends(r.sends); err != nil {
		return nil, fmt.Errorf("sends of verification %s: %w", v.SID, err)
	}
	if v.History, err = parseHistory(r.history); err != nil {
		return nil, fmt.Errorf("history of verification %s: %w", v.SID, err)
	}
	if r.held != 0 {
		v.HeldUntil = fromMillis(r.held)
	}
	if r.line != "" {
		if err := json.Unmarshal([]byte(r.line), &v.Line); err != nil {
			return nil, fmt.Errorf("line of verification %s: %w", v.SID, err)
		}
	}
	v.CreatedAt, v.UpdatedAt, v.ExpiresAt = fromMillis(r.created), fromMillis(r.updated), fromMillis(r.expires)
	v.Current = r.current == 1
	return v, nil
}

// Verification implements verify.Tx.
func (t *Tx) Verification(verificationSID string) (*verify.Verification, error) {
	return scanVerification(t.record(verificationSID, verificationBySID, sid.Key(verificationSID), verificationSID))
}

// PeekVerification implements verify.Tx.
func (t *Tx) PeekVerification(verificationSID string) (*verify.Verification, error) {
	return scanVerification(t.conn.QueryRow(verificationBySID, sid.Key(verificationSID), verificationSID))
}

// CurrentVerification implements verify.Tx.
func (t *Tx) CurrentVerification(serviceSID, recipient string) (*verify.Verification, error) {
	r := currentRead(serviceSID, recipient)
	return scanVerification(t.record(r.Key, r.Query, r.Args...))
}

// currentRead has the condition of the index by recipient, word for word. Were it the is_current = 1 of the index by
// expiry, the planner of PostgreSQL might take that one, which holds all current verifications.
func currentRead(serviceSID, recipient string) Read {
	return Read{serviceSID + recipient, `SELECT ` + verificationColumns + ` FROM verification
		WHERE service_sid = $1 AND recipient = $2 AND is_current <> 0`, []any{serviceSID, recipient}}
}

// AddVerification implements verify.Tx.
func (t *Tx) AddVerification(v *verify.Verification) {
	line := "" // most have none
	if v.Line != nil {
		text, err := json.Marshal(v.Line)
		if err != nil { // texts and a number always encode
			panic(fmt.Sprintf("line of verification %s: %v", v.SID, err))
		}
		line = string(text)
	}
	t.changeVerification(v)
	t.writeRow(`INSERT INTO verification (id, `+verificationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)`,
		sid.Key(v.SID), v.SID, v.ServiceSID, v.AccountSID, v.Recipient, v.To, v.Country, string(v.Channel), string(v.Status),
		formatSends(v.Sends), v.Checks, v.MaxSends, v.MaxChecks, v.CodeLength, v.CodeMAC, v.CodeSealed, v.Amount, v.Payee, line,
		toMillis(v.CreatedAt), toMillis(v.UpdatedAt), toMillis(v.ExpiresAt), toBit(v.Current),
		formatHistory(v.History), toMillisOrZero(v.HeldUntil), v.Device, v.Payer)
}

// PutVerification implements verify.Tx. It writes what can change. No column is in an index: SQLite would
// take the row out of the indexes and put it in again, whether or not the value is another one.
func (t *Tx) PutVerification(v *verify.Verification) {
	id := sid.Key(v.SID)
	t.changeVerification(v)
	t.write(`UPDATE verification SET channel = $3, status = $4, sends = $5, checks = $6, code_mac = $7, code_sealed = $8,
			updated_at = $9, history = $10, held_until = $11, device = $12
		WHERE id = $1 AND sid = $2`,
		id, v.SID, string(v.Channel), string(v.Status), formatSends(v.Sends), v.Checks, v.CodeMAC, v.CodeSealed,
		toMillis(v.UpdatedAt), formatHistory(v.History), toMillisOrZero(v.HeldUntil), v.Device)
	if !v.Current { // it may have been until now; it never becomes it again
		t.write(`UPDATE verification SET is_current = 0 WHERE id = $1 AND sid = $2`, id, v.SID)
	}
}

// changeVerification notes both keys of a verification (see Recorder).
func (t *Tx) changeVerification(v *verify.Verification) {
	if t.dialect == Postgres {
		t.change(v.SID, v.ServiceSID+v.Recipient)
	}
}

// PendingVerifications implements verify.Tx.
func (t *Tx) PendingVerifications(w verify.Expiry, limit int) (pending []verify.VerificationPlace, rest verify.Expiry, more bool, err error) {
	type found struct {
		verify.VerificationPlace
		status verify.Status
		at, id int64
	}
	chunk, err := list(t, func(row Row) (f found, err error) {
		err = row.Scan(&f.SID, &f.ServiceSID, &f.AccountSID, &f.Recipient, &f.status, &f.at, &f.id)
		return f, err
	}, `SELECT sid, service_sid, account_sid, recipient, status, expires_at, id FROM verification
		WHERE is_current = 1 AND (expires_at, id) > ($1, $2) AND expires_at <= $3
		ORDER BY expires_at, id LIMIT $4`, toMillis(w.After), w.AfterID, toMillis(w.Until), limit)
	if err != nil || len(chunk) == 0 {
		return nil, w, false, err
	}
	for _, f := range chunk {
		if f.status == verify.Pending {
			pending = append(pending, f.VerificationPlace)
		}
	}
	last := chunk[len(chunk)-1]
	w.After, w.AfterID = fromMillis(last.at), last.id
	return pending, w, len(chunk) == limit, nil
}

// ExpireVerifications implements verify.Tx.
func (t *Tx) ExpireVerifications(w verify.Expiry, limit int) (rest verify.Expiry, more bool, err error) {
	type place struct{ at, id int64 }
	chunk, err := list(t, func(row Row) (p place, err error) {
		err = row.Scan(&p.at, &p.id)
		return p, err
	}, `SELECT expires_at, id FROM verification WHERE is_current = 1 AND (expires_at, id) > ($1, $2) AND expires_at <= $3
		ORDER BY expires_at, id LIMIT $4`, toMillis(w.After), w.AfterID, toMillis(w.Until), limit)
	if err != nil || len(chunk) == 0 {
		return w, false, err
	}
	last := chunk[len(chunk)-1]
	t.many = true
	t.write(`UPDATE verification SET code_mac = NULL, code_sealed = NULL,
			status = CASE WHEN status = 'pending' THEN 'expired' ELSE status END,
			is_current = CASE WHEN expires_at <= $6 AND held_until <= $5 THEN 0 ELSE 1 END
		WHERE is_current = 1 AND (expires_at, id) > ($1, $2) AND (expires_at, id) <= ($3, $4)
			AND (expires_at <= $6 AND held_until <= $5 OR status = 'pending')`,
		toMillis(w.After), w.AfterID, last.at, last.id, toMillis(w.Now), toMillis(w.Forget))
	w.After, w.AfterID = fromMillis(last.at), last.id
	return w, len(chunk) == limit, nil
}

// BlankPayments implements verify.Tx. The index holds only verifications that have an amount.
func (t *Tx) BlankPayments(upAt time.Time, limit int) (more bool, err error) {
	var found, last int64
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(expires_at), 0) FROM (
			SELECT expires_at FROM verification WHERE amount <> '' AND expires_at <= $1 ORDER BY expires_at LIMIT $2
		) AS chunk`, toMillis(upAt), limit).Scan(&found, &last); err != nil || found == 0 {
		return false, err
	}
	t.many = true
	t.write(`UPDATE verification SET amount = '', payee = '' WHERE amount <> '' AND expires_at <= $1`, last)
	return found == int64(limit), nil
}

// formatSends writes sends as "1764000000000/sms/VL…", separated by spaces.
func formatSends(sends []verify.Send) string {
	var space [128]byte // two are the most that is usual
	b := space[:0]
	for i, s := range sends {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, toMillis(s.At), 10)
		b = append(b, '/')
		b = append(b, s.Channel...)
		b = append(b, '/')
		b = append(b, s.AttemptSID...)
	}
	return string(b)
}

func parseSends(text string) ([]verify.Send, error) {
	var sends []verify.Send
	for field := range strings.FieldsSeq(text) {
		at, rest, _ := strings.Cut(field, "/")
		channel, attempt, ok := strings.Cut(rest, "/")
		ms, err := strconv.ParseInt(at, 10, 64)
		if err != nil || !ok {
			return nil, fmt.Errorf("%q is no send", field)
		}
		sends = append(sends, verify.Send{At: fromMillis(ms), Channel: verify.Channel(channel), AttemptSID: attempt})
	}
	return sends, nil
}
