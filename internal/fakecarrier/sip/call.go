package sip

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	siplib "github.com/emiago/sipgo/sip"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// call is one from the INVITE that was proven to its end.
type call struct {
	server *Server
	wire   wire
	id     string
	invite *siplib.Request // with our tag

	ended     chan struct{} // by BYE or CANCEL
	endedOnce sync.Once

	mu   sync.Mutex
	last func() // says again what was said last
}

func (c *call) end() { c.endedOnce.Do(func() { close(c.ended) }) }

// invited begins a call, or says again what was said to an INVITE that was sent again.
func (s *Server) invited(req *siplib.Request, c *call, w wire) {
	if c != nil {
		c.mu.Lock()
		again := c.last
		c.mu.Unlock()
		if again != nil {
			again()
		}
		return
	}
	if !proven(req, "Proxy-Authorization") {
		w.respond(req, 407, "Proxy Authentication Required", nil, siplib.NewHeader("Proxy-Authenticate", challenge().String()))
		return
	}
	if req.Contact() == nil {
		w.respond(req, 400, "Contact is missing", nil)
		return
	}
	req.To().Params.Add("tag", siplib.GenerateTagN(16))
	c = &call{server: s, wire: w, id: req.CallID().Value(), invite: req, ended: make(chan struct{})}
	s.mu.Lock()
	s.calls[c.id] = c
	s.mu.Unlock()
	s.aside(func() {
		c.run()
		s.mu.Lock()
		delete(s.calls, c.id)
		s.mu.Unlock()
	})
}

func (c *call) respond(status int, reason string, body []byte, headers ...siplib.Header) {
	say := func() { c.wire.respond(c.invite, status, reason, body, headers...) }
	c.mu.Lock()
	c.last = say
	c.mu.Unlock()
	say()
}

// refusals are last answers to an INVITE.
var refusals = map[desk.Answer]struct {
	status         int
	reason, header string
}{
	desk.BadRecipient: {404, "Not Found", "Reason: Q.850;cause=1"},
	desk.BadRequest:   {403, "Forbidden", ""},
	desk.Temporary:    {480, "Temporarily Unavailable", "Reason: Q.850;cause=18"},
	desk.Throttled:    {503, "Service Unavailable", "Retry-After: 3"},
}

func (c *call) refuse(a desk.Answer) {
	r := refusals[a]
	var headers []siplib.Header
	if name, value, ok := strings.Cut(r.header, ": "); ok {
		headers = append(headers, siplib.NewHeader(name, value))
	}
	c.respond(r.status, r.reason, nil, headers...)
}

// run is the whole life of a call.
func (c *call) run() {
	s := c.server
	to := c.invite.Recipient.User
	if !strings.HasPrefix(to, "+") {
		to = "+" + to
	}
	plan := s.desk.Meet(Name, to)
	m := desk.Message{ID: c.id, Provider: Name, To: to, From: c.invite.From().Address.User, Answer: plan.Answer}
	if plan.Answer == desk.Accepted {
		m.Arrived, m.Text = c.ring(plan)
	} else {
		m.ID = ""
		c.reject(plan)
	}
	s.desk.Keep(m)
}

// reject is for calls that reach nobody.
func (c *call) reject(plan desk.Plan) {
	switch plan.Answer {
	case desk.Silent, desk.Unknown: // no answer of SIP means "perhaps"
		return
	case desk.Dropped:
		if c.wire.drop != nil {
			c.wire.drop()
		}
		return
	}
	c.respond(100, "Trying", nil)
	if c.wait(plan.Latency) {
		c.refuse(plan.Answer)
	}
}

// wait is true if nobody ended the call meanwhile.
func (c *call) wait(d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
		return true
	case <-c.ended:
	case <-c.server.ctx.Done():
	}
	return false
}

// ring is the telephone of a person, who answers or not.
func (c *call) ring(plan desk.Plan) (arrived bool, text string) {
	c.respond(100, "Trying", nil)
	if !c.wait(plan.Latency) {
		c.respond(487, "Request Terminated", nil)
		return false, "given up"
	}
	c.respond(180, "Ringing", nil, c.contact())
	var first desk.State
	if len(plan.Reports) > 0 {
		first = plan.Reports[0]
	}
	switch first {
	case desk.Delivered:
		return c.answer(plan)
	case desk.Failed:
		if c.wait(plan.ReportAfter) {
			c.respond(486, "Busy Here", nil, siplib.NewHeader("Reason", "Q.850;cause=17"))
		}
		return false, "busy"
	case desk.NoSuch:
		if c.wait(plan.ReportAfter) {
			c.refuse(desk.BadRecipient)
		}
		return false, "no such number"
	}
	select {
	case <-c.ended:
		c.respond(487, "Request Terminated", nil)
	case <-c.server.ctx.Done():
	}
	return false, "nobody answered"
}

func (c *call) contact() siplib.Header {
	return siplib.NewHeader("Contact", fmt.Sprintf("<sip:fake@%s;transport=%s>", c.wire.local, c.wire.network))
}

// answer takes the call, listens until its end, and presses keys.
func (c *call) answer(plan desk.Plan) (arrived bool, text string) {
	offered, err := readOffer(c.invite.Body())
	if err != nil {
		c.respond(488, "Not Acceptable Here", nil)
		return false, err.Error()
	}
	host, _, err := net.SplitHostPort(c.wire.local.String())
	if err != nil {
		host = "127.0.0.1"
	}
	sound, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		c.respond(500, "Server Internal Error", nil)
		return false, err.Error()
	}
	l := listener{conn: sound, offered: offered, keys: plan.Keys}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.listen()
	}()
	if !c.wait(plan.ReportAfter) { // before the person answers
		sound.Close()
		<-done
		c.respond(487, "Request Terminated", nil)
		return false, "given up"
	}
	c.respond(200, "OK", describe(sound.LocalAddr().(*net.UDPAddr), offered), c.contact(),
		siplib.NewHeader("Content-Type", "application/sdp"))
	select {
	case <-c.ended:
	case <-c.server.ctx.Done():
	}
	sound.Close()
	<-done
	c.server.record(c.id, wav(offered.payload, l.heard))
	text = fmt.Sprintf("listened for %.1f s", float64(len(l.heard))/8000)
	if l.pressed != "" {
		text += ", pressed " + l.pressed
	}
	return plan.Arrives && len(l.heard) > 0, text
}
