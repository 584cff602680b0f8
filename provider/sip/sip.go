// Package sip calls people over a SIP trunk and speaks the code: for teams that have a contract with a
// telephone company, or a telephone exchange of their own.
//
// The idea is that a call is handed over in two steps. Send returns when a telephone rings; what
// became of the call is a Report, because a person takes half a minute to answer and to listen:
//
//	INVITE ─ 407 ─ INVITE ─ 100 ─ 180 ─────── 200 ─ ACK ─ "press a key" ─ key ─ code ─ code ─ BYE
//	└────────── Send ──────────────┘└───────────────────── the call (call.go) ───────────────────┘
//	  refused: an Error by its class             hung up, no key, busy: a Report by its class
//
// Until somebody answers nothing was said, so every failure before that is surely not sent, except that
// the connection breaks, or Send gives up, after an INVITE that may have arrived. Whoever must press a key and does not (a mailbox)
// never hears the code.
//
// What is said comes from recordings inside the program (recordings.go), or from a program that
// speaks (engine.go). Sound is G.711 in RTP and keys are RFC 4733, both our own (line.go): the
// transactions of SIP are sipgo's, the calls are ours, because its dialogs take ten provisional
// answers at most, know no deadline while they cancel, and lose a telephone that is answered while
// they do.
//
// It does not encrypt sound (SRTP), take calls, or guess whether a machine answered.
package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Provider calls over one trunk. It is safe for concurrent use. Calls are made while Run runs.
type Provider struct {
	config settings
	tls    *tls.Config
	limits limits
	voices []voice // the first that can say it all
	log    *slog.Logger
	report func(context.Context, provider.Report) error

	up     chan struct{} // closed when Run takes calls
	once   sync.Once
	trunk  *trunk        // set before up is closed
	places chan struct{} // one for each call that the trunk carries
}

// limits are the times of a call. Tests shorten them.
type limits struct {
	pace     time.Duration // between two packets of sound
	silent   time.Duration // until the first answer to an INVITE
	dial     time.Duration // for a connection, and for a request that is no INVITE
	ring     time.Duration
	keyWait  time.Duration // for a key, after each time that it was asked for
	talk     time.Duration // from the answer to the end
	register time.Duration // between two failed registrations, at first

	leastExpiry time.Duration // of a registration, whatever the trunk says
}

// New checks the configuration. It calls nobody.
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
		config: s,
		tls:    &tls.Config{ServerName: s.host, RootCAs: roots, MinVersion: tls.VersionTLS12},
		limits: limits{
			pace: 20 * time.Millisecond, silent: 4 * time.Second, dial: 4 * time.Second, ring: s.ringTimeout,
			keyWait: 5 * time.Second, talk: 2 * time.Minute, register: 2 * time.Second,
			leastExpiry: leastExpiry,
		},
		log:    deps.Log,
		report: deps.Report,
		up:     make(chan struct{}),
		places: make(chan struct{}, s.maxCalls),
	}
	if len(s.speechCommand) > 0 {
		p.voices = append(p.voices, newEngine(s.speechCommand, s.speechVoices))
	}
	p.voices = append(p.voices, newRecordings(s.recordings))
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

// Run listens for the trunk, registers where the configuration says so, and carries the calls until
// ctx ends. Calls that are under way then are ended.
func (p *Provider) Run(ctx context.Context) error {
	first := false
	p.once.Do(func() { first = true })
	if !first {
		return errors.New("a provider of type sip runs once")
	}
	t, err := p.listen(ctx, p.config.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.trunk = t
	close(p.up)
	t.run()
	return nil
}

// Send calls the person of m and returns when a telephone rings. The identifier that it gives back is
// the Call-ID.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	c, failed := p.prepare(ctx, m)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	select {
	case p.places <- struct{}{}:
	default:
		c.line.conn.Close()
		return provider.Accepted{}, &provider.Error{
			Class: provider.Throttled, Detail: fmt.Sprintf("all %d lines are busy", p.config.maxCalls), RetryAfter: 5 * time.Second,
		}
	}
	if !p.trunk.carry(c) {
		<-p.places
		c.line.conn.Close()
		return provider.Accepted{}, &provider.Error{Class: provider.Temporary, Detail: "the provider was stopped"}
	}
	if failed := c.ringing(ctx); failed != nil {
		return provider.Accepted{}, failed
	}
	return provider.Accepted{ID: c.id, Parts: 1}, nil
}

// prepare does all that needs no telephone.
func (p *Provider) prepare(ctx context.Context, m provider.Message) (*call, *provider.Error) {
	refused := func(detail string) (*call, *provider.Error) {
		return nil, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	from := m.From
	if from == "" {
		from = p.config.from
	}
	switch {
	case m.Channel != "call":
		return refused("sip carries the channel call and no other")
	case !number(m.To) || !strings.HasPrefix(m.To, "+"):
		return refused("the destination is not a telephone number")
	case !number(from):
		return refused("the sender is not a telephone number")
	case m.Speech == nil:
		return refused("the message has nothing to say")
	case ctx.Err() != nil:
		return nil, &provider.Error{Class: provider.Temporary, Detail: "not called", Err: ctx.Err()}
	}
	score, failed := p.compose(ctx, m)
	if failed != nil {
		return nil, failed
	}
	select {
	case <-p.up:
	case <-ctx.Done():
		return nil, &provider.Error{Class: provider.Temporary, Detail: "the provider does not run", Err: ctx.Err()}
	}
	if failed := p.trunk.registered(ctx); failed != nil {
		return nil, failed
	}
	line, err := openLine(p.config, p.limits.pace)
	if err != nil {
		return nil, &provider.Error{Class: provider.Temporary, Detail: "rtp_ports: " + err.Error()}
	}
	return newCall(p, m, from, score, line), nil
}

// compose asks the voices in their order. One that fails is not mixed with another: people would
// wonder who is calling.
func (p *Provider) compose(ctx context.Context, m provider.Message) (score, *provider.Error) {
	var e *provider.Error
	for _, v := range p.voices {
		s, err := compose(ctx, v, m)
		if err == nil {
			return s, nil
		}
		// A program that failed may do better the next time; words that nobody recorded stay unsaid.
		class := provider.BadRequest
		if _, program := v.(*engine); program {
			class = provider.Temporary
			p.log.WarnContext(ctx, "the program that speaks failed", "error", err)
		}
		if e == nil || e.Class == provider.BadRequest {
			e = &provider.Error{Class: class, Detail: "nothing to say it with: " + provider.Excerpt(err.Error(), m)}
		}
	}
	return score{}, e
}

// secrets are what no error may repeat.
func (p *Provider) secrets() []string { return []string{p.config.password, p.config.username} }
