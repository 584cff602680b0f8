// Package transfer moves an installation from one database to another: table by table, in chunks
// in the order of the keys, each in a transaction of its own. A move that was broken off goes on
// where it ended. At the end the number of rows and a checksum of every table are compared.
//
// Nobody else may write to either side. The target must be empty, or hold the beginning of a move
// from the same source.
package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/sid"
)

// table is a table with the column that orders it. Those that others refer to come first.
type table struct{ name, key string }

var tables = []table{
	{"account", "sid"}, {"api_key", "sid"}, {"service", "sid"}, {"template", "sid"}, {"messaging_configuration", "id"},
	{"entity", "id"}, {"factor", "id"}, {"challenge", "id"}, {"notification", "id"}, {"access_token", "id"}, {"webhook", "sid"}, {"event_delivery", "id"},
	{"verification", "id"}, {"attempt", "id"}, {"job", "id"}, {"attempt_count", "key"},
	{"rate_limit", "sid"}, {"bucket", "sid"}, {"meter", "id"}, {"safe_number", "sid"}, {"geo_rule", "key"},
}

// chunk is how many rows go in one transaction. PostgreSQL takes 65535 parameters in a statement.
const chunk = 1000

// ErrOtherData says that the target has data that no move from this source put there.
var ErrOtherData = errors.New("the target has data of its own; give an empty database")

// Copy moves everything. progress is told a line for every table.
func Copy(ctx context.Context, from, to *sql.DB, progress func(string)) error {
	if err := claim(ctx, from, to); err != nil {
		return err
	}
	for _, t := range tables {
		columns, err := sharedColumns(ctx, from, to, t)
		if err != nil {
			return err
		}
		copied, err := t.copy(ctx, from, to, columns)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		source, err := t.sum(ctx, from, columns)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		target, err := t.sum(ctx, to, columns)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if source != target {
			return fmt.Errorf("table %s differs after the move: %d rows with sum %x, and %d rows with sum %x",
				t.name, source.rows, source.hash[:6], target.rows, target.hash[:6])
		}
		progress(fmt.Sprintf("%-23s %d rows, %d of them now, sum %x", t.name, target.rows, copied, target.hash[:6]))
	}
	return finish(ctx, from, to)
}

// Days are the days of the attempts of a source.
func Days(ctx context.Context, from *sql.DB) (days []sid.Day, err error) {
	rows, err := from.QueryContext(ctx, `SELECT DISTINCT id / $1 FROM attempt`, sid.KeysPerDay)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var day sid.Day
		if err := rows.Scan(&day); err != nil {
			return nil, err
		}
		days = append(days, day)
	}
	return days, rows.Err()
}

// claim notes in the target which source its rows come from, and refuses other rows. The note is
// table transfer: while it is there, package postgres does not open the database. A target that is
// refused is left as it was, because it may be somebody's store.
func claim(ctx context.Context, from, to *sql.DB) error {
	accounts, err := tables[0].sum(ctx, from, []string{"sid", "token_hash", "created_at"})
	if err != nil {
		return err
	}
	source := fmt.Sprintf("%x", accounts.hash)
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS transfer (source text NOT NULL)`); err != nil {
		return err
	}
	var noted string
	err = tx.QueryRowContext(ctx, `SELECT source FROM transfer`).Scan(&noted)
	if err == nil && noted == source {
		return nil
	}
	if err == nil {
		return ErrOtherData
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, t := range tables {
		var rows int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+t.name+` LIMIT 1) AS first`).Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("table %s is not empty: %w", t.name, ErrOtherData)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO transfer (source) VALUES ($1)`, source); err != nil {
		return err
	}
	return tx.Commit()
}

