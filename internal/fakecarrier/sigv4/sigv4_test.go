package sigv4_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/sigv4"
)

const (
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

	scope       = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
	getVanilla  = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	postVanilla = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
)

// vanilla is a request of AWS's suite for Signature Version 4, case get-vanilla or post-vanilla.
func vanilla(method, signature string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.Host = "example.amazonaws.com"
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+scope+"SignedHeaders=host;x-amz-date, Signature="+signature)
	return r
}

func TestTheSignaturesOfTheTestSuite(t *testing.T) {
	for method, signature := range map[string]string{"GET": getVanilla, "POST": postVanilla} {
		r := vanilla(method, signature)
		s, err := sigv4.Parse(r.Header)
		if err != nil {
			t.Fatal(err)
		}
		if s.KeyID != "AKIDEXAMPLE" || s.Region != "us-east-1" || s.Service != "service" || !s.At.Equal(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)) {
			t.Errorf("%s: got %+v", method, s)
		}
		if !s.SignedBy(secret, r, nil) {
			t.Errorf("%s: the suite's own signature is not good", method)
		}
	}
}

func TestWhatWasNotSignedIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		change       func(*http.Request)
		secret, body string
	}{
		"another secret":  {func(*http.Request) {}, "another", ""},
		"another body":    {func(*http.Request) {}, secret, "x"},
		"another method":  {func(r *http.Request) { r.Method = "PUT" }, secret, ""},
		"another path":    {func(r *http.Request) { r.RequestURI = "/x" }, secret, ""},
		"another query":   {func(r *http.Request) { r.RequestURI = "/?x=y" }, secret, ""},
		"another host":    {func(r *http.Request) { r.Host = "example.com" }, secret, ""},
		"another minute":  {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123700Z") }, secret, ""},
		"a second header": {func(r *http.Request) { r.Header.Add("X-Amz-Date", "20150830T123600Z") }, secret, ""},
	} {
		r := vanilla("GET", getVanilla)
		c.change(r)
		s, err := sigv4.Parse(r.Header)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if s.SignedBy(c.secret, r, []byte(c.body)) {
			t.Errorf("%s: the signature is good", name)
		}
	}
}

func TestWhatIsNoSignature(t *testing.T) {
	good := vanilla("GET", getVanilla).Header.Get("Authorization")
	for why, change := range map[string]func(http.Header){
		sigv4.ErrMissing.Error():           func(h http.Header) { h.Set("Authorization", "Basic eDp5") },
		"the header X-Amz-Date is no time": func(h http.Header) { h.Set("X-Amz-Date", "20150830") },
		"the credential is not scoped":     func(h http.Header) { h.Set("X-Amz-Date", "20150831T123600Z") },
		"host is not signed":               func(h http.Header) { h.Set("Authorization", strings.Replace(good, "host;", "", 1)) },
		"x-amz-date is not signed":         func(h http.Header) { h.Set("Authorization", strings.Replace(good, ";x-amz-date", "", 1)) },
		"x-amz-target is not signed":       func(h http.Header) { h.Set("X-Amz-Target", "SendTextMessage") },
		"the names of the signed headers are not sorted": func(h http.Header) {
			h.Set("Authorization", strings.Replace(good, "host;x-amz-date", "x-amz-date;host", 1))
		},
		"the signature is not that of SHA-2": func(h http.Header) { h.Set("Authorization", strings.TrimSuffix(good, "1")) },
	} {
		r := vanilla("GET", getVanilla)
		change(r.Header)
		if _, err := sigv4.Parse(r.Header); err == nil || !strings.HasPrefix(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vanilla("GET", getVanilla).Header.Get("Authorization"), "20150830T123600Z")
	f.Add("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;host;x-amz-date,Signature=", "20150830T123600Z")
	f.Add("AWS4-HMAC-SHA256 =,,=", "")
	f.Fuzz(func(t *testing.T, authorization, date string) {
		r := vanilla("GET", getVanilla)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", date)
		s, err := sigv4.Parse(r.Header)
		switch {
		case errors.Is(err, sigv4.ErrMissing) && strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 "):
			t.Errorf("%q is said to be missing", authorization)
		case err == nil && s.SignedBy("another secret", r, nil):
			t.Errorf("%q is good", authorization)
		}
	})
}
