package message

import (
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	v := values{brand: "Acme", code: "123456", amount: "€5", payee: "Shop"}
	tests := []struct{ in, want string }{
		{"", ""},
		{"no placeholder", "no placeholder"},
		{"{{code}}", "123456"},
		{"Your {{friendly_name}} verification code is: {{code}}", "Your Acme verification code is: 123456"},
		{"{{code}}{{code}}", "123456123456"},
		{"{{amount}} to {{payee}} with {{friendly_name}}: {{code}}", "€5 to Shop with Acme: 123456"},
		{"one { and } two", "one { and } two"},
	}
	for _, tt := range tests {
		parsed, err := parse(tt.in)
		if err != nil {
			t.Errorf("parse(%q): %v", tt.in, err)
			continue
		}
		if got := parsed.fill(&v); got != tt.want {
			t.Errorf("%q filled is %q, want %q", tt.in, got, tt.want)
		}
		if got := parsed.size(&v); got != len(tt.want) {
			t.Errorf("%q: size = %d, want %d", tt.in, got, len(tt.want))
		}
	}
}

func TestPlaceholderInAValueIsOnlyText(t *testing.T) {
	parsed, err := parse("{{friendly_name}}: {{payee}}, {{code}}")
	if err != nil {
		t.Fatal(err)
	}
	got := parsed.fill(&values{brand: "{{code}}", payee: "{{friendly_name}}", code: "123456"})
	if want := "{{code}}: {{friendly_name}}, 123456"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRefusesWhatATranslatorMayMistype(t *testing.T) {
	for in, want := range map[string]string{
		"{{kode}}":               "unknown placeholder {{kode}}",
		"{{ code }}":             "unknown placeholder {{ code }}",
		"{{Code}}":               "unknown placeholder {{Code}}",
		"{{}}":                   "unknown placeholder {{}}",
		"your code: {{code}":     "{{ without }}",
		"your code: {{code":      "{{ without }}",
		"your code: code}}":      "}} without {{",
		"{{code}} and code}}":    "}} without {{",
		"{{{{code}}}}":           "unknown placeholder {{{{code}}",
		"{{code}}, {{friendly}}": "unknown placeholder {{friendly}}",
	} {
		_, err := parse(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q): %v, want an error with %q", in, err, want)
		}
	}
}

// FuzzFill compares with the obvious way to do it, strings.Replacer, which goes over the text once
// as well.
func FuzzFill(f *testing.F) {
	f.Add("Your {{friendly_name}} verification code is: {{code}}", "Acme", "123456", "€5", "Shop")
	f.Add("{{friendly_name}}{{code}}", "{{code}}", "{{payee}}", "", "}}")
	f.Add("{{{code}}}", "", "", "", "")
	f.Fuzz(func(t *testing.T, text, b, c, a, p string) {
		parsed, err := parse(text)
		if err != nil {
			return
		}
		v := values{brand: b, code: c, amount: a, payee: p}
		want := strings.NewReplacer("{{friendly_name}}", b, "{{code}}", c, "{{amount}}", a, "{{payee}}", p).Replace(text)
		if got := parsed.fill(&v); got != want {
			t.Fatalf("%q filled is %q, want %q", text, got, want)
		}
		if got := parsed.size(&v); got != len(want) {
			t.Fatalf("size = %d, want %d", got, len(want))
		}
	})
}
