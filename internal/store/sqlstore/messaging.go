package sqlstore

import "github.com/verifyd/verifyd/internal/verify"

// The key of a messaging configuration is its service's SID and the country, one after the other:
// every table has one column that orders it (see package transfer).
const messagingColumns = `id, service_sid, account_sid, country, messaging_service_sid, created_at, updated_at`

func scanMessaging(row Row) (verify.MessagingConfiguration, error) {
	var c verify.MessagingConfiguration
	var id string
	var created, updated int64
	err := row.Scan(&id, &c.ServiceSID, &c.AccountSID, &c.Country, &c.MessagingServiceSID, &created, &updated)
	c.CreatedAt, c.UpdatedAt = fromMillis(created), fromMillis(updated)
	return c, err
}

// MessagingConfiguration implements verify.Tx.
func (t *Tx) MessagingConfiguration(serviceSID, country string) (*verify.MessagingConfiguration, error) {
	id := serviceSID + country
	c, err := scanMessaging(t.record(id, `SELECT `+messagingColumns+` FROM messaging_configuration WHERE id = $1`, id))
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// MessagingConfigurations implements verify.Tx.
func (t *Tx) MessagingConfigurations(serviceSID string, page verify.Page) ([]verify.MessagingConfiguration, error) {
	t.listed = true
	return list(t, scanMessaging, `SELECT `+messagingColumns+` FROM messaging_configuration
		WHERE service_sid = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4`,
		serviceSID, serviceSID+page.After, page.Size, page.Skip)
}

// PutMessagingConfiguration implements verify.Tx.
func (t *Tx) PutMessagingConfiguration(c *verify.MessagingConfiguration) {
	t.config = true
	id := c.ServiceSID + c.Country
	t.change(id)
	t.write(`INSERT INTO messaging_configuration (`+messagingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET messaging_service_sid = $5, updated_at = $7`,
		id, c.ServiceSID, c.AccountSID, c.Country, c.MessagingServiceSID, toMillis(c.CreatedAt), toMillis(c.UpdatedAt))
}

// DeleteMessagingConfiguration implements verify.Tx.
func (t *Tx) DeleteMessagingConfiguration(serviceSID, country string) {
	t.config = true
	id := serviceSID + country
	t.change(id)
	t.write(`DELETE FROM messaging_configuration WHERE id = $1`, id)
}
