package httpsend

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// RFC 9113: a stream above the last of a GOAWAY (6.8), and one that was refused (8.7), were never
// looked at. The test also holds net/http to the words by which untouched knows them.
func TestAnHTTP2StreamThatWasNotLookedAtIsSurelyNotSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(stream uint32) []byte
		more   bool
		want   provider.Class
	}{
		{"it goes away before ours", func(stream uint32) []byte { return httpfar.GoAway(stream-1, httpfar.NoError) }, true, provider.Temporary},
		{"it goes away before ours, in error", func(stream uint32) []byte { return httpfar.GoAway(stream-1, httpfar.InternalError) }, true, provider.Temporary},
		{"it refuses ours", func(stream uint32) []byte { return httpfar.Reset(stream, httpfar.RefusedStream) }, true, provider.Temporary},
		{"it goes away after ours, and hangs up", func(stream uint32) []byte { return httpfar.GoAway(stream, httpfar.NoError) }, false, provider.Unknown},
		{"it gives ours up", func(stream uint32) []byte { return httpfar.Reset(stream, httpfar.InternalError) }, true, provider.Unknown},
		{"it hangs up", func(uint32) []byte { return nil }, false, provider.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests := make(chan int, 10)
			url, client := httpfar.NewFrames(t, func(n int, stream uint32) ([]byte, bool) {
				requests <- n
				return c.answer(stream), c.more
			})
			s := New(provider.Deps{HTTP: client}, DefaultTimeout)
			_, err := s.Do(t.Context(), Request{URL: url, Body: []byte("x")}, providertest.Message("sms", 1))
			if e := provider.AsError(err); err == nil || e.Class != c.want {
				t.Errorf("got %v, want class %v", err, c.want)
			}
			if n := len(requests); n != 1 {
				t.Errorf("%d requests were sent, want 1", n)
			}
		})
	}
}

func TestAConnectionThatGoesAwayIsReplaced(t *testing.T) {
	url, client := httpfar.NewFrames(t, func(_ int, stream uint32) ([]byte, bool) {
		return append(httpfar.GoAway(stream, httpfar.NoError), httpfar.OK(stream)...), true
	})
	s := New(provider.Deps{HTTP: client}, DefaultTimeout)
	for n := range 3 {
		answer, err := s.Do(t.Context(), Request{URL: url, Body: []byte("x")}, providertest.Message("sms", n))
		if err != nil || !answer.OK() {
			t.Errorf("request %d: %v, %v", n, answer, err)
		}
	}
}
