package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	siplib "github.com/emiago/sipgo/sip"

	"github.com/verifyd/verifyd/provider"
)

// call is one call from the first INVITE to the last BYE. It is run by one goroutine; Send waits for
// its first words and may abandon it.
type call struct {
	provider *Provider
	trunk    *trunk // set when it is carried
	id, tag  string // Call-ID, and the tag of our end
	from     string
	message  provider.Message
	score    score
	line     *line

	life    context.Context // ends when Send gives up
	abandon context.CancelFunc
	sent    atomic.Bool // an INVITE may have left
	early   []byte      // the description in a provisional answer

	gone     chan struct{} // closed when the person hangs up
	goneOnce sync.Once

	mu    sync.Mutex
	stage stage
	first chan *provider.Error // what Send returns
}

// stage is who is to learn the outcome.
type stage int

const (
	sending   stage = iota // Send does
	accepted               // a Report
	abandoned              // nobody: Send gave up
)

func newCall(p *Provider, m provider.Message, from string, s score, l *line) *call {
	c := &call{
		provider: p, id: siplib.GenerateTagN(32), tag: siplib.GenerateTagN(16), from: from, message: m, score: s, line: l,
		gone: make(chan struct{}), first: make(chan *provider.Error, 1),
	}
	c.life, c.abandon = context.WithCancel(context.Background())
	return c
}

// ringing waits until a telephone rings, or the call failed.
func (c *call) ringing(ctx context.Context) *provider.Error {
	select {
	case e := <-c.first:
		return e
	case <-ctx.Done():
	}
	if !c.move(abandoned) {
		return <-c.first
	}
	c.abandon()
	e := &provider.Error{Class: provider.Temporary, Detail: "gave up before the trunk was called", Err: ctx.Err()}
	if c.sent.Load() {
		e.Class, e.Detail = provider.Unknown, "gave up before a telephone rang"
	}
	return e
}

// move leaves the stage of sending; it is not ok when somebody else has.
func (c *call) move(to stage) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage != sending {
		return false
	}
	c.stage = to
	return true
}

// rings lets Send return.
func (c *call) rings() {
	if c.move(accepted) {
		c.first <- nil
	}
}

func (c *call) hangUp() { c.goneOnce.Do(func() { close(c.gone) }) }

// outcome is what became of a call.
type outcome struct {
	state  provider.ReportState
	class  provider.Class
	code   string
	detail string
	wait   time.Duration
	err    error
}

func failed(class provider.Class, code, detail string) outcome {
	return outcome{state: provider.Failed, class: class, code: code, detail: detail}
}

// run makes the call and tells whoever is to know.
func (c *call) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	defer c.abandon()
	o := c.place(ctx)
	c.line.conn.Close()
	if c.move(abandoned) { // nothing rang: Send says it
		c.first <- &provider.Error{
			Class: o.class, Code: o.code, Detail: o.detail, RetryAfter: o.wait, Err: o.err,
		}
		return
	}
	c.mu.Lock()
	told := c.stage == accepted
	c.mu.Unlock()
	if told {
		c.tell(context.WithoutCancel(ctx), o)
	}
}

// tell reports the outcome. Nobody else will say it again, so it is tried more than once.
func (c *call) tell(ctx context.Context, o outcome) {
	p := c.provider
	p.log.DebugContext(ctx, "a call ended", "call", c.id, "attempt", c.message.Attempt, "code", o.code, "detail", o.detail)
	if p.report == nil {
		return
	}
	var err error
	for wait := range 3 {
		if wait > 0 {
			time.Sleep(time.Duration(wait) * time.Second)
		}
		err = p.report(ctx, provider.Report{ID: c.id, State: o.state, Class: o.class, Code: o.code})
		if err == nil {
			return
		}
	}
	p.log.ErrorContext(ctx, "cannot record how a call ended", "call", c.id, "attempt", c.message.Attempt, "error", err)
}

// place invites, as often as it takes to prove who we are.
func (c *call) place(ctx context.Context) outcome {
	at, err := c.trunk.advertised(ctx)
	if err != nil {
		return failed(provider.Temporary, "", "server: "+c.excerpt(err.Error()))
	}
	req := c.invite(at)
	for tries := 1; ; tries++ {
		c.trunk.route(req, at, c.provider.config.server)
		tx, err := c.trunk.begin(ctx, req, func() { c.sent.Store(true) })
		if err != nil {
			return failed(provider.Temporary, "", "connect: "+c.excerpt(err.Error()))
		}
		res, o := c.await(ctx, tx, req)
		switch {
		case res == nil:
			return o
		case res.IsSuccess():
			return c.answered(ctx, tx, req, res, at)
		case !c.provider.mayAuthorize(res, tries):
			return c.refused(res)
		}
		if err := c.provider.authorize(req, res); err != nil {
			return failed(provider.BadRequest, final{status: res.StatusCode}.code(), c.excerpt(err.Error()))
		}
	}
}

