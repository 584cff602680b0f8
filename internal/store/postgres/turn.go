package postgres

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/fault"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// turn is one run of a caller's function. It is a coroutine: it runs until it needs a read, and
// goes on when the answer is there. So the functions of a batch run side by side in one goroutine,
// and their reads go out together.
type turn struct {
	request *request
	tx      *sqlstore.Tx
	err     error // what the function returned

	routine *routine
	ended   bool
	waiting []*read

	locking bool // reads of records lock them
	read    []string
	// absent are the reads of records that found nothing, by key.
	absent map[string]statement
}

// read is a question of a function to the database.
type read struct {
	statement
	key    string // of the record, empty if it is not about one
	answer *answer
}

var _ sqlstore.Recorder = (*turn)(nil)

// lockRecord is added to the read of a record in an Update. It is the weakest lock that keeps
// others from changing and deleting the record, and does not disturb checks of foreign keys.
const lockRecord = ` FOR NO KEY UPDATE`

// goOn runs the function up to its next read, or to its end.
func (t *turn) goOn() { t.waiting = t.routine.goOn() }

// runOnce runs a caller's function; a panic is that caller's error.
func runOnce(fn func(*sqlstore.Tx) error, tx *sqlstore.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("in a transaction: %w", fault.Panicked(p))
		}
	}()
	return fn(tx)
}

// Record implements sqlstore.Recorder.
func (t *turn) Record(key, query string, args ...any) sqlstore.Row {
	return t.Records(sqlstore.Read{Key: key, Query: query, Args: args})[0]
}

// Records implements sqlstore.Recorder. All reads are asked in one round trip.
func (t *turn) Records(records ...sqlstore.Read) []sqlstore.Row {
	reads, asked := make([]*read, len(records)), make([]*read, 0, len(records))
	for i, r := range records {
		t.read = append(t.read, r.Key)
		reads[i] = &read{statement: statement{r.Query, r.Args}, key: r.Key}
		if t.locking {
			reads[i].query += lockRecord
		}
		if storable(r.Args) {
			asked = append(asked, reads[i])
		} else {
			reads[i].answer = &answer{} // no record can have such a key
		}
	}
	err := t.ask(asked...)
	rows := make([]sqlstore.Row, len(records))
	for i, r := range reads {
		rows[i] = firstRow{r.answer, err}
		switch {
		case err != nil || !storable(r.args):
		case len(r.answer.rows) == 0:
			if t.absent == nil {
				t.absent = map[string]statement{}
			}
			t.absent[r.key] = statement{records[i].Query, r.args}
		default:
			if first := string(r.answer.rows[0][0].bytes); first != r.key && len(first) == sid.Length {
				t.read = append(t.read, first) // the first column of every record that has a SID
			}
		}
	}
	return rows
}

// QueryRow implements sqlstore.Conn.
func (t *turn) QueryRow(query string, args ...any) sqlstore.Row {
	a, err := t.query(query, args)
	return firstRow{a, err}
}

// Query implements sqlstore.Conn.
func (t *turn) Query(query string, args ...any) (sqlstore.Rows, error) {
	a, err := t.query(query, args)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (t *turn) query(query string, args []any) (*answer, error) {
	if !storable(args) {
		return &answer{}, nil
	}
	r := &read{statement: statement{query, args}}
	err := t.ask(r)
	return r.answer, err
}

func (t *turn) ask(reads ...*read) error {
	if len(reads) == 0 {
		return nil
	}
	if !t.routine.yield(reads) || reads[0].answer == nil {
		return errStopped
	}
	return nil
}

// wantsAttempt reports whether the turn waits for the lock of an attempt.
func (t *turn) wantsAttempt() bool {
	return slices.ContainsFunc(t.waiting, func(r *read) bool { return strings.HasPrefix(r.key, sid.Attempt) })
}

// storable reports whether PostgreSQL can hold the texts: it takes valid UTF-8 without NUL alone.
// Anything else would fail the transaction that others share.
func storable(args []any) bool {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (!utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
			return false
		}
	}
	return true
}
