package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// request is one caller's function on its way through a writer or a reader.
type request struct {
	ctx  context.Context
	fn   func(*sqlstore.Tx) error
	tx   *sqlstore.Tx // of the run that counts
	err  error
	done chan struct{}
	came time.Time

	alone bool // runs in a transaction of its own that has the configuration locked
	plain bool // its rows are not joined with those of others, see blurred
	// locksAttempts is known of a function that has once wanted to, see apartFromUnread.
	locksAttempts bool
	races         int // runs that found their key taken
	again         int // runs that failed for the sake of others
}

const (
	// queueLength bounds the functions that wait; the next one is refused with ErrUnavailable.
	queueLength = 1024
	// maxBatch bounds the functions of one commit, so that the first of them does not wait for ever.
	maxBatch = 256
	// maxRaces bounds how often a function runs again because its key was taken meanwhile. New keys
	// are random, so the second run already succeeds.
	maxRaces = 5
	// endurance bounds how long a function is run again on new connections.
	endurance = 5 * time.Second
	// maxAgain bounds how often a function runs again after a deadlock or a serialization failure.
	maxAgain = 8
)

// Update implements verify.Store.
func (s *Store) Update(ctx context.Context, fn func(verify.Tx) error) error {
	return s.handOver(ctx, s.updates, func(tx *sqlstore.Tx) error { return fn(tx) })
}

// handOver gives a function to the writers or the readers, and waits. Once it is handed over, the
// caller's context counts no more: what was begun is finished.
func (s *Store) handOver(ctx context.Context, queue chan *request, fn func(*sqlstore.Tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := &request{ctx: ctx, fn: fn, done: make(chan struct{}), came: time.Now()}
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return errClosed
	}
	select {
	case queue <- r:
		s.closing.RUnlock()
	default:
		s.closing.RUnlock()
		return fmt.Errorf("%d others are waiting: %w", queueLength, verify.ErrUnavailable)
	}
	<-r.done
	return r.err
}

func (r *request) finish(err error) {
	r.err = err
	close(r.done)
}

func finishAll(group []*request, err error) {
	for _, r := range group {
		r.finish(err)
	}
}

