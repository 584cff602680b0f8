package wildcard_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/wildcard"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		fits          bool
	}{
		{"+34612345678", "+34612345678", true}, {"+34612345678", "+346123456789", false},
		{"+34*", "+34612345678", true}, {"+34*", "+33612345678", false}, {"*", "", true},
		{"*@bounce.example", "ann@bounce.example", true}, {"*@bounce.example", "ann@bounce.example.org", false},
		{"+34*00*9", "+34612003459", true}, {"+34*00*9", "+34612345679", false}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"a*b*b", "ab", false}, {"a**b", "ab", true},
	} {
		if got := wildcard.Match(c.pattern, c.text); got != c.fits {
			t.Errorf("%s fits %s: %v", c.pattern, c.text, got)
		}
	}
}

// path.Match knows the same star, and others that destinations have to be kept from.
func FuzzPatterns(f *testing.F) {
	f.Add("+34*", "+34612345678")
	f.Add("*a*b*", "xaxbx")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.ContainsAny(pattern, `?[\/`) || strings.Contains(text, "/") {
			return
		}
		want, err := path.Match(pattern, text)
		if got := wildcard.Match(pattern, text); err == nil && got != want {
			t.Errorf("%q fits %q: %v, want %v", pattern, text, got, want)
		}
	})
}

func ExampleMatch() {
	fmt.Println(wildcard.Match("+34*11", "+34612345611"), wildcard.Match("+34*11", "+34612345678"))
	// Output: true false
}
