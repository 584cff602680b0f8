package verify

import (
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// ReadAttemptQuery reads filters, and holds what comes out against what every reader relies on.
func ReadAttemptQuery(t *testing.T, q AttemptQuery, now time.Time) {
	from := now.Add(-attemptsSeen)
	f, err := q.filter("AC00000000000000000000000000000001", from, now)
	if err != nil {
		return
	}
	switch {
	case f.From > f.Before:
		t.Errorf("%+v: the range is from %d to %d", q, f.From, f.Before)
	case f.From < sid.KeyAt(from):
		t.Errorf("%+v reaches back behind thirty days", q)
	case f.Prefix != "" && !validPrefix(f.Prefix), f.Country != "" && !validCountry(f.Country):
		t.Errorf("%+v was read as %+v", q, f)
	}
}