// take waits for the next function and takes along what else is waiting.
func take(queue chan *request) []*request {
	first, open := <-queue
	if !open {
		return nil
	}
	batch := []*request{first}
	for len(batch) < maxBatch {
		select {
		case r, open := <-queue:
			if !open {
				return batch
			}
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// session is a writer's or a reader's connection, opened anew where it broke.
type session struct {
	store *Store
	conn  *conn // nil while there is none
	mark  []byte
	slot  string // where a writer counts, see sqlstore.SumTallies

	routines routines
	texts    texts
}

// write is a writer goroutine.
func (w *session) write() {
	defer w.end()
	for batch := take(w.store.updates); batch != nil; batch = take(w.store.updates) {
		w.commit(batch)
	}
}

// ready sees to it that there is a connection. During an outage it waits a moment, for a database
// that is back soon, and later not at all.
func (w *session) ready() error {
	for w.conn == nil {
		c, err := w.store.connect()
		if err == nil {
			w.conn = c
			break
		}
		if !w.store.outage.wait() {
			return err
		}
	}
	return nil
}

func (w *session) end() {
	w.routines.stop()
	w.drop()
}

func (w *session) drop() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}

// commit sees every function of a batch to its end.
func (w *session) commit(batch []*request) {
	groups := [][]*request{batch}
	for len(groups) > 0 {
		group := groups[0]
		groups = groups[1:]
		if len(group) == 0 {
			continue
		}
		if err := w.ready(); err != nil {
			finishAll(group, err)
			continue
		}
		rest, culprit, err := w.tryCommit(group)
		switch {
		case err == nil:
			groups = slices.Concat(rest, groups)
		case errors.Is(err, ErrUnknown):
			finishAll(group, err)
		case errors.Is(err, errBroken):
			// Nothing was done: once more on a new connection.
			groups = slices.Insert(groups, 0, giveUpOld(group, err))
		case code(err) == codeUndefinedTable && w.store.days.forget():
			groups = slices.Insert(groups, 0, group) // once more without that partition
		case again(err):
			groups = slices.Concat(w.runAgain(group, err), groups)
		case errors.Is(err, errBlurred):
			for _, r := range group {
				r.plain = true
			}
			groups = slices.Insert(groups, 0, group)
		case culprit != nil && len(group) > 1:
			others := slices.DeleteFunc(slices.Clone(group), func(r *request) bool { return r == culprit })
			groups = slices.Insert(groups, 0, others, []*request{culprit})
		case culprit != nil && errors.Is(kind(err), verify.ErrExists) && culprit.races < maxRaces:
			culprit.races++
			groups = slices.Insert(groups, 0, group)
		case len(group) > 1 && !errors.Is(kind(err), verify.ErrUnavailable):
			groups = slices.Concat(oneByOne(group), groups)
		default:
			finishAll(group, kind(err))
		}
	}
}

// tryCommit runs a group in one transaction. Functions that were committed are finished; rest are
// groups that have to run in transactions of their own. If err is not nil, nothing was committed
// (but see ErrUnknown) and culprit is whose statement failed, if it was one's.
func (w *session) tryCommit(group []*request) (rest [][]*request, culprit *request, err error) {
	b := &batch{conn: w.conn, alone: group[0].alone, days: w.store.days.named(), slot: w.slot, mark: w.mark, hint: w.store.hint,
		routines: &w.routines, texts: w.texts, plain: slices.ContainsFunc(group, func(r *request) bool { return r.plain })}
	if b.err = b.run(group); b.err == nil {
		b.err = b.commit()
	}
	for _, t := range b.turns {
		w.routines.end(t)
	}
	if w.conn.closed() || lost(b.err) {
		w.drop()
		w.store.log.Warn("the connection to the database broke", "error", b.err)
		if err := w.afterBreak(b); err != nil {
			return nil, nil, err
		}
	}
	if b.err != nil {
		if w.conn != nil && w.conn.inTransaction() && w.conn.rollBack() != nil {
			w.drop()
		}
		if b.blurred() {
			return nil, nil, fmt.Errorf("%w: %w", errBlurred, b.err)
		}
		return nil, b.culprit, b.err
	}
	if b.committing {
		w.mark = b.mark
	}
	w.store.announce(b)
	for _, t := range b.accepted {
		t.request.tx = t.tx
		t.request.finish(t.err)
	}
	for _, r := range b.apart {
		r.alone = true
		rest = append(rest, []*request{r})
	}
	if len(b.late) > 0 {
		rest = append(rest, b.late)
	}
	return rest, nil, nil
}

// afterBreak finds out whether a batch whose connection broke was committed. If not, its error is
// errBroken or ErrUnknown.
func (w *session) afterBreak(b *batch) error {
	if b.err == nil {
		return nil
	}
	if b.committing {
		committed, err := w.resolve(b.mark)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnknown, err)
		case committed:
			b.err = nil
			return nil
		}
	}
	return fmt.Errorf("%w: %w", errBroken, b.err)
}

// runAgain is what to do after an error that is nobody's fault: the same group once more, after a
// moment, and if that did not help, one by one.
func (w *session) runAgain(group []*request, err error) [][]*request {
	var left []*request
	most := 0
	for _, r := range group {
		if r.again++; r.again > maxAgain {
			r.finish(kind(err))
			continue
		}
		most = max(most, r.again)
		left = append(left, r)
	}
	if len(left) == 0 {
		return nil
	}
	time.Sleep(time.Duration(1+rand.IntN(10*most)) * time.Millisecond)
	if most > 1 {
		return oneByOne(left)
	}
	return [][]*request{left}
}

// giveUpOld finishes those that have waited too long, and returns the others.
func giveUpOld(group []*request, err error) (left []*request) {
	for _, r := range group {
		if time.Since(r.came) > endurance {
			r.finish(kind(err))
		} else {
			left = append(left, r)
		}
	}
	return left
}

func oneByOne(group []*request) [][]*request {
	var groups [][]*request
	for _, r := range group {
		groups = append(groups, []*request{r})
	}
	return groups
}
