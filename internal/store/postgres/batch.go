package postgres

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// batch is one transaction for many functions.
//
// They run in rounds. In a round all functions read the same state, so those that would have to
// see what another one of the round writes are late: they run again in the next round, which reads
// what this one wrote. So the functions of a batch run as if one after another, in the order in
// which they were accepted.
type batch struct {
	conn     *conn
	readOnly bool
	alone    bool
	days     map[sid.Day]string // partitions of attempts, see days.go
	slot     string             // where this writer counts, see sqlstore.SumTallies
	// hint is what other nodes are told after the commit, empty for nothing.
	hint func(*batch) string

	pipeline []statement // to be sent
	owners   []*request  // whose each is, or nil
	begun    bool        // BEGIN is in the pipeline or was sent
	rows     []rows      // to be sent after the other writes of their round
	unread   []unread    // to be sent after those
	texts    texts
	plain    bool // every row is added by a statement of its own
	joined   bool // some were not
	routines *routines

	turns    []*turn    // all that were begun
	accepted []*turn    // in the order that they count in
	apart    []*request // have to run alone
	late     []*request // are for another batch

	mark       []byte // of the writer's last commit, then of this one
	committing bool   // COMMIT was sent
	version    int64

	culprit *request
	err     error
}

// maxRounds bounds how long the locks of a batch are held where many want one record.
const maxRounds = 16

func (b *batch) add(owner *request, query string, args ...any) {
	b.pipeline = append(b.pipeline, statement{query, args})
	b.owners = append(b.owners, owner)
}

// open is the beginning of the transaction. The settings are made in it, because through a pooler
// nothing can be set once for a session.
func (b *batch) open() {
	if b.begun {
		return
	}
	b.begun = true
	isolation := `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`
	if b.readOnly {
		isolation = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
	}
	b.pipeline = slices.Insert(b.pipeline, 0,
		statement{query: isolation}, statement{query: settings})
	b.owners = slices.Insert(b.owners, 0, nil, nil)
	if b.alone {
		b.pipeline = slices.Insert(b.pipeline, 2, statement{query: `SELECT version FROM config_version FOR UPDATE`})
		b.owners = slices.Insert(b.owners, 2, nil)
	}
}

// settings are those of every transaction. Where a statement looks at many partitions, to compile it
// would take a fifth of a second, and to run it takes milliseconds.
const settings = `SELECT set_config('jit', 'off', true), set_config('statement_timeout', '` + statementTimeout + `', true),
	set_config('lock_timeout', '` + lockTimeout + `', true),
	set_config('idle_in_transaction_session_timeout', '` + idleTimeout + `', true)`

// unread is a write of a record that its function may not have locked.
type unread struct {
	sqlstore.Write
	owner *request
}

// addUnread puts the unread writes into the pipeline. All batches write them in the same order, so
// that of two that write the same records one waits and the other does not.
func (b *batch) addUnread() {
	slices.SortStableFunc(b.unread, func(x, y unread) int { return strings.Compare(x.Unread, y.Unread) })
	for _, w := range b.unread {
		b.add(w.owner, w.Query, w.Args...)
	}
	b.unread = b.unread[:0]
}

// send runs the pipeline.
func (b *batch) send() ([]*answer, error) {
	answers, err := b.conn.run(b.pipeline...)
	if f, ok := errors.AsType[*failure](err); ok && f.at < len(b.owners) {
		b.culprit = b.owners[f.at]
	}
	b.pipeline, b.owners = b.pipeline[:0], b.owners[:0]
	return answers, err
}

// run runs functions, round by round, up to where nothing but writes and the COMMIT is left.
func (b *batch) run(group []*request) error {
	for round := 0; len(group) > 0; round++ {
		if round == maxRounds {
			b.late = append(b.late, group...)
			return nil
		}
		turns := make([]*turn, 0, len(group))
		for _, r := range group {
			turns = append(turns, b.routines.begin(r, true, b.days))
		}
		b.turns = append(b.turns, turns...)
		turns, err := b.read(turns)
		if err != nil {
			return err
		}
		if group, err = b.accept(turns); err != nil {
			return err
		}
	}
	return nil
}

