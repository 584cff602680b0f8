// Package smtp sends e-mail by submission to a relay: a provider's, a company's, or a Postfix on
// this host. It is for teams that have a mail server and no wish for another contract.
//
// The idea is to know at every moment how far the conversation has come. A message exists for the
// relay only when the final dot has left, so every failure before it is surely not sent, and
// silence after it is Unknown:
//
//	connect ─ EHLO ─ STARTTLS ─ AUTH ─ MAIL ─ RCPT ─ DATA ─ content ─ . ─ answer
//	└────────────────── surely not sent ───────────────────────────┘   └ Unknown
//	                                   an answer says what it says, everywhere (class.go)
//
// It therefore drives the conversation through go-mail's smtp.Client itself. go-mail's own
// mail.Client hides the point where it broke: its SendError calls a connection that dies after
// the dot permanent, finds an enhanced status code in the IP address of "554 [5.1.1.9] blocked",
// and knows no context once it has dialled.
//
// What other servers say later, they say to the envelope sender: a mail of its own to an address
// that belongs to one mail (bounce.go), which Run takes (bounces.go).
//
// It does not sign with DKIM (the relay does), and never speaks to the recipient's server: that
// wants a queue and a reputation.
package smtp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Provider sends through one relay. It is safe for concurrent use.
type Provider struct {
	config  settings
	tls     *tls.Config
	now     func() time.Time
	dialer  func(ctx context.Context, network, address string) (net.Conn, error)
	slots   chan struct{} // one for each connection that may be busy
	idle    pool
	secrets []string // what Excerpt blanks in the relay's words
	log     *slog.Logger
	report  func(context.Context, provider.Report) error
}

// New checks the configuration. It does not call the relay.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		config:  s,
		tls:     &tls.Config{ServerName: s.host, RootCAs: roots, MinVersion: tls.VersionTLS12},
		now:     deps.Now,
		dialer:  (&net.Dialer{}).DialContext,
		slots:   make(chan struct{}, maxConnections),
		secrets: s.secrets(),
		log:     deps.Log,
		report:  deps.Report,
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

// Send hands the mail of m to the relay. The identifier that it gives back is the relay's queue
// identifier where the relay names it, and the mail's Message-ID where it does not.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "email" {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "smtp carries the channel email and no other",
		}
	}
	l, refused := p.compose(m)
	if refused != nil {
		return provider.Accepted{}, refused
	}

	ctx, cancel := context.WithTimeout(ctx, p.config.timeout)
	defer cancel()
	answer, failed := p.deliver(ctx, l)
	if failed != nil {
		return provider.Accepted{}, p.error(ctx, failed, m)
	}
	return provider.Accepted{ID: queueID(answer, l.messageID), Parts: 1}, nil
}

// deliver prefers a connection that stands already. Should that one turn out to be at its end
// when the mail begins, nothing was sent, and a new one is tried.
func (p *Provider) deliver(ctx context.Context, l letter) (string, *failure) {
	if ctx.Err() != nil {
		return "", &failure{waiting, ctx.Err()}
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return "", &failure{waiting, ctx.Err()}
	}

	if s := p.idleSession(ctx); s != nil {
		answer, failed := s.transact(ctx, l)
		p.release(s, failed)
		if failed == nil || !failed.stale() {
			return answer, failed
		}
	}
	s, failed := p.dial(ctx)
	if failed != nil {
		return "", failed
	}
	answer, failed := s.transact(ctx, l)
	p.release(s, failed)
	return answer, failed
}

// Close ends the connections that nobody uses. A Send that is under way ends its own.
func (p *Provider) Close() error {
	p.idle.close()
	return nil
}