// finish raises the version of the configuration, so that nodes that run already read it anew.
func finish(ctx context.Context, from, to *sql.DB) error {
	var version int64
	if err := from.QueryRowContext(ctx, `SELECT version FROM config_version`).Scan(&version); err != nil {
		return err
	}
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, s := range []string{
		fmt.Sprintf(`UPDATE config_version SET version = greatest(version, %d) + 1`, version),
		`DROP TABLE transfer`,
	} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// sharedColumns are the columns of a table, which both sides must have.
func sharedColumns(ctx context.Context, from, to *sql.DB, t table) ([]string, error) {
	var names [2][]string
	for i, db := range []*sql.DB{from, to} {
		rows, err := db.QueryContext(ctx, `SELECT * FROM `+t.name+` LIMIT 0`)
		if err != nil {
			return nil, err
		}
		names[i], err = rows.Columns()
		if err := errors.Join(err, rows.Close()); err != nil {
			return nil, err
		}
		slices.Sort(names[i])
	}
	if !slices.Equal(names[0], names[1]) {
		return nil, fmt.Errorf("table %s has columns %v here and %v there: bring both up with the same release", t.name, names[0], names[1])
	}
	return names[0], nil
}

// copy copies the rows after the last one that the target has.
func (t table) copy(ctx context.Context, from, to *sql.DB, columns []string) (copied int, err error) {
	var last any
	if err := to.QueryRowContext(ctx, `SELECT max(`+t.key+`) FROM `+t.name).Scan(&last); err != nil {
		return 0, err
	}
	key := slices.Index(columns, t.key)
	for {
		rows, err := t.read(ctx, from, columns, last)
		if err != nil || len(rows) == 0 {
			return copied, err
		}
		if err := t.write(ctx, to, columns, rows); err != nil {
			return copied, err
		}
		copied += len(rows)
		last = rows[len(rows)-1][key]
	}
}

// read reads the next rows after a key; nil is the beginning.
func (t table) read(ctx context.Context, db *sql.DB, columns []string, after any) (rows [][]any, err error) {
	query, args := `SELECT `+strings.Join(columns, ", ")+` FROM `+t.name, []any{}
	if after != nil {
		query, args = query+` WHERE `+t.key+` > $1`, append(args, after)
	}
	found, err := db.QueryContext(ctx, fmt.Sprintf(`%s ORDER BY %s LIMIT %d`, query, t.key, chunk), args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// write inserts rows in one statement, which is a transaction.
func (t table) write(ctx context.Context, db *sql.DB, columns []string, rows [][]any) error {
	var query strings.Builder
	fmt.Fprintf(&query, `INSERT INTO %s (%s) VALUES `, t.name, strings.Join(columns, ", "))
	args := make([]any, 0, len(rows)*len(columns))
	for i, row := range rows {
		if i > 0 {
			query.WriteString(", ")
		}
		for j := range row {
			separator := "("
			if j > 0 {
				separator = ", "
			}
			fmt.Fprintf(&query, "%s$%d", separator, len(args)+j+1)
		}
		query.WriteString(")")
		args = append(args, row...)
	}
	_, err := db.ExecContext(ctx, query.String(), args...)
	return err
}

// checksum is the number of rows and the hash of all their values in the order of the keys.
type checksum struct {
	rows int
	hash [sha256.Size]byte
}

func (t table) sum(ctx context.Context, db *sql.DB, columns []string) (checksum, error) {
	var s checksum
	if !slices.Contains(columns, t.key) {
		columns = append(slices.Clone(columns), t.key)
	}
	key := slices.Index(columns, t.key)
	hash := sha256.New()
	for last := any(nil); ; {
		rows, err := t.read(ctx, db, columns, last)
		if err != nil {
			return s, err
		}
		if len(rows) == 0 {
			hash.Sum(s.hash[:0])
			return s, nil
		}
		for _, row := range rows {
			for _, v := range row {
				text := canonical(v)
				hash.Write(binary.AppendUvarint(nil, uint64(len(text))))
				hash.Write(text)
			}
		}
		s.rows += len(rows)
		last = rows[len(rows)-1][key]
	}
}

// canonical is a value in a form that does not depend on the database.
func canonical(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte("null")
	case int64:
		return fmt.Appendf(nil, "n%d", v)
	case string:
		return append([]byte("t"), v...)
	case []byte:
		return append([]byte("b"), v...)
	default:
		return fmt.Appendf(nil, "%T %v", v, v)
	}
}
