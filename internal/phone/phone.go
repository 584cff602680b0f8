// Package phone reads telephone numbers: E.164, the country, whether the number exists in its
// numbering plan. It is the only place that knows libphonenumber.
package phone

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a valid telephone number. It prints masked: the whole number is had from E164 alone,
// so that none reaches a log by accident.
type Number struct {
	e164    string
	country string
	calling int
}

// Parse reads a number in E.164 form: a plus sign and 7 to 15 digits, the first not a zero. The
// number must exist in the numbering plan of its country, not only have the right length: Twilio
// refuses +19995551234 and +447700900100.
//
// The form is checked before libphonenumber sees the text, because the library would take letters,
// extensions and full-width digits as well, and two spellings of one number are two budgets for a
// fraudster. Mexican mobiles in the old form +521… become +52….
func Parse(s string) (Number, bool) {
	if !isE164(s) {
		return Number{}, false
	}
	if strings.HasPrefix(s, "+521") && len(s) == len("+521")+10 {
		s = "+52" + s[len("+521"):]
	}
	n, ok := split(s)
	if !ok {
		return Number{}, false
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if !phonenumbers.IsValidNumberForRegion(n, region) {
		return Number{}, false
	}
	if len(region) != 2 || region == "ZZ" { // "001": satellite and other networks of no country
		region = ""
	}
	return Number{e164: s, country: region, calling: int(n.GetCountryCode())}, true
}

// maxNational is the longest national number that libphonenumber takes.
const maxNational = 17

// split takes a number in E.164 form apart. phonenumbers.Parse does it too, but it looks for
// extensions, national prefixes and carrier codes in what cannot have any, and that costs more
// than everything else here. No calling code is the beginning of another.
func split(s string) (*phonenumbers.PhoneNumber, bool) {
	codes := phonenumbers.GetSupportedCallingCodes()
	code := 0
	for i := 1; i <= 3; i++ {
		code = code*10 + int(s[i]-'0')
		if !codes[code] {
			continue
		}
		national := s[i+1:]
		number, err := strconv.ParseUint(national, 10, 64)
		if err != nil || len(national) < 2 || len(national) > maxNational {
			return nil, false
		}
		calling, zeros := int32(code), int32(0)
		for int(zeros) < len(national)-1 && national[zeros] == '0' {
			zeros++
		}
		leading := zeros > 0 // part of the number, as in Italy
		return &phonenumbers.PhoneNumber{
			CountryCode: &calling, NationalNumber: &number, ItalianLeadingZero: &leading, NumberOfLeadingZeros: &zeros,
		}, true
	}
	return nil, false
}

// IsCountry reports whether code is an ISO 3166-1 alpha-2 code, in capitals, of a country that has
// telephone numbers.
func IsCountry(code string) bool { return phonenumbers.GetSupportedRegions()[code] }

// LineType is what its numbering plan says of the line behind a valid number in E.164 form: "mobile",
// "landline", "voip", or "" where the plan does not say. Numbers that were ported are what they were
// given out as.
func LineType(e164 string) string {
	if !isE164(e164) {
		return ""
	}
	n, ok := split(e164)
	if !ok {
		return ""
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE:
		return "mobile"
	case phonenumbers.FIXED_LINE:
		return "landline"
	case phonenumbers.VOIP:
		return "voip"
	default: // in North America a mobile and a landline look alike
		return ""
	}
}

// E164 is the number itself: +34612345678.
func (n Number) E164() string { return n.e164 }

// Country is the ISO 3166-1 alpha-2 code, "" for networks of no country (satellites).
func (n Number) Country() string { return n.country }

// CallingCode is the country calling code: 34.
func (n Number) CallingCode() int { return n.calling }

// String is the masked number: calling code and the last two digits.
func (n Number) String() string { return mask(n.e164, len(strconv.Itoa(n.calling))) }

// LogValue masks the number in structured logs.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }

// Masked hides a destination for logs and the console: of a number the first two digits and the
// last two remain, of an e-mail address the first character and the domain.
func Masked(to string) string {
	if local, domain, isMail := strings.Cut(to, "@"); isMail {
		if len(local) <= 1 {
			return "·@" + domain
		}
		return local[:1] + "···@" + domain
	}
	return mask(to, 2)
}

func mask(e164 string, lead int) string {
	if len(e164) < lead+4 {
		return "·······"
	}
	return e164[:1+lead] + " ·······" + e164[len(e164)-2:]
}

func isE164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for _, c := range []byte(s[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
