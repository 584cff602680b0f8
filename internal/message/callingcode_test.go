package message

import (
	"strings"
	"testing"
)

// The rows of the core reference, 7.1, as they stand there but for Romania.
func TestDefaultLocaleByCallingCode(t *testing.T) {
	rows := map[string]string{
		"ar":    "20, 965, 966, 968, 971",
		"de":    "43, 49, 352, 41",
		"es":    "54, 591, 56, 57, 506, 53, 1809, 593, 503, 502, 504, 52, 505, 507, 595, 51, 34, 598, 58",
		"fr":    "32, 33, 377",
		"pt":    "55, 351",
		"zh-CN": "86",
		"el":    "357",
		"et":    "372",
		"en":    "91",
		"id":    "62",
		"it":    "39, 378, 379",
		"ja":    "81",
		"lt":    "370",
		"pl":    "48",
		"ro":    "40",
		"sk":    "421",
		"af":    "27",
		"uk":    "380",
		"en-GB": "44",
		"vi":    "84",
	}
	n := 0
	for want, codes := range rows {
		for _, code := range strings.Split(codes, ", ") {
			n++
			if got := DefaultLocale("+" + code + "5550123"); got != want {
				t.Errorf("+%s is %s, want %s", code, got, want)
			}
		}
	}
	if n != len(byCallingCode()) {
		t.Errorf("the table has %d codes, the reference %d", len(byCallingCode()), n)
	}
}

func TestDefaultLocaleIsEnglishElsewhere(t *testing.T) {
	for where, number := range map[string]string{
		"United States":                     "+12025550123",
		"Dominican Republic, 829":           "+18295550123",
		"Dominican Republic, 849":           "+18495550123",
		"Puerto Rico":                       "+17875550123",
		"Burkina Faso, Romania on the page": "+22670123456",
		"Netherlands":                       "+31612345678",
		"Sweden":                            "+46701234567",
		"Denmark":                           "+4520123456",
		"Norway":                            "+4740612345",
		"Finland":                           "+358412345678",
		"Greece":                            "+306912345678",
		"Czechia":                           "+420601123456",
		"Hungary":                           "+36201234567",
		"Türkiye":                           "+905012345678",
		"Russia":                            "+79161234567",
		"Korea":                             "+821012345678",
		"Israel":                            "+972502345678",
		"Thailand":                          "+66812345678",
		"Hong Kong":                         "+85251234567",
		"Taiwan":                            "+886912345678",
		"Ireland, beside 352":               "+353850123456",
		"Kenya, beside 27":                  "+254712123456",
		"nothing":                           "",
		"a plus":                            "+",
		"one digit":                         "+4",
		"no plus":                           "4915112345678",
		"an address":                        "someone@example.com",
		"letters":                           "+x49",
		"a plus too many":                   "++49",
	} {
		if got := DefaultLocale(number); got != "en" {
			t.Errorf("%s: DefaultLocale(%q) = %q, want en", where, number, got)
		}
	}
}

// A calling code that began with another would make the answer depend on the order of asking.
func TestCallingCodesAreFreeOfPrefixes(t *testing.T) {
	for a := range byCallingCode() {
		for b := range byCallingCode() {
			if a != b && strings.HasPrefix(b, a) {
				t.Errorf("%s begins with %s", b, a)
			}
		}
	}
}
