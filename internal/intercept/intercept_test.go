package intercept

import (
	"strings"
	"testing"
)

func TestTheNamesOfTheVerifyAPIAreDiverted(t *testing.T) {
	for _, host := range []string{
		"verify.twilio.com", "VERIFY.Twilio.COM", "verify.twilio.com.",
		"verify.us1.twilio.com", "verify.sydney.au1.twilio.com", "verify.dublin.ie1.twilio.com",
	} {
		if !Diverts(host) {
			t.Errorf("%s is not diverted", host)
		}
	}
	for _, host := range []string{
		"", "twilio.com", "api.twilio.com", "lookups.twilio.com", "verify.twilio.com.example.com", "verify.example.com",
		"xverify.twilio.com", "verify-twilio.com", "verifytwilio.com", "verify..twilio.com", "verify.a b.twilio.com",
		"verify.twilio.com:443", "verify.twilio.com..", "example.com/verify.twilio.com", "verify.twilio。com",
	} {
		if Diverts(host) {
			t.Errorf("%s is diverted", host)
		}
	}
}

// What is taken for a host at all is either diverted or no name of the Verify API, however it is spelt.
func FuzzDiverts(f *testing.F) {
	for _, seed := range []string{"verify.twilio.com", "verify.x.twilio.com.", "Verify.twilio.com", "[::1]", "1.2.3.4", "verify%2etwilio.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		lower := strings.TrimRight(strings.ToLower(host), ".")
		of := lower == Host || strings.HasPrefix(lower, product) && strings.HasSuffix(lower, domain)
		if got := Diverts(host); acceptable(host) && got != of || got && !acceptable(host) {
			t.Errorf("%q: diverted %v, a name of the API %v, acceptable %v", host, got, of, acceptable(host))
		}
	})
}
