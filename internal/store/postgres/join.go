package postgres

import (
	"errors"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// The rows that the functions of a batch add go as one statement for each table: half of what PostgreSQL does
// for an INSERT of one row is its beginning and its end.

// joins are the numbers of rows that a statement may have, so that a connection prepares a few statements and
// not one for every number.
var joins = [...]int{16, 8, 4, 2, 1}

// rows wait to be added by one statement.
type rows struct {
	query  string // that adds one
	owners []*request
	args   []any // of all, one row after the other
}

// joined is the text of a statement that adds n rows.
type joined struct {
	query string // that adds one
	n     int
}

// texts are those that a session has used, by table, day and number.
type texts map[joined]string

// maxTexts bounds them: every day has a table of attempts of its own.
const maxTexts = 64

func (t texts) of(query string, n int) string {
	if n == 1 {
		return query
	}
	text, found := t[joined{query, n}]
	if !found {
		if len(t) == maxTexts {
			clear(t)
		}
		text = sqlstore.Join(query, n)
		t[joined{query, n}] = text
	}
	return text
}

// addRow has a row wait for addRows.
func (b *batch) addRow(owner *request, w sqlstore.Write) {
	for i := range b.rows {
		if r := &b.rows[i]; r.query == w.Query {
			r.owners, r.args = append(r.owners, owner), append(r.args, w.Args...)
			return
		}
	}
	b.rows = append(b.rows, rows{w.Query, []*request{owner}, w.Args})
}

// addRows puts the rows into the pipeline.
func (b *batch) addRows() {
	for _, r := range b.rows {
		width := len(r.args) / len(r.owners)
		for at, n := 0, len(r.owners); at < n; {
			for _, size := range joins {
				if size > n-at || size > 1 && b.plain {
					continue
				}
				owner := r.owners[at]
				if size > 1 {
					owner, b.joined = nil, true
				}
				b.add(owner, b.texts.of(r.query, size), r.args[at*width:(at+size)*width]...)
				at += size
				break
			}
		}
	}
	b.rows = nil
}

// rowsOf are the last writes of a function that add rows. What comes before them goes in its order.
func rowsOf(writes []sqlstore.Write) (first int) {
	for first = len(writes); first > 0 && (writes[first-1].Adds || writes[first-1].Unread != ""); first-- {
	}
	return first
}

// errBlurred is the error of a statement that adds rows of several functions.
var errBlurred = errors.New("a row of several cannot be added")

// blurred reports whether the batch failed for one row among others. Then the group has to run once more with
// a statement for each row, to see whose it is.
func (b *batch) blurred() bool {
	return b.joined && b.culprit == nil && !errors.Is(kind(b.err), verify.ErrUnavailable)
}
