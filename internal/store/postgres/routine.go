package postgres

import (
	"iter"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
)

// routine is a coroutine that runs turns one after another. To start one for each turn would cost more than
// the function in it, because its stack would grow anew.
type routine struct {
	turn *turn
	next func() ([]*read, bool)
	stop func()
	// yield hands reads over. It returns false if the turn is given up.
	yield func([]*read) bool
}

func newRoutine() *routine {
	r := &routine{}
	r.next, r.stop = iter.Pull(func(yield func([]*read) bool) {
		r.yield = yield
		for more := true; more; more = yield(nil) {
			r.turn.err = runOnce(r.turn.request.fn, r.turn.tx)
			r.turn.ended = true
		}
	})
	return r
}

// goOn runs the turn up to its next reads, and returns them, or to its end.
func (r *routine) goOn() []*read {
	reads, _ := r.next()
	return reads
}

// routines are those of a session that nobody uses.
type routines struct{ idle []*routine }

// maxIdle bounds the memory that they hold, some 8 kB each.
const maxIdle = 64

// begin runs a function up to its first read.
func (s *routines) begin(r *request, locking bool, days map[sid.Day]string) *turn {
	t := &turn{request: r, locking: locking}
	if last := len(s.idle) - 1; last >= 0 {
		t.routine, s.idle = s.idle[last], s.idle[:last]
	} else {
		t.routine = newRoutine()
	}
	t.routine.turn = t
	t.tx = sqlstore.NewPostgres(t, days)
	t.goOn()
	return t
}

// end takes the routine of a turn back. A turn that has not ended is given up.
func (s *routines) end(t *turn) {
	if !t.ended || len(s.idle) == maxIdle {
		t.routine.stop()
		return
	}
	t.routine.turn = nil
	s.idle = append(s.idle, t.routine)
}

// stop ends all of them.
func (s *routines) stop() {
	for _, r := range s.idle {
		r.stop()
	}
	s.idle = nil
}
