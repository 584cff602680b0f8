package sip

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/provider"
)

// exchange is a telephone exchange in the test process: it takes calls over UDP or TCP, and has each
// of them treated by a function, in a goroutine of its own.
type exchange struct {
	t        testing.TB
	network  string
	address  string
	listener net.Listener   // tcp
	packets  net.PacketConn // udp
	work     sync.WaitGroup
	stopped  chan struct{}

	mu    sync.Mutex
	treat func(*farCall)
	calls map[string]*farCall
	conns map[net.Conn]bool
	over  bool // no more conns
	other []*siplib.Request
	seen  chan *siplib.Request // every request, if anybody wants them
	// registrar answers REGISTER; nil is 200.
	registrar func(*siplib.Request) *siplib.Response
}

func newExchange(t testing.TB, network string, treat func(*farCall)) *exchange {
	t.Helper()
	x := &exchange{t: t, network: network, treat: treat, calls: map[string]*farCall{}, conns: map[net.Conn]bool{}, stopped: make(chan struct{})}
	var err error
	if network == "udp" {
		if x.packets, err = net.ListenPacket("udp4", "127.0.0.1:0"); err == nil {
			x.address = x.packets.LocalAddr().String()
			x.work.Go(x.servePackets)
		}
	} else if x.listener, err = net.Listen("tcp4", "127.0.0.1:0"); err == nil {
		x.address = x.listener.Addr().String()
		x.work.Go(x.serveConns)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.stop)
	return x
}

// leave closes every connection and stops listening.
func (x *exchange) leave() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	if x.packets != nil {
		x.packets.Close()
		return
	}
	x.listener.Close()
	for conn := range x.conns {
		conn.Close()
	}
}

func (x *exchange) stop() {
	x.leave()
	close(x.stopped)
	x.mu.Lock()
	for _, c := range x.calls {
		c.close()
	}
	x.mu.Unlock()
	x.work.Wait()
}

func (x *exchange) servePackets() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := x.packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		m, err := siplib.ParseMessage(bytes.Clone(buffer[:n]))
		if err != nil {
			x.t.Errorf("the exchange cannot read %q: %v", buffer[:n], err)
			continue
		}
		m.SetSource(from.String())
		x.take(m, func(b []byte) { x.packets.WriteTo(b, from) }, nil)
	}
}

func (x *exchange) serveConns() {
	for {
		conn, err := x.listener.Accept()
		if err != nil {
			return
		}
		x.mu.Lock()
		if x.over {
			conn.Close()
		}
		x.conns[conn] = true
		x.mu.Unlock()
		x.work.Go(func() {
			defer conn.Close()
			var writing sync.Mutex
			stream := siplib.NewParser().NewSIPStream()
			buffer := make([]byte, 64<<10)
			for {
				n, err := conn.Read(buffer)
				if err != nil {
					return
				}
				stream.ParseSIPStream(bytes.Clone(buffer[:n]), func(m siplib.Message) {
					m.SetSource(conn.RemoteAddr().String())
					x.take(m, func(b []byte) {
						writing.Lock()
						defer writing.Unlock()
						conn.Write(b)
					}, conn)
				})
			}
		})
	}
}

