package phone_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/phone"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in, e164, country string
		calling           int
	}{
		{"+34612345678", "+34612345678", "ES", 34},
		{"+14155552671", "+14155552671", "US", 1},
		{"+14165550123", "+14165550123", "CA", 1},
		{"+447911123456", "+447911123456", "GB", 44},
		{"+390612345678", "+390612345678", "IT", 39}, // the zero belongs to the number
		{"+5215512345678", "+525512345678", "MX", 52},
		{"+8613800138000", "+8613800138000", "CN", 86},
		{"+870773111632", "+870773111632", "", 870}, // Inmarsat: a network of no country
	} {
		n, ok := phone.Parse(c.in)
		if !ok {
			t.Errorf("Parse(%s) refuses a valid number", c.in)
			continue
		}
		if n.E164() != c.e164 || n.CallingCode() != c.calling {
			t.Errorf("Parse(%s) = %s, calling code %d, want %s, %d", c.in, n.E164(), n.CallingCode(), c.e164, c.calling)
		}
		if c.country != "GB" && n.Country() != c.country {
			t.Errorf("Parse(%s) is in %q, want %q", c.in, n.Country(), c.country)
		}
	}
}

// The first two were refused by the real API (core reference, section 3.2).
func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"+19995551234", "+447700900100",
		"", "+", "34612345678", "0034612345678", "+0612345678", "+34 612 345 678", "+34612345678 ",
		"+3461234567", "+346123456789", "+34612345678;ext=2", "+1800FLOWERS", "+３４612345678", "tel:+34612345678",
		"+123456789012345678", "＋34612345678", "+34612345678\n",
	} {
		if n, ok := phone.Parse(s); ok {
			t.Errorf("Parse(%q) = %s, want a refusal", s, n.E164())
		}
	}
}

func TestNumbersPrintMasked(t *testing.T) {
	n, ok := phone.Parse("+34612345678")
	if !ok {
		t.Fatal("refused")
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("send", "to", n)
	for _, printed := range []string{n.String(), fmt.Sprintf("%v", n), log.String()} {
		if strings.Contains(printed, "123456") || !strings.Contains(printed, "+34 ·······78") {
			t.Errorf("prints %q", printed)
		}
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"+34612345678":      "+34 ·······78",
		"+12":               "·······",
		"":                  "·······",
		"jane@example.com":  "j···@example.com",
		"j@example.com":     "·@example.com",
		"@example.com":      "·@example.com",
		"not an address at": "no", // anything else shows little
	} {
		got := phone.Masked(in)
		if want == "no" {
			if strings.Contains(got, "address") {
				t.Errorf("Masked(%q) = %q shows too much", in, got)
			}
			continue
		}
		if got != want {
			t.Errorf("Masked(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+34612345678", "+5215512345678", "+870773111632", "tel:+1;ext=1", "+000000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := phone.Parse(s)
		if !ok {
			return
		}
		again, ok := phone.Parse(n.E164())
		if !ok || again != n {
			t.Errorf("Parse(%q) = %s, which is not its own canonical form", s, n.E164())
		}
		if strings.Contains(n.String(), n.E164()[3:]) {
			t.Errorf("%s prints its digits", n.String())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		phone.Parse("+34612345678")
	}
}

func ExampleParse() {
	n, ok := phone.Parse("+34612345678")
	fmt.Println(n, n.Country(), ok)
	_, ok = phone.Parse("+19995551234")
	fmt.Println(ok)
	// Output:
	// +34 ·······78 ES true
	// false
}

func TestLineType(t *testing.T) {
	for number, want := range map[string]string{
		"+34612345678":   "mobile",
		"+34912345678":   "landline",
		"+12125551234":   "", // the plan of North America does not say
		"+4915112345678": "mobile",
		"+445612345678":  "voip",
		"+34803123456":   "", // premium rate
		"":               "",
		"+":              "",
		"nobody":         "",
	} {
		if got := phone.LineType(number); got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
}

func TestIsCountry(t *testing.T) {
	for code, want := range map[string]bool{"ES": true, "CA": true, "US": true, "XK": true, "GB": true, "XX": false, "es": false, "": false, "ESP": false, "all": false, "001": false} {
		if got := phone.IsCountry(code); got != want {
			t.Errorf("IsCountry(%q) = %v", code, got)
		}
	}
}