// await is the last answer to an INVITE, or why there is none.
func (c *call) await(ctx context.Context, tx *siplib.ClientTx, req *siplib.Request) (*siplib.Response, outcome) {
	silent := time.After(c.provider.limits.silent)
	var ring <-chan time.Time
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, outcome{}
			}
			if silent = nil; ring == nil {
				ring = time.After(c.provider.limits.ring)
			}
			if len(res.Body()) > 0 {
				c.early = res.Body()
			}
			if res.StatusCode >= 180 {
				c.rings()
			}
		case <-tx.Done():
			return nil, failed(provider.Unknown, "", "the connection broke before an answer")
		case <-silent:
			// A trunk that is alive says 100 at once. Should this one call somebody yet, it has nobody to
			// connect them with.
			tx.Terminate()
			return nil, failed(provider.Temporary, "", "no answer from the trunk")
		case <-ring:
			// Somebody who answers in this very moment is welcome.
			if res := c.cancel(tx, req, true); res != nil {
				return res, outcome{}
			}
			return nil, c.final(final{status: 487, reason: "no answer"})
		case <-ctx.Done():
			if res := c.cancel(tx, req, silent == nil); res != nil && res.IsSuccess() {
				return res, outcome{}
			}
			return nil, failed(provider.Temporary, "", "the call was given up")
		}
	}
}

// cancel takes an INVITE back and returns its last answer, if there is one: 487, mostly. A CANCEL may
// not be sent before the first answer came (RFC 3261, 9.1).
func (c *call) cancel(tx *siplib.ClientTx, req *siplib.Request, heard bool) *siplib.Response {
	patience := time.After(c.provider.limits.dial)
	for !heard {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res
			}
			heard = true
		case <-tx.Done():
			return nil
		case <-patience:
			tx.Terminate()
			return nil
		}
	}
	cancel := siplib.NewRequest(siplib.CANCEL, *req.Recipient.Clone())
	cancel.AppendHeader(siplib.HeaderClone(req.Via())) // the same branch
	for _, name := range []string{"From", "To", "Call-ID", "Max-Forwards"} {
		siplib.CopyHeaders(name, req, cancel)
	}
	cancel.AppendHeader(&siplib.CSeqHeader{SeqNo: req.CSeq().SeqNo, MethodName: siplib.CANCEL})
	cancel.SetBody(nil)
	c.trunk.address(cancel, c.provider.config.server)
	var answers <-chan *siplib.Response
	ctx, stop := context.WithTimeout(context.Background(), c.provider.limits.dial)
	defer stop()
	if asked, err := c.trunk.begin(ctx, cancel, func() {}); err == nil {
		defer asked.Terminate()
		answers = asked.Responses()
	}
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res
			}
		case <-answers:
		case <-tx.Done():
			return nil
		case <-ctx.Done():
			tx.Terminate()
			return nil
		}
	}
}

// refused is an answer that is none of the person's.
func (c *call) refused(res *siplib.Response) outcome {
	f := final{status: res.StatusCode, reason: res.Reason}
	for _, h := range res.GetHeaders("Reason") {
		if f.cause = readCause(h.Value()); f.cause != 0 {
			break
		}
	}
	if h := res.GetHeader("Retry-After"); h != nil {
		f.retryAfter = readRetryAfter(h.Value())
	}
	return c.final(f)
}

func (c *call) final(f final) outcome {
	return outcome{state: provider.Failed, class: f.class(), code: f.code(), detail: c.excerpt(f.reason), wait: f.wait()}
}

func (c *call) excerpt(words string) string {
	return provider.Excerpt(words, c.message, c.provider.secrets()...)
}

