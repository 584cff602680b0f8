package sip

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	siplib "github.com/emiago/sipgo/sip"

	"github.com/verifyd/verifyd/provider"
)

// registry keeps us registered (RFC 3261, 10), for trunks that take calls from nobody else.
type registry struct {
	trunk    *trunk
	id, tag  string
	sequence uint32

	mu     sync.Mutex
	failed *provider.Error // the last attempt's, nil when the trunk knows us
	known  chan struct{}   // closed after the first attempt
	once   sync.Once
}

const (
	wantedExpiry = 10 * time.Minute
	leastExpiry  = 30 * time.Second
	mostExpiry   = time.Hour
	mostPatience = time.Minute // between two failed attempts
)

func newRegistry(t *trunk) *registry {
	return &registry{trunk: t, id: siplib.GenerateTagN(32), tag: siplib.GenerateTagN(16), known: make(chan struct{})}
}

// state is nil once the trunk knows us.
func (r *registry) state(ctx context.Context) *provider.Error {
	select {
	case <-r.known:
	case <-ctx.Done():
		return &provider.Error{Class: provider.Temporary, Detail: "not registered yet", Err: ctx.Err()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// run registers, again at 80 % of the time that the trunk grants, and signs off when ctx ends.
func (r *registry) run(ctx context.Context) {
	log := r.trunk.provider.log
	patience := r.trunk.provider.limits.register
	for {
		granted, failed := r.register(ctx, wantedExpiry)
		if ctx.Err() != nil {
			break
		}
		r.mu.Lock()
		r.failed = failed
		r.mu.Unlock()
		r.once.Do(func() { close(r.known) })
		wait := granted * 4 / 5
		if failed != nil {
			wait = max(patience, failed.RetryAfter)
			patience = min(2*patience, mostPatience)
			log.WarnContext(ctx, "the trunk does not register us", "error", failed, "again_in", wait)
		} else {
			patience = r.trunk.provider.limits.register
			log.DebugContext(ctx, "registered", "for", granted)
		}
		select {
		case <-time.After(wait):
			continue
		case <-ctx.Done():
		}
		break
	}
	r.once.Do(func() { close(r.known) })
	r.register(context.WithoutCancel(ctx), 0)
}

// register asks to be known for so long, and returns what was granted.
func (r *registry) register(ctx context.Context, expiry time.Duration) (time.Duration, *provider.Error) {
	t := r.trunk
	at, err := t.advertised(ctx)
	if err != nil {
		return 0, r.unreached(err)
	}
	r.sequence++
	req := t.request(siplib.REGISTER, t.provider.config.username, r.id, r.tag, r.sequence)
	req.AppendHeader(t.contact(at))
	req.AppendHeader(siplib.NewHeader("Expires", strconv.Itoa(int(expiry.Seconds()))))
	res, err := t.ask(ctx, req, at, t.provider.config.server)
	r.sequence = req.CSeq().SeqNo
	if err != nil {
		return 0, r.unreached(err)
	}
	if !res.IsSuccess() {
		f := final{status: res.StatusCode, reason: res.Reason}
		if h := res.GetHeader("Retry-After"); h != nil {
			f.retryAfter = readRetryAfter(h.Value())
		}
		e := &provider.Error{
			Class: f.class(), Code: f.code(), Detail: "register: " + r.excerpt(f.reason), RetryAfter: f.retryAfter,
		}
		if e.Class == provider.BadRecipient { // it speaks of us, and of nobody whom we call
			e.Class = provider.BadRequest
		}
		return 0, e
	}
	return readExpiry(res, expiry, t.provider.limits.leastExpiry), nil
}

func (r *registry) unreached(err error) *provider.Error {
	return &provider.Error{Class: provider.Temporary, Detail: fmt.Sprintf("register: %s", r.excerpt(err.Error()))}
}

func (r *registry) excerpt(words string) string {
	return provider.Excerpt(words, provider.Message{}, r.trunk.provider.secrets()...)
}

// readExpiry is how long a registration lasts: as the Contact says, else as Expires says, else as we
// asked for; and no less than least, lest a trunk have us ask all the time.
func readExpiry(res *siplib.Response, asked, least time.Duration) time.Duration {
	said := ""
	if h := res.GetHeader("Expires"); h != nil {
		said = h.Value()
	}
	if h := res.Contact(); h != nil {
		if v, ok := h.Params.Get("expires"); ok {
			said = v
		}
	}
	seconds, err := strconv.ParseUint(strings.TrimSpace(said), 10, 31)
	if err != nil {
		return asked
	}
	return min(max(time.Duration(seconds)*time.Second, least), mostExpiry)
}