// apartFromUnread takes out the functions that want to lock an attempt in a batch with others, which
// may come to write an attempt unread: with some attempts locked and others still to be written, two
// batches could wait for each other. They run in the batch after this one, among themselves.
func (b *batch) apartFromUnread(turns []*turn) []*turn {
	if b.readOnly || len(b.turns) == 1 || !slices.ContainsFunc(turns, func(t *turn) bool { return !t.request.locksAttempts }) {
		return turns
	}
	return slices.DeleteFunc(turns, func(t *turn) bool {
		if !t.wantsAttempt() {
			return false
		}
		t.request.locksAttempts = true
		b.late = append(b.late, t.request)
		return true
	})
}

// attemptsLast are the functions whose reads go out next: all that wait, but those that want to lock an
// attempt only when no other waits for anything else. An attempt is the last record of an Update (see
// verify.Tx), so it is that of a batch too.
func (b *batch) attemptsLast(turns []*turn) []*turn {
	waiting := slices.DeleteFunc(slices.Clone(turns), func(t *turn) bool { return t.waiting == nil })
	if b.readOnly || !slices.ContainsFunc(waiting, func(t *turn) bool { return !t.wantsAttempt() }) {
		return waiting
	}
	return slices.DeleteFunc(waiting, (*turn).wantsAttempt)
}

// read answers the reads of functions until all have ended, and returns those functions. Those that
// wait go out together, in the order of their keys, so that two batches lock records in the same order.
func (b *batch) read(turns []*turn) ([]*turn, error) {
	type question struct {
		*read
		of *request
	}
	for {
		turns = b.apartFromUnread(turns)
		waiting := b.attemptsLast(turns)
		if len(waiting) == 0 {
			return turns, nil
		}
		var questions []question
		for _, t := range waiting {
			for _, r := range t.waiting {
				questions = append(questions, question{r, t.request})
			}
		}
		slices.SortStableFunc(questions, func(a, b question) int { return strings.Compare(a.key, b.key) })
		b.open()
		b.addRows() // of the round before, like the next; this one may read them
		b.addUnread()
		first := len(b.pipeline)
		for _, q := range questions {
			b.add(q.of, q.query, q.args...)
		}
		answers, err := b.send()
		if err != nil {
			return nil, err
		}
		for i, q := range questions {
			q.answer = answers[first+i]
		}
		slices.SortStableFunc(waiting, func(a, b *turn) int { return strings.Compare(a.waiting[0].key, b.waiting[0].key) })
		for _, t := range waiting {
			t.goOn()
		}
	}
}

// accept decides which functions of a round count, and returns those that are late. One that read
// what an accepted one writes is late. Those that write more than they can name come last.
func (b *batch) accept(turns []*turn) (late []*request, err error) {
	var writers, broad, candidates []*turn
	for _, t := range turns {
		_, many := t.tx.Changed()
		config := t.tx.ConfigChanged()
		switch {
		case t.err == nil && !b.alone && (config && len(t.read) > 0 || t.tx.Listed()):
			// What decides about the configuration needs all of it to stand still.
			b.apart = append(b.apart, t.request)
		case t.err != nil || len(t.tx.Writes()) == 0:
			candidates = append(candidates, t) // what only reads may count as the first of all
		case many || config:
			broad = append(broad, t)
		default:
			writers = append(writers, t)
		}
	}
	changed, everything := map[string]bool{}, false
	for _, t := range slices.Concat(writers, broad) {
		if everything && len(t.read) > 0 || slices.ContainsFunc(t.read, func(key string) bool { return changed[key] }) {
			late = append(late, t.request)
			continue
		}
		keys, many := t.tx.Changed()
		for _, key := range keys {
			changed[key] = true
		}
		everything = everything || many || t.tx.ConfigChanged()
		candidates = append(candidates, t)
	}
	moved, err := b.confirm(candidates)
	if err != nil {
		return nil, err
	}
	for _, t := range candidates {
		if moved[t] {
			late = append(late, t.request)
			continue
		}
		b.accepted = append(b.accepted, t)
		if t.err != nil {
			continue
		}
		for _, w := range t.tx.Writes() {
			if !storable(w.Args) {
				t.err = errors.New("a text with a NUL or invalid UTF-8 in it cannot be stored")
			}
		}
		if t.err == nil {
			b.write(t)
		}
	}
	return late, nil
}

