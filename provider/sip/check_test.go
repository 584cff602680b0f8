package sip

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestCheckExam has a trunk that wants a registration, over TLS.
func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{registrant, keyword, "another-password"},
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			name := "127.0.0.1"
			if s == providertest.OtherName {
				name = "other.example"
			}
			x, ca := newTLSExchange(t, name, func(*farCall) { t.Error("somebody was called") })
			known := registrar(t, registrant, keyword)
			x.registersBy(func(req *siplib.Request) *siplib.Response {
				if req.Contact() != nil {
					t.Error("the check registers: a server would no longer be")
				}
				if s == providertest.Silence {
					return siplib.NewResponseFromRequest(req, 100, "Trying", nil)
				}
				return known(req)
			})
			n := newNear(t, x, func(c *Config) {
				registering(c)
				c.CAFile = ca
				if s == providertest.Stranger {
					c.Password = "another-password"
				}
			}, deps)
			n.limits.dial = time.Minute
			if s == providertest.Nobody {
				x.leave()
			}
			return n.Provider
		},
	})
}

// answerer is a trunk over UDP that answers every request by a function, until the test ends.
func answerer(t *testing.T, answer func(*siplib.Request) *siplib.Response) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 64<<10)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			m, err := siplib.ParseMessage(bytes.Clone(buffer[:n]))
			if err != nil {
				t.Errorf("the trunk cannot read %q: %v", buffer[:n], err)
				return
			}
			req := m.(*siplib.Request)
			req.SetSource(from.String())
			if res := answer(req); res != nil {
				conn.WriteTo([]byte(res.String()), from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return conn.LocalAddr().String()
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	challenge := digest.Challenge{Realm: "trunk.example", Nonce: "n1", Algorithm: "MD5", QOP: []string{"auth"}}
	for _, c := range []struct {
		name     string
		config   Config
		wants    bool // a proof, by 407
		status   int  // after that
		want     string
		unproven bool
	}{
		{"a trunk that knows our address", Config{}, false, 200, "reached (OPTIONS is answered 200 Indeed)", true},
		{"a trunk that knows no OPTIONS", Config{}, false, 405, "reached (OPTIONS is answered 405", true},
		{"a trunk that knows us", Config{Username: registrant, Password: keyword}, true, 200, "", false},
		{"a trunk that knows us, and nobody there", Config{Username: registrant, Password: keyword}, true, 404, "", false},
		{"a trunk that does not look", Config{Username: registrant, Password: keyword}, false, 200, "is seen at the first one", true},
		{"a wrong password", Config{Username: registrant, Password: "another-password"}, true, 200, "OPTIONS is answered 407 Prove It: username or password is wrong", false},
		{"no password", Config{}, true, 200, "the trunk wants a username and a password", false},
		{"another address", Config{}, false, 403, "or from this address", false},
		{"a trunk that rests", Config{}, false, 503, "the trunk has no service now", false},
		{"a registrar", Config{Username: registrant, Password: keyword, Register: true}, true, 200, "", false},
		{"a registrar that knows another", Config{Username: registrant, Password: keyword, Register: true}, false, 404, "does not know this username in the domain trunk.example", false},
		{"no registrar", Config{Username: registrant, Password: keyword, Register: true}, false, 501, "leave register out", false},
		{"a registrar that moved", Config{Username: registrant, Password: keyword, Register: true}, false, 302, "REGISTER is answered 302", false},
		{"nobody", Config{}, false, 0, "no answer to OPTIONS by udp: is server right", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := answerer(t, func(req *siplib.Request) *siplib.Response {
				if method := req.Method; method != siplib.OPTIONS && method != siplib.REGISTER || req.Contact() != nil {
					t.Errorf("asked %s", req)
				}
				if c.wants && (req.GetHeader("Proxy-Authorization") == nil || !proven(t, req, "Proxy-Authorization", challenge, registrant, keyword)) {
					res := siplib.NewResponseFromRequest(req, 407, "Prove It", nil)
					res.AppendHeader(siplib.NewHeader("Proxy-Authenticate", challenge.String()))
					return res
				}
				if c.status == 0 {
					return nil
				}
				return siplib.NewResponseFromRequest(req, c.status, "Indeed", nil)
			})
			n := newNear(t, &exchange{address: address, network: "udp"}, func(config *Config) {
				config.Username, config.Password, config.Register = c.config.Username, c.config.Password, c.config.Register
			}, provider.Deps{})
			if c.status == 0 {
				n.limits.dial = 50 * time.Millisecond
			}
			err := n.Check(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || errors.Is(err, provider.ErrUnproven) != c.unproven {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestACheckBesideAServer is made while the port of the configuration is taken.
func TestACheckBesideAServer(t *testing.T) {
	x := newExchange(t, "udp", func(*farCall) {})
	x.registersBy(registrar(t, registrant, keyword))
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	n := newNear(t, x, func(c *Config) {
		registering(c)
		c.Listen = taken.LocalAddr().String()
	}, provider.Deps{})
	if err := n.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
