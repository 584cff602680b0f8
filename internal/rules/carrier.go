package rules

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// behaviour is what a carrier does with a message. It answers the n-th hand-over of one attempt, n counting
// from 1, with the number of copies that arrive, or with an error.
type behaviour struct {
	name, about string
	do          func(n int) (copies int, err *provider.Error)
}

// late is the name of a carrier and of a report, for which After is.
const late = "late"

const (
	lateBy    = 30 * time.Second // where no After is
	leastLate = time.Second
	mostLate  = 24 * time.Hour
)

// after is how late a rule wants something to be.
func (r Rule) after() time.Duration {
	d, err := time.ParseDuration(r.After)
	if err != nil {
		return lateBy
	}
	return d
}

var behaviours = []behaviour{
	{"delivers", "it arrives, as it does without a rule", func(int) (int, *provider.Error) { return 1, nil }},
	{late, "it is taken, and arrives half a minute later, or `after` that long", func(int) (int, *provider.Error) { return 1, nil }},
	{"twice", "it arrives twice", func(int) (int, *provider.Error) { return 2, nil }},
	{"loses", "it is taken, and never arrives", func(int) (int, *provider.Error) { return 0, nil }},
	{"refuses", "nobody is reached at that address: the attempt fails at once", func(int) (int, *provider.Error) {
		return 0, &provider.Error{Class: provider.BadRecipient, Code: "refuses"}
	}},
	{"throttles", "it is refused twice, because we are too fast, and arrives at the third try", func(n int) (int, *provider.Error) {
		if n <= 2 {
			return 0, &provider.Error{Class: provider.Throttled, Code: "throttles"}
		}
		return 1, nil
	}},
	{"breaks", "it is refused for the time being, again and again until the code is no longer good", func(int) (int, *provider.Error) {
		return 0, &provider.Error{Class: provider.Temporary, Code: "breaks"}
	}},
	{"doubts", "nobody can say whether it arrived; it did not", func(int) (int, *provider.Error) {
		return 0, &provider.Error{Class: provider.Unknown, Code: "doubts"}
	}},
}

func behaviourOf(name string) (behaviour, bool) {
	i := slices.IndexFunc(behaviours, func(b behaviour) bool { return b.name == name })
	if i < 0 {
		return behaviour{}, false
	}
	return behaviours[i], true
}

// reporting is what a carrier says of a message that it took: so many times the same, at a time after the
// hand-over.
type reporting struct {
	name, about string
	times       int
	state       provider.ReportState
	at          func(after time.Duration) time.Duration
}

// Carriers report no sooner than a moment after they have taken a message, when what they report about is
// written.
func soon(time.Duration) time.Duration           { return time.Second }
func whenLate(after time.Duration) time.Duration { return after }

var reportings = []reporting{
	{"never", "nothing, as without a rule", 0, 0, soon},
	{"delivered", "after a second, that it arrived", 1, provider.Delivered, soon},
	{late, "after half a minute, or `after` that long, that it arrived", 1, provider.Delivered, whenLate},
	{"twice", "after a second, and once more, that it arrived", 2, provider.Delivered, soon},
	{"failed", "after a second, that it did not arrive", 1, provider.Failed, soon},
}

func reportingOf(name string) (reporting, bool) {
	i := slices.IndexFunc(reportings, func(r reporting) bool { return r.name == name })
	if i < 0 {
		return reporting{}, false
	}
	return reportings[i], true
}

func carriers() (names string) {
	for _, b := range behaviours {
		names += " " + b.name
	}
	return names
}

func reports() (names string) {
	for _, r := range reportings {
		names += " " + r.name
	}
	return names
}

// Carrier is a provider that does with messages what the rules of a book say before another gets them, and
// reports on them. Make one with NewCarrier.
type Carrier struct {
	book *Book
	next provider.Provider
	now  func() time.Time
	tell func(context.Context, provider.Report) error
	// of is the service of a message.
	of   func(context.Context, provider.Message) string
	log  *slog.Logger
	more chan struct{} // something changed that Run waits for

	settling sync.Mutex // one at a time does it
	done     atomic.Int64

	mu      sync.Mutex
	waiting []Waiting // the next one first
}

// Waiting is a message that has not arrived yet, or a report that is not told.
type Waiting struct {
	At      time.Time
	Service string // VA…
	do      func(context.Context) error
}