// write puts the writes of a function where they belong.
func (b *batch) write(t *turn) {
	if _, many := t.tx.Changed(); many || t.tx.ConfigChanged() {
		b.addRows() // it may write about them
	}
	writes := t.tx.Writes()
	first := rowsOf(writes)
	for i, w := range writes {
		switch {
		case w.Unread != "":
			b.unread = append(b.unread, unread{w, t.request})
		case i >= first:
			b.addRow(t.request, w)
		default:
			b.add(t.request, w.Query, w.Args...)
		}
	}
}

// confirm repeats the reads that found nothing, without a lock, and returns the functions that
// would find something now. A locking read that had to wait for another transaction comes back
// empty where that one put a new row in the place of the old, because it still looks at the state
// before. A function that makes the missing record itself needs no confirmation: its key is unique.
func (b *batch) confirm(turns []*turn) (moved map[*turn]bool, err error) {
	var owners []*turn
	var questions []statement
	for _, t := range turns {
		keys, _ := t.tx.Changed()
		for key, question := range t.absent {
			if t.err == nil && slices.Contains(keys, key) {
				continue
			}
			owners = append(owners, t)
			questions = append(questions, question)
		}
	}
	if len(questions) == 0 {
		return nil, nil
	}
	first := len(b.pipeline)
	for i, q := range questions {
		b.add(owners[i].request, q.query, q.args...)
	}
	answers, err := b.send()
	if err != nil {
		return nil, err
	}
	moved = map[*turn]bool{}
	for i, t := range owners {
		if len(answers[first+i].rows) > 0 {
			moved[t] = true
		}
	}
	return moved, nil
}

// commit sends the writes that are left, the mark and COMMIT as one pipeline.
func (b *batch) commit() error {
	wrote, config := false, false
	var txs []*sqlstore.Tx
	for _, t := range b.accepted {
		if t.err == nil {
			txs = append(txs, t.tx)
			wrote = wrote || len(t.tx.Writes()) > 0 || t.tx.Kept()
			config = config || t.tx.ConfigChanged()
		}
	}
	counts := sqlstore.SumTallies(b.slot, txs...)
	if !wrote && len(counts) == 0 {
		return b.end()
	}
	b.open()
	version := -1
	if config {
		version = len(b.pipeline)
		b.add(nil, `SELECT version FROM config_version`)
	}
	b.addRows()
	b.addUnread()
	for _, w := range counts {
		b.add(nil, w.Query, w.Args...)
	}
	previous := b.mark
	b.mark = make([]byte, 16)
	_, _ = rand.Read(b.mark) // never fails
	b.add(nil, `WITH gone AS (DELETE FROM commit_mark WHERE mark = $3)
		INSERT INTO commit_mark (mark, at, fenced) VALUES ($1, $2, 0)`, b.mark, time.Now().UnixMilli(), previous)
	commit := len(b.pipeline)
	b.add(nil, `COMMIT`)
	if hint := b.hint(b); hint != "" {
		b.add(nil, notify, hint)
	}
	b.committing = true
	answers, err := b.send()
	if len(answers) <= commit {
		return err
	}
	if tag := answers[commit].tag; tag != "COMMIT" {
		return fmt.Errorf("COMMIT was answered with %s", tag)
	}
	if version >= 0 {
		a := answers[version]
		a.Next()
		return a.Scan(&b.version)
	}
	return nil // what came after the commit is a hint
}

// end closes a transaction in which nothing was written.
func (b *batch) end() error {
	if !b.conn.inTransaction() {
		return nil
	}
	b.add(nil, `ROLLBACK`)
	_, err := b.send()
	return err
}
