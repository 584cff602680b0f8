package sqlstore

import (
	"fmt"
	"strings"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// The types of events have no spaces, so a list of them is a text with spaces between them.
const webhookColumns = `sid, service_sid, account_sid, friendly_name, event_types, url, status, version, created_at, updated_at`

func scanWebhook(row Row) (verify.Webhook, error) {
	var w verify.Webhook
	var types string
	var created, updated int64
	err := row.Scan(&w.SID, &w.ServiceSID, &w.AccountSID, &w.FriendlyName, &types, &w.URL, &w.Status, &w.Version, &created, &updated)
	for kind := range strings.FieldsSeq(types) {
		w.EventTypes = append(w.EventTypes, verify.EventType(kind))
	}
	w.CreatedAt, w.UpdatedAt = fromMillis(created), fromMillis(updated)
	return w, err
}

// Webhook implements verify.Tx.
func (t *Tx) Webhook(webhookSID string) (*verify.Webhook, error) {
	w, err := scanWebhook(t.record(webhookSID, `SELECT `+webhookColumns+` FROM webhook WHERE sid = $1`, webhookSID))
	if err != nil {
		return nil, err
	}
	return &w, nil
}

// Webhooks implements verify.Tx.
func (t *Tx) Webhooks(serviceSID string, page verify.Page) ([]verify.Webhook, error) {
	return newestFirst(t, scanWebhook, `SELECT `+webhookColumns+` FROM webhook WHERE service_sid = $1`, serviceSID, page)
}

// PutWebhook implements verify.Tx.
func (t *Tx) PutWebhook(w *verify.Webhook) {
	t.config = true
	t.change(w.SID)
	types := make([]string, len(w.EventTypes))
	for i, kind := range w.EventTypes {
		types[i] = string(kind)
	}
	t.write(`INSERT INTO webhook (`+webhookColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (sid) DO UPDATE SET friendly_name = $4, event_types = $5, url = $6, status = $7, version = $8, updated_at = $10`,
		w.SID, w.ServiceSID, w.AccountSID, w.FriendlyName, strings.Join(types, " "), w.URL, string(w.Status), string(w.Version),
		toMillis(w.CreatedAt), toMillis(w.UpdatedAt))
}

// DeleteWebhook implements verify.Tx.
func (t *Tx) DeleteWebhook(webhookSID string) {
	t.config = true
	t.change(webhookSID)
	t.write(`DELETE FROM webhook WHERE sid = $1`, webhookSID)
}

const eventDeliveryColumns = `sid, kind, webhook_sid, service_sid, account_sid, event_type, uuid, body, state, tries, failures,
	created_at, updated_at, give_up_at`

func scanEventDelivery(row Row) (verify.EventDelivery, error) {
	var d verify.EventDelivery
	var tries string
	var created, updated, giveUp int64
	if err := row.Scan(&d.SID, &d.Kind, &d.WebhookSID, &d.ServiceSID, &d.AccountSID, &d.EventType, &d.UUID, &d.Body, &d.State,
		&tries, &d.Failures, &created, &updated, &giveUp); err != nil {
		return d, err
	}
	d.CreatedAt, d.UpdatedAt, d.GiveUpAt = fromMillis(created), fromMillis(updated), fromMillis(giveUp)
	if err := fromJSON(tries, &d.Tries); err != nil {
		return d, fmt.Errorf("tries of delivery %s: %w", d.SID, err)
	}
	return d, nil
}

// EventDelivery implements verify.Tx.
func (t *Tx) EventDelivery(deliverySID string) (*verify.EventDelivery, error) {
	d, err := scanEventDelivery(t.record(deliverySID, `SELECT `+eventDeliveryColumns+` FROM event_delivery WHERE id = $1 AND sid = $2`,
		sid.Key(deliverySID), deliverySID))
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// EventDeliveries implements verify.Tx.
func (t *Tx) EventDeliveries(q verify.EventQuery, page verify.Page) ([]verify.EventDelivery, error) {
	t.listed = true
	const everything = 1<<63 - 1
	before := int64(everything)
	if page.After != "" {
		before = sid.Key(page.After)
	}
	return list(t, scanEventDelivery, `SELECT `+eventDeliveryColumns+` FROM event_delivery
		WHERE account_sid = $1 AND id < $2 AND ($3 = '' OR webhook_sid = $3) AND ($4 = '' OR state = $4)
		ORDER BY id DESC LIMIT $5 OFFSET $6`, q.AccountSID, before, q.WebhookSID, string(q.State), page.Size, page.Skip)
}

// AddEventDelivery implements verify.Tx.
func (t *Tx) AddEventDelivery(d *verify.EventDelivery) {
	t.change(d.SID)
	t.write(`INSERT INTO event_delivery (id, `+eventDeliveryColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		sid.Key(d.SID), d.SID, d.Kind, d.WebhookSID, d.ServiceSID, d.AccountSID, d.EventType, d.UUID, d.Body, string(d.State),
		toJSONOrNothing(d.Tries, len(d.Tries) == 0), d.Failures, toMillis(d.CreatedAt), toMillis(d.UpdatedAt), toMillis(d.GiveUpAt))
}

// PutEventDelivery implements verify.Tx.
func (t *Tx) PutEventDelivery(d *verify.EventDelivery) {
	t.change(d.SID)
	t.write(`UPDATE event_delivery SET state = $3, tries = $4, failures = $5, updated_at = $6, give_up_at = $7 WHERE id = $1 AND sid = $2`,
		sid.Key(d.SID), d.SID, string(d.State), toJSONOrNothing(d.Tries, len(d.Tries) == 0), d.Failures,
		toMillis(d.UpdatedAt), toMillis(d.GiveUpAt))
}
