package otp_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/otp"
)

func at(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

func seed(t *testing.T, text string) []byte {
	t.Helper()
	secret, ok := otp.ParseSecret(text)
	if !ok {
		t.Fatalf("%s is no secret", text)
	}
	return secret
}

const sample = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT" // the bytes 0 to 19

func TestCodes(t *testing.T) {
	const step = 30 * time.Second
	ascii := func(n int) []byte { return bytes.Repeat([]byte("1234567890"), 7)[:n] }
	for _, c := range []struct {
		totp   otp.TOTP
		secret []byte
		at     int64
		want   string
	}{
		// Appendix B of RFC 6238, with the seeds of its erratum 2866.
		{otp.TOTP{"sha1", step, 8, 0}, ascii(20), 59, "94287082"},
		{otp.TOTP{"sha1", step, 8, 0}, ascii(20), 1111111109, "07081804"},
		{otp.TOTP{"sha1", step, 8, 0}, ascii(20), 20000000000, "65353130"},
		{otp.TOTP{"sha256", step, 8, 0}, ascii(32), 59, "46119246"},
		{otp.TOTP{"sha512", step, 8, 0}, ascii(64), 59, "90693936"},

		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1763999910, "926672"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1763999940, "754359"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1763999970, "493646"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764000000, "328952"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764000029, "328952"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764000030, "795194"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764000060, "218098"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764000090, "966239"},
		{otp.TOTP{"sha1", step, 6, 0}, seed(t, sample), 1764002070, "002046"},
		{otp.TOTP{"sha1", step, 8, 0}, seed(t, sample), 1764000000, "70328952"},
		{otp.TOTP{"sha1", step, 7, 0}, seed(t, sample), 1764000000, "0328952"},
		{otp.TOTP{"sha1", step, 4, 0}, seed(t, sample), 1764000000, "8952"},
		{otp.TOTP{"sha1", step, 3, 0}, seed(t, sample), 1764000000, "952"},
		{otp.TOTP{"sha256", step, 6, 0}, seed(t, sample), 1764000000, "105415"},
		{otp.TOTP{"sha512", step, 6, 0}, seed(t, sample), 1764000000, "830094"},
		{otp.TOTP{"sha1", 20 * time.Second, 6, 0}, seed(t, sample), 1764000000, "391735"},
		{otp.TOTP{"sha1", time.Minute, 6, 0}, seed(t, sample), 1764000000, "757145"},
	} {
		if got := c.totp.Code(c.secret, at(c.at)); got != c.want {
			t.Errorf("%+v at %d: got %s, want %s", c.totp, c.at, got, c.want)
		}
	}
}

func TestMatchTakesTheStepsOfItsSkew(t *testing.T) {
	codes := map[string]int64{"926672": -3, "754359": -2, "493646": -1, "328952": 0, "795194": 1, "218098": 2, "966239": 3}
	for skew := range 3 {
		o := otp.TOTP{"sha1", 30 * time.Second, 6, skew}
		for code, away := range codes {
			end, ok := o.Match(seed(t, sample), code, at(1764000000), time.Time{})
			if want := max(away, -away) <= int64(skew); ok != want {
				t.Errorf("skew %d, code %s of step %+d: taken is %v, want %v", skew, code, away, ok, want)
			} else if ok && end != at(1764000000+30*(away+1)) {
				t.Errorf("skew %d, code %s: its step ends at %s", skew, code, end)
			}
		}
	}
}

func TestMatchTakesNoCodeTwice(t *testing.T) {
	o := otp.TOTP{"sha1", 30 * time.Second, 6, 1}
	spent, ok := o.Match(seed(t, sample), "328952", at(1764000000), time.Time{})
	if !ok {
		t.Fatal("the right code is refused")
	}
	for code, want := range map[string]bool{"493646": false, "328952": false, "795194": true} {
		if _, ok := o.Match(seed(t, sample), code, at(1764000000), spent); ok != want {
			t.Errorf("%s after 328952: taken is %v, want %v", code, ok, want)
		}
	}
	// A minute's step that the spent one lies in is spent too, whatever its code is.
	long := otp.TOTP{"sha1", time.Minute, 6, 0}
	if _, ok := long.Match(seed(t, sample), "757145", at(1764000000), spent); ok {
		t.Error("a change of the step opens the time that is spent")
	}
}

