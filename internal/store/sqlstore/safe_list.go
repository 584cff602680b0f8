package sqlstore

import "github.com/verifyd/verifyd/internal/verify"

// SafeNumber implements verify.Tx.
func (t *Tx) SafeNumber(accountSID, number string) (*verify.SafeNumber, error) {
	var s verify.SafeNumber
	var created int64
	err := t.record(safeKey(accountSID, number), `SELECT sid, account_sid, phone_number, created_at FROM safe_number
		WHERE account_sid = $1 AND phone_number = $2`, accountSID, number).
		Scan(&s.SID, &s.AccountSID, &s.Number, &created)
	if err != nil {
		return nil, err
	}
	s.CreatedAt = fromMillis(created)
	return &s, nil
}

// AddSafeNumber implements verify.Tx.
func (t *Tx) AddSafeNumber(s *verify.SafeNumber) {
	t.change(s.SID, safeKey(s.AccountSID, s.Number))
	t.write(`INSERT INTO safe_number (sid, account_sid, phone_number, created_at) VALUES ($1, $2, $3, $4)`,
		s.SID, s.AccountSID, s.Number, toMillis(s.CreatedAt))
}

// DeleteSafeNumber implements verify.Tx.
func (t *Tx) DeleteSafeNumber(s *verify.SafeNumber) {
	t.change(s.SID, safeKey(s.AccountSID, s.Number))
	t.write(`DELETE FROM safe_number WHERE sid = $1`, s.SID)
}

func safeKey(accountSID, number string) string { return accountSID + number }
