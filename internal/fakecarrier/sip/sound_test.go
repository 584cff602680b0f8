package sip

import (
	"net"
	"net/netip"
	"testing"
)

const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 16384 RTP/AVP 0 8 101\r\n" +
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"

func TestOffers(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:16384")
	for text, want := range map[string]offered{
		offer: {at, 0, 101},
		"c=IN IP4 127.0.0.1\r\nm=audio 16384 RTP/AVP 8\r\n":                                        {at, 8, 0},
		"c=IN IP4 127.0.0.1\r\nm=audio 16384 RTP/AVP 3 0\r\na=rtpmap:101 telephone-event/8000\r\n": {at, 0, 0},
	} {
		if got, err := readOffer([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "c=IN IP4 x\r\nm=audio 1 RTP/AVP 0\r\n", "c=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n",
		"c=IN IP4 127.0.0.1\r\nm=audio 1 RTP/SAVP 0\r\n", "c=IN IP4 127.0.0.1\r\nm=audio 1 RTP/AVP 3\r\n"} {
		if got, err := readOffer([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func FuzzReadOffer(f *testing.F) {
	f.Add([]byte(offer))
	f.Add([]byte("m=audio 1 RTP/AVP 0\na=rtpmap:"))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readOffer(body)
		if err != nil {
			return
		}
		// What we answer is an offer that we would take.
		again, err := readOffer(describe(net.UDPAddrFromAddrPort(o.at), o))
		if err != nil || again != o {
			t.Errorf("%q: %+v became %+v, %v", body, o, again, err)
		}
	})
}

func FuzzReadRTP(f *testing.F) {
	f.Add([]byte("\x80\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01sound"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if payload, data, ok := readRTP(b); ok && (payload > 127 || len(data) != len(b)-rtpHeader) {
			t.Errorf("%x: %d, %x", b, payload, data)
		}
	})
}
