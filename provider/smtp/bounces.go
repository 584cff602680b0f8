package smtp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/verifyd/verifyd/internal/door"
)

// Run takes bounces until ctx ends, where the configuration says so (bounce_listen). It is a mail
// server that takes mail for the addresses of its own mails and for no other.
func (p *Provider) Run(ctx context.Context) error {
	if p.config.bounceListen == "" {
		<-ctx.Done()
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.config.bounceListen)
	if err != nil {
		return fmt.Errorf("bounce_listen: %w", err)
	}
	return p.takeBounces(ctx, listener)
}

func (p *Provider) takeBounces(ctx context.Context, listener net.Listener) error {
	var open atomic.Int32
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) {
		if open.Add(1) > maxBouncers {
			open.Add(-1)
			return nil, &gosmtp.SMTPError{Code: 421, EnhancedCode: gosmtp.EnhancedCode{4, 7, 0}, Message: "too many connections"}
		}
		return &bounceSession{provider: p, ctx: ctx, leave: func() { open.Add(-1) }}, nil
	}))
	server.Domain = p.config.helo
	server.MaxMessageBytes = maxBounce
	server.MaxRecipients = 10
	server.MaxLineLength = 2000
	server.ReadTimeout = time.Minute
	server.WriteTimeout = time.Minute
	server.EnableSMTPUTF8 = true
	server.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(door.New(listener, bouncers)); ctx.Err() == nil {
		return fmt.Errorf("bounce_listen: %w", err)
	}
	return nil
}

// maxBouncers bounds the connections that bring bounces at once.
const maxBouncers = 32

// bouncers bounds those that are open: who has not said who he is yet, and who was asked to come again and
// stays, are not among the others. No mail server needs longer for a mail of 256 kB, and whoever keeps a
// connection by saying NOOP loses it.
var bouncers = door.Limits{Most: 4 * maxBouncers, Life: 10 * time.Minute}

// bounceSession is one connection of a mail server that brings bounces.
type bounceSession struct {
	provider *Provider
	ctx      context.Context // of Run
	leave    func()
	keys     []string // of the mails that the present mail is about
}

// Mail implements smtp.Session. Bounces come from the empty address; those that do not are found out
// by what they are.
func (s *bounceSession) Mail(string, *gosmtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (s *bounceSession) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	key, ok := s.provider.config.verp.key(to)
	if !ok {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no mail was sent from this address"}
	}
	s.keys = append(s.keys, key)
	return nil
}

// Data implements smtp.Session. What is accepted was recorded; a mail that says nothing is accepted
// too, for nobody could do anything about its refusal.
func (s *bounceSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, key := range s.keys {
		if err := s.provider.bounce(s.ctx, key, content); err != nil {
			return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "cannot record it now"}
		}
	}
	return nil
}

// Reset implements smtp.Session.
func (s *bounceSession) Reset() { s.keys = nil }

// Logout implements smtp.Session.
func (s *bounceSession) Logout() error {
	s.leave()
	return nil
}

// bounce records what a mail says that came to the address of a mail of ours.
func (p *Provider) bounce(ctx context.Context, key string, content []byte) error {
	r, ok, err := readBounce(content)
	if err != nil || !ok {
		p.log.DebugContext(ctx, "a mail to the address for bounces says nothing final", "key", key, "error", err)
		return nil
	}
	r.Key = key
	if err := p.report(ctx, r); err != nil {
		p.log.ErrorContext(ctx, "cannot record a bounce; its sender will bring it again", "key", key, "error", err)
		return err
	}
	return nil
}
