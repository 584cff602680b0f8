package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/verifyd/verifyd/internal/verify"
)

// The texts of a template are one JSON document, as the settings of a service are.
const templateColumns = `sid, account_sid, name, created_at, updated_at, content`

func scanTemplate(row Row) (verify.Template, error) {
	var p verify.Template
	var created, updated int64
	var content string
	if err := row.Scan(&p.SID, &p.AccountSID, &p.Name, &created, &updated, &content); err != nil {
		return p, err
	}
	p.CreatedAt, p.UpdatedAt = fromMillis(created), fromMillis(updated)
	if err := json.Unmarshal([]byte(content), &p.TemplateContent); err != nil {
		return p, fmt.Errorf("content of template %s: %w", p.SID, err)
	}
	return p, nil
}

// Template implements verify.Tx.
func (t *Tx) Template(sid string) (*verify.Template, error) {
	p, err := scanTemplate(t.record(sid, `SELECT `+templateColumns+` FROM template WHERE sid = $1`, sid))
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Templates implements verify.Tx. SIDs sort by the time they were minted; "~" is after all of them.
func (t *Tx) Templates(accountSID, name string, page verify.Page) ([]verify.Template, error) {
	t.listed = true
	before := page.After
	if before == "" {
		before = "~"
	}
	return list(t, scanTemplate, `SELECT `+templateColumns+` FROM template
		WHERE account_sid = $1 AND ($2 = '' OR name = $2) AND sid < $3 ORDER BY sid DESC LIMIT $4 OFFSET $5`,
		accountSID, name, before, page.Size, page.Skip)
}

// PutTemplate implements verify.Tx.
func (t *Tx) PutTemplate(p *verify.Template) {
	t.config = true
	content, err := json.Marshal(p.TemplateContent)
	if err != nil { // texts and times always encode
		panic(fmt.Sprintf("content of template %s: %v", p.SID, err))
	}
	t.change(p.SID)
	t.write(`INSERT INTO template (`+templateColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (sid) DO UPDATE SET name = $3, updated_at = $5, content = $6`,
		p.SID, p.AccountSID, p.Name, toMillis(p.CreatedAt), toMillis(p.UpdatedAt), string(content))
}

// DeleteTemplate implements verify.Tx.
func (t *Tx) DeleteTemplate(sid string) {
	t.config = true
	t.change(sid)
	t.write(`DELETE FROM template WHERE sid = $1`, sid)
}
