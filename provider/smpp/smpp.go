// Package smpp sends text messages to a carrier by SMPP 3.4. It is for teams that have a contract
// with a carrier or an aggregator and want nobody in between.
//
// Run keeps the connections that the configuration asks for, each bound to the carrier. A Send gets
// a place in the window of one of them, waits for its turn, and then for the carrier's answer:
//
//	Send ─ pool (a place in a window) ─ pace (a turn) ─ session (written, answered)
//	└──────────── surely not sent ─────────────────────────────┘└ Unknown ┘
//
// Nothing waits in here without its Send: when the windows are full, Send waits, and whoever called
// it has the message. What was written and not answered when a connection ends is Unknown, what was
// not written is surely not sent and goes over the next connection.
//
// A receipt is answered after Deps.Report has kept it, so that the carrier repeats what was lost.
//
// It does not query, cancel or replace messages, does not broadcast, and takes no messages of
// people: what they write is acknowledged and dropped.
package smpp

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// Provider sends through one account at one carrier. It is safe for concurrent use.
type Provider struct {
	config    settings
	log       *slog.Logger
	now       func() time.Time // the clock of deadlines
	dialer    func(ctx context.Context, network, address string) (net.Conn, error)
	jitter    func(time.Duration) time.Duration
	report    func(context.Context, provider.Report) error
	secrets   []string // what Excerpt blanks in the carrier's words
	links     []*link
	pool      pool
	reference atomic.Uint32 // of long texts
	receipts  chan received
}

// New checks the configuration. Nobody is called before Run.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		config: s, log: deps.Log, now: deps.Now, report: deps.Report, jitter: jitter,
		dialer:   (&net.Dialer{}).DialContext,
		secrets:  []string{c.SystemID, c.Password},
		receipts: make(chan received, maxReceipts),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.report == nil {
		p.report = func(context.Context, provider.Report) error { return nil }
	}
	p.reference.Store(rand.Uint32())
	for i, role := range s.roles {
		l := &link{p: p, role: role, log: p.log.With("carrier", s.address, "bind", fmt.Sprintf("%v %d", role, i+1))}
		l.pace.limit = s.tps
		p.links = append(p.links, l)
		if l.sends() {
			p.pool.links = append(p.pool.links, l)
		}
	}
	return p, nil
}

// Run keeps the connections until ctx ends. It then waits for the answers that are due, unbinds, and
// returns nil. Every other end of a connection is mended.
func (p *Provider) Run(ctx context.Context) error {
	var links, recorders sync.WaitGroup
	ended := make(chan struct{})
	for range maxRecorders {
		recorders.Go(func() { p.record(context.WithoutCancel(ctx), ended) })
	}
	for _, l := range p.links {
		links.Go(func() { l.keep(ctx) })
	}
	links.Wait()
	close(ended)
	recorders.Wait()
	return nil
}

// maxTries is how often a part of a text is handed over to a carrier that has the parts before it
// and now finds us too fast.
const maxTries = 5

// Send hands the text of m to the carrier, in as many messages as it needs. The identifier that it
// gives back is that of the last one, for which the carrier is asked to report, in the form in
// which receipts name it.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "smpp carries the channel sms and no other",
		}
	}
	l, refused := p.compose(m)
	if refused != nil {
		return provider.Accepted{}, refused
	}
	accepted := provider.Accepted{Parts: l.billed}
	for i, part := range l.parts {
		id, failed := p.handOver(ctx, part, m, i > 0)
		for try := 1; i > 0 && failed != nil && failed.Class == provider.Throttled && try < maxTries && sleep(ctx, failed.RetryAfter); try++ {
			id, failed = p.handOver(ctx, part, m, true)
		}
		if failed != nil {
			if i > 0 {
				failed.Detail = fmt.Sprintf("part %d of %d: %s", i+1, len(l.parts), failed.Detail)
				if failed.Class != provider.BadRecipient {
					failed.Class = provider.Unknown // the parts before it are on their way
				}
			}
			return provider.Accepted{}, failed
		}
		accepted.ID = id
	}
	return accepted, nil
}

