// Package smtp is the far end of mail: a relay that takes mail by submission, and the mail system behind
// it, which says in a mail of its own (RFC 3464) what did not arrive. It asks for a password, reads what it
// is sent, and refuses what is no mail.
//
// Refusals have the codes that docs/providers/smtp.md gives a class: they come at RCPT, where the
// destination is known. No code means "perhaps": a message that is to end so is read, and the connection
// ends in the place of the answer.
package smtp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// Name is that of the provider.
const Name = "smtp"

// The account that may send.
const (
	Username = "verifyd"
	Password = "smtp-password"
)

// maxMail is far beyond any mail with a code.
const maxMail = 1 << 20

// Server is a relay.
type Server struct {
	desk *desk.Desk
	log  *slog.Logger

	ctx      context.Context // of what goes on after an answer
	stop     context.CancelFunc
	bouncing sync.WaitGroup

	mu      sync.Mutex
	servers map[*gosmtp.Server]net.Listener
	bounces string
	closed  bool
}

// New makes a Server that does not listen yet.
func New(d *desk.Desk, log *slog.Logger) *Server {
	s := &Server{desk: d, log: log, servers: map[*gosmtp.Server]net.Listener{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Bounces names the address, "127.0.0.1:2525", of the server that takes bounces: that which the MX of
// their domain would name.
func (s *Server) Bounces(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bounces = address
}

// Serve takes connections from l until Cut or Close.
func (s *Server) Serve(l net.Listener) error {
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	server.Domain = "relay.fakecarrier.example"
	server.AllowInsecureAuth = true // it listens on this machine
	server.EnableSMTPUTF8 = true
	server.EnableDSN = true
	server.MaxMessageBytes = maxMail
	server.MaxRecipients = 1
	server.ReadTimeout, server.WriteTimeout = 5*time.Minute, time.Minute
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.servers[server] = l
	s.mu.Unlock()
	err := server.Serve(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.servers[server] == nil {
		return nil
	}
	delete(s.servers, server)
	return err
}

// Cut stops listening and breaks all connections, as a network does.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for server, l := range s.servers {
		delete(s.servers, server)
		l.Close() // the server may not have learned of it yet
		server.Close()
	}
}

// Close ends everything, and waits for bounces that are under way.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.Cut()
	s.bouncing.Wait()
}

// session is one connection.
type session struct {
	server   *Server
	conn     *gosmtp.Conn
	loggedIn bool
	from, to string
	success  bool // is to be told of
	plan     desk.Plan
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != Username || password != Password {
			return gosmtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	if !s.loggedIn {
		return gosmtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

// refusals are what RCPT is answered with.
var refusals = map[desk.Answer]*gosmtp.SMTPError{
	desk.BadRecipient: {Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such user here"},
	desk.BadRequest:   {Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 7, 1}, Message: "refused by policy"},
	desk.Temporary:    {Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 7, 1}, Message: "come again later"},
	desk.Throttled:    {Code: 450, EnhancedCode: gosmtp.EnhancedCode{4, 7, 28}, Message: "too many mails"},
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, o *gosmtp.RcptOptions) error {
	s.to, s.success = to, false
	for _, when := range o.Notify {
		s.success = s.success || when == gosmtp.DSNNotifySuccess
	}
	s.plan = s.server.desk.Meet(Name, to)
	if refusal := refusals[s.plan.Answer]; refusal != nil {
		s.server.desk.Keep(desk.Message{Provider: Name, To: to, From: s.from, Answer: s.plan.Answer})
		s.server.wait(s.plan.Latency)
		return refusal
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := readMail(raw)
	if err != nil {
		s.server.log.Info("a mail was refused", "provider", Name, "error", err)
		return &gosmtp.SMTPError{Code: 554, EnhancedCode: gosmtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	id := ""
	if s.plan.Answer == desk.Accepted {
		id = strings.ToUpper(s.server.desk.NewID()[22:])
	}
	s.server.desk.Keep(desk.Message{
		ID: id, Provider: Name, To: s.to, From: m.from, Text: m.subject + "\n\n" + m.text, Answer: s.plan.Answer, Arrived: s.plan.Arrives,
	})
	later := bounce{from: s.from, to: s.to, header: m.header, success: s.success, plan: s.plan}
	if s.plan.ReportFirst {
		s.server.report(later)
	}
	s.server.wait(s.plan.Latency)
	switch s.plan.Answer {
	case desk.Silent:
		<-s.server.ctx.Done()
		return errors.New("closed")
	case desk.Dropped, desk.Unknown:
		s.conn.Conn().Close()
		return errors.New("dropped")
	}
	if !s.plan.ReportFirst {
		s.server.aside(func() { s.server.report(later) })
	}
	return &gosmtp.SMTPError{Code: 250, EnhancedCode: gosmtp.EnhancedCode{2, 0, 0}, Message: "Ok: queued as " + cmp.Or(id, "nothing")}
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", "" }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// wait waits for a while, or until the server is closed.
func (s *Server) wait(d time.Duration) {
	if d == 0 {
		return
	}
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
	case <-s.ctx.Done():
	}
}

// aside does something that Close waits for, unless it waits already.
func (s *Server) aside(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.bouncing.Go(f)
	}
}
