package sqlstore

import "errors"

// Reset removes everything but the accounts and their keys. It is SQLite's: a developer starts again without
// a new file.
func (t *Tx) Reset() (err error) {
	// Not a list of tables: a new one would be forgotten in it.
	rows, err := t.conn.Query(`SELECT name FROM sqlite_master WHERE type = 'table'
		AND name NOT IN ('account', 'api_key', 'config_version', 'goose_db_version') AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	t.config, t.many = true, true
	t.write(`PRAGMA defer_foreign_keys = ON`) // until the end of this commit
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		t.write(`DELETE FROM "` + name + `"`)
	}
	return rows.Err()
}
