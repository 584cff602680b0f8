package keyring_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/keyring"
)

const (
	oldKey = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	newKey = "2 f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\n"
)

func parse(t testing.TB, text string) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestASealedValueOpensInItsPlaceAlone(t *testing.T) {
	ring := parse(t, oldKey)
	sealed := ring.Seal(keyring.PasscodeSeal, "123456", "code VE1")
	if strings.Contains(string(sealed), "123456") {
		t.Fatal("the value lies open in its seal")
	}
	if got, err := ring.Open(keyring.PasscodeSeal, sealed, "code VE1"); err != nil || got != "123456" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another row":      func() (string, error) { return ring.Open(keyring.PasscodeSeal, sealed, "code VE2") },
		"another purpose":  func() (string, error) { return ring.Open(keyring.TokenSeal, sealed, "code VE1") },
		"a damaged value":  func() (string, error) { return ring.Open(keyring.PasscodeSeal, sealed[:len(sealed)-1], "code VE1") },
		"nothing":          func() (string, error) { return ring.Open(keyring.PasscodeSeal, nil, "code VE1") },
		"another key file": func() (string, error) { return parse(t, newKey).Open(keyring.PasscodeSeal, sealed, "code VE1") },
	} {
		if got, err := open(); !errors.Is(err, keyring.ErrSealed) {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", name, got, err)
		}
	}
}

func TestEqualValuesAreSealedDifferently(t *testing.T) {
	ring := parse(t, oldKey)
	first, second := ring.Seal(keyring.PasscodeSeal, "123456", "x"), ring.Seal(keyring.PasscodeSeal, "123456", "x")
	if string(first) == string(second) {
		t.Error("two seals of one value are equal: a dump would show who has the same code")
	}
}

func TestMACBindsEveryPart(t *testing.T) {
	ring := parse(t, oldKey)
	mac := ring.MAC(keyring.PasscodeMAC, "VE1", "123456")
	if !ring.MatchesMAC(mac, keyring.PasscodeMAC, "VE1", "123456") {
		t.Fatal("a MAC does not match itself")
	}
	for _, parts := range [][]string{{"VE2", "123456"}, {"VE1", "123457"}, {"VE112", "3456"}, {"VE1123456"}, {"VE1", "123456", ""}} {
		if ring.MatchesMAC(mac, keyring.PasscodeMAC, parts...) {
			t.Errorf("matches %q too", parts)
		}
	}
	if ring.MatchesMAC(nil, keyring.PasscodeMAC, "VE1", "123456") {
		t.Error("a wiped MAC matches")
	}
}

func TestAfterARotationOldValuesStillOpen(t *testing.T) {
	before := parse(t, oldKey)
	sealed := before.Seal(keyring.TokenSeal, "secret", "token AC1")
	mac := before.MAC(keyring.PasscodeMAC, "VE1", "123456")

	after := parse(t, newKey+oldKey)
	if got, err := after.Open(keyring.TokenSeal, sealed, "token AC1"); err != nil || got != "secret" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if !after.MatchesMAC(mac, keyring.PasscodeMAC, "VE1", "123456") {
		t.Error("a code from before the rotation is refused")
	}
	if got := after.Seal(keyring.TokenSeal, "x", "y")[0]; got != 2 {
		t.Errorf("new values are sealed by key %d, want 2", got)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "no key",
		"# only a comment": "no key",
		"x 00":             "line 1",
		"0 " + oldKey[2:]:  "line 1",
		"1 00":             "not 32 bytes",
		oldKey + oldKey:    "stands twice",
	} {
		if _, err := keyring.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want %q in it", text, err, want)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.key")
	first, err := keyring.LoadOrGenerate(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := keyring.LoadOrGenerate(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(keyring.TokenSeal, first.Seal(keyring.TokenSeal, "v", "r"), "r"); err != nil || got != "v" {
		t.Errorf("loaded again, the ring is another: %q, %v", got, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Load(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key file that all may read: %v, want advice to chmod it", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(oldKey + newKey))
	f.Add([]byte("1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := keyring.Parse(text)
		if err != nil {
			return
		}
		if got, err := ring.Open(keyring.TokenSeal, ring.Seal(keyring.TokenSeal, "v", "r"), "r"); err != nil || got != "v" {
			t.Errorf("a parsed ring does not open its own seal: %v", err)
		}
	})
}

// FuzzOpen: what was not sealed here does not open, and nothing that looks like a digest is one.
func FuzzOpen(f *testing.F) {
	ring := parse(f, oldKey+newKey)
	f.Add([]byte(nil), "r")
	f.Add([]byte{1}, "r")
	f.Add([]byte{9, 0, 0}, "")
	f.Add(ring.Seal(keyring.TokenSeal, "v", "r"), "s")
	f.Add(ring.MAC(keyring.ReportMAC, "a", "b"), "ab")
	f.Fuzz(func(t *testing.T, sealed []byte, row string) {
		if got, err := ring.Open(keyring.PasscodeSeal, sealed, row); !errors.Is(err, keyring.ErrSealed) {
			t.Errorf("%x opens in %q as %q, %v", sealed, row, got, err)
		}
		if ring.MatchesMAC(sealed, keyring.ReportMAC, row) {
			t.Errorf("%x is a digest of %q", sealed, row)
		}
	})
}

func Example() {
	ring, err := keyring.Parse([]byte("1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"))
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed := ring.Seal(keyring.PasscodeSeal, "123456", "code VE01")
	code, err := ring.Open(keyring.PasscodeSeal, sealed, "code VE01")
	fmt.Println(code, err)
	// Output: 123456 <nil>
}

func TestANewRingIsUnlikeAnyOther(t *testing.T) {
	one, err := keyring.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyring.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealed := one.Seal(keyring.TokenSeal, "value", "row")
	if got, err := one.Open(keyring.TokenSeal, sealed, "row"); err != nil || got != "value" {
		t.Errorf("its own: %q, %v", got, err)
	}
	if _, err := other.Open(keyring.TokenSeal, sealed, "row"); err == nil {
		t.Error("another ring opens it")
	}
	if _, err := keyring.New(strings.NewReader("short")); err == nil {
		t.Error("made of too little randomness")
	}
}
