package sqlstore

import "github.com/verifyd/verifyd/internal/verify"

const accountColumns = `sid, name, token_hash, token_sealed, created_at`

func scanAccount(row Row) (verify.Account, error) {
	var a verify.Account
	var created int64
	err := row.Scan(&a.SID, &a.Name, &a.TokenHash, &a.TokenSealed, &created)
	a.CreatedAt = fromMillis(created)
	return a, err
}

// Account implements verify.Tx.
func (t *Tx) Account(sid string) (*verify.Account, error) {
	a, err := scanAccount(t.record(sid, `SELECT `+accountColumns+` FROM account WHERE sid = $1`, sid))
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// Accounts implements verify.Tx.
func (t *Tx) Accounts() ([]verify.Account, error) {
	t.listed = true
	return list(t, scanAccount, `SELECT `+accountColumns+` FROM account ORDER BY created_at, sid`)
}

// PutAccount implements verify.Tx.
func (t *Tx) PutAccount(a *verify.Account) {
	t.config = true
	t.write(`INSERT INTO account (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sid) DO UPDATE SET name = $2, token_hash = $3, token_sealed = $4`,
		a.SID, a.Name, a.TokenHash, a.TokenSealed, toMillis(a.CreatedAt))
}

// Key implements verify.Tx.
func (t *Tx) Key(sid string) (*verify.Key, error) {
	var k verify.Key
	var created int64
	err := t.record(sid, `SELECT sid, account_sid, name, secret_hash, created_at FROM api_key WHERE sid = $1`, sid).
		Scan(&k.SID, &k.AccountSID, &k.Name, &k.SecretHash, &created)
	if err != nil {
		return nil, err
	}
	k.CreatedAt = fromMillis(created)
	return &k, nil
}

// PutKey implements verify.Tx.
func (t *Tx) PutKey(k *verify.Key) {
	t.config = true
	t.write(`INSERT INTO api_key (sid, account_sid, name, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sid) DO UPDATE SET name = $3, secret_hash = $4`,
		k.SID, k.AccountSID, k.Name, k.SecretHash, toMillis(k.CreatedAt))
}
