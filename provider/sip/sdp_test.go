package sip

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTheOfferIsReadAsAnAnswer(t *testing.T) {
	for _, at := range []string{"192.0.2.1:16384", "[2001:db8::1]:16386"} {
		got, err := readAnswer(offer(netip.MustParseAddrPort(at), 7))
		if want := (answer{netip.MustParseAddrPort(at), pcmu, ourKeyPayload}); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	const head = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n"
	for _, c := range []struct {
		name, sdp string
		want      answer
		err       error
	}{
		{"one address for all", head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			answer{at: netip.MustParseAddrPort("192.0.2.1:4000")}, nil},
		{"the audio's own address", head + "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 0\r\nc=IN IP4 192.0.2.2\r\n",
			answer{at: netip.MustParseAddrPort("192.0.2.2:4000"), codec: pcma}, nil},
		{"lines end as they like", "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 18 8 97\na=rtpmap:97 TELEPHONE-EVENT/8000\n",
			answer{netip.MustParseAddrPort("192.0.2.1:4000"), pcma, 97}, nil},
		{"keys that it did not take", "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtpmap:97 telephone-event/8000\n",
			answer{at: netip.MustParseAddrPort("192.0.2.1:4000")}, nil},
		{"keys of the video", "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0 97\nm=video 0 RTP/AVP 97\na=rtpmap:97 telephone-event/8000\n",
			answer{at: netip.MustParseAddrPort("192.0.2.1:4000")}, nil},
		{"refused audio", "c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n", answer{}, errNoAudio},
		{"encrypted", "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/SAVP 0\n", answer{}, errNoAudio},
		{"a name for an address", "c=IN IP4 media.example\nm=audio 4000 RTP/AVP 0\n", answer{}, errNoAudio},
		{"to everybody", "c=IN IP4 224.0.0.1\nm=audio 4000 RTP/AVP 0\n", answer{}, errNoAudio},
		{"another codec", "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 18\n", answer{}, errNoG711},
		{"nothing", "", answer{}, errNoAudio},
		{"too much", strings.Repeat("a=x\n", maxSDP), answer{}, errNoAudio},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := readAnswer([]byte(c.sdp)); got != c.want || err != c.err {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(offer(netip.MustParseAddrPort("192.0.2.1:16384"), 7))
	f.Add([]byte("c=IN IP6 fe80::1%eth0\nm=audio 4000/2 RTP/AVP 0 300 -1\na=rtpmap:\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAnswer(b)
		if err != nil {
			return
		}
		if !a.at.IsValid() || a.at.Port() == 0 || a.at.Addr().IsMulticast() || a.codec != pcmu && a.codec != pcma || a.keyPayload > 127 {
			t.Errorf("%q is %+v", b, a)
		}
	})
}

func TestKeysByINFO(t *testing.T) {
	for body, want := range map[string]byte{
		"Signal=5\r\nDuration=160\r\n": '5', "signal = #\n": '#', "Signal=12": 0, "Signal=x": 0, "Duration=5": 0, "": 0,
	} {
		if got, ok := readRelay([]byte(body)); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: got %q, %v", body, got, ok)
		}
	}
}

func FuzzReadRelay(f *testing.F) {
	f.Add([]byte("Signal=5\r\nDuration=160\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, ok := readRelay(b); ok && !strings.Contains(keys, string(key)) {
			t.Errorf("%q is %q", b, key)
		}
	})
}
