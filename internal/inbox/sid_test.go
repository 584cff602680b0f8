package inbox

import (
	"crypto/rand"
	"errors"
	"testing"
	"testing/iotest"
	"time"
)

func TestSIDsSortInTheOrderTheyWereGivenOut(t *testing.T) {
	start := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		now  func(i int) time.Time
	}{
		{"the clock goes", func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }},
		{"the clock stands still", func(int) time.Time { return start }},
		{"the clock runs backwards", func(i int) time.Time { return start.Add(-time.Duration(i) * time.Hour) }},
		{"there is no clock", func(int) time.Time { return time.Time{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := minter{rand: rand.Reader}
			previous := ""
			for i := range 1<<16 + 10 { // more than one millisecond counts
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
