package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/fault"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// request is one caller's Update on its way through the writer.
type request struct {
	fn   func(*sqlstore.Tx) error
	tx   *sqlstore.Tx // of the run that was committed
	err  error
	done chan struct{}
}

// maxBatch bounds the callers of one commit, so that the first of them does not wait for ever.
const maxBatch = 256

// maxRaces bounds how often a function runs again because its key was taken meanwhile. New keys
// are random, so the second run already succeeds.
const maxRaces = 5

// Update implements verify.Store.
func (s *Store) Update(ctx context.Context, fn func(verify.Tx) error) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error { return fn(tx) })
}

// update hands a function to the writer. Once it is handed over, the caller's context counts no
// more: what was begun is finished.
func (s *Store) update(ctx context.Context, fn func(*sqlstore.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	r := &request{fn: fn, done: make(chan struct{})}
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return errClosed
	}
	select {
	case s.requests <- r:
		s.closing.RUnlock()
	default:
		s.closing.RUnlock()
		return fmt.Errorf("%d updates are waiting: %w", queueLength, verify.ErrUnavailable)
	}
	<-r.done
	return r.err
}

// write is the writer goroutine. It runs the functions of a batch while the commit of the batch
// before is being synced, and commits when that is through.
func (s *Store) write() {
	defer close(s.commits)
	var spare, synced []*request // one fills while the other waits for its sync
	for first := range s.requests {
		batch, err := s.fill(append(spare[:0], first))
		if err != nil {
			s.again(batch, err)
		}
		s.noteVersion(batch)
		s.commits <- batch
		spare, synced = synced, batch
	}
}

// fill runs a batch from BEGIN to COMMIT, and lets those join it who come before the log is free.
// Its error says that nothing was kept; the error of a function that refused stays with its
// request, and costs the others nothing.
func (s *Store) fill(batch []*request) (_ []*request, err error) {
	err = s.begin()
	ran := 0
	run := func() {
		for ; err == nil && ran < len(batch); ran++ {
			err = s.run(batch[ran])
		}
	}
	for requests, free := s.requests, false; !free; {
		run()
		if err != nil || len(batch) == maxBatch {
			requests = nil
		}
		select {
		case <-s.idle:
			free = true
		case r, open := <-requests:
			if open {
				batch = append(batch, r)
			} else {
				requests = nil
			}
		}
	}
	s.horizon.begin()
	if err == nil {
		batch = s.gather(batch)
		run()
	}
	if err == nil {
		err = s.count(batch)
	}
	return batch, s.end(err)
}

// gather adds to a batch what waits. Before it looks, it lets the goroutines run that are ready to,
// because some of them are about to hand over more, and goes on as long as that brings any: a
// commit costs nearly the same for one and for many. Where the processor is idle nobody is ready,
// and no time is lost.
func (s *Store) gather(batch []*request) []*request {
	for before := 0; len(batch) > before && len(batch) < maxBatch; {
		before = len(batch)
		runtime.Gosched()
		for more := true; more && len(batch) < maxBatch; {
			select {
			case r, open := <-s.requests:
				if more = open; open {
					batch = append(batch, r)
				}
			default:
				more = false
			}
		}
	}
	return batch
}

// again is for a batch of which nothing was kept: each caller gets a transaction of its own. That
// is rare, and spares everyone a savepoint.
func (s *Store) again(batch []*request, err error) {
	for _, r := range batch {
		if !fatal(err) && !errors.Is(err, errNotBegun) {
			err = s.alone(r)
		}
		if err != nil {
			r.err = err
		}
	}
	if fatal(err) {
		s.fail(err)
	}
}

// alone runs one function from BEGIN to COMMIT.
func (s *Store) alone(r *request) (err error) {
	for range maxRaces {
		if err = s.begin(); err != nil {
			return err
		}
		if err = s.run(r); err == nil {
			err = s.count([]*request{r})
		}
		if err = s.end(err); !errors.Is(err, verify.ErrExists) {
			return err
		}
	}
	return err
}

// errNotBegun means that another process holds the file.
var errNotBegun = errors.New("no transaction could begin")

func (s *Store) begin() error {
	if err := s.writer.run("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("%w: %w", errNotBegun, kind(err))
	}
	return nil
}

// run runs a caller's function and then its writes. Its error is one with which the whole
// transaction is over.
func (s *Store) run(r *request) error {
	r.tx = sqlstore.New(s.writer)
	if r.err = kind(runOnce(r)); r.err != nil {
		if fatal(r.err) {
			return r.err
		}
		return nil
	}
	return kind(s.writer.exec(r.tx.Writes()))
}

// count writes what the functions of a batch counted.
func (s *Store) count(batch []*request) error {
	txs := make([]*sqlstore.Tx, 0, len(batch))
	for _, r := range batch {
		if r.err == nil {
			txs = append(txs, r.tx)
		}
	}
	return kind(s.writer.exec(sqlstore.SumTallies("", txs...)))
}

// end commits, or takes everything back if there was an error.
func (s *Store) end(err error) error {
	if err == nil {
		err = kind(s.writer.run("COMMIT"))
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself; then this fails and says nothing.
		_ = s.writer.run("ROLLBACK")
	}
	return err
}

// runOnce runs a caller's function; a panic is that caller's error.
func runOnce(r *request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("in an update: %w", fault.Panicked(p))
		}
	}()
	return r.fn(r.tx)
}

// noteVersion reads the version of the configuration if the batch changed it.
func (s *Store) noteVersion(batch []*request) {
	if !slices.ContainsFunc(batch, func(r *request) bool { return r.err == nil && r.tx.ConfigChanged() }) {
		return
	}
	if err := s.readVersion(s.writer); err != nil {
		s.log.Error("cannot read the version of the configuration", "error", err)
	}
}

// Ping commits a row, so that its success says that the disk takes what is written.
func (s *Store) Ping(ctx context.Context) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error {
		tx.Touch()
		return nil
	})
}

// Claim implements queue.Jobs.
func (s *Store) Claim(ctx context.Context, kind string, now, lease time.Time, limit int) (jobs []verify.Job, err error) {
	err = s.update(ctx, func(tx *sqlstore.Tx) (err error) {
		jobs, err = tx.ClaimJobs(kind, now, lease, limit)
		return err
	})
	return jobs, err
}

// Defer implements queue.Jobs.
func (s *Store) Defer(ctx context.Context, job verify.Job, due time.Time) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error {
		tx.DeferJob(job, due)
		return nil
	})
}

// Bury implements queue.Jobs.
func (s *Store) Bury(ctx context.Context, job verify.Job, reason string) error {
	return s.update(ctx, func(tx *sqlstore.Tx) error {
		tx.BuryJob(job, reason)
		return nil
	})
}

// NextDue implements queue.Jobs.
func (s *Store) NextDue(ctx context.Context, kind string) (due time.Time, found bool, err error) {
	err = s.View(ctx, func(tx verify.Tx) (err error) {
		due, found, err = tx.(*sqlstore.Tx).NextDue(kind)
		return err
	})
	return due, found, err
}

// Wake implements queue.Jobs.
func (s *Store) Wake(kind string) <-chan struct{} { return s.wakeChannel(kind) }

func (s *Store) wakeChannel(kind string) chan struct{} {
	if c, ok := s.wake.Load(kind); ok {
		return c.(chan struct{})
	}
	c, _ := s.wake.LoadOrStore(kind, make(chan struct{}, 1))
	return c.(chan struct{})
}

func (s *Store) wakeUp(kind string) {
	select {
	case s.wakeChannel(kind) <- struct{}{}:
	default: // it is awake already
	}
}
