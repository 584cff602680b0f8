package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// View implements verify.Store. The Views that wait together see one state, and their reads go out
// together.
func (s *Store) View(ctx context.Context, fn func(verify.Tx) error) error {
	return s.handOver(ctx, s.views, func(tx *sqlstore.Tx) error { return fn(tx) })
}

// read is a reader goroutine.
func (w *session) read() {
	defer w.end()
	for batch := take(w.store.views); batch != nil; batch = take(w.store.views) {
		w.view(batch)
	}
}

func (w *session) view(group []*request) {
	group = slices.DeleteFunc(group, func(r *request) bool {
		gone := r.ctx.Err() != nil // nobody waits for what a View would find
		if gone {
			r.finish(context.Cause(r.ctx))
		}
		return gone
	})
	for tries := 0; len(group) > 0; {
		if err := w.ready(); err != nil {
			finishAll(group, err)
			return
		}
		b := &batch{conn: w.conn, readOnly: true, days: w.store.days.named()}
		for _, r := range group {
			b.turns = append(b.turns, w.routines.begin(r, false, b.days))
		}
		_, err := b.read(b.turns)
		for _, t := range b.turns {
			w.routines.end(t)
			if err == nil {
				t.request.finish(t.err)
			}
		}
		if err == nil {
			if b.end() != nil {
				w.drop()
			}
			return
		}
		if lost(err) || w.conn.closed() {
			w.drop()
		} else if w.conn.inTransaction() && w.conn.rollBack() != nil {
			w.drop()
		}
		tries++
		switch {
		case w.conn == nil && tries < maxAgain:
			group = giveUpOld(group, err)
		case code(err) == codeUndefinedTable && w.store.days.forget(): // once more without that partition
		case b.culprit == nil || len(group) == 1 || errors.Is(kind(err), verify.ErrUnavailable):
			finishAll(group, kind(err))
			return
		default: // the others do not suffer for one
			b.culprit.finish(kind(err))
			group = slices.DeleteFunc(group, func(r *request) bool { return r == b.culprit })
		}
	}
}
