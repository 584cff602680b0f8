package sqlstore

import (
	"cmp"
	"fmt"
	"slices"
)

// What is here is for a developer, who starts again without a new database, or goes back to where it was a
// while ago. A snapshot is a copy of every table under another name, in the same database, so it is taken and
// restored by the database alone: no row passes through the program. On SQLite the copies are temporary
// tables of the connection that writes; they are gone with it.
//
// Neither is a list of tables: a new one would be forgotten in it.

// schemaTables belong to the schema, and not to what is kept in it.
var schemaTables = []string{"config_version", "goose_db_version", "commit_mark", "transfer"}

// accountTables are what a Reset keeps: the credentials of the application stay good.
var accountTables = []string{"account", "api_key"}

// Tables are tables that have records: those of a database, in an order in which they can be filled. Rows of
// account and service are referred to by others.
type Tables []string

// RecordTables chooses from the names of all tables of a database.
func RecordTables(all []string) Tables {
	tables := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(schemaTables, name) })
	referred := []string{"service", "account"} // the last one to all others
	slices.SortFunc(tables, func(a, b string) int {
		return cmp.Or(cmp.Compare(slices.Index(referred, b), slices.Index(referred, a)), cmp.Compare(a, b))
	})
	return tables
}

// Reset are the statements that remove everything but the accounts and their keys.
func (all Tables) Reset() (writes []Write) {
	for _, name := range slices.Backward(all) {
		if !slices.Contains(accountTables, name) {
			writes = append(writes, Write{Query: `DELETE FROM ` + name})
		}
	}
	return writes
}

// Save are the statements that make the copies of a snapshot; kind is the kind of table that they are made
// as. Snapshots are numbered.
func (all Tables) Save(kind string, number int) (writes []Write) {
	for _, name := range all {
		writes = append(writes, Write{Query: `CREATE ` + kind + ` TABLE ` + copyName(number, name) + ` AS SELECT * FROM ` + name})
	}
	return writes
}

// Restore are the statements that put a snapshot in the place of everything.
func (all Tables) Restore(number int) (writes []Write) {
	for _, name := range slices.Backward(all) {
		writes = append(writes, Write{Query: `DELETE FROM ` + name})
	}
	for _, name := range all {
		writes = append(writes, Write{Query: `INSERT INTO ` + name + ` SELECT * FROM ` + copyName(number, name)})
	}
	return writes
}

// Drop are the statements that remove the copies of a snapshot, if they are there.
func (all Tables) Drop(number int) (writes []Write) {
	for _, name := range all {
		writes = append(writes, Write{Query: `DROP TABLE IF EXISTS ` + copyName(number, name)})
	}
	return writes
}

// CopyPrefix is what the names of all copies begin with.
const CopyPrefix = "snapshot_"

func copyName(number int, table string) string {
	return fmt.Sprintf("%s%d_%s", CopyPrefix, number, table)
}

// tables are those of a SQLite file.
func (t *Tx) tables() (Tables, error) {
	all, err := list(t, func(row Row) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	}, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	return RecordTables(all), err
}

// Reset removes everything but the accounts and their keys. This and what follows is for SQLite.
func (t *Tx) Reset() error {
	tables, err := t.tables()
	t.config, t.many = true, true
	t.writes = append(t.writes, tables.Reset()...)
	return err
}

// SaveSnapshot takes a snapshot.
func (t *Tx) SaveSnapshot(number int) error {
	tables, err := t.tables()
	t.writes = append(append(t.writes, tables.Drop(number)...), tables.Save("TEMP", number)...)
	return err
}

// RestoreSnapshot goes back to a snapshot, and wakes those who wait for its jobs.
func (t *Tx) RestoreSnapshot(number int) error {
	tables, err := t.tables()
	if err != nil {
		return err
	}
	kinds, err := list(t, func(row Row) (kind string, err error) {
		err = row.Scan(&kind)
		return kind, err
	}, `SELECT DISTINCT kind FROM `+copyName(number, "job"))
	for _, kind := range kinds {
		t.wake(kind)
	}
	t.config, t.many = true, true
	t.writes = append(t.writes, tables.Restore(number)...)
	return err
}

// DropSnapshot removes a snapshot, if it is there.
func (t *Tx) DropSnapshot(number int) error {
	tables, err := t.tables()
	t.writes = append(t.writes, tables.Drop(number)...)
	return err
}