// take treats one message.
func (x *exchange) take(m siplib.Message, write func([]byte), conn net.Conn) {
	req, ok := m.(*siplib.Request)
	if !ok {
		return // the answer to a request of ours
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen != nil {
		x.seen <- req
	}
	id := req.CallID().Value()
	c := x.calls[id]
	switch req.Method {
	case siplib.INVITE:
		if c != nil {
			select { // again with credentials, or the same again
			case c.invites <- req:
			default:
			}
			return
		}
		c = &farCall{
			x: x, id: id, conn: conn, write: write, invites: make(chan *siplib.Request, 8), acked: make(chan struct{}, 8),
			cancelled: make(chan struct{}), ended: make(chan struct{}), rtp: make(chan packet, 8192),
		}
		c.setInvite(req)
		x.calls[id] = c
		treat := x.treat
		x.work.Go(func() { treat(c) })
	case siplib.ACK:
		if c != nil {
			select {
			case c.acked <- struct{}{}:
			default:
			}
		}
	case siplib.CANCEL:
		write([]byte(siplib.NewResponseFromRequest(req, 200, "OK", nil).String()))
		c.cancelOnce.Do(func() { close(c.cancelled) })
	case siplib.BYE:
		write([]byte(siplib.NewResponseFromRequest(req, 200, "OK", nil).String()))
		if c != nil {
			c.endOnce.Do(func() { close(c.ended) })
		}
	case siplib.REGISTER:
		x.other = append(x.other, req)
		res := siplib.NewResponseFromRequest(req, 200, "OK", nil)
		if x.registrar != nil {
			res = x.registrar(req)
		}
		write([]byte(res.String()))
	default:
		x.other = append(x.other, req)
	}
}

// farCall is a call as the exchange has it.
type farCall struct {
	x       *exchange
	id      string
	conn    net.Conn // tcp
	write   func([]byte)
	invites chan *siplib.Request
	acked   chan struct{}

	cancelled  chan struct{}
	cancelOnce sync.Once
	ended      chan struct{} // by BYE
	endOnce    sync.Once

	mu     sync.Mutex
	invite *siplib.Request
	sound  *net.UDPConn
	near   netip.AddrPort
	rtp    chan packet
	heard  []byte // payloads, in the order of their arrival
	keys   []byte
}

func (c *farCall) setInvite(req *siplib.Request) {
	if req.To().Params.Has("tag") {
		c.x.t.Errorf("an INVITE that begins a call has a tag: %v", req.To())
	}
	req.To().Params.Add("tag", "far-end")
	c.mu.Lock()
	c.invite = req
	c.mu.Unlock()
}

func (c *farCall) to() string { return c.invite.Recipient.User }

// respond answers the INVITE.
func (c *farCall) respond(status int, reason string, body []byte, headers ...string) {
	res := siplib.NewResponseFromRequest(c.invite, status, reason, body)
	if body != nil {
		res.AppendHeader(siplib.NewHeader("Content-Type", "application/sdp"))
	}
	if status > 100 && status < 300 {
		res.AppendHeader(siplib.NewHeader("Contact", "<sip:far@"+c.x.address+";transport="+c.x.network+">"))
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		res.AppendHeader(siplib.NewHeader(name, value))
	}
	c.write([]byte(res.String()))
}

// sdp is an answer that takes PCMU and keys; with replaces pieces of it.
func (c *farCall) sdp(replace ...string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sound == nil {
		sound, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			c.x.t.Error(err)
			return nil
		}
		sound.SetReadBuffer(1 << 20)
		c.sound = sound
		offered, err := readAnswer(c.invite.Body())
		if err != nil {
			c.x.t.Errorf("the offer: %v", err)
		}
		c.near = offered.at
		c.x.work.Go(c.listen)
	}
	text := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n", c.sound.LocalAddr().(*net.UDPAddr).Port)
	return []byte(strings.NewReplacer(replace...).Replace(text))
}

func (c *farCall) listen() {
	buffer := make([]byte, 2048)
	var last uint32
	for {
		n, err := c.sound.Read(buffer)
		if err != nil {
			return
		}
		p, err := readPacket(bytes.Clone(buffer[:n]))
		if err != nil {
			c.x.t.Errorf("not RTP: %x", buffer[:n])
			continue
		}
		c.mu.Lock()
		if e, ok := readKeyEvent(p.data); ok && p.payload == 96 {
			if p.timestamp != last {
				c.keys = append(c.keys, e.key)
			}
			last = p.timestamp
		} else {
			c.heard = append(c.heard, p.data...)
		}
		c.mu.Unlock()
		select {
		case c.rtp <- p:
		default:
		}
	}
}

// until waits for a packet of sound that begins with the byte.
func (c *farCall) until(sound byte) {
	for {
		select {
		case p := <-c.rtp:
			if len(p.data) > 0 && p.data[0] == sound {
				return
			}
		case <-c.x.stopped:
			return
		}
	}
}