var _ provider.Runner = (*Carrier)(nil)

// CarrierOptions are what a Carrier is lent.
type CarrierOptions struct {
	Now func() time.Time // by which messages and reports are late
	// Report takes the reports.
	Report func(context.Context, provider.Report) error
	// ServiceOf is the service of a message, "" if nobody knows it.
	ServiceOf func(context.Context, provider.Message) string
	Log       *slog.Logger
}

// NewCarrier makes a carrier before another provider.
func NewCarrier(book *Book, next provider.Provider, o CarrierOptions) *Carrier {
	return &Carrier{book: book, next: next, now: o.Now, tell: o.Report, of: o.ServiceOf, log: o.Log, more: make(chan struct{}, 1)}
}

// Send implements provider.Provider.
func (c *Carrier) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	copies, failure := c.book.handOver(m)
	if failure != nil {
		return provider.Accepted{}, failure
	}
	accepted := provider.Accepted{ID: m.Key, Parts: m.Segments}
	if r, found := c.book.decides(m.To, ofCarrier(m.Channel)); found && r.Carrier == late {
		c.promise(ctx, m, r.after(), 1, func(ctx context.Context) error {
			_, err := c.next.Send(ctx, m)
			return err
		})
		copies = 0
	}
	for range copies {
		var err error
		if accepted, err = c.next.Send(ctx, m); err != nil {
			return accepted, err
		}
	}
	if r, found := c.book.decides(m.To, ofReport(m.Channel)); found {
		known, _ := reportingOf(r.Report)
		said := provider.Report{Key: m.Key, State: known.state}
		if known.state == provider.Failed {
			said.Class, said.Code = provider.BadRecipient, "failed"
		}
		c.promise(ctx, m, known.at(r.after()), known.times, func(ctx context.Context) error { return c.tell(ctx, said) })
	}
	return accepted, nil
}

// promise notes what will be done about a message, so many times.
func (c *Carrier) promise(ctx context.Context, m provider.Message, after time.Duration, times int, do func(context.Context) error) {
	w := Waiting{c.now().Add(after), c.of(ctx, m), do}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range times {
		c.waiting = append(c.waiting, w)
	}
	c.sort()
}

// sort brings those that wait into their order, and has Run look at them. The caller holds mu.
func (c *Carrier) sort() {
	slices.SortStableFunc(c.waiting, func(a, b Waiting) int { return a.At.Compare(b.At) })
	c.Poke()
}

// Hasten has what waits about the messages of a service be due sooner.
func (c *Carrier) Hasten(serviceSID string, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.waiting {
		if c.waiting[i].Service == serviceSID {
			c.waiting[i].At = c.waiting[i].At.Add(-by)
		}
	}
	c.sort()
}

// Waiting is what waits, the next of it first.
func (c *Carrier) Waiting() []Waiting {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waiting)
}

// SetWaiting puts something else in its place; nil is nothing.
func (c *Carrier) SetWaiting(waiting []Waiting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = slices.Clone(waiting)
	c.Poke()
}

// Poke says that the clock was moved.
func (c *Carrier) Poke() {
	select {
	case c.more <- struct{}{}:
	default: // the last word has not been heard yet, and is as good
	}
}

// Settle does what is due. What Run is doing has been done too when it returns.
func (c *Carrier) Settle(ctx context.Context) error {
	c.settling.Lock()
	defer c.settling.Unlock()
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 || c.waiting[0].At.After(c.now()) {
			c.mu.Unlock()
			return nil
		}
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		err := next.do(ctx)
		c.done.Add(1)
		if err != nil {
			return err
		}
	}
}

// Done is how much has been done, ever.
func (c *Carrier) Done() int64 { return c.done.Load() }

// shortestLook keeps Run from looking without a pause at a clock that stands still just before something is due.
const shortestLook = 100 * time.Millisecond

// Run implements provider.Runner: it does what waits when it is due, until ctx ends.
func (c *Carrier) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := c.Settle(context.WithoutCancel(ctx)); err != nil {
			c.log.Error("a late message or report was lost", "error", err)
		}
		timer.Stop()
		if waiting := c.Waiting(); len(waiting) > 0 {
			timer.Reset(max(waiting[0].At.Sub(c.now()), shortestLook))
		}
		select {
		case <-ctx.Done():
		case <-c.more:
		case <-timer.C:
		}
	}
	return ctx.Err()
}
