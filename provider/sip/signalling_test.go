package sip

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestChallengesAreAnswered(t *testing.T) {
	const username, password = "verifyd", "s3cr3t-pass"
	md5 := digest.Challenge{Realm: "trunk", Nonce: "n-1", QOP: []string{"auth", " auth-int"}, Algorithm: "MD5"}
	sha := digest.Challenge{Realm: "trunk", Nonce: "n-2", QOP: []string{"auth"}, Algorithm: "SHA-256", Opaque: "o"}
	old := digest.Challenge{Realm: "trunk", Nonce: "n-3", Algorithm: "MD5"}
	late := digest.Challenge{Realm: "trunk", Nonce: "n-4", QOP: []string{"auth"}, Algorithm: "MD5", Stale: true}
	for _, c := range []struct {
		name       string
		status     int
		challenges []digest.Challenge
		right      bool
	}{
		{"MD5 by a proxy", 407, []digest.Challenge{md5}, true},
		{"SHA-256 by a server", 401, []digest.Challenge{sha}, true},
		{"as of RFC 2069", 401, []digest.Challenge{old}, true},
		{"once more, too late", 407, []digest.Challenge{md5, late}, true},
		{"once more, for nothing", 407, []digest.Challenge{md5}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newExchange(t, "udp", func(f *farCall) {
				for _, ch := range c.challenges {
					if !f.challenge(c.status, ch, username, password) {
						t.Errorf("nonce %s: the credentials are wrong", ch.Nonce)
					}
				}
				if c.right {
					f.accept()
					return
				}
				f.respond(407, "Again", nil, "Proxy-Authenticate: "+md5.String())
			})
			n := newNear(t, x, func(c *Config) { c.Username, c.Password = username, password }, provider.Deps{})
			n.start(t)
			_, err := n.Send(t.Context(), providertest.Message("call", 1))
			if c.right && err != nil {
				t.Fatal(err)
			}
			if e := provider.AsError(err); !c.right && (e.Class != provider.BadRequest || e.Code != "407") {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestWhatIsAskedForIsInTheINVITE(t *testing.T) {
	calls := make(chan *farCall, 1)
	x := newExchange(t, "udp", func(c *farCall) { calls <- c; c.respond(603, "Decline", nil) })
	n := newNear(t, x, func(c *Config) {
		c.AssertedIdentity, c.WithoutPlus, c.PublicAddress = true, true, "192.0.2.7"
	}, provider.Deps{})
	n.start(t)
	m := providertest.Message("call", 1)
	m.From = "+34911111111"
	_, err := n.Send(t.Context(), m)
	if e := provider.AsError(err); e.Class != provider.BadRecipient || e.Code != "603" {
		t.Errorf("got %+v", e)
	}
	req := (<-calls).invite
	text := req.String()
	for _, want := range []string{
		"INVITE sip:" + m.To[1:] + "@trunk.example SIP/2.0\r\n",
		"From: <sip:34911111111@trunk.example>;tag=",
		"P-Asserted-Identity: <sip:34911111111@trunk.example>\r\n",
		"Contact: <sip:verifyd@192.0.2.7:",
		"c=IN IP4 192.0.2.7\r\n",
		"Via: SIP/2.0/UDP 192.0.2.7:",
		";rport",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if _, port, _ := strings.Cut(req.Source(), ":"); !strings.Contains(text, "192.0.2.7:"+port) {
		t.Errorf("it came from %s and says\n%s", req.Source(), text)
	}
}

func TestKeysAreDialled(t *testing.T) {
	for _, c := range []struct{ name, keys, digits, answer string }{
		{"as events", "12#*", "w1W2#*", ""},
		{"as tones", "", "19*", "a=rtpmap:96 telephone-event/8000\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := make(chan *farCall, 1)
			x := newExchange(t, "udp", func(f *farCall) {
				calls <- f
				f.respond(200, "OK", f.sdp(c.answer, ""))
			})
			n := newNear(t, x, nil, provider.Deps{})
			n.start(t)
			m := providertest.Message("call", 1)
			m.Speech.SendDigits = c.digits
			if _, err := n.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			f := <-calls
			heard := f.end()
			if got := f.pressed(); got != c.keys {
				t.Errorf("keys %q, want %q", got, c.keys)
			}
			if got := spelled(heard); !strings.HasSuffix(got, m.Code) {
				t.Errorf("heard %s", got)
			}
			if c.keys == "" {
				if got := keysByEar(heard); got != c.digits {
					t.Errorf("by ear: %q, want %q", got, c.digits)
				}
			}
		})
	}
}

func TestALawIsSpokenToThoseWhoWantIt(t *testing.T) {
	calls := make(chan *farCall, 1)
	x := newExchange(t, "udp", func(c *farCall) {
		calls <- c
		c.respond(200, "OK", c.sdp("RTP/AVP 0 96", "RTP/AVP 8 96"))
	})
	n := newNear(t, x, nil, provider.Deps{})
	n.start(t)
	m := providertest.Message("call", 1)
	if _, err := n.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	heard := (<-calls).end()
	if heard[0] != alawSilence {
		t.Errorf("silence is %#x", heard[0])
	}
	back := map[byte]byte{}
	for digit := byte('0'); digit <= '9'; digit++ {
		back[ulawToAlaw[digit]] = digit
	}
	for i, b := range heard {
		heard[i] = back[b]
	}
	if got := spelled(heard); got != m.Code+m.Code {
		t.Errorf("heard %s", got)
	}
}

func TestACallWithoutSoundIsRefused(t *testing.T) {
	eachNetwork(t, func(c *farCall) { c.respond(200, "OK", c.sdp("RTP/AVP 0 96", "RTP/SAVP 0")) }, func(t *testing.T, n near) {
		_, err := n.Send(t.Context(), providertest.Message("call", 1))
		if e := provider.AsError(err); e.Class != provider.BadRequest || !strings.Contains(e.Detail, "no audio") {
			t.Errorf("got %v", err)
		}
	})
}

// TestA200ThatComesAgainIsAcknowledgedAgain: the ACK was lost.
func TestA200ThatComesAgainIsAcknowledgedAgain(t *testing.T) {
	again := make(chan struct{})
	x := newExchange(t, "udp", func(c *farCall) {
		c.accept()
		c.respond(200, "OK", c.sdp())
		<-c.acked
		close(again)
	})
	n := newNear(t, x, nil, provider.Deps{})
	n.start(t)
	if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
		t.Fatal(err)
	}
	<-again
}

func TestRequestsInsideACallGoThroughItsProxies(t *testing.T) {
	calls := make(chan *farCall, 1)
	x := newExchange(t, "udp", func(c *farCall) {
		calls <- c
		c.respond(200, "OK", c.sdp(), "Record-Route: <sip:192.0.2.9;lr>", "Record-Route: <sip:"+c.x.address+";lr>")
		<-c.acked
	})
	x.mu.Lock()
	x.seen = make(chan *siplib.Request, 100)
	x.mu.Unlock()
	n := newNear(t, x, nil, provider.Deps{})
	n.start(t)
	_, _ = n.Send(t.Context(), providertest.Message("call", 1))
	for req := range x.seen {
		if req.Method != siplib.ACK {
			continue
		}
		var routes []string
		for _, h := range req.GetHeaders("Route") {
			routes = append(routes, h.Value())
		}
		if want := []string{"<sip:" + x.address + ";lr>", "<sip:192.0.2.9;lr>"}; !slices.Equal(routes, want) {
			t.Errorf("routes %q, want %q", routes, want)
		}
		break
	}
}

// Everybody can connect to the port that a trunk may connect to.
func TestMoreConnectionsToUsThanATrunkNeedsAreClosed(t *testing.T) {
	n := newNear(t, newExchange(t, "tcp", nil), nil, provider.Deps{})
	tr, err := n.listen(t.Context(), n.config.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", tr.local.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	const ping, pong = "\r\n\r\n", "\r\n" // RFC 5626, 3.5.1
	answered := make([]byte, len(pong))
	for i := range callers.Most {
		c := dial()
		if _, err := io.WriteString(c, ping); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, answered); err != nil || string(answered) != pong {
			t.Fatalf("connection %d: got %q, %v", i+1, answered, err)
		}
	}
	c := dial()
	_, _ = io.WriteString(c, ping) // it may be closed already
	if got, err := c.Read(answered); got != 0 || err == nil {
		t.Errorf("connection %d was answered with %q, want it closed", callers.Most+1, answered[:got])
	}
}
