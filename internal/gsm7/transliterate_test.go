package gsm7

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTransliterate(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain text stays", "plain text stays"},
		{"Don’t ‘quote’", "Don't 'quote'"},
		{"“Acme” „Acme“ «Acme»", `"Acme" "Acme" "Acme"`},
		{"1–2—3−4", "1-2-3-4"},
		{"wait…", "wait..."},
		{"…", "..."},
		{"39,99\u00a0€", "39,99 €"},
		{"1\u202f234,56\u2009kr", "1 234,56 kr"},
		{"`tick`", "'tick'"},
		{"soft\u00adhyphen zero\u200bwidth\ufeff", "softhyphen zerowidth"},
		{"Gdańsk, Košice, Málaga", "Gdańsk, Košice, Málaga"}, // letters are a name's own
		{"नमस्\u200dते می\u200cخواهم", "नमस्\u200dते می\u200cخواهم"},
		{"a\xffb’c\xfe", "a\xffb'c\xfe"},
	}
	for _, tt := range tests {
		if got := Transliterate(tt.in); got != tt.want {
			t.Errorf("Transliterate(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTransliteratedEnglishIsGSM7(t *testing.T) {
	s := "Your “Acme” code – don’t share it…\u00a0"
	if Valid(s) {
		t.Fatal("the sample proves nothing")
	}
	if got := Transliterate(s); !Valid(got) {
		t.Errorf("%q is not within the alphabet", got)
	}
}

func TestTransliterateLeavesCleanTextAlone(t *testing.T) {
	s := strings.Repeat("Ваш код подтверждения Acme: 123456. ", 4)
	if n := testing.AllocsPerRun(100, func() { Transliterate(s) }); n != 0 {
		t.Errorf("%v allocations for a text without typography, want 0", n)
	}
}

func FuzzTransliterate(f *testing.F) {
	f.Add("Don’t — “wait”…")
	f.Add("\xe2\x80")
	f.Fuzz(func(t *testing.T, s string) {
		got := Transliterate(s)
		// Of invalid text nothing is promised: two halves of a character may meet.
		if utf8.ValidString(s) {
			if again := Transliterate(got); again != got {
				t.Fatalf("twice: %q, once: %q", again, got)
			}
			if !utf8.ValidString(got) {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if Valid(s) && got != s {
			t.Fatalf("%q was within the alphabet and became %q", s, got)
		}
	})
}