// handOver gives one message to whichever connection takes it. A message that cannot be given back,
// because parts before it have been sent, waits as long as ctx lets it.
func (p *Provider) handOver(ctx context.Context, part *smpp.ShortMessage, m provider.Message, committed bool) (string, *provider.Error) {
	for {
		patience := p.config.maxWait
		if committed {
			patience = math.MaxInt64
		}
		s, refused := p.pool.acquire(ctx, patience)
		if refused != nil {
			return "", refused
		}
		if refused := p.turn(ctx, s, patience); refused != nil {
			p.pool.release(s, false)
			return "", refused
		}
		o := s.send(ctx, part)
		switch {
		case o.err == nil:
			return p.answered(s, o.answer, m)
		case o.written:
			return "", &provider.Error{Class: provider.Unknown, Detail: "handed over: " + o.err.Error(), Err: ctx.Err()}
		case ctx.Err() != nil:
			return "", &provider.Error{Class: provider.Temporary, Detail: "not handed over", Err: ctx.Err()}
		}
		p.pool.forget(s) // and on to the next connection
	}
}

// turn waits until the pace of the session's link lets a message go.
func (p *Provider) turn(ctx context.Context, s *session, patience time.Duration) *provider.Error {
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	wait, ok := s.link.pace.reserve(time.Now(), patience)
	switch {
	case !ok:
		return &provider.Error{Class: provider.Throttled, Detail: "too fast for this carrier", RetryAfter: wait}
	case wait > 0 && !sleep(ctx, wait):
		return &provider.Error{Class: provider.Throttled, Detail: "too fast for this carrier", Err: ctx.Err()}
	}
	return nil
}

// answered reads the carrier's answer, and heeds what it says about our pace.
func (p *Provider) answered(s *session, answer smpp.PDU, m provider.Message) (string, *provider.Error) {
	resp, _ := answer.Body.(*smpp.MessageResp)
	if resp == nil {
		resp = &smpp.MessageResp{}
	}
	const congested = 80 // of 100
	congestion, _ := resp.TLVs.Uint(smpp.TagCongestion)
	refused := p.read(answer, m)
	if congestion > congested || refused != nil && refused.Class == provider.Throttled && answer.Status != smpp.QueueFull {
		s.link.pace.slowDown(time.Now())
	}
	if refused != nil {
		return "", refused
	}
	return p.config.answeredID(resp.MessageID), nil
}

const (
	// maxReceipts is how many wait to be recorded; the carrier is asked to repeat the others.
	maxReceipts = 1000
	// maxRecorders is how many are recorded at a time.
	maxRecorders = 8
	// recordTimeout is less than carriers wait for an answer.
	recordTimeout = 10 * time.Second
)

// received is a receipt that was not answered yet.
type received struct {
	session *session
	pdu     smpp.PDU
	report  provider.Report
}

// receive takes a message from the carrier. It must not wait: answers to our messages come on the
// same connection.
func (p *Provider) receive(s *session, pdu smpp.PDU) {
	in, _ := incomingOf(pdu)
	if !in.isReceipt() {
		p.acknowledge(s, pdu, smpp.OK)
		return
	}
	report, news := p.config.readReceipt(in).report()
	if !news {
		p.acknowledge(s, pdu, smpp.OK)
		return
	}
	select {
	case p.receipts <- received{s, pdu, report}:
	default:
		p.acknowledge(s, pdu, smpp.TemporaryAppError)
	}
}

func (p *Provider) acknowledge(s *session, pdu smpp.PDU, status smpp.Status) {
	if err := s.reply(pdu.Response(status, &smpp.MessageResp{})); err != nil {
		s.log.Error("a receipt cannot be answered", "error", err)
	}
}

// record keeps receipts and answers them, until the connections have ended and none is left.
func (p *Provider) record(ctx context.Context, ended <-chan struct{}) {
	for {
		select {
		case r := <-p.receipts:
			p.keep(ctx, r)
			continue
		case <-ended:
		}
		select {
		case r := <-p.receipts:
			p.keep(ctx, r)
		default:
			return
		}
	}
}

func (p *Provider) keep(ctx context.Context, r received) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	status := smpp.OK
	if err := p.report(ctx, r.report); err != nil {
		p.log.Error("a receipt was not recorded; the carrier is asked to repeat it", "id", r.report.ID, "error", err)
		status = smpp.TemporaryAppError
	}
	p.acknowledge(r.session, r.pdu, status)
}
