// Package smsc is the far end of SMPP: a carrier's message centre for tests and for trying things
// out. It believes nothing that it is sent: it authenticates, counts binds, windows and messages in
// a second, reads every field and refuses what a carrier would refuse, puts long texts together, and
// sends receipts that it repeats until they are answered.
//
// What becomes of a message is its Fate: that of the destination's last digits, or of everybody.
// Everything that was accepted is kept with its octets (Messages).
//
// It carries nothing to anybody.
package smsc

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

// Name is that of the provider.
const Name = "smpp"

// Config says what kind of carrier it is. The zero Config lets nobody in.
type Config struct {
	// Accounts are the passwords by system_id.
	Accounts map[string]string
	// Binds is how many connections an account may have, 0 for any number.
	Binds int
	// Window is how many messages of a connection may be unanswered, 0 for any number. One more is
	// refused with ESME_RMSGQFUL.
	Window int
	// TPS is how many messages a connection may send in a second, 0 for any number. One more is
	// refused with ESME_RTHROTTLED.
	TPS int
	// NoTransceiver refuses bind_transceiver, as carriers of an older kind do.
	NoTransceiver bool
	// EnquireLink is how often it asks whether a client is there, 0 for never.
	EnquireLink time.Duration
	// Keep is how many messages are remembered, 10,000 unless it is set.
	Keep int
	// ID makes the identifiers of the n-th message, as the answer and as the receipt writes it.
	// Nil is the number in decimal.
	ID func(n uint64) (answered, receipted string)
	// Fates are those of numbers by their last digits; nil is Fates().
	Fates map[string]Fate
	// Decide, if it is set, gives the fate of a message that has none by its number.
	Decide func(m *smpp.ShortMessage) Fate
	// Arrived, if it is set, is told of every message that arrives, as Messages has it.
	Arrived func(Message)
	Log     *slog.Logger
}

// Server is a message centre.
type Server struct {
	config Config
	log    *slog.Logger
	wg     sync.WaitGroup // of connections

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	accounts  map[string]*account
	fates     map[string]Fate
	refusal   smpp.Status // of every bind
	mute      bool
	closed    bool
	number    uint64 // of the last message
	inbox     inbox
	counts    Counts
	changed   chan struct{}
}

// account is what is known of a system_id.
type account struct {
	binds int
	// receivers are its connections that take receipts, and outbox what none has taken yet.
	receivers []*conn
	outbox    []*receipt
}

// Counts are how often things have happened.
type Counts struct {
	Binds, BindsRefused int
	Submitted           int // submit_sm that were read
	Accepted, Refused   int // of those
	Receipts            int // deliver_sm that were sent, repeated ones too
	ReceiptsTaken       int // and answered well
	MaxUnanswered       int // the fullest that a window of a connection has been
}

// New makes a message centre that does not listen yet.
func New(c Config) *Server {
	if c.Keep == 0 {
		c.Keep = 10_000
	}
	if c.Fates == nil {
		c.Fates = Fates()
	}
	if c.ID == nil {
		c.ID = func(n uint64) (string, string) {
			id := strconv.FormatUint(n, 10)
			return id, id
		}
	}
	s := &Server{
		config: c, log: c.Log,
		listeners: map[net.Listener]bool{}, conns: map[*conn]bool{}, accounts: map[string]*account{},
		fates: maps.Clone(c.Fates), inbox: newInbox(c.Keep), changed: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Serve takes connections from l until Close or Leave. Give it a tls.Listener for TLS.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners[l] = true
	s.mu.Unlock()
	for {
		c, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.listeners[l] {
				return nil
			}
			delete(s.listeners, l)
			return err
		}
		s.serveAside(c)
	}
}

// serveAside serves a connection that Close waits for, unless it waits already.
func (s *Server) serveAside(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	s.wg.Go(func() { s.ServeConn(c) })
}

// ServeConn serves one connection until its end.
func (s *Server) ServeConn(c net.Conn) {
	k := newConn(s, c)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.Close()
		return
	}
	s.conns[k] = true
	s.mu.Unlock()
	k.serve()
	s.gone(k)
}

// Close ends everything at once and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.stopListening()
	s.mu.Unlock()
	s.Cut()
	s.wg.Wait()
}

func (s *Server) stopListening() {
	for l := range s.listeners {
		delete(s.listeners, l)
		l.Close()
	}
}

