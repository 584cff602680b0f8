package postgres

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/verifyd/verifyd/internal/verify"
)

// said is an error that the server sent, in the wrapping that it comes in.
func said(code, severity string) error {
	return &failure{query: "SELECT 1", err: &pgconn.PgError{Code: code, SeverityUnlocalized: severity, Message: "no"}}
}

func TestWhatAnErrorMeans(t *testing.T) {
	other := errors.New("another")
	for name, c := range map[string]struct {
		err         error
		again, lost bool
		is          error
		says        string
	}{
		"a key that is taken":         {said("23505", "ERROR"), false, false, verify.ErrExists, ""},
		"a table that is not there":   {said("42P01", "ERROR"), false, false, ErrSchema, "run verifyd migrate"},
		"a column that is not there":  {said("42703", "ERROR"), false, false, ErrSchema, "run verifyd migrate"},
		"a serialization failure":     {said("40001", "ERROR"), true, false, verify.ErrUnavailable, "too many others"},
		"a deadlock":                  {said("40P01", "ERROR"), true, false, verify.ErrUnavailable, "too many others"},
		"a day that is just made":     {said("23514", "ERROR"), true, false, verify.ErrUnavailable, "too many others"},
		"a lock that was not had":     {said("55P03", "ERROR"), true, false, verify.ErrUnavailable, "too many others"},
		"a standby":                   {said("25006", "ERROR"), false, true, verify.ErrUnavailable, "standby"},
		"no connection left":          {said("53300", "FATAL"), false, true, verify.ErrUnavailable, "no connection left"},
		"a full disk":                 {said("53100", "ERROR"), false, false, verify.ErrUnavailable, "disk is full"},
		"out of memory":               {said("53200", "ERROR"), false, false, verify.ErrUnavailable, "cannot be reached"},
		"a shutdown":                  {said("57P01", "FATAL"), false, true, verify.ErrUnavailable, "shutting down"},
		"a crash":                     {said("57P02", "FATAL"), false, true, verify.ErrUnavailable, "shutting down"},
		"a start":                     {said("57P03", "FATAL"), false, true, verify.ErrUnavailable, "starting"},
		"a statement that took long":  {said("57014", "ERROR"), false, false, verify.ErrUnavailable, "took too long"},
		"an idle transaction":         {said("25P03", "FATAL"), false, true, verify.ErrUnavailable, "cannot be reached"},
		"an unfinished statement":     {said("40003", "ERROR"), false, true, verify.ErrUnavailable, "cannot be reached"},
		"a broken connection":         {said("08006", "ERROR"), false, true, verify.ErrUnavailable, "cannot be reached"},
		"a broken network":            {&failure{query: "SELECT 1", err: io.ErrUnexpectedEOF}, false, true, verify.ErrUnavailable, "cannot be reached"},
		"a mistake of ours":           {said("42601", "ERROR"), false, false, nil, "no"},
		"a wrong password":            {said("28P01", "FATAL"), false, true, verify.ErrUnavailable, "cannot be reached"},
		"what is unavailable already": {fmt.Errorf("x: %w", errClosed), false, true, verify.ErrUnavailable, "store is closed"},
		"a lost answer":               {fmt.Errorf("%w: %w", ErrUnknown, other), false, true, ErrUnknown, "unknown"},
	} {
		if got := again(c.err); got != c.again {
			t.Errorf("%s: run again: %v, want %v", name, got, c.again)
		}
		if got := lost(c.err); got != c.lost {
			t.Errorf("%s: the connection is lost: %v, want %v", name, got, c.lost)
		}
		got := kind(c.err)
		if c.is != nil && !errors.Is(got, c.is) || !strings.Contains(got.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, got, c.is, c.says)
		}
		for _, unwanted := range []error{verify.ErrExists, verify.ErrUnavailable, ErrSchema, ErrUnknown} {
			if !errors.Is(c.is, unwanted) && errors.Is(got, unwanted) {
				t.Errorf("%s: %v is %v too", name, got, unwanted)
			}
		}
		if !errors.Is(got, c.err) {
			t.Errorf("%s: the cause is gone", name)
		}
	}
	if kind(nil) != nil || lost(nil) || again(nil) {
		t.Error("no error is an error")
	}
}

// What was lost may have been done, which ErrUnavailable says it was not.
func TestALostAnswerIsNotUnavailable(t *testing.T) {
	if errors.Is(ErrUnknown, verify.ErrUnavailable) {
		t.Error("ErrUnknown is ErrUnavailable")
	}
}

// A statement is in the text of an error, cut, and its arguments are not.
func TestAFailureNamesItsStatement(t *testing.T) {
	f := &failure{query: "UPDATE  verification\n\tSET status = $1 WHERE id = $2 AND sid = $3", err: io.EOF}
	if want := `"UPDATE verification SET status = $1 WHER": EOF`; f.Error() != want {
		t.Errorf("%s, want %s", f, want)
	}
}
