// Package sip is the far end of a trunk: it asks for credentials (RFC 3261, 22), takes calls and
// registrations over UDP and TCP, and is the person who is called. The person answers, listens, presses a
// key and waits for the end; or is busy, does not answer, or does not exist, as the desk says. What they
// heard is kept as it came, G.711 in a WAV file.
//
// What other carriers report later, a call shows while it lasts: where the desk reports "delivered" the
// person answers, "failed" is a telephone that rings and is busy, "bad_recipient" one that rings and turns
// out to be no number, and no report is a telephone that rings and rings.
//
// It reads SIP by sipgo's parser and writes its own answers: a trunk that is to fall silent must not have a
// transaction layer that answers for it. It does not send a final answer again that was lost on the way;
// on this machine none is.
package sip

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"

	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// Name is that of the provider.
const Name = "sip"

// The account that may call.
const (
	Username = "verifyd"
	Password = "sip-password"
	realm    = "fakecarrier"
)

// sipgo logs whole messages, numbers included, to a logger of its package.
func init() { siplib.SetDefaultLogger(slog.New(slog.DiscardHandler)) }

const (
	maxMessage    = 64 << 10
	maxRecordings = 100
)

// Server is a trunk.
type Server struct {
	desk *desk.Desk
	log  *slog.Logger

	ctx  context.Context // of calls
	stop context.CancelFunc
	work sync.WaitGroup

	mu         sync.Mutex
	ends       map[end]bool
	calls      map[string]*call // by Call-ID
	recordings map[string][]byte
	recorded   []string // their identifiers, the oldest first
	closed     bool
}

// end is a listener or a connection.
type end interface{ Close() error }

// New makes a Server that does not listen yet.
func New(d *desk.Desk, log *slog.Logger) *Server {
	s := &Server{desk: d, log: log, ends: map[end]bool{}, calls: map[string]*call{}, recordings: map[string][]byte{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// open notes an end that Cut closes; it is not ok when the server is closed.
func (s *Server) open(e end) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		e.Close()
		return false
	}
	s.ends[e] = true
	return true
}

// shut forgets an end, and says whether Cut had not closed it.
func (s *Server) shut(e end) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := s.ends[e]
	delete(s.ends, e)
	e.Close()
	return open
}

// Cut stops listening, breaks all connections, and forgets the calls, as a network does.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.ends {
		delete(s.ends, e)
		e.Close()
	}
	for _, c := range s.calls {
		c.end()
	}
}

// Close ends everything, and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.Cut()
	s.work.Wait()
}

// aside does something that Close waits for, unless it waits already.
func (s *Server) aside(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(f)
	}
}

// ServePackets takes calls over UDP until Cut or Close.
func (s *Server) ServePackets(packets net.PacketConn) error {
	if !s.open(packets) {
		return nil
	}
	buffer := make([]byte, maxMessage)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			if s.shut(packets) {
				return err
			}
			return nil
		}
		m, err := siplib.ParseMessage(bytes.Clone(buffer[:n]))
		if err != nil {
			s.log.Info("a packet is no SIP", "provider", Name, "error", err)
			continue
		}
		m.SetSource(from.String())
		s.take(m, wire{network: "udp", local: packets.LocalAddr(), write: func(b []byte) { packets.WriteTo(b, from) }})
	}
}

// Serve takes calls over TCP until Cut or Close.
func (s *Server) Serve(l net.Listener) error {
	if !s.open(l) {
		return nil
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			if s.shut(l) {
				return err
			}
			return nil
		}
		if s.open(conn) {
			s.aside(func() { s.serveConn(conn) })
		}
	}
}

func (s *Server) serveConn(conn net.Conn) {
	defer s.shut(conn)
	var writing sync.Mutex
	w := wire{network: "tcp", local: conn.LocalAddr(), drop: func() { conn.Close() }, write: func(b []byte) {
		writing.Lock()
		defer writing.Unlock()
		conn.Write(b)
	}}
	stream := siplib.NewParser().NewSIPStream()
	buffer := make([]byte, maxMessage)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		err = stream.ParseSIPStream(bytes.Clone(buffer[:n]), func(m siplib.Message) {
			m.SetSource(conn.RemoteAddr().String())
			s.take(m, w)
		})
		if err != nil {
			s.log.Info("a connection does not speak SIP", "provider", Name, "error", err)
			return
		}
	}
}

