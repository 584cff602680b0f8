package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The reference vector of Standard Webhooks, in its own test suites and in Svix's documentation.
const (
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vectorHeader() http.Header {
	h := http.Header{}
	h.Set("webhook-id", vectorID)
	h.Set("webhook-timestamp", fmt.Sprint(vectorTime))
	h.Set("webhook-signature", vectorSignature)
	return h
}

func mustSecret(t testing.TB, s string) Secret {
	t.Helper()
	secret, err := ParseSecret(s)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestTheReferenceVectorIsSignedAndVerified(t *testing.T) {
	s := mustSecret(t, testSecret)
	if got := s.Sign(vectorID, time.Unix(vectorTime, 0), []byte(vectorBody)); got != vectorSignature {
		t.Errorf("Sign: got %s, want %s", got, vectorSignature)
	}
	if err := s.Verify(vectorHeader(), []byte(vectorBody), time.Unix(vectorTime, 0)); err != nil {
		t.Errorf("Verify: %v", err)
	}
	h := http.Header{}
	s.SignHeader(h, vectorID, time.Unix(vectorTime, 0), []byte(vectorBody))
	if got, want := fmt.Sprint(h), fmt.Sprint(vectorHeader()); got != want {
		t.Errorf("SignHeader: got %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(h http.Header, body *string, now *int64)
		valid bool
	}{
		{"299 seconds late", func(h http.Header, b *string, now *int64) { *now += 299 }, true},
		{"300 seconds late", func(h http.Header, b *string, now *int64) { *now += 300 }, true},
		{"301 seconds late", func(h http.Header, b *string, now *int64) { *now += 301 }, false},
		{"301 seconds early", func(h http.Header, b *string, now *int64) { *now -= 301 }, false},
		{"another body", func(h http.Header, b *string, now *int64) { *b += " " }, false},
		{"another id", func(h http.Header, b *string, now *int64) { h.Set("webhook-id", "msg_x") }, false},
		{"another time", func(h http.Header, b *string, now *int64) { h.Set("webhook-timestamp", "1614265331") }, false},
		{"the same time, written otherwise", func(h http.Header, b *string, now *int64) { h.Set("webhook-timestamp", "01614265330") }, false},
		{"a signed time", func(h http.Header, b *string, now *int64) { h.Set("webhook-timestamp", "+1614265330") }, false},
		{"a time before time", func(h http.Header, b *string, now *int64) { h.Set("webhook-timestamp", "-1") }, false},
		{"a time beyond time", func(h http.Header, b *string, now *int64) { h.Set("webhook-timestamp", "18446744073709551615") }, false},
		{"no id", func(h http.Header, b *string, now *int64) { h.Del("webhook-id") }, false},
		{"no time", func(h http.Header, b *string, now *int64) { h.Del("webhook-timestamp") }, false},
		{"no signature", func(h http.Header, b *string, now *int64) { h.Del("webhook-signature") }, false},
		{"no version", func(h http.Header, b *string, now *int64) { h.Set("webhook-signature", vectorSignature[3:]) }, false},
		{"another version", func(h http.Header, b *string, now *int64) { h.Set("webhook-signature", "v1a"+vectorSignature[2:]) }, false},
		{"a shorter signature", func(h http.Header, b *string, now *int64) { h.Set("webhook-signature", vectorSignature[:20]) }, false},
		{"one of several", func(h http.Header, b *string, now *int64) {
			h.Set("webhook-signature", "v1a,xx v1,AAAA "+vectorSignature+" v2,zz")
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, body, now := vectorHeader(), vectorBody, int64(vectorTime)
			c.spoil(h, &body, &now)
			err := mustSecret(t, testSecret).Verify(h, []byte(body), time.Unix(now, 0))
			if c.valid && err != nil || !c.valid && !errors.Is(err, ErrSignature) {
				t.Errorf("got %v, want valid %v", err, c.valid)
			}
		})
	}
}

func TestAnEmptySecretVerifiesNothing(t *testing.T) {
	var s Secret
	h := http.Header{}
	s.SignHeader(h, "id", epoch, nil)
	if err := s.Verify(h, nil, epoch); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want ErrSignature", err)
	}
}

func TestSecrets(t *testing.T) {
	for _, c := range []struct{ in, problem string }{
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""},
		{"0123456789abcdef", ""},
		{"a passphrase of words", ""},
		{"", "16 characters"},
		{"0123456789abcde", "16 characters"},
		{"whsec_", "less than 16 bytes"},
		{"whsec_c2hvcnQ=", "less than 16 bytes"},
		{"whsec_not base64 at all", "not base64"},
	} {
		s, err := ParseSecret(c.in)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("ParseSecret(%q): got %v, want %q", c.in, err, c.problem)
		}
		if len(c.in) > 6 && strings.Contains(fmt.Sprint(err), c.in[6:]) {
			t.Errorf("ParseSecret(%q) repeats it: %v", c.in, err)
		}
		if shown := fmt.Sprintf("%v %s %+v %#v %q", s, s, s, s, s); strings.Contains(shown, s.key) && s.key != "" {
			t.Errorf("a secret shows itself: %s", shown)
		}
	}
}

func FuzzVerifyAcceptsOnlyWhatWasSigned(f *testing.F) {
	f.Add(vectorID, fmt.Sprint(vectorTime), vectorSignature, []byte(vectorBody))
	f.Add("", "", "", []byte(nil))
	f.Add("a", "1614265330", "v1, v1,", []byte("x"))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		s := mustSecret(t, testSecret)
		h := http.Header{HeaderID: {id}, HeaderTimestamp: {timestamp}, HeaderSignature: {signature}}
		now := time.Unix(vectorTime, 0)
		err := s.Verify(h, body, now)
		if err == nil && !strings.Contains(signature, s.sign(id, timestamp, body)) {
			t.Errorf("accepted %q for %q %q %q", signature, id, timestamp, body)
		}
		h.Set(HeaderTimestamp, fmt.Sprint(vectorTime))
		h.Set(HeaderSignature, signature+" "+s.Sign(id, now, body))
		if err := s.Verify(h, body, now); (err == nil) != (id != "") {
			t.Errorf("id %q: Verify of a valid signature gives %v", id, err)
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	for _, s := range []string{"", testSecret, "whsec_", "0123456789abcdef"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if secret, err := ParseSecret(s); err == nil && len(secret.key) < minSecret {
			t.Errorf("ParseSecret(%q) gives a key of %d bytes", s, len(secret.key))
		}
	})
}
