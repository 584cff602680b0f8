package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// stage is how far a conversation had come when it failed.
type stage int

// The stages, in their order.
const (
	waiting stage = iota
	connecting
	greeting
	securing
	authenticating
	sender
	recipient
	data
	content
	dot
)

var stageNames = [...]string{
	waiting: "wait for a connection", connecting: "connect", greeting: "EHLO", securing: "STARTTLS",
	authenticating: "AUTH", sender: "MAIL FROM", recipient: "RCPT TO", data: "DATA",
	content: "write the mail", dot: "answer to the mail",
}

func (s stage) String() string { return stageNames[s] }

// failure is where a conversation broke, and by what.
type failure struct {
	at  stage
	err error
}

// errUnmet is what the relay does not offer and we do not do without.
var errUnmet = errors.New("the relay does not offer")

// stale says that a connection which had been idle was at its end before the mail began.
func (f *failure) stale() bool {
	r, answered := readReply(f.err)
	return f.at == sender && (!answered || r.code == 421) && !errors.Is(f.err, errUnmet)
}

// session is one connection to the relay. One goroutine has it at a time.
type session struct {
	conn   net.Conn // the TCP connection: to close it ends whatever waits for it
	client *gosmtp.Client
	broken bool
	expiry *time.Timer // the pool's
}

// while ends the connection if ctx ends during f. go-mail knows no context.
func (s *session) while(ctx context.Context, f func() *failure) *failure {
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	failed := f()
	if !stop() {
		s.broken = true
	}
	return failed
}

// dial opens a connection as far as AUTH.
func (p *Provider) dial(ctx context.Context) (*session, *failure) {
	conn, err := p.dialer(ctx, "tcp", p.config.address)
	if err != nil {
		return nil, &failure{connecting, err}
	}
	s := &session{conn: conn}
	failed := s.while(ctx, func() *failure { return p.open(ctx, s) })
	if failed == nil && s.broken {
		failed = &failure{authenticating, ctx.Err()}
	}
	if failed != nil {
		s.conn.Close()
		return nil, failed
	}
	return s, nil
}

func (p *Provider) open(ctx context.Context, s *session) *failure {
	conn := s.conn
	if p.config.mode == implicitTLS {
		secured := tls.Client(conn, p.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return &failure{connecting, err}
		}
		conn = secured
	}
	var err error
	if s.client, err = gosmtp.NewClient(conn, p.config.host); err != nil {
		return &failure{connecting, err}
	}
	if err := s.client.Hello(p.config.helo); err != nil {
		return &failure{greeting, err}
	}
	if p.config.mode == startTLS {
		if ok, _ := s.client.Extension("STARTTLS"); !ok {
			return &failure{securing, fmt.Errorf("%w STARTTLS", errUnmet)}
		}
		if err := s.client.StartTLS(p.tls); err != nil {
			return &failure{securing, err}
		}
	}
	// If a relay can write to the envelope sender, a bounce must not bring the code back.
	s.client.SetDSNMailReturnOption("HDRS")
	s.client.SetDSNRcptNotifyOption("FAILURE,DELAY")
	return p.authenticate(s.client)
}

func (p *Provider) authenticate(c *gosmtp.Client) *failure {
	if p.config.username == "" {
		return nil
	}
	mechanism := strings.ToUpper(p.config.auth)
	_, offered := c.Extension("AUTH")
	if !slices.Contains(strings.Fields(strings.ToUpper(offered)), mechanism) {
		return &failure{authenticating, fmt.Errorf("%w AUTH %s", errUnmet, mechanism)}
	}
	// Without TLS we speak to this host only: see Config.settings.
	const alsoWithoutTLS = true
	var auth gosmtp.Auth
	switch p.config.auth {
	case authLogin:
		auth = gosmtp.LoginAuth(p.config.username, p.config.password, p.config.host, alsoWithoutTLS)
	case authXOAuth2:
		auth = gosmtp.XOAuth2Auth(p.config.username, p.config.password)
	default:
		auth = gosmtp.PlainAuth("", p.config.username, p.config.password, p.config.host, alsoWithoutTLS)
	}
	if err := c.Auth(auth); err != nil {
		return &failure{authenticating, err}
	}
	return nil
}

// transact sends one mail and returns what the relay answered to it.
func (s *session) transact(ctx context.Context, l letter) (answer string, failed *failure) {
	failed = s.while(ctx, func() *failure {
		if ok, _ := s.client.Extension("SMTPUTF8"); l.utf8() && !ok {
			return &failure{sender, fmt.Errorf("%w SMTPUTF8, which these addresses need", errUnmet)}
		}
		s.client.SkipSMTPUTF8(!l.utf8())
		if err := s.client.Mail(l.from.path()); err != nil {
			return &failure{sender, err}
		}
		if err := s.client.Rcpt(l.to.path()); err != nil {
			return &failure{recipient, err}
		}
		w, err := s.client.Data()
		if err != nil {
			return &failure{data, err}
		}
		if _, err := w.Write(l.content); err != nil {
			return &failure{content, err}
		}
		if err := w.Close(); err != nil {
			return &failure{dot, err}
		}
		if d, ok := w.(*gosmtp.DataCloser); ok {
			answer = d.ServerResponse()
		}
		return nil
	})
	return answer, failed
}

// alive asks whether an idle connection still stands, and clears what a refusal left behind.
// RSET does the work of NOOP, too.
func (s *session) alive(ctx context.Context) bool {
	failed := s.while(ctx, func() *failure {
		if err := s.client.Reset(); err != nil {
			return &failure{sender, err}
		}
		return nil
	})
	return failed == nil && !s.broken
}

// quit takes leave. It must not be called in the middle of a mail: go-mail would end the mail
// with a dot first, and the relay would send what there was of it.
func (s *session) quit() {
	s.conn.SetDeadline(time.Now().Add(time.Second))
	_ = s.client.Quit()
	s.conn.Close()
}
