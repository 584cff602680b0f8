package sid_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// What was minted before a time has a lower key than KeyAt, everything else has not, whatever the
// random bits are.
func TestKeyAtIsWhereATimeBegins(t *testing.T) {
	for _, noise := range []byte{0x00, 0xff} {
		for _, at := range []time.Time{noon, noon.Add(time.Microsecond), noon.AddDate(50, 0, 0)} {
			mint := func(at time.Time) int64 {
				s, err := sid.New(sid.Verification, at, bytes.NewReader(bytes.Repeat([]byte{noise}, 16)))
				if err != nil {
					t.Fatal(err)
				}
				return sid.Key(s)
			}
			if mint(at.Add(-time.Microsecond)) >= sid.KeyAt(at) || mint(at) < sid.KeyAt(at) {
				t.Errorf("with noise %x the key at %s is %x, minted then %x, before %x", noise, at, sid.KeyAt(at), mint(at), mint(at.Add(-time.Microsecond)))
			}
		}
	}
	if k := sid.KeyAt(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)); k != 0 {
		t.Errorf("before the first SID the key is %d, want 0", k)
	}
}

func TestADayHasTheKeysFromMidnightToMidnight(t *testing.T) {
	for text, midnight := range map[string]time.Time{
		"20240101": time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		"20240229": time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		"20261124": time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		"20950507": time.Date(2095, 5, 7, 0, 0, 0, 0, time.UTC),
	} {
		day, ok := sid.ParseDay(text)
		if !ok || day.String() != text {
			t.Errorf("ParseDay(%s) = %s, %v", text, day, ok)
		}
		if day.FirstKey() != sid.KeyAt(midnight) || (day+1).FirstKey() != sid.KeyAt(midnight.AddDate(0, 0, 1)) {
			t.Errorf("%s has the keys from %d to %d, want %d to %d", text, day.FirstKey(), (day + 1).FirstKey(), sid.KeyAt(midnight), sid.KeyAt(midnight.AddDate(0, 0, 1)))
		}
		for _, at := range []time.Time{midnight, midnight.Add(24*time.Hour - time.Microsecond)} {
			s, err := sid.New(sid.Attempt, at, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if got := sid.DayOfKey(sid.Key(s)); got != day || sid.DayOf(at) != day {
				t.Errorf("a SID of %s is of %s, want %s", at, got, text)
			}
		}
		if last := sid.DayOfKey((day + 1).FirstKey() - 1); last != day {
			t.Errorf("the last key of %s is of %s", text, last)
		}
	}
}

// An hour's keys are those from its first moment to its last, and a SID tells when it was minted.
func TestASIDTellsItsTimeAndItsHour(t *testing.T) {
	for i := range 1000 {
		at := noon.Add(time.Duration(i) * time.Microsecond)
		s, err := sid.New(sid.Attempt, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := sid.Minted(s); !got.Equal(at) {
			t.Fatalf("%s was minted at %s, Minted says %s", s, at, got)
		}
	}
	hour := sid.HourOfKey(sid.KeyAt(noon))
	if hour*sid.KeysPerHour != sid.KeyAt(noon) {
		t.Errorf("noon begins no hour: hour %d, key %d", hour, sid.KeyAt(noon))
	}
	if last := sid.HourOfKey(sid.KeyAt(noon.Add(time.Hour)) - 1); last != hour {
		t.Errorf("the last key of hour %d is of hour %d", hour, last)
	}
	if next := sid.HourOfKey(sid.KeyAt(noon.Add(time.Hour))); next != hour+1 {
		t.Errorf("an hour after hour %d comes hour %d", hour, next)
	}
}

func FuzzParseDay(f *testing.F) {
	for _, text := range []string{"20261124", "20240101", "20231231", "20950508", "20950509", "99991231", "default", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		day, ok := sid.ParseDay(text)
		if ok && (day.String() != text || day < 0 || (day+1).FirstKey() <= day.FirstKey()) {
			t.Errorf("ParseDay(%q) = %d, which is %s, from %d to %d", text, day, day, day.FirstKey(), (day + 1).FirstKey())
		}
	})
}

func ExampleDay() {
	day := sid.DayOf(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	fmt.Println(day, day+1)
	// Output: 20261124 20261125
}