func TestMatchTakesWholeCodesOnly(t *testing.T) {
	o := otp.TOTP{"sha1", 30 * time.Second, 6, 1}
	for _, code := range []string{"", "32895", "3289520", "328 952", "３２８９５２"} {
		if _, ok := o.Match(seed(t, sample), code, at(1764000000), time.Time{}); ok {
			t.Errorf("%q is taken", code)
		}
	}
}

func TestURI(t *testing.T) {
	o := otp.TOTP{"sha1", 30 * time.Second, 6, 1}
	for _, c := range []struct {
		totp                  otp.TOTP
		issuer, account, want string
	}{
		{o, "ACME Login", "Ann O'Neil", "otpauth://totp/ACME%20Login:Ann%20O%27Neil?secret=" + sample + "&issuer=ACME%20Login&algorithm=SHA1&digits=6&period=30"},
		{o, "Starlight Press", "Dave account 1a", "otpauth://totp/Starlight%20Press:Dave%20account%201a?secret=" + sample + "&issuer=Starlight%20Press&algorithm=SHA1&digits=6&period=30"},
		{otp.TOTP{"sha512", time.Minute, 8, 1}, "Ann’s", "a:b@c/d?e&f", "otpauth://totp/Ann%E2%80%99s:a%3Ab%40c%2Fd%3Fe%26f?secret=" + sample + "&issuer=Ann%E2%80%99s&algorithm=SHA512&digits=8&period=60"},
	} {
		if got := c.totp.URI(c.issuer, c.account, seed(t, sample)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestParseSecret(t *testing.T) {
	for text, want := range map[string]bool{
		sample:                  true,
		strings.ToLower(sample): true,
		"AAAQ EAYE AUDA OCAJ BIFQ YDIO B4IB CEQT": true,
		"JBSWY3DPEHPK3PXPJBSWY3DPEH======":        true,  // two bits are left over
		"JBSWY3DPEHPK3PXP":                        true,  // 10 bytes
		"JBSWY3DPEHPK3P":                          false, // 8 bytes
		strings.Repeat("A", 208):                  false, // 130 bytes
		"":                                        false,
		"AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQ1":        false, // 1 is no digit
		"AAAQEAYEAUDAOCAJ=IFQYDIOB4IBCEQT":        false,
	} {
		if _, ok := otp.ParseSecret(text); ok != want {
			t.Errorf("ParseSecret(%q) is %v, want %v", text, ok, want)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add(sample)
	f.Add("aaaq eaye==")
	f.Fuzz(func(t *testing.T, text string) {
		secret, ok := otp.ParseSecret(text)
		if !ok {
			return
		}
		again, ok := otp.ParseSecret(otp.FormatSecret(secret))
		if !ok || !bytes.Equal(again, secret) {
			t.Errorf("%q is %x, and back %x", text, secret, again)
		}
	})
}

// Whatever the names are, an app reads them back.
func FuzzURI(f *testing.F) {
	f.Add("Acme: & Sons", "a+b@c%20")
	f.Fuzz(func(t *testing.T, issuer, account string) {
		o := otp.TOTP{"sha1", 30 * time.Second, 6, 1}
		u, err := url.Parse(o.URI(issuer, account, make([]byte, 20)))
		if err != nil {
			t.Fatal(err)
		}
		left, right, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), ":")
		gotIssuer, err1 := url.PathUnescape(left)
		gotAccount, err2 := url.PathUnescape(right)
		if err1 != nil || err2 != nil || gotIssuer != issuer || gotAccount != account || u.Query().Get("issuer") != issuer {
			t.Errorf("%s: got %q and %q", u, gotIssuer, gotAccount)
		}
	})
}