// Cut breaks all connections without a word, as a network does.
func (s *Server) Cut() {
	for _, k := range s.connections() {
		k.end(errors.New("cut"))
	}
}

// Unbind ends all connections as a carrier does that is taken down for an hour, and waits until the
// clients have said that they know or ctx ends.
func (s *Server) Unbind(ctx context.Context) {
	for _, k := range s.connections() {
		k.unbind(ctx)
	}
}

// Leave stops listening and unbinds everybody.
func (s *Server) Leave(ctx context.Context) {
	s.mu.Lock()
	s.stopListening()
	s.closed = true
	s.mu.Unlock()
	s.Unbind(ctx)
}

func (s *Server) connections() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.conns))
}

// RefuseBinds answers every bind from now on with status; OK lets people in again.
func (s *Server) RefuseBinds(status smpp.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = status
}

// Mute says nothing any more, whatever it is asked, and connections stay; or speaks again. What came
// in between stays unanswered.
func (s *Server) Mute(on bool) {
	s.mu.Lock()
	s.mute = on
	names := slices.Collect(maps.Keys(s.accounts))
	s.mu.Unlock()
	for _, name := range names {
		s.pump(name)
	}
}

// Set gives a fate to the numbers that end in suffix, "" being all. The longest suffix counts.
func (s *Server) Set(suffix string, f Fate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fates[suffix] = f
}

// Unset takes the fate of a suffix away.
func (s *Server) Unset(suffix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fates, suffix)
}

// fateOf is the fate of a message.
func (s *Server) fateOf(m *smpp.ShortMessage) Fate {
	s.mu.Lock()
	to, best, found := m.Destination.Addr, "", false
	for suffix := range s.fates {
		if strings.HasSuffix(to, suffix) && (!found || len(suffix) > len(best)) {
			best, found = suffix, true
		}
	}
	f := s.fates[best]
	s.mu.Unlock()
	if !found && s.config.Decide != nil {
		return s.config.Decide(m)
	}
	return f
}

// Messages are those accepted for a number, oldest first, without +; "" is for all. A long text is
// one message, and is here when its last part has come.
func (s *Server) Messages(to string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inbox.find(strings.TrimPrefix(to, "+"))
}

// Counts is what has happened so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	for k := range s.conns {
		c.MaxUnanswered = max(c.MaxUnanswered, k.mostUnanswered())
	}
	return c
}

// Changed is closed when Messages or Counts next change. Take it before looking.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// count changes the counts, and tells.
func (s *Server) count(f func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
	s.tell()
}

func (s *Server) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// admit lets a connection in, or says why not.
func (s *Server) admit(k *conn, command smpp.Command, b *smpp.Bind) smpp.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.judge(command, b)
	if status != smpp.OK {
		s.counts.BindsRefused++
		s.tell()
		return status
	}
	a := s.accounts[b.SystemID]
	if a == nil {
		a = &account{}
		s.accounts[b.SystemID] = a
	}
	if s.config.Binds > 0 && a.binds >= s.config.Binds {
		s.counts.BindsRefused++
		s.tell()
		return smpp.AlreadyBound
	}
	a.binds++
	s.counts.Binds++
	s.tell()
	k.bound(b.SystemID, command)
	return smpp.OK
}

func (s *Server) judge(command smpp.Command, b *smpp.Bind) smpp.Status {
	password, known := s.config.Accounts[b.SystemID]
	switch {
	case s.refusal != smpp.OK:
		return s.refusal
	case command == smpp.BindTransceiver && s.config.NoTransceiver:
		return smpp.InvalidCommandID
	case !known:
		return smpp.InvalidSystemID
	case password != b.Password:
		return smpp.InvalidPassword
	}
	return smpp.OK
}

// gone forgets a connection. The receipts that it did not answer go to the next one.
func (s *Server) gone(k *conn) {
	s.mu.Lock()
	delete(s.conns, k)
	s.counts.MaxUnanswered = max(s.counts.MaxUnanswered, k.mostUnanswered())
	name, _ := k.who()
	if a := s.accounts[name]; a != nil {
		a.binds--
		a.receivers = slices.DeleteFunc(a.receivers, func(r *conn) bool { return r == k })
		a.outbox = append(k.unanswered(), a.outbox...)
	}
	s.mu.Unlock()
	s.pump(name)
}
