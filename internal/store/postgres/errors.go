package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/verifyd/verifyd/internal/verify"
)

// ErrUnknown says that the answer to a commit was lost and the database stayed away, so that
// nobody can say whether it came about. It is no verify.ErrUnavailable, because that promises that
// nothing was done; the API answers it as a fault (500), and the log names it.
var ErrUnknown = errors.New("the answer to a commit was lost, its outcome is unknown")

// ErrSchema says that the schema is older than this program needs.
var ErrSchema = errors.New("the schema is too old: run verifyd migrate")

// ErrHalfMoved says that a move from SQLite into the database was begun and not ended.
var ErrHalfMoved = errors.New("a move from SQLite to this database was not ended: " +
	"run verifyd migrate --from … --to … again, it goes on where it ended")

var (
	errClosed = fmt.Errorf("store is closed: %w", verify.ErrUnavailable)
	// errBroken: the connection broke, and nothing was done.
	errBroken  = errors.New("the connection to the database broke")
	errStopped = errors.New("this run of the function was given up")
)

// failure is the error of one statement of a pipeline.
type failure struct {
	at    int // index of the statement
	query string
	err   error
}

func (f *failure) Error() string {
	return fmt.Sprintf("%.40q: %v", strings.Join(strings.Fields(f.query), " "), f.err)
}

func (f *failure) Unwrap() error { return f.err }

// The error codes that decide something
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeUnique         = "23505"
	codeReadOnly       = "25006"
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeUndefinedTable = "42P01"
	codeDuplicateTable = "42P07"
	codeCheck          = "23514"
	codeUndefinedCol   = "42703"
	codeTooMany        = "53300"
	codeDiskFull       = "53100"
	codeLockTimeout    = "55P03"
	codeCanceled       = "57014"
	codeShutdown       = "57P01"
	codeCrash          = "57P02"
	codeStarting       = "57P03"
	codeIdleTimeout    = "25P03"
	codeUnfinished     = "40003" // nobody knows whether the statement ran
)

func code(err error) string {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code
	}
	return ""
}

// again reports whether a transaction failed for no fault of its own and may simply be run again.
func again(err error) bool {
	switch code(err) {
	case codeSerialization, codeDeadlock, codeLockTimeout,
		codeCheck: // the partition of its day was attached while an attempt was on its way to the default one
		return true
	}
	return false
}

// lost reports whether the connection is gone with the error, or is of no use any more.
func lost(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return false
	case !ok:
		prepared, unsent := errors.AsType[pgx.ErrPreprocessingBatch](err)
		return !unsent || lost(errors.Unwrap(prepared))
	case refused.SeverityUnlocalized == "FATAL" || refused.SeverityUnlocalized == "PANIC":
		return true
	default:
		return refused.Code == codeReadOnly || refused.Code == codeUnfinished || strings.HasPrefix(refused.Code, "08")
	}
}

// kind sorts an error into those of the store's contract.
func kind(err error) error {
	switch c := code(err); {
	case err == nil || errors.Is(err, verify.ErrUnavailable) || errors.Is(err, ErrUnknown):
		return err
	case c == codeUnique:
		return fmt.Errorf("%w: %w", verify.ErrExists, err)
	case c == codeUndefinedTable || c == codeUndefinedCol:
		return fmt.Errorf("%w: %w", ErrSchema, err)
	case again(err):
		return unavailable("too many others want the same records", err)
	case c == codeReadOnly:
		return unavailable("the database is a standby and takes no writes", err)
	case c == codeTooMany:
		return unavailable("the database has no connection left", err)
	case c == codeDiskFull:
		return unavailable("the database's disk is full", err)
	case c == codeShutdown || c == codeCrash:
		return unavailable("the database is shutting down", err)
	case c == codeStarting:
		return unavailable("the database is starting", err)
	case c == codeCanceled:
		return unavailable("the database took too long", err)
	case strings.HasPrefix(c, "53"), c == codeIdleTimeout, lost(err):
		return unavailable("the database cannot be reached", err)
	default:
		return err
	}
}

func unavailable(why string, err error) error {
	return fmt.Errorf("%s: %w: %w", why, verify.ErrUnavailable, err)
}
