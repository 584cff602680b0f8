package rules

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// behaviour is what a carrier does with a message. It answers the n-th hand-over of one attempt, n counting
// from 1, with the number of copies that arrive, or with an error; after is how late it is, if it is.
type behaviour struct {
	name, about string
	do          func(n int, after time.Duration) (copies int, err *provider.Error)
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
	{"delivers", "it arrives, as it does without a rule", func(int, time.Duration) (int, *provider.Error) { return 1, nil }},
	{late, "it arrives half a minute later, or `after` that long", func(n int, after time.Duration) (int, *provider.Error) {
		if n == 1 {
			return 0, &provider.Error{Class: provider.Temporary, Code: late, RetryAfter: after}
		}
		return 1, nil
	}},
	{"twice", "it arrives twice", func(int, time.Duration) (int, *provider.Error) { return 2, nil }},
	{"loses", "it is taken, and never arrives", func(int, time.Duration) (int, *provider.Error) { return 0, nil }},
	{"refuses", "nobody is reached at that address: the attempt fails at once", func(int, time.Duration) (int, *provider.Error) {
		return 0, &provider.Error{Class: provider.BadRecipient, Code: "refuses"}
	}},
	{"throttles", "it is refused twice, because we are too fast, and arrives at the third try", func(n int, _ time.Duration) (int, *provider.Error) {
		if n <= 2 {
			return 0, &provider.Error{Class: provider.Throttled, Code: "throttles"}
		}
		return 1, nil
	}},
	{"breaks", "it is refused for the time being, again and again until the code is no longer good", func(int, time.Duration) (int, *provider.Error) {
		return 0, &provider.Error{Class: provider.Temporary, Code: "breaks"}
	}},
	{"doubts", "nobody can say whether it arrived; it did not", func(int, time.Duration) (int, *provider.Error) {
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
	{"never", "nothing, as without a rule", 0, 0, nil},
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
	log  *slog.Logger
	more chan struct{} // something changed that Run waits for

	telling sync.Mutex // one at a time tells

	mu      sync.Mutex
	waiting []Waiting // the next one first
}

// Waiting is a report that is not told yet.
type Waiting struct {
	At     time.Time
	report provider.Report
}

var _ provider.Runner = (*Carrier)(nil)

// NewCarrier makes a carrier before another provider. now is the clock by which reports are late, and tell
// takes them.
func NewCarrier(book *Book, next provider.Provider, now func() time.Time, tell func(context.Context, provider.Report) error, log *slog.Logger) *Carrier {
	return &Carrier{book: book, next: next, now: now, tell: tell, log: log, more: make(chan struct{}, 1)}
}

// Send implements provider.Provider.
func (c *Carrier) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	copies, failure := c.book.handOver(m)
	if failure != nil {
		return provider.Accepted{}, failure
	}
	accepted := provider.Accepted{ID: m.Key, Parts: m.Segments}
	for range copies {
		var err error
		if accepted, err = c.next.Send(ctx, m); err != nil {
			return accepted, err
		}
	}
	if r, found := c.book.decides(m.To, ofReport(m.Channel)); found {
		c.promise(m, r)
	}
	return accepted, nil
}

// promise notes what will be reported about a message.
func (c *Carrier) promise(m provider.Message, r Rule) {
	known, _ := reportingOf(r.Report)
	if known.times == 0 {
		return
	}
	said := provider.Report{Key: m.Key, State: known.state}
	if known.state == provider.Failed {
		said.Class, said.Code = provider.BadRecipient, "failed"
	}
	w := Waiting{c.now().Add(known.at(r.after())), said}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range known.times {
		i, _ := slices.BinarySearchFunc(c.waiting, w, func(a, b Waiting) int {
			if a.At.After(b.At) {
				return 1
			}
			return -1 // behind those of the same time
		})
		c.waiting = slices.Insert(c.waiting, i, w)
	}
	c.Poke()
}

// Waiting are the reports that are not told yet, the next one first.
func (c *Carrier) Waiting() []Waiting {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waiting)
}

// SetWaiting puts reports in the place of those that wait; nil is none.
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

// Tell tells the reports that are due, and says whether there were any.
func (c *Carrier) Tell(ctx context.Context) (some bool, err error) {
	c.telling.Lock()
	defer c.telling.Unlock()
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 || c.waiting[0].At.After(c.now()) {
			c.mu.Unlock()
			return some, nil
		}
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		some = true
		if err := c.tell(ctx, next.report); err != nil {
			return some, err
		}
	}
}

// shortestLook keeps Run from looking without a pause at a clock that stands still just before a report.
const shortestLook = 100 * time.Millisecond

// Run implements provider.Runner: it tells reports when they are due, until ctx ends.
func (c *Carrier) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		if _, err := c.Tell(context.WithoutCancel(ctx)); err != nil {
			c.log.Error("a report was lost", "error", err)
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
