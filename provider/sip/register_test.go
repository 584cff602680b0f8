package sip

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/provider"
)

// registrar answers REGISTER as an exchange does that knows one user. headers go with a 200.
func registrar(t testing.TB, username, password string, headers ...string) func(*siplib.Request) *siplib.Response {
	challenge := digest.Challenge{Realm: "trunk.example", Nonce: "n1", Algorithm: "MD5", QOP: []string{"auth"}}
	return func(req *siplib.Request) *siplib.Response {
		if req.GetHeader("Authorization") == nil || !proven(t, req, "Authorization", challenge, username, password) {
			res := siplib.NewResponseFromRequest(req, 401, "Unauthorized", nil)
			res.AppendHeader(siplib.NewHeader("WWW-Authenticate", challenge.String()))
			return res
		}
		res := siplib.NewResponseFromRequest(req, 200, "OK", nil)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			res.AppendHeader(siplib.NewHeader(name, value))
		}
		return res
	}
}

// registersBy has REGISTER answered so.
func (x *exchange) registersBy(answer func(*siplib.Request) *siplib.Response) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.registrar = answer
}

// registrations are the REGISTERs that came, in their order.
func (x *exchange) registrations() []*siplib.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []*siplib.Request
	for _, req := range x.other {
		if req.Method == siplib.REGISTER {
			all = append(all, req)
		}
	}
	return all
}

// watch has every request from now on told.
func (x *exchange) watch() <-chan *siplib.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen = make(chan *siplib.Request, 1000)
	return x.seen
}

const (
	registrant = "verifyd-7"
	keyword    = "hunter2-hunter2"
)

func registering(c *Config) { c.Username, c.Password, c.Register = registrant, keyword, true }

// TestARegistration is its whole life: asked for, proved, renewed, and taken back at the end.
func TestARegistration(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		for name, headers := range map[string][]string{
			"as Expires says":     {"Expires: 1"},
			"as the Contact says": {"Contact: <sip:verifyd@127.0.0.1>;expires=1", "Expires: 3600"},
		} {
			t.Run(network+" "+name, func(t *testing.T) {
				x := newExchange(t, network, func(*farCall) {})
				x.registersBy(registrar(t, registrant, keyword, headers...))
				seen := x.watch()
				stop := newNear(t, x, registering, provider.Deps{}).start(t)
				var all []*siplib.Request
				for range 4 { // asked and proved, and both once more when most of the second is over
					all = append(all, <-seen)
				}
				stop()
				for len(seen) > 0 {
					all = append(all, <-seen)
				}
				for i, req := range all {
					us, to := req.From().Address, req.To().Address
					switch {
					case req.Method != siplib.REGISTER, req.Recipient.String() != "sip:trunk.example":
						t.Errorf("request %d is %s %s", i, req.Method, req.Recipient.String())
					case us.User != registrant || us.Host != "trunk.example" || to.User != registrant:
						t.Errorf("request %d is from %v for %v", i, us, to)
					case req.CallID().Value() != all[0].CallID().Value() || i > 0 && req.CSeq().SeqNo <= all[i-1].CSeq().SeqNo:
						t.Errorf("request %d is %v, %v: not the next of one row (RFC 3261, 10.2.4)", i, req.CallID(), req.CSeq())
					case req.Contact() == nil || req.Contact().Address.Host != "127.0.0.1":
						t.Errorf("request %d has the Contact %v", i, req.Contact())
					}
				}
				first, last := all[0].GetHeader("Expires").Value(), all[len(all)-1].GetHeader("Expires").Value()
				if first != strconv.Itoa(int(wantedExpiry.Seconds())) || last != "0" {
					t.Errorf("asked for %s s at first and for %s s at the end, want 600 and 0", first, last)
				}
			})
		}
	}
}

func TestACallWaitsForTheRegistration(t *testing.T) {
	x := newExchange(t, "udp", func(c *farCall) { c.accept() })
	known := registrar(t, registrant, keyword)
	open := make(chan struct{})
	x.registersBy(func(req *siplib.Request) *siplib.Response {
		select {
		case <-open:
			return known(req)
		default:
			return siplib.NewResponseFromRequest(req, 100, "Trying", nil)
		}
	})
	seen := x.watch()
	n := newNear(t, x, registering, provider.Deps{})
	n.start(t)
	<-seen
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := n.Send(ctx, spokenMessage("en", "Acme", "123456"))
	if e := provider.AsError(err); e.Class != provider.Temporary || e.Detail != "not registered yet" {
		t.Errorf("before: got %v", err)
	}
	close(open)
	if _, err := n.Send(t.Context(), spokenMessage("en", "Acme", "123456")); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestWhoIsNotRegisteredDoesNotCall(t *testing.T) {
	for _, c := range []struct {
		status int
		header string
		want   provider.Error
	}{
		{401, "X-Any: 1", provider.Error{Class: provider.BadRequest, Code: "401"}},
		{403, "X-Any: 1", provider.Error{Class: provider.BadRequest, Code: "403"}},
		{404, "Reason: Q.850;cause=1", provider.Error{Class: provider.BadRequest, Code: "404"}},
		{503, "Retry-After: 7", provider.Error{Class: provider.Throttled, Code: "503", RetryAfter: 7 * time.Second}},
		{500, "X-Any: 1", provider.Error{Class: provider.Temporary, Code: "500"}},
	} {
		x := newExchange(t, "udp", func(*farCall) { t.Errorf("%d: the call arrived", c.status) })
		name, value, _ := strings.Cut(c.header, ": ")
		x.registersBy(func(req *siplib.Request) *siplib.Response {
			res := siplib.NewResponseFromRequest(req, c.status, "No "+keyword, nil)
			res.AppendHeader(siplib.NewHeader(name, value))
			return res
		})
		n := newNear(t, x, registering, provider.Deps{})
		n.limits.register = time.Hour // it stays as it is
		n.start(t)
		_, err := n.Send(t.Context(), spokenMessage("en", "Acme", "123456"))
		e := provider.AsError(err)
		if e.Class != c.want.Class || e.Code != c.want.Code || e.RetryAfter != c.want.RetryAfter || !strings.HasPrefix(e.Detail, "register: No ") {
			t.Errorf("%d: got %+v", c.status, e)
		}
		if strings.Contains(err.Error(), keyword) {
			t.Errorf("%d: the password is told: %v", c.status, err)
		}
	}
}

// TestARegistrationComesBack has a trunk that refuses twice and then knows us.
func TestARegistrationComesBack(t *testing.T) {
	x := newExchange(t, "udp", func(c *farCall) { c.accept() })
	known, refused := registrar(t, registrant, keyword), 0
	x.registersBy(func(req *siplib.Request) *siplib.Response {
		if refused++; refused <= 2 {
			return siplib.NewResponseFromRequest(req, 503, "Restarting", nil)
		}
		return known(req)
	})
	log := make(lines, 100)
	n := newNear(t, x, registering, provider.Deps{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	n.start(t)
	for line := range log {
		if strings.Contains(line, "msg=registered") {
			break
		}
		if !strings.Contains(line, "503") {
			t.Errorf("the log says %s", line)
		}
	}
	if _, err := n.Send(t.Context(), spokenMessage("en", "Acme", "123456")); err != nil {
		t.Errorf("known again: %v", err)
	}
}

// lines is a log that a test reads as it is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
