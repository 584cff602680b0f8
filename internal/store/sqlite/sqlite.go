// Package sqlite keeps the records in one SQLite file.
//
// One goroutine writes. It takes the Updates of many callers, runs them one after another in one
// transaction, and commits all of them together, because the sync of a commit costs more than
// everything else. Another goroutine syncs and answers while the next transaction is filled.
// Durability is that of FULL: what was answered survives a power cut.
//
// The file belongs to one verifyd server at a time. Short-lived commands may open it beside the
// server; their changes to the configuration are seen within a second.
package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver, for migrations
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. See verify.Store and queue.Jobs.
type Store struct {
	log     *slog.Logger
	writer  *conn
	readers chan *conn
	lock    *fileLock

	requests chan *request
	commits  chan []*request // from the writer to the sync of the log
	idle     chan struct{}   // holds one token while no sync is under way
	stopped  chan struct{}   // closed when both have ended
	wal      *os.File        // the log; nil in memory
	syncLog  func() error
	horizon  horizon
	closing  sync.RWMutex // held for reading while a request is handed over
	closed   bool

	version atomic.Uint64
	wake    sync.Map      // kind → chan struct{}
	failed  chan struct{} // closed when the disk failed
	failure error
	failing sync.Once

	dropper sqlstore.Dropper
}

// Options say how to open a file.
type Options struct {
	// Server takes the file for a server: no other one may have it, jobs that a dead one had
	// claimed are released, and changes that commands make are watched for.
	Server bool
	// Now is the clock by which released jobs are due.
	Now func() time.Time
	Log *slog.Logger
}

const (
	readerCount = 4
	// queueLength bounds the Updates that wait; the next one is refused with ErrUnavailable.
	queueLength = 1024
	pollVersion = 500 * time.Millisecond
)

// cacheSize is a page cache of 400 pages, more than a commit writes. The rest is the operating system's
// business, which gives a page back in a microsecond. With its header a page takes 8 kB of libc's memory.
const cacheSize = "cache_size(-1600)"

// Open opens a file, makes it where there is none, and brings its schema up. The path
// "memory:NAME" is a database in memory that lives as long as it is open; tests use it.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{
		log:      o.Log,
		requests: make(chan *request, queueLength),
		commits:  make(chan []*request),
		idle:     make(chan struct{}, 1),
		syncLog:  notSynced,
		readers:  make(chan *conn, readerCount),
		stopped:  make(chan struct{}),
		failed:   make(chan struct{}),
		dropper:  sqlstore.Dropper{Tables: []string{"verification", "attempt", "challenge", "notification", "access_token", "event_delivery", "job"}},
	}
	if err := s.open(ctx, path, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.release(len(s.readers)))
	}
	go s.write()
	go s.sync()
	if o.Server {
		go s.watch()
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, o Options) (err error) {
	file := path
	name, memory := cutMemory(path)
	if memory {
		file = "/" + name
	} else if o.Server {
		if s.lock, err = lockFile(path + ".lock"); err != nil {
			return err
		}
	}
	uri := (&url.URL{Scheme: "file", OmitHost: true, Path: file}).String()
	if memory {
		uri += "?vfs=memdb"
	}
	if s.writer, err = openConn(uri, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE, cacheSize,
		// The checkpoint copies pages back in big steps and never cuts the log: a growing file
		// syncs ten times slower than one that has its size.
		"journal_mode(wal)", "synchronous(normal)", "foreign_keys(on)", "wal_autocheckpoint(4000)",
		// The copies of snapshots are temporary tables. A container of nothing but verifyd has no folder
		// for temporary files.
		"temp_store(memory)"); err != nil {
		return err
	}
	if memory {
		err = fillMemory(ctx, s.writer)
	} else {
		err = migrate(ctx, uri)
	}
	if err != nil {
		return err
	}
	readOnly := int32(sqlite3.SQLITE_OPEN_READONLY)
	if memory {
		readOnly = sqlite3.SQLITE_OPEN_READWRITE
	}
	for range readerCount {
		reader, err := openConn(uri, readOnly, cacheSize, "query_only(1)")
		if err != nil {
			return err
		}
		s.readers <- reader
	}
	if o.Server {
		t := sqlstore.New(s.writer)
		t.ReleaseJobs(o.Now())
		if err := s.writer.exec(t.Writes()); err != nil {
			return err
		}
	}
	if !memory {
		if s.wal, err = os.OpenFile(path+"-wal", os.O_RDWR, 0); err != nil { // it is there as long as the writer is
			return err
		}
		s.syncLog = s.wal.Sync
	}
	return s.readVersion(s.writer)
}

// migrate brings the schema up. A schema that is newer than this program stays as it is: releases
// only add to it.
func migrate(ctx context.Context, uri string) (err error) {
	db, err := sql.Open("sqlite", uri)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout(%d)", busyTimeout)); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up: %w", err)
	}
	return nil
}

// MigrationSums are the SHA-256 sums of the migrations by file name. A test holds them against a
// list: a released migration must never change.
func MigrationSums() (map[string]string, error) {
	sums := map[string]string{}
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := migrations.ReadFile(path)
		sums[d.Name()] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	return sums, err
}

// View implements verify.Store.
func (s *Store) View(ctx context.Context, fn func(verify.Tx) error) error {
	err := s.view(ctx, fn)
	if late := s.horizon.wait(ctx); late != nil {
		return errors.Join(err, late)
	}
	return err
}

func (s *Store) view(ctx context.Context, fn func(verify.Tx) error) (err error) {
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.stopped:
		return errClosed
	}
	defer func() { s.readers <- c }()
	if err := c.run("BEGIN"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.run("COMMIT")) }()
	return fn(sqlstore.New(c))
}

// ConfigVersion implements verify.Store.
func (s *Store) ConfigVersion() uint64 { return s.version.Load() }

func (s *Store) readVersion(c *conn) error {
	version, err := sqlstore.New(c).ConfigVersion()
	if err == nil {
		s.version.Store(version)
	}
	return err
}

// watch looks for changes that other processes made to the configuration.
func (s *Store) watch() {
	ticker := time.NewTicker(pollVersion)
	defer ticker.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-ticker.C:
		}
		var version uint64
		err := s.View(context.Background(), func(tx verify.Tx) (err error) {
			version, err = tx.(*sqlstore.Tx).ConfigVersion()
			return err
		})
		switch {
		case errors.Is(err, errClosed):
			return
		case err != nil:
			s.log.Warn("cannot look for changes of the configuration", "error", err)
		default:
			// The writer may have moved on since the read.
			for old := s.version.Load(); old < version && !s.version.CompareAndSwap(old, version); old = s.version.Load() {
			}
		}
	}
}

// Failed is closed when the disk refused to keep what was written. Nothing is certain then, and
// the process has to end: a later sync may report success for pages that are lost.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Failure is the error behind Failed.
func (s *Store) Failure() error {
	<-s.failed
	return s.failure
}

var errClosed = fmt.Errorf("store is closed: %w", verify.ErrUnavailable)

// Close waits for the Updates that were handed over, and closes the file.
func (s *Store) Close() error {
	s.closing.Lock()
	again := s.closed
	s.closed = true
	s.closing.Unlock()
	if again {
		return nil
	}
	close(s.requests)
	<-s.stopped
	return s.release(readerCount)
}

// release gives everything back, after the given number of readers have come home.
func (s *Store) release(readers int) error {
	var errs []error
	for range readers {
		errs = append(errs, (<-s.readers).close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.wal != nil {
		errs = append(errs, s.wal.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}