// answered speaks with whoever took the call.
func (c *call) answered(ctx context.Context, tx *siplib.ClientTx, req *siplib.Request, res *siplib.Response, at netip.Addr) outcome {
	d := c.newDialog(req, res, at)
	defer tx.Terminate() // until then it acknowledges 200 again, should the ACK be lost
	tx.OnRetransmission(func(*siplib.Response) { d.acknowledge() })
	d.acknowledge()
	if ctx.Err() != nil {
		d.bye()
		return failed(provider.Temporary, "", "the call was given up")
	}
	body := res.Body()
	if len(body) == 0 {
		body = c.early
	}
	far, err := readAnswer(body)
	if err != nil {
		d.bye()
		return failed(provider.BadRequest, "200", err.Error())
	}
	c.rings()
	if c.life.Err() != nil {
		d.bye()
		return outcome{}
	}

	c.line.connect(far)
	var hearing sync.WaitGroup
	hearing.Go(c.line.hear)
	o := c.talk(ctx)
	c.line.conn.Close()
	hearing.Wait()
	select {
	case <-c.gone:
	default:
		d.bye()
	}
	return o
}

var (
	errHungUp  = errors.New("hung up")
	errTooLong = errors.New("too long")
)

// maxAsked is how often the person is asked for a key.
const maxAsked = 2

// talk says the score and judges how it ended.
func (c *call) talk(ctx context.Context) outcome {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, c.provider.limits.talk, errTooLong)
	defer cancel()
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-c.gone:
			stop(errHungUp)
		case <-over:
		}
	})
	defer watching.Wait()
	defer close(over)

	said, err := c.say(ctx)
	switch {
	case said:
		return outcome{state: provider.Delivered, code: "200"}
	case errors.Is(err, errNoKey):
		return failed(provider.Temporary, "no key", "nobody pressed a key: perhaps an answering machine")
	case errors.Is(err, errHungUp):
		return failed(provider.Temporary, "hung up", "hung up before the code was said")
	case err == nil || errors.Is(err, errTooLong):
		return failed(provider.Temporary, "too long", "the call lasted too long")
	}
	return failed(provider.Unknown, "lost", "the call was lost: "+c.excerpt(err.Error()))
}

var errNoKey = errors.New("no key was pressed")

// say is true when the code was said once.
func (c *call) say(ctx context.Context) (said bool, err error) {
	l := c.line
	if _, err := l.speak(ctx, silence(500), false); err != nil { // the ear is on its way
		return false, err
	}
	if err := l.dial(ctx, c.score.dial); err != nil {
		return false, err
	}
	if c.score.press != nil {
		if err := c.askForKey(ctx); err != nil {
			return false, err
		}
	}
	spoken, err := l.speak(ctx, c.score.message, false)
	if err == nil {
		_, err = l.speak(ctx, silence(500), false) // or the last word is cut off
	}
	return spoken >= c.score.codeEnd, err
}

func (c *call) askForKey(ctx context.Context) error {
	wait := silence(int(c.provider.limits.keyWait.Milliseconds()))
	for range maxAsked {
		for _, sound := range [][]byte{c.score.press, wait} {
			_, err := c.line.speak(ctx, sound, true)
			if errors.Is(err, errKey) {
				_, err = c.line.speak(ctx, silence(500), false)
				return err
			}
			if err != nil {
				return err
			}
		}
	}
	return errNoKey
}

// invite is the first request of the call.
func (c *call) invite(at netip.Addr) *siplib.Request {
	t := c.trunk
	recipient := t.uri(t.spelled(c.message.To))
	req := siplib.NewRequest(siplib.INVITE, recipient)
	from := &siplib.FromHeader{Address: t.uri(t.spelled(c.from))}
	from.Params.Add("tag", c.tag)
	id := siplib.CallIDHeader(c.id)
	hops := siplib.MaxForwardsHeader(70)
	req.AppendHeader(from)
	req.AppendHeader(&siplib.ToHeader{Address: recipient})
	req.AppendHeader(&id)
	req.AppendHeader(&siplib.CSeqHeader{SeqNo: 1, MethodName: siplib.INVITE})
	req.AppendHeader(&hops)
	req.AppendHeader(t.contact(at))
	if c.provider.config.assertedIdentity {
		uri := t.uri(t.spelled(c.from))
		req.AppendHeader(siplib.NewHeader("P-Asserted-Identity", "<"+uri.String()+">"))
	}
	req.AppendHeader(siplib.NewHeader("Allow", "INVITE, ACK, BYE, CANCEL, INFO, OPTIONS"))
	req.AppendHeader(siplib.NewHeader("User-Agent", "verifyd"))
	req.AppendHeader(siplib.NewHeader("Content-Type", "application/sdp"))
	req.SetBody(offer(netip.AddrPortFrom(at, c.line.port()), uint64(rand.Uint32())))
	return req
}
