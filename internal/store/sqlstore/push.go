package sqlstore

import (
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
)

const accessTokenColumns = `sid, service_sid, account_sid, identity, factor_type, friendly_name, ttl, token_sealed, created_at`

// AccessToken implements factor.Tx.
func (t *Tx) AccessToken(tokenSID string) (*factor.AccessToken, error) {
	var a factor.AccessToken
	var ttl, created int64
	err := t.record(tokenSID, `SELECT `+accessTokenColumns+` FROM access_token WHERE id = $1 AND sid = $2`, sid.Key(tokenSID), tokenSID).
		Scan(&a.SID, &a.ServiceSID, &a.AccountSID, &a.Identity, &a.FactorType, &a.FriendlyName, &ttl, &a.TokenSealed, &created)
	if err != nil {
		return nil, err
	}
	a.TTL, a.CreatedAt = time.Duration(ttl)*time.Millisecond, fromMillis(created)
	return &a, nil
}

// AddAccessToken implements factor.Tx.
func (t *Tx) AddAccessToken(a *factor.AccessToken) {
	t.change(a.SID)
	t.write(`INSERT INTO access_token (id, `+accessTokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		sid.Key(a.SID), a.SID, a.ServiceSID, a.AccountSID, a.Identity, string(a.FactorType), a.FriendlyName, a.TTL.Milliseconds(),
		a.TokenSealed, toMillis(a.CreatedAt))
}

const notificationColumns = `sid, challenge_sid, factor_sid, entity_sid, identity, service_sid, account_sid, ttl, state,
	provider, provider_id, error_code, error_class, hand_overs, created_at, updated_at`

// Notification implements factor.Tx.
func (t *Tx) Notification(notificationSID string) (*factor.Notification, error) {
	var n factor.Notification
	var ttl, created, updated int64
	err := t.record(notificationSID, `SELECT `+notificationColumns+` FROM notification WHERE id = $1 AND sid = $2`,
		sid.Key(notificationSID), notificationSID).
		Scan(&n.SID, &n.ChallengeSID, &n.FactorSID, &n.EntitySID, &n.Identity, &n.ServiceSID, &n.AccountSID, &ttl, &n.State,
			&n.Provider, &n.ProviderID, &n.ErrorCode, &n.ErrorClass, &n.HandOvers, &created, &updated)
	if err != nil {
		return nil, err
	}
	n.TTL, n.CreatedAt, n.UpdatedAt = time.Duration(ttl)*time.Millisecond, fromMillis(created), fromMillis(updated)
	return &n, nil
}

// AddNotification implements factor.Tx.
func (t *Tx) AddNotification(n *factor.Notification) {
	t.change(n.SID)
	t.write(`INSERT INTO notification (id, `+notificationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		sid.Key(n.SID), n.SID, n.ChallengeSID, n.FactorSID, n.EntitySID, n.Identity, n.ServiceSID, n.AccountSID, n.TTL.Milliseconds(),
		string(n.State), n.Provider, n.ProviderID, n.ErrorCode, n.ErrorClass, n.HandOvers, toMillis(n.CreatedAt), toMillis(n.UpdatedAt))
}

// PutNotification implements factor.Tx.
func (t *Tx) PutNotification(n *factor.Notification) {
	t.change(n.SID)
	t.write(`UPDATE notification SET state = $3, provider = $4, provider_id = $5, error_code = $6, error_class = $7, hand_overs = $8,
		updated_at = $9 WHERE id = $1 AND sid = $2`,
		sid.Key(n.SID), n.SID, string(n.State), n.Provider, n.ProviderID, n.ErrorCode, n.ErrorClass, n.HandOvers, toMillis(n.UpdatedAt))
}
