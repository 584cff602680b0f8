package gsm7

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// The table of 3GPP TS 23.038, 6.2.1, typed in again by its rows, not by its columns.
var rows = [16]string{
	0x0: "@Δ 0¡P¿p",
	0x1: "£_!1AQaq",
	0x2: "$Φ\"2BRbr",
	0x3: "¥Γ#3CScs",
	0x4: "èΛ¤4DTdt",
	0x5: "éΩ%5EUeu",
	0x6: "ùΠ&6FVfv",
	0x7: "ìΨ'7GWgw",
	0x8: "òΣ(8HXhx",
	0x9: "ÇΘ)9IYiy",
	0xA: "\nΞ*:JZjz",
	0xB: "Ø\x1b+;KÄkä", // the escape, no character
	0xC: "øÆ,<LÖlö",
	0xD: "\ræ-=MÑmñ",
	0xE: "Åß.>NÜnü",
	0xF: "åÉ/?O§oà",
}

func TestEveryCharacterStandsWhereTheStandardPutsIt(t *testing.T) {
	seen := 0
	for low, row := range rows {
		high := 0
		for _, r := range row {
			septet := byte(high<<4 | low)
			high++
			if septet == Escape {
				continue
			}
			seen++
			if got, ok := Encode(string(r)); !ok || !bytes.Equal(got, []byte{septet}) {
				t.Errorf("Encode(%q) = % X, %v, want %02X", r, got, ok, septet)
			}
			if got := Decode([]byte{septet}); got != string(r) {
				t.Errorf("Decode(%02X) = %q, want %q", septet, got, r)
			}
		}
	}
	if seen != 127 {
		t.Errorf("the test's own table has %d characters, want 127", seen)
	}
}

func TestExtensionCharactersAreEscaped(t *testing.T) {
	tests := []struct {
		char   string
		septet byte
	}{
		{"\f", 0x0A}, {"^", 0x14}, {"{", 0x28}, {"}", 0x29}, {`\`, 0x2F},
		{"[", 0x3C}, {"~", 0x3D}, {"]", 0x3E}, {"|", 0x40}, {"€", 0x65},
	}
	for _, tt := range tests {
		want := []byte{Escape, tt.septet}
		if got, ok := Encode(tt.char); !ok || !bytes.Equal(got, want) {
			t.Errorf("Encode(%q) = % X, %v, want % X", tt.char, got, ok, want)
		}
		if got := Decode(want); got != tt.char {
			t.Errorf("Decode(% X) = %q, want %q", want, got, tt.char)
		}
		if got := Measure(tt.char); got != (Size{GSM7, 2, 1}) {
			t.Errorf("Measure(%q) = %+v, want 2 septets in 1 segment", tt.char, got)
		}
	}
}

// The look-alikes cost real money: Spanish ó is not ò, French ç is not Ç, small Greek is not
// capital Greek.
func TestNeighboursOfTheAlphabetAreOutside(t *testing.T) {
	for _, r := range "áíóúçêâîôûãõăîșțşğıİłęąśžčřěőűëïÀÈÌÒÙÁαβγδωΑΒΕ`’“”–—…\u00a0\x00\x1b\t\x7f" {
		if Valid(string(r)) {
			t.Errorf("Valid(%q) = true", r)
		}
		if b, ok := Encode("a" + string(r)); ok || b != nil {
			t.Errorf("Encode(%q) = % X, %v, want nothing", r, b, ok)
		}
	}
}

// channels.md 1.5: the message that a new route is tried with on its first day.
func TestConformanceMessageOfANewRoute(t *testing.T) {
	got, ok := Encode("@£$¥èéùìòÇØøÅåΔ_Æß€[]{}~")
	want := []byte{
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0B, 0x0C, 0x0E, 0x0F, 0x10, 0x11,
		0x1C, 0x1E, 0x1B, 0x65, 0x1B, 0x3C, 0x1B, 0x3E, 0x1B, 0x28, 0x1B, 0x29, 0x1B, 0x3D,
	}
	if !ok || !bytes.Equal(got, want) {
		t.Errorf("got  % X, %v\nwant % X", got, ok, want)
	}
}

func TestDecodeTakesWhatAHandsetTakes(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, ""},
		{"escape before an unknown septet", []byte{'a', Escape, 'b'}, "ab"},
		{"escape at the end", []byte{'a', Escape}, "a "},
		{"two escapes", []byte{Escape, Escape, 0x65}, "€"},
		{"high bit", []byte{0x80, 'a', 0xFF}, "\uFFFDa\uFFFD"},
	}
	for _, tt := range tests {
		if got := Decode(tt.in); got != tt.want {
			t.Errorf("%s: Decode(% X) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("Your Acme verification code is: 123456")
	f.Add("€39.99 [~] Ω")
	f.Add("\xff\x00\x1b")
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := Encode(s)
		if ok != Valid(s) {
			t.Fatalf("Encode says %v, Valid says %v", ok, Valid(s))
		}
		if ok {
			if got := Decode(b); got != s {
				t.Fatalf("Decode(Encode(%q)) = %q", s, got)
			}
			if size := Measure(s); size.Encoding != GSM7 || size.Units != len(b) {
				t.Fatalf("Measure(%q) = %+v, but it encodes to %d septets", s, size, len(b))
			}
		}
		// Whatever arrives is text, and arriving twice changes nothing.
		text := Decode([]byte(s))
		if !utf8.ValidString(text) {
			t.Fatalf("Decode(% X) is not valid UTF-8: %q", s, text)
		}
		if again, ok := Encode(text); ok && Decode(again) != text {
			t.Fatalf("%q does not survive a second journey", text)
		}
	})
}

var sink Size

func BenchmarkMeasure(b *testing.B) {
	for name, s := range map[string]string{
		"gsm7":     "Your Acme verification code is: 123456",
		"ucs2":     "Ваш код подтверждения Acme: 123456",
		"segments": strings.Repeat("Your Acme verification code is: 123456", 10),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = Measure(s)
			}
		})
	}
}
