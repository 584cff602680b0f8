package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/verifyd/verifyd/internal/verify"
)

// The settings of a service are one JSON document: nothing is looked up by them, and most of a
// service is settings. storetest pins the names inside, which are the Go fields', so that renaming
// a field cannot lose what is stored.
const serviceColumns = `sid, account_sid, created_at, updated_at, settings`

func scanService(row Row) (verify.Service, error) {
	var s verify.Service
	var created, updated int64
	var settings string
	if err := row.Scan(&s.SID, &s.AccountSID, &created, &updated, &settings); err != nil {
		return s, err
	}
	s.CreatedAt, s.UpdatedAt = fromMillis(created), fromMillis(updated)
	if err := json.Unmarshal([]byte(settings), &s.ServiceSettings); err != nil {
		return s, fmt.Errorf("settings of service %s: %w", s.SID, err)
	}
	return s, nil
}

// Service implements verify.Tx.
func (t *Tx) Service(sid string) (*verify.Service, error) {
	s, err := scanService(t.record(sid, `SELECT `+serviceColumns+` FROM service WHERE sid = $1`, sid))
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Services implements verify.Tx. SIDs sort by the time they were minted.
func (t *Tx) Services(accountSID string, page verify.Page) ([]verify.Service, error) {
	t.listed = true
	if page.After == "" {
		return list(t, scanService, `SELECT `+serviceColumns+` FROM service
			WHERE account_sid = $1 ORDER BY sid DESC LIMIT $2 OFFSET $3`, accountSID, page.Size, page.Skip)
	}
	return list(t, scanService, `SELECT `+serviceColumns+` FROM service
		WHERE account_sid = $1 AND sid < $2 ORDER BY sid DESC LIMIT $3 OFFSET $4`, accountSID, page.After, page.Size, page.Skip)
}

// PutService implements verify.Tx.
func (t *Tx) PutService(s *verify.Service) {
	t.config = true
	settings, err := json.Marshal(s.ServiceSettings)
	if err != nil { // texts, numbers and flags always encode
		panic(fmt.Sprintf("settings of service %s: %v", s.SID, err))
	}
	t.write(`INSERT INTO service (`+serviceColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sid) DO UPDATE SET updated_at = $4, settings = $5`,
		s.SID, s.AccountSID, toMillis(s.CreatedAt), toMillis(s.UpdatedAt), string(settings))
}

// DeleteService implements verify.Tx. What is not current any more was over already and is not
// touched: without its service nobody can reach it.
func (t *Tx) DeleteService(sid string) {
	t.config, t.many = true, true
	t.write(`DELETE FROM bucket WHERE service_sid = $1`, sid)
	t.write(`DELETE FROM rate_limit WHERE service_sid = $1`, sid)
	t.write(`DELETE FROM webhook WHERE service_sid = $1`, sid)
	t.write(`DELETE FROM messaging_configuration WHERE service_sid = $1`, sid)
	t.write(`DELETE FROM service WHERE sid = $1`, sid)
	t.write(`DELETE FROM geo_rule WHERE service_sid = $1`, sid)
	t.write(`UPDATE verification SET is_current = 0, code_mac = NULL, code_sealed = NULL,
			status = CASE WHEN status = 'pending' THEN 'canceled' ELSE status END
		WHERE service_sid = $1 AND is_current <> 0`, sid)
}
