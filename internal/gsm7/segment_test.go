package gsm7

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestMeasure(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	ya := func(n int) string { return strings.Repeat("я", n) }
	tests := []struct {
		name string
		s    string
		want Size
	}{
		{"nothing costs nothing", "", Size{GSM7, 0, 0}},
		{"one character", "a", Size{GSM7, 1, 1}},
		{"a full segment", a(160), Size{GSM7, 160, 1}},
		{"one more: headers", a(161), Size{GSM7, 161, 2}},
		{"two full parts", a(306), Size{GSM7, 306, 2}},
		{"three parts", a(307), Size{GSM7, 307, 3}},
		{"an escaped character ends a full segment", a(158) + "€", Size{GSM7, 160, 1}},
		{"an escaped character does not fit", a(159) + "€", Size{GSM7, 161, 2}},
		{"it is not cut: the first part stays one short", a(152) + "€" + a(152), Size{GSM7, 306, 3}},
		{"against the same without a cut", a(151) + "€" + a(153), Size{GSM7, 306, 2}},
		{"80 escaped characters", strings.Repeat("€", 80), Size{GSM7, 160, 1}},
		{"153 escaped characters: 76 fit in a part", strings.Repeat("€", 153), Size{GSM7, 306, 3}},
		{"one foreign letter changes all", a(69) + "я", Size{UCS2, 70, 1}},
		{"the letter that made it two", a(70) + "я", Size{UCS2, 71, 2}},
		{"a full segment of UCS-2", ya(70), Size{UCS2, 70, 1}},
		{"two full parts of UCS-2", ya(134), Size{UCS2, 134, 2}},
		{"three parts of UCS-2", ya(135), Size{UCS2, 135, 3}},
		{"an emoji is two", "😀", Size{UCS2, 2, 1}},
		{"35 emoji fill a segment", strings.Repeat("😀", 35), Size{UCS2, 70, 1}},
		{"33 in a part, a unit lost", strings.Repeat("😀", 67), Size{UCS2, 134, 3}},
		{"a pair on the seam", ya(66) + "😀" + ya(66), Size{UCS2, 134, 3}},
		{"€ is one unit in UCS-2", "я€", Size{UCS2, 2, 1}},
		{"an invalid byte is sent as U+FFFD", "\xff", Size{UCS2, 1, 1}},
		{"line feed and carriage return are in the alphabet", "a\r\nb", Size{GSM7, 4, 1}},

		// channels.md 9.1: one typographic apostrophe, 146 septets in one segment or three.
		{"do not share, on the wire", "Your Acme International Holdings SA verification code is: 1234567890" +
			". Don't share this code with anyone; our employees will never ask for the code", Size{GSM7, 146, 1}},
		{"do not share, as Twilio prints it", "Your Acme International Holdings SA verification code is: 1234567890" +
			". Don’t share this code with anyone; our employees will never ask for the code", Size{UCS2, 146, 3}},
	}
	for _, tt := range tests {
		got := Measure(tt.s)
		if got != tt.want {
			t.Errorf("%s: Measure = %+v, want %+v", tt.name, got, tt.want)
		}
		if n := Segments(tt.s); n != tt.want.Segments {
			t.Errorf("%s: Segments = %d, want %d", tt.name, n, tt.want.Segments)
		}
	}
}

func TestSplitCutsBeforeAPairNotInside(t *testing.T) {
	tests := []struct {
		name string
		s    string
		want []int // UTF-8 bytes of each part
	}{
		{"nothing", "", nil},
		{"a short text is whole", "123456", []int{6}},
		{"escaped character", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 20), []int{152, 3 + 20}},
		{"surrogate pair", strings.Repeat("я", 66) + "😀" + strings.Repeat("я", 20), []int{132, 4 + 40}},
	}
	for _, tt := range tests {
		var got []int
		for _, part := range Split(tt.s) {
			got = append(got, len(part))
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: parts of %v bytes, want %v", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: parts of %v bytes, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("123456")
	f.Add(strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152))
	f.Add(strings.Repeat("я", 66) + "😀" + strings.Repeat("я", 66))
	f.Add(strings.Repeat("\xf0\x9f", 100))
	f.Fuzz(func(t *testing.T, s string) {
		size, parts := Measure(s), Split(s)
		if len(parts) != size.Segments {
			t.Fatalf("%d parts, %d segments", len(parts), size.Segments)
		}
		if got := strings.Join(parts, ""); got != s {
			t.Fatalf("joined: %q, want %q", got, s)
		}
		if (size.Encoding == GSM7) != Valid(s) {
			t.Fatalf("%s, but Valid = %v", size.Encoding, Valid(s))
		}
		// Counted another way: by the standard library for UTF-16, by Encode for septets.
		units := func(s string) int { return len(utf16.Encode([]rune(s))) }
		single, part := 70, 67
		if size.Encoding == GSM7 {
			units = func(s string) int { b, _ := Encode(s); return len(b) }
			single, part = 160, 153
		}
		if got := units(s); got != size.Units {
			t.Fatalf("Units = %d, want %d", size.Units, got)
		}
		if (size.Segments <= 1) != (size.Units <= single) {
			t.Fatalf("%d units in %d segments", size.Units, size.Segments)
		}
		for i, p := range parts {
			n := units(p)
			if len(parts) > 1 && n > part {
				t.Fatalf("part %d has %d units, a part holds %d", i, n, part)
			}
			// Only a pair that had to move may leave room, and then exactly one unit.
			if i < len(parts)-1 && n < part-1 {
				t.Fatalf("part %d has %d units and is not the last", i, n)
			}
			if utf8.ValidString(s) && !utf8.ValidString(p) {
				t.Fatalf("part %d cuts a character: %q", i, p)
			}
		}
	})
}
