// Package postgres keeps the records in a PostgreSQL database, which many nodes may share.
//
// # Many functions, one commit
//
// A few goroutines write, each with a connection of its own. One takes the Updates of many callers
// and commits them together. The functions of a batch only read and keep their writes, so they run
// side by side: whenever all of them wait for a read, the reads go out as one pipeline, and at the
// end all writes go out with the COMMIT. A batch costs two round trips, whatever its size. Those
// that would have to see each other's writes are kept apart (see batch). Views are grouped in the
// same way, in a read-only transaction on one snapshot.
//
// # Why the isolation is enough
//
// Update has to run as if alone. SERIALIZABLE would do, but it takes note of whole index pages, on
// which the batches of all nodes meet: most commits would fail. So writers run at READ COMMITTED,
// and what a function saw is kept as it is by other means. A record that was read is locked until
// the commit. A record that was missing is missed at the end too, because the function either makes
// it itself, and its key is unique, or asks again (see confirm). What changes the configuration
// after reading, or lists accounts or services, runs alone and with the configuration locked. What
// remains: two functions that each miss the very record that the other makes, and make another one,
// may both be kept. No operation does that: each is about one recipient.
//
// A batch that fails is rolled back. Where one statement is to blame, its function runs by itself
// and the others together; deadlocks and serialization failures run again, a few times, with
// pauses. A caller learns of none of it.
//
// # Lost answers
//
// When a connection breaks before COMMIT was sent, nothing was done and the functions run again.
// When it breaks afterwards, the store asks a new connection whether the commit's mark is there,
// in a way that also keeps the commit from coming about later (see resolve). Only if the database
// stays away for seconds is the caller told ErrUnknown, and nothing is run again.
//
// # Clocks
//
// Every node measures how far its clock is from the database's, and Now is corrected by that, so
// the clocks of all nodes agree to about half a round trip. Jobs and expiry go by Now.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// Store is an open database. See verify.Store and queue.Jobs.
type Store struct {
	log     *slog.Logger
	address address
	node    string // tells the hints of this store from those of others
	outage  outage
	clock   clock

	updates, views chan *request
	closing        sync.RWMutex // held for reading while a request is handed over
	closed         bool
	workers        sync.WaitGroup // writers and readers
	watching       context.CancelFunc
	watcher        sync.WaitGroup

	version atomic.Uint64
	wake    sync.Map // kind → chan struct{}
	hinted  hinted
	days    days
	dropper sqlstore.Dropper
}

// Options say how to use a database.
type Options struct {
	// Writers and Readers are numbers of connections; 0 stands for a few.
	Writers, Readers int
	// Local is the clock of this machine; nil is time.Now.
	Local func() time.Time
	Log   *slog.Logger
}

// defaultWriters is one for every two processors. More would not write more: each has a share of the
// functions that wait, and a commit costs nearly the same for few and for many.
func defaultWriters() int { return min(max(runtime.GOMAXPROCS(0)/2, 1), 4) }

const (
	defaultReaders = 2
	// keptMarks is how long the marks of writers that are gone are kept.
	keptMarks = 24 * time.Hour
)

var _ verify.Store = (*Store)(nil)

// Open opens a database whose schema is up to date; it never changes the schema (see Migrate).
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	s, err := open(ctx, dsn, o)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, dsn string, o Options) (*Store, error) {
	a, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{
		log:     o.Log,
		address: a,
		node:    newNode(),
		clock:   clock{local: o.Local},
		updates: make(chan *request, queueLength),
		views:   make(chan *request, queueLength),
		dropper: sqlstore.Dropper{Tables: []string{"verification", "attempt_default", "challenge", "notification", "access_token", "event_delivery", "job"}},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock.local == nil {
		s.clock.local = time.Now
	}
	c, err := a.connect(ctx)
	if err != nil {
		return nil, kind(err)
	}
	defer c.close()
	if err := checkSchema(c); err != nil {
		return nil, err
	}
	if err := checkMoved(c); err != nil {
		return nil, err
	}
	if err := s.look(c); err != nil {
		return nil, kind(err)
	}
	if _, err := c.run(statement{`DELETE FROM commit_mark WHERE at < $1`, []any{s.Now().Add(-keptMarks).UnixMilli()}}); err != nil {
		return nil, kind(err)
	}
	there, err := listDays(c)
	if err != nil {
		return nil, kind(err)
	}
	s.days.know(there, sid.DayOf(s.Now()))
	if o.Writers == 0 {
		o.Writers = defaultWriters()
	}
	if o.Readers == 0 {
		o.Readers = defaultReaders
	}
	for i := range o.Writers {
		// The first digit of the node's name bounds the slots that a counter can have.
		s.workers.Go((&session{store: s, slot: fmt.Sprint(s.node[:1], i), texts: texts{}}).write)
	}
	for range o.Readers {
		s.workers.Go((&session{store: s}).read)
	}
	watching, stop := context.WithCancel(context.Background())
	s.watching = stop
	s.watcher.Go(func() { s.watch(watching) })
	return s, nil
}

// ConfigVersion implements verify.Store.
func (s *Store) ConfigVersion() uint64 { return s.version.Load() }

// sawVersion notes the version of the configuration; an older one is old news.
func (s *Store) sawVersion(version uint64) {
	for old := s.version.Load(); old < version && !s.version.CompareAndSwap(old, version); old = s.version.Load() {
	}
}

// announce tells this node what a commit changed, before its callers learn that it is done.
func (s *Store) announce(b *batch) {
	s.sawVersion(uint64(b.version))
	for _, t := range b.accepted {
		if t.err != nil {
			continue
		}
		for _, kind := range t.tx.Kinds() {
			s.wakeUp(kind)
		}
		if b.version == 0 && t.tx.ConfigChanged() { // its answer was lost
			s.version.Add(1)
		}
	}
}

// Failed is never closed: what the database's disk does is the database's business.
func (s *Store) Failed() <-chan struct{} { return nil }

// Failure is the error behind Failed.
func (s *Store) Failure() error { return nil }

// Close waits for the functions that were handed over, and closes the connections.
func (s *Store) Close() error {
	s.closing.Lock()
	again := s.closed
	s.closed = true
	s.closing.Unlock()
	if again {
		return nil
	}
	close(s.updates)
	close(s.views)
	s.workers.Wait()
	s.watching()
	s.watcher.Wait()
	return nil
}

// checkSchema refuses a schema that is older than this program. A newer one is fine: releases only
// add to it.
func checkSchema(c *conn) error {
	answers, err := c.run(statement{query: `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`})
	var has int64
	switch {
	case code(err) == codeUndefinedTable:
	case err != nil:
		return kind(err)
	default:
		if err := (firstRow{a: answers[0]}).Scan(&has); err != nil {
			return err
		}
	}
	if needs := newestMigration(); has < needs {
		return fmt.Errorf("%w (it has version %d, this program needs %d)", ErrSchema, has, needs)
	}
	return nil
}

// checkMoved refuses a database that has only a part of what a SQLite file had. Package transfer
// keeps the table while it moves.
func checkMoved(c *conn) error {
	answers, err := c.run(statement{query: `SELECT (to_regclass('transfer') IS NOT NULL)::int`})
	if err != nil {
		return kind(err)
	}
	var moving int64
	if err := (firstRow{a: answers[0]}).Scan(&moving); err != nil {
		return err
	}
	if moving != 0 {
		return ErrHalfMoved
	}
	return nil
}

var errPooled = errors.New("this address leads to a pooler; migrate needs the address of the database itself, because its lock belongs to a session")
