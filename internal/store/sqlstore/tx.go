// Package sqlstore is what the SQL databases have in common: the statements, written once for all
// of them, and a factor.Tx, which is a verify.Tx too, that reads at once and keeps its writes for the commit.
//
// Statements use $1, $2, … for their parameters and nothing that SQLite and PostgreSQL do not both
// understand. Times are whole milliseconds since 1970, booleans are 0 and 1, and a list inside a
// row is text, so that a value is the same in every database.
//
// A database's own package opens it, migrates it, runs transactions and knows its error codes; it
// calls New for every run of a function and sends Writes with the commit.
package sqlstore

import (
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// Conn reads within one transaction. A row that is not there is verify.ErrNotFound from Scan.
type Conn interface {
	QueryRow(query string, args ...any) Row
	Query(query string, args ...any) (Rows, error)
}

// Row is the one row of an answer.
type Row interface{ Scan(dest ...any) error }

// Rows are the rows of an answer, in the manner of database/sql.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Write is a statement that waits for the commit.
type Write struct {
	Query string
	Args  []any
	// Unread is the key of the record that the statement changes, if functions may change it that
	// have not read it, and so have not locked it before. Where transactions run side by side, such
	// statements go last and in the order of their keys, or two transactions could wait for each other.
	Unread string
	// Adds says that the statement is an INSERT of one row that the run says nothing about after it. Where
	// transactions run for many functions, those of one text can go as one statement, see Join.
	Adds bool
}

// Tx is one run of a function in a transaction.
type Tx struct {
	conn   Conn
	writes []Write
	kinds  []string
	config bool
	// tallies are what the run counts; they are added up with those of others and written at the end
	// of the commit, see SumTallies.
	tallies []verify.Tally

	dialect Dialect
	days    map[sid.Day]string
	changed []string // keys of the records that were written
	many    bool     // more was written than changed names
	listed  bool     // records were listed
	kept    bool     // is to be committed even without writes
}

// Dialect is the database that statements are for, where they have to differ.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota
	Postgres
)

// Recorder is a Conn that wants to know which record a read is about, because others may write at
// the same time. A key is a SID, or service SID and recipient of a current verification, or service
// SID and country of a messaging configuration.
type Recorder interface {
	Record(key, query string, args ...any) Row
	// Records is Record for several records in one round trip.
	Records(...Read) []Row
}

// Read is a question about one record.
type Read struct {
	Key, Query string
	Args       []any
}

var _ factor.Tx = (*Tx)(nil)

// New begins a run on SQLite, on a connection that has a transaction open.
func New(conn Conn) *Tx { return &Tx{conn: conn} }

// NewPostgres begins a run on PostgreSQL. days are the tables of attempts by day, as far as they
// are known; attempts of other days are looked for in the table above them.
func NewPostgres(conn Conn, days map[sid.Day]string) *Tx {
	return &Tx{conn: conn, dialect: Postgres, days: days}
}

// Writes are the statements of the run, in order. A run that changed the configuration raises its
// version with them.
func (t *Tx) Writes() []Write {
	if t.config {
		return append(slices.Clip(t.writes), Write{Query: `UPDATE config_version SET version = version + 1`})
	}
	return t.writes
}

// ConfigChanged reports whether an account, a key, a service, a rate limit, a template or a messaging
// configuration was put or deleted.
func (t *Tx) ConfigChanged() bool { return t.config }

// Changed are the keys of the records that the run writes (see Recorder); all is true if it writes
// others too, that have no names.
func (t *Tx) Changed() (keys []string, all bool) { return t.changed, t.many }

// Keep has the run committed even if it leaves no writes, because it wrote at once.
func (t *Tx) Keep() { t.kept = true }

// Kept reports whether Keep was called.
func (t *Tx) Kept() bool { return t.kept }

// Listed reports whether the run read a list of records.
func (t *Tx) Listed() bool { return t.listed }

// Kinds are the kinds of the jobs that the run enqueued or deferred.
func (t *Tx) Kinds() []string { return t.kinds }

// ConfigVersion reads the version of the configuration.
func (t *Tx) ConfigVersion() (uint64, error) {
	var version int64
	err := t.conn.QueryRow(`SELECT version FROM config_version`).Scan(&version)
	return uint64(version), err
}

// Touch writes a row as it is.
func (t *Tx) Touch() { t.write(`UPDATE config_version SET version = version`) }

// record reads one record by its key.
func (t *Tx) record(key, query string, args ...any) Row {
	if r, ok := t.conn.(Recorder); ok {
		return r.Record(key, query, args...)
	}
	return t.conn.QueryRow(query, args...)
}

func (t *Tx) change(keys ...string) {
	if t.dialect == Postgres { // SQLite has one writer, who need not know
		t.changed = append(t.changed, keys...)
	}
}

func (t *Tx) write(query string, args ...any) {
	if t.writes == nil {
		t.writes = make([]Write, 0, 4) // a start has three
	}
	t.writes = append(t.writes, Write{Query: query, Args: args})
}

// writeUnread writes a record that the function may not have read.
func (t *Tx) writeUnread(key, query string, args ...any) {
	t.change(key)
	t.writes = append(t.writes, Write{Query: query, Args: args, Unread: key})
}

// writeRow adds a row that the run does not write about again.
func (t *Tx) writeRow(query string, args ...any) {
	t.write(query, args...)
	t.writes[len(t.writes)-1].Adds = true
}

// list reads all rows of an answer.
func list[T any](t *Tx, scan func(Row) (T, error), query string, args ...any) (out []T, err error) {
	rows, err := t.conn.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func toMillis(at time.Time) int64 { return at.UnixMilli() }

// toMillisOrZero is 0 for the zero time.
func toMillisOrZero(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return toMillis(at)
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func toBit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
