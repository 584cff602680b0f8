package mailaddr_test

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/mailaddr"
)

func TestParse(t *testing.T) {
	for in, want := range map[string][2]string{
		"jane@example.com":           {"jane@example.com", "jane@example.com"},
		" Jane.Doe@Example.COM ":     {"Jane.Doe@example.com", "jane.doe@example.com"},
		"j+tag@mail.example.co.uk":   {"j+tag@mail.example.co.uk", "j+tag@mail.example.co.uk"},
		"o'brien_x@xn--bcher-kva.ch": {"o'brien_x@xn--bcher-kva.ch", "o'brien_x@xn--bcher-kva.ch"},
	} {
		address, key, ok := mailaddr.Parse(in)
		if !ok || address != want[0] || key != want[1] {
			t.Errorf("Parse(%q) = %q, %q, %v, want %q", in, address, key, ok, want)
		}
	}
}

func TestMailbox(t *testing.T) {
	for key, want := range map[string]string{
		"jane@example.com":         "jane@example.com",
		"jane+shop@example.com":    "jane@example.com",
		"jane+shop+2@example.com":  "jane@example.com",
		"jane+@example.com":        "jane@example.com",
		"+jane@example.com":        "+jane@example.com",
		"jane@a+b.example.invalid": "jane@a+b.example.invalid", // not that Parse would accept it
		"+34612345678":             "+34612345678",
	} {
		if got := mailaddr.Mailbox(key); got != want {
			t.Errorf("Mailbox(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "@", "jane", "jane@", "@example.com", "jane@localhost", "jane@example", "jane@@example.com",
		"jane@exa mple.com", "jane doe@example.com", "jane@example.com,joe@example.com",
		"jane@example.com\r\nBcc: joe@example.com", "\"jane doe\"@example.com", "Jane <jane@example.com>",
		".jane@example.com", "jane.@example.com", "ja..ne@example.com", "jane@-example.com", "jane@example-.com",
		"jane@.example.com", "jane@example..com", "jane@[127.0.0.1]", "jane@127.0.0.1", "jane@bücher.ch", "\u212Aelvin@example.com",
		strings.Repeat("x", 65) + "@example.com", "x@" + strings.Repeat("a.", 130) + "com",
	} {
		if address, _, ok := mailaddr.Parse(s); ok {
			t.Errorf("Parse(%q) = %q, want a refusal", s, address)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("jane@example.com")
	f.Add("Jane <jane@example.com>")
	f.Add("\u212Aelvin@example.com")
	f.Fuzz(func(t *testing.T, s string) {
		address, key, ok := mailaddr.Parse(s)
		if !ok {
			return
		}
		if strings.ContainsAny(address, "\r\n\x00 ,<>\"") {
			t.Errorf("Parse(%q) = %q could break an envelope or a header", s, address)
		}
		if again, againKey, ok := mailaddr.Parse(address); !ok || again != address || againKey != key {
			t.Errorf("Parse(%q) = %q, which is not its own canonical form", s, address)
		}
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			t.Errorf("Parse(%q) = %q, which net/mail reads as %v, %v", s, address, parsed, err)
		}
	})
}

func ExampleParse() {
	address, key, ok := mailaddr.Parse("Jane@Example.com")
	fmt.Println(address, key, ok)
	// Output: Jane@example.com jane@example.com true
}