// press sends a key as a telephone does: many packets.
func (c *farCall) press(key byte, payload byte) {
	number := strings.IndexByte(keys, key)
	p := packet{payload: payload, sequence: 7, timestamp: uint32(number) * 1000, ssrc: 9, marker: true}
	for i := 1; i <= 6; i++ {
		p.data = keyEvent{end: i > 3, duration: uint16(160 * min(i, 4))}.append(nil, number)
		c.sound.WriteToUDPAddrPort(p.append(nil), c.near)
		p.sequence++
		p.marker = false
	}
}

// request sends one inside the call.
func (c *farCall) request(method, contentType, body string) {
	text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:far@%s>;tag=far-end\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 77 %s\r\n",
		method, c.invite.Contact().Address.String(), strings.ToUpper(c.x.network), c.x.address, siplib.GenerateTagN(12),
		c.x.address, c.invite.From().Value(), c.id, method)
	if body != "" {
		text += "Content-Type: " + contentType + "\r\n"
	}
	c.write(fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", text, len(body), body))
}

func (c *farCall) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sound != nil {
		c.sound.Close()
	}
}

// sofar is what was heard until now.
func (c *farCall) sofar() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.heard)
}

// pressed are the keys that came until now.
func (c *farCall) pressed() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.keys)
}

// end waits until the other side hangs up, and is what was heard till then.
func (c *farCall) end() []byte {
	select {
	case <-c.ended:
	case <-c.x.stopped:
	}
	return c.sofar()
}

// challenge asks for credentials and is true when they came and are right.
func (c *farCall) challenge(status int, ch digest.Challenge, username, password string) bool {
	asked, answered := "WWW-Authenticate", "Authorization"
	if status == 407 {
		asked, answered = "Proxy-Authenticate", "Proxy-Authorization"
	}
	c.respond(status, "Prove It", nil, asked+": "+ch.String())
	var req *siplib.Request
	select {
	case req = <-c.invites:
	case <-c.x.stopped:
		return false
	}
	c.setInvite(req)
	return proven(c.x.t, req, answered, ch, username, password)
}

func proven(t testing.TB, req *siplib.Request, header string, ch digest.Challenge, username, password string) bool {
	h := req.GetHeader(header)
	if h == nil {
		t.Errorf("no %s in\n%s", header, req)
		return false
	}
	got, err := digest.ParseCredentials(h.Value())
	if err != nil {
		t.Error(err)
		return false
	}
	want, err := digest.Digest(&ch, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Username: username, Password: password, Cnonce: got.Cnonce, Count: got.Nc,
	})
	if err != nil {
		t.Error(err)
		return false
	}
	return got.Response == want.Response && got.Username == username
}

// beeps is a voice of one packet for each phrase: a digit sounds like its character, a sentence like
// its first.
type beeps struct{}

func (beeps) say(_ context.Context, p phrase) ([]byte, error) {
	return bytes.Repeat([]byte{p.text[0]}, frameSize), nil
}

// spelled are the digits in the sound of beeps.
func spelled(heard []byte) string {
	var digits []byte
	for frame := range slices.Chunk(heard, frameSize) {
		if '0' <= frame[0] && frame[0] <= '9' {
			digits = append(digits, frame[0])
		}
	}
	return string(digits)
}

// near is a provider of the exchange and its reports.
type near struct {
	*Provider
	reports chan provider.Report
}

// newNear makes a provider that calls over the exchange, fast, with beeps for a voice.
func newNear(t testing.TB, x *exchange, change func(*Config), deps provider.Deps) near {
	t.Helper()
	c := Config{
		Server: x.address, Transport: x.network, Domain: "trunk.example", From: "+34910000000",
		Listen: "127.0.0.1:0", RTPPorts: "20000-29999", MaxCalls: 60,
	}
	if change != nil {
		change(&c)
	}
	n := near{reports: make(chan provider.Report, 100)}
	if deps.Report == nil {
		deps.Report = func(_ context.Context, r provider.Report) error {
			n.reports <- r
			return nil
		}
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	p, err := New(c, deps)
	if err != nil {
		t.Fatal(err)
	}
	p.voices = []voice{beeps{}}
	p.limits = limits{
		pace: time.Millisecond, silent: 2 * time.Second, dial: 2 * time.Second, ring: 30 * time.Second,
		keyWait: 200 * time.Millisecond, talk: time.Minute, register: time.Millisecond,
	}
	n.Provider = p
	return n
}
