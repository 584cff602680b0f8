package phone

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// byLibrary is Parse as the library alone would have it: what it reads must be what was written.
func byLibrary(s string) (country string, calling int, ok bool) {
	n, err := phonenumbers.Parse(s, "")
	if err != nil || !phonenumbers.IsValidNumber(n) || phonenumbers.Format(n, phonenumbers.E164) != s {
		return "", 0, false
	}
	if country = phonenumbers.GetRegionCodeForNumber(n); len(country) != 2 {
		country = ""
	}
	return country, int(n.GetCountryCode()), true
}

// The examples of every country and kind of number, and what a few changed, lost or added digits
// make of them, are read as libphonenumber reads them.
func TestParseAgreesWithTheLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	compared, valid := 0, 0
	compare := func(s string) {
		if !isE164(s) || len(s) == len("+521")+10 && s[:4] == "+521" {
			return
		}
		n, ok := Parse(s)
		country, calling, want := byLibrary(s)
		compared++
		if ok {
			valid++
		}
		if ok != want || n.Country() != country || n.CallingCode() != calling {
			t.Errorf("%s: got %v %q %d, the library says %v %q %d", s, ok, n.Country(), n.CallingCode(), want, country, calling)
		}
	}
	var examples []string
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			if n := phonenumbers.GetExampleNumberForType(region, kind); n != nil {
				examples = append(examples, phonenumbers.Format(n, phonenumbers.E164))
			}
		}
	}
	for code := range phonenumbers.GetSupportedGlobalNetworkCallingCodes() {
		examples = append(examples, phonenumbers.Format(phonenumbers.GetExampleNumberForNonGeoEntity(code), phonenumbers.E164))
	}
	for _, s := range examples {
		compare(s)
		for range 6 {
			b := []byte(s)
			at := 1 + random.IntN(len(b)-1)
			switch random.IntN(4) {
			case 0:
				b = slices.Delete(b, at, at+1)
			case 1:
				b = slices.Insert(b, at, byte('0'+random.IntN(10)))
			default:
				b[at] = byte('0' + random.IntN(10))
			}
			compare(string(b))
		}
	}
	if compared < 5000 || valid < 1500 {
		t.Errorf("only %d numbers were compared, %d of them valid", compared, valid)
	}
}
