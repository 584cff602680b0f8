package sid_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestMintedSIDsAreValidAndOfTheirKind(t *testing.T) {
	s, err := sid.New(sid.Verification, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !sid.Valid(sid.Verification, s) {
		t.Errorf("New gave %q, which Valid refuses", s)
	}
	if sid.Valid(sid.Attempt, s) {
		t.Errorf("%q passes as an attempt", s)
	}
	if s != "VE"+strings.ToLower(s[2:]) {
		t.Errorf("%q has capital digits", s)
	}
}

func TestLaterSIDsSortLater(t *testing.T) {
	var previous string
	for i := range 1000 {
		s, err := sid.New(sid.Verification, noon.Add(time.Duration(i)*time.Microsecond), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if s <= previous {
			t.Fatalf("%s was minted after %s and sorts before it", s, previous)
		}
		if sid.Key(s) <= sid.Key(previous) {
			t.Fatalf("the key of %s is not above that of %s", s, previous)
		}
		previous = s
	}
}

func TestKeysStayPositiveAsLongAsTheFormatLasts(t *testing.T) {
	for _, at := range []time.Time{noon, time.Date(2095, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s, err := sid.New(sid.Attempt, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if sid.Key(s) <= 0 {
			t.Errorf("key of a SID of %s: %d", at, sid.Key(s))
		}
	}
}

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{
		"VA0123456789abcdef0123456789abcdef":  true,
		"VA0123456789ABCDEF0123456789abcdef":  true,
		"va0123456789abcdef0123456789abcdef":  false,
		"AC0123456789abcdef0123456789abcdef":  false,
		"VA0123456789abcdef0123456789abcde":   false,
		"VA0123456789abcdef0123456789abcdeff": false,
		"VA0123456789abcdef0123456789abcdeg":  false,
		"":                                    false,
	} {
		if got := sid.Valid(sid.Service, s); got != want {
			t.Errorf("Valid(%q) = %v, want %v", s, got, want)
		}
	}
}

// The type leads the digits, and the order of keys is that of time all the same.
func TestTypedSIDs(t *testing.T) {
	var previous string
	for i, kind := range []sid.Type{sid.Passkey, sid.TOTP, sid.Push, sid.TOTP} {
		at := noon.Add(time.Duration(i) * time.Microsecond)
		s, err := sid.NewTyped(sid.Factor, kind, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("YF%02x", byte(kind)); !sid.Valid(sid.Factor, s) || s[:4] != want {
			t.Errorf("%s does not begin with %s", s, want)
		}
		if sid.Key(s) <= sid.Key(previous) || sid.Key(s) < sid.KeyAt(at) || sid.Key(s) >= sid.KeyAt(at.Add(time.Microsecond)) {
			t.Errorf("the key of %s is not that of its time", s)
		}
		previous = s
	}
	if s, err := sid.NewTyped(sid.Factor, sid.TOTP, noon, iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Errorf("minted %q from a source that fails", s)
	}
}

func TestNoRandomnessNoSID(t *testing.T) {
	if s, err := sid.New(sid.Verification, noon, iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Errorf("minted %q from a source that fails", s)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("VA0123456789abcdef0123456789abcdef")
	f.Add("YF02ffffffffffffffffffffffffffffff")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if sid.Key(s) < 0 {
			t.Errorf("Key(%q) is negative", s)
		}
		if sid.Valid(sid.Service, s) && len(s) != sid.Length {
			t.Errorf("Valid(%q) with a length of %d", s, len(s))
		}
	})
}

func ExampleValid() {
	fmt.Println(sid.Valid(sid.Service, "VA0123456789abcdef0123456789abcdef"))
	fmt.Println(sid.Valid(sid.Service, "AC0123456789abcdef0123456789abcdef"))
	// Output:
	// true
	// false
}
