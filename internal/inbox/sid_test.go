package inbox

import (
	"errors"
	"testing"
	"testing/iotest"
	"time"
)

func TestSIDsSortInTheOrderTheyWereGivenOut(t *testing.T) {
	start := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		count int
		now   func(i int) time.Time
	}{
		{"the clock goes", 100, func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }},
		// More than one millisecond counts.
		{"the clock stands still", 1<<16 + 10, func(int) time.Time { return start }},
		{"the clock runs backwards", 100, func(i int) time.Time { return start.Add(-time.Duration(i) * time.Hour) }},
		{"there is no clock", 100, func(int) time.Time { return time.Time{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := minter{rand: zeros{}}
			previous := ""
			for i := range test.count {
				sid := m.next(test.now(i))
				if !validSID(sid) {
					t.Fatalf("SID %d: %q is not one", i, sid)
				}
				if sid <= previous {
					t.Fatalf("SID %d: %s does not sort after %s", i, sid, previous)
				}
				previous = sid
			}
		})
	}
}

func TestSIDNeedsNoRandomness(t *testing.T) {
	m := minter{rand: iotest.ErrReader(errors.New("no entropy"))}
	if first, second := m.next(time.Now()), m.next(time.Now()); !validSID(first) || first >= second {
		t.Errorf("got %s and %s, want two SIDs in order", first, second)
	}
}

func TestValidSID(t *testing.T) {
	for sid, want := range map[string]bool{
		"SM0192f0c4a1b2000031323334353637ff":  true,
		"":                                    false,
		"SM":                                  false,
		"VE0192f0c4a1b2000031323334353637ff":  false,
		"SM0192F0C4A1B2000031323334353637FF":  false,
		"SM0192f0c4a1b2000031323334353637f":   false,
		"SM0192f0c4a1b2000031323334353637fff": false,
		"SM0192f0c4a1b2000031323334353637fg":  false,
	} {
		if got := validSID(sid); got != want {
			t.Errorf("validSID(%q) = %t, want %t", sid, got, want)
		}
	}
}

// zeros is a source that adds nothing: the order must come from the count alone.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