// wire is the way back to a caller.
type wire struct {
	network string
	local   net.Addr
	write   func([]byte)
	drop    func() // ends the connection; nil where there is none
}

func (w wire) respond(req *siplib.Request, status int, reason string, body []byte, headers ...siplib.Header) {
	res := siplib.NewResponseFromRequest(req, status, reason, body)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	w.write([]byte(res.String()))
}

// take treats one message.
func (s *Server) take(m siplib.Message, w wire) {
	req, ok := m.(*siplib.Request)
	if !ok || req.CallID() == nil || req.CSeq() == nil || req.To() == nil || req.From() == nil || req.Via() == nil {
		return // the answer to nothing of ours, or nothing
	}
	id := req.CallID().Value()
	s.mu.Lock()
	c := s.calls[id]
	s.mu.Unlock()
	switch req.Method {
	case siplib.INVITE:
		s.invited(req, c, w)
	case siplib.ACK: // nothing is sent again that would have to end
	case siplib.CANCEL:
		w.respond(req, 200, "OK", nil)
		if c != nil {
			c.end()
		}
	case siplib.BYE:
		if c == nil {
			w.respond(req, 481, "Call/Transaction Does Not Exist", nil)
			return
		}
		w.respond(req, 200, "OK", nil)
		c.end()
	case siplib.REGISTER:
		s.register(req, w)
	case siplib.OPTIONS:
		w.respond(req, 200, "OK", nil)
	default:
		w.respond(req, 405, "Method Not Allowed", nil, siplib.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, REGISTER, OPTIONS"))
	}
}

func (s *Server) register(req *siplib.Request, w wire) {
	if !proven(req, "Authorization") {
		w.respond(req, 401, "Unauthorized", nil, siplib.NewHeader("WWW-Authenticate", challenge().String()))
		return
	}
	headers := []siplib.Header{siplib.NewHeader("Expires", "600")}
	if h := req.GetHeader("Expires"); h != nil {
		if seconds, err := strconv.Atoi(h.Value()); err == nil && seconds < 600 {
			headers[0] = siplib.NewHeader("Expires", h.Value())
		}
	}
	if contact := req.Contact(); contact != nil {
		headers = append(headers, siplib.HeaderClone(contact))
	}
	w.respond(req, 200, "OK", nil, headers...)
}

// challenge is what strangers have to answer. Its nonce is always the same: whoever overhears it on this
// machine knows the password anyway.
func challenge() *digest.Challenge {
	return &digest.Challenge{Realm: realm, Nonce: "fakecarrier", Algorithm: "MD5", QOP: []string{"auth"}}
}

// proven says whether a request has the credentials of the account.
func proven(req *siplib.Request, header string) bool {
	h := req.GetHeader(header)
	if h == nil {
		return false
	}
	got, err := digest.ParseCredentials(h.Value())
	if err != nil {
		return false
	}
	want, err := digest.Digest(challenge(), digest.Options{
		Method: string(req.Method), URI: got.URI, Username: Username, Password: Password, Cnonce: got.Cnonce, Count: got.Nc,
	})
	return err == nil && got.Username == Username && got.Nonce == want.Nonce && got.Response == want.Response
}

// record keeps what somebody heard.
func (s *Server) record(id string, wav []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recorded) >= maxRecordings {
		delete(s.recordings, s.recorded[0])
		s.recorded = s.recorded[1:]
	}
	s.recorded = append(s.recorded, id)
	s.recordings[id] = wav
}

// Recording is what was heard in the call with that identifier, as a WAV file of G.711; nil if nobody
// listened, or long ago.
func (s *Server) Recording(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordings[id]
}
