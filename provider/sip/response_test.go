package sip

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	siplib "github.com/emiago/sipgo/sip"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// FuzzResponse reads what a trunk may answer to an INVITE: challenges, refusals, where the far end and its
// proxies are. Whoever can write to our port can write it too.
func FuzzResponse(f *testing.F) {
	response := func(status string, headers ...string) {
		f.Add([]byte("SIP/2.0 " + status + "\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport\r\nFrom: <sip:a@b>;tag=1\r\n" +
			"To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n" + strings.Join(append(headers, "Content-Length: 0"), "\r\n") + "\r\n\r\n"))
	}
	response("200 OK", "Contact: <sip:far@203.0.113.7:5080;transport=udp>", "Record-Route: <sip:p1.example;lr>", "Record-Route: <sip:[2001:db8::1]:5070;lr>")
	response("200 OK", "Contact: *", "Record-Route: nonsense", "Expires: 60")
	response("200 OK", "Contact: <sip:far@10.0.0.1>;expires=4294967296")
	response("407 Proxy Authentication Required", `Proxy-Authenticate: Digest realm="t", nonce="n", qop="auth, auth-int", algorithm=SHA-256, opaque="o"`)
	response("401 Unauthorized", `WWW-Authenticate: Digest realm="t",nonce="n",stale=TRUE`, `WWW-Authenticate: Basic realm="t"`)
	response("401 Unauthorized", "WWW-Authenticate: Digest realm=\"t\nX-Evil: 1\", nonce=\"n\"")
	response("404 Not Found", `Reason: Q.850;cause=1;text="s3cr3t-pass"`, "Retry-After: 120 (later)")
	response("603 Decline +34612345678")
	response("200 OK", "Contact: <sip:far@203.0.113.7>\nX-Evil: 1", "Record-Route: <sip:p1.example;lr>\nX-Evil: 1")
	f.Add([]byte("SIP/2.0 200 OK\r\nTo: <sip:c@d>;tag=2\nX-Evil: 1\r\n\r\n"))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))

	n := newNear(f, &exchange{address: "127.0.0.1:5060", network: "udp"}, func(c *Config) { c.Username, c.Password = "verifyd", "s3cr3t-pass" }, provider.Deps{})
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	at := netip.MustParseAddr("127.0.0.1")
	tr := &trunk{provider: n.Provider, local: netip.AddrPortFrom(at, 5060)}
	f.Fuzz(func(t *testing.T, text []byte) {
		message, err := siplib.NewParser().ParseSIP(text)
		res, ok := message.(*siplib.Response)
		if err != nil || !ok {
			return
		}
		res.SetSource("127.0.0.1:5060")
		m := providertest.Message("call", 1)
		c := newCall(n.Provider, m, "+34910000000", score{}, &line{conn: conn})
		defer c.abandon()
		c.trunk = tr
		req := c.invite(at)
		tr.route(req, at, n.config.server)

		if n.mayAuthorize(res, 1) && n.authorize(req, res) == nil {
			// The words of the offer behind the header are ours.
			if sent, _, _ := strings.Cut(req.String(), "\r\n\r\n"); strings.Contains(sent, n.config.password) || strings.Count(sent, "\n") != strings.Count(sent, "\r\n") {
				t.Errorf("%q makes us send %q", text, sent)
			}
		}
		if o := c.refused(res); o.class == 0 || o.wait < 0 || o.wait > maxRetryAfter || strings.Contains(o.detail, m.To) {
			t.Errorf("%q means %+v", text, o)
		}
		if d := readExpiry(res, wantedExpiry, leastExpiry); d < leastExpiry || d > mostExpiry {
			t.Errorf("%q is a registration for %s", text, d)
		}
		// What the far end says of itself goes into requests of ours, and must not become more than it is there.
		d := c.newDialog(req, res, at)
		bye := d.request(siplib.BYE, 2)
		tr.route(bye, at, "127.0.0.1:5060")
		const lines = 10 // the first, Via, From, To, Call-ID, CSeq, Max-Forwards, Contact, Content-Length, the empty one
		if sent := bye.String(); !strings.HasPrefix(sent, "BYE ") || strings.Count(sent, "\n") != lines+len(d.routes) || !strings.HasSuffix(sent, "\r\n\r\n") {
			t.Errorf("%q makes us send %q", text, sent)
		}
	})
}
