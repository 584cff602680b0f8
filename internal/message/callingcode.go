package message

import (
	"strings"
	"sync"
)

// byCallingCode is the language that Twilio picks for a number when the request names none
// (docs/verify/default-phone-verification-languages; core reference 7.1). Every calling code that
// is not here is English: the Netherlands, Greece and Türkiye among them.
//
// Two entries are read with care. The page gives Romania's language to 226, which is Burkina Faso:
// we take 40. The Dominican Republic shares +1 and is told by its area code, of which the page has
// 809 and not 829 or 849.
var byCallingCode = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 60)
	for _, row := range [...]struct{ tag, codes string }{
		{"af", "27"},
		{"ar", "20 965 966 968 971"},
		{"de", "43 49 352 41"},
		{"el", "357"},
		{"en", "91"},
		{"en-GB", "44"},
		{"es", "54 591 56 57 506 53 1809 593 503 502 504 52 505 507 595 51 34 598 58"},
		{"et", "372"},
		{"fr", "32 33 377"},
		{"id", "62"},
		{"it", "39 378 379"},
		{"ja", "81"},
		{"lt", "370"},
		{"pl", "48"},
		{"pt", "55 351"},
		{"ro", "40"},
		{"sk", "421"},
		{"uk", "380"},
		{"vi", "84"},
		{"zh-CN", "86"},
	} {
		for code := range strings.FieldsSeq(row.codes) {
			m[code] = row.tag
		}
	}
	return m
})

// DefaultLocale is the language that a phone number suggests by its calling code, "en" when it
// suggests none. The number is E.164 with its plus; anything else, a mail address say, is "en".
// The channel may lack it: Resolve goes on from here.
func DefaultLocale(e164 string) string {
	digits, ok := strings.CutPrefix(e164, "+")
	if !ok {
		return "en"
	}
	// Calling codes are free of prefixes, so the first that matches is the one; 1809 is as long as
	// they get here.
	for n := 1; n <= min(4, len(digits)); n++ {
		if tag, ok := byCallingCode()[digits[:n]]; ok {
			return tag
		}
	}
	return "en"
}
