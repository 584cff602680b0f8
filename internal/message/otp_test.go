package message

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a plain name is left alone", "Acme Bank", "Acme Bank"},
		{"spaces around and between", "  Acme \t  Bank ", "Acme Bank"},
		{"only spaces", " \n ", ""},
		{"line breaks are spaces", "Acme\r\nBank", "Acme Bank"},
		{"no header can be begun", "Acme\r\nBcc: all@example.com", "Acme Bcc: all@example.com"},
		{"control characters", "Ac\x00me\x1b[31m\x7f", "Acme[31m"},
		{"C1 controls", "Ac\u0080me\u009f", "Acme"},
		{"next line is a space", "Acme\u0085Bank", "Acme Bank"},
		{"line separator is a space", "Acme\u2028Bank", "Acme Bank"},
		{"no-break space is a space", "39,99\u00a0€", "39,99 €"},
		{"direction override", "€\u202e99.93\u202c", "€99.93"},
		{"direction isolates and marks", "\u2066Acme\u2069\u200e\u200f\u061c", "Acme"},
		{"zero-width space, soft hyphen, BOM", "\ufeffAc\u200bme\u00ad", "Acme"},
		{"invalid UTF-8", "Ac\xffme\xe2\x80", "Acme"},
		{"letters of all scripts", "Łódź Ελλάς Москва 銀行 आपका", "Łódź Ελλάς Москва 銀行 आपका"},
		{"joiners are spelling", "می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"},
		{"emoji with variation selector", "Acme ❤\ufe0f", "Acme ❤\ufe0f"},
	}
	for _, tt := range tests {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("%s: clean(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestCodeKeepsWhatCanBeTyped(t *testing.T) {
	for in, want := range map[string]string{
		"123456":       "123456",
		"a’b–c":        "a’b–c", // transliterated it would not be what the customer compares with
		"12  34":       "12  34",
		"12\n34\x0056": "123456",
	} {
		if got := (OTP{Code: in}).cleaned().Code; got != want {
			t.Errorf("code %q became %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		name string
		in   string
		n    int
		want string
	}{
		{"short enough", "Acme", 4, "Acme"},
		{"dots count", "Acme International", 10, "Acme In..."},
		{"no space before the dots", "Acme International", 8, "Acme..."},
		{"too little room for dots", "Acme International", 6, "Acme I"},
		{"no space at the end", "Acme International", 5, "Acme"},
		{"nothing left", "Acme", 0, ""},
		{"Cyrillic is counted in characters", "Международный банк", 10, "Междуна..."},
		{"an accent stays with its letter", "Cafe\u0301 Noir", 4, "Caf"},
		{"and goes in whole where it fits", "Cafe\u0301 Noir", 5, "Cafe\u0301"},
		{"a vowel sign stays with its consonant", "कि ताब", 1, ""},
		{"no joiner at the end", "क्\u200dषत्रिय", 3, "क्"},
		{"skin tone", "ab👍🏽cd", 3, "ab"},
	}
	for _, tt := range tests {
		if got := cut(tt.in, tt.n); got != tt.want {
			t.Errorf("%s: cut(%q, %d) = %q, want %q", tt.name, tt.in, tt.n, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Acme Bank", 5)
	f.Add(" \u202e\x00x\u0301 ", 1)
	f.Add("a\xff\u2028b", 7)
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := clean(s)
		if again := clean(got); again != got {
			t.Fatalf("twice: %q, once: %q", again, got)
		}
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("clean(%q) = %q", s, got)
		}
		if strings.TrimSpace(got) != got || strings.Contains(got, "  ") {
			t.Fatalf("clean(%q) = %q, spaces left", s, got)
		}
		if n < 0 || n > 1000 {
			return
		}
		short := cut(got, n)
		if utf8.RuneCountInString(short) > n {
			t.Fatalf("cut(%q, %d) = %q is too long", got, n, short)
		}
		if short != got && !strings.HasPrefix(got, strings.TrimSuffix(short, "...")) {
			t.Fatalf("cut(%q, %d) = %q is not its beginning", got, n, short)
		}
	})
}
