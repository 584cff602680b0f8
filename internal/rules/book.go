package rules

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/wildcard"
	"github.com/verifyd/verifyd/provider"
)

// Book is the rules that hold. The zero value has none. It is safe for concurrent use.
type Book struct {
	mu    sync.Mutex
	rules []Rule
	tries map[string]int // hand-overs, by attempt
}

// maxTries bounds what is remembered.
const maxTries = 10000

// Set puts rules in the place of those that held; the first that fits a destination and has something to say
// decides.
func (b *Book) Set(rules []Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules, b.tries = slices.Clone(rules), nil
}

// Saved is a book as it was once.
type Saved struct {
	rules []Rule
	tries map[string]int
}

// Save notes what holds, and how often every attempt was handed over.
func (b *Book) Save() Saved {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Saved{slices.Clone(b.rules), maps.Clone(b.tries)}
}

// Restore has everything be as it was.
func (b *Book) Restore(s Saved) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules, b.tries = slices.Clone(s.rules), maps.Clone(s.tries)
}

// Rules are those that hold.
func (b *Book) Rules() []Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.rules)
}

// What a rule may say something about. A channel narrows what is about a message.
func ofCarrier(channel string) func(Rule) bool {
	return func(r Rule) bool { return r.Carrier != "" && r.carries(channel) }
}

func ofReport(channel string) func(Rule) bool {
	return func(r Rule) bool { return r.Report != "" && r.carries(channel) }
}

func ofCountry(channel string) func(Rule) bool {
	return func(r Rule) bool { return r.Country != "" && r.carries(channel) }
}

func ofLine(r Rule) bool { return r.Line != "" }
func ofCode(r Rule) bool { return r.Code != "" }

func (r Rule) carries(channel string) bool { return r.Channel == "" || r.Channel == channel }

// first is the first rule about a destination that says something. The caller holds mu.
func (b *Book) first(to string, says func(Rule) bool) (Rule, bool) {
	for _, r := range b.rules {
		if wildcard.Match(r.To, to) && says(r) {
			return r, true
		}
	}
	return Rule{}, false
}

// decides is first, for callers that hold nothing.
func (b *Book) decides(to string, says func(Rule) bool) (Rule, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.first(to, says)
}

// About are the rules that decide something about a message, in their order.
func (b *Book) About(m provider.Message) (about []Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	deciding := map[Rule]bool{}
	for _, says := range []func(Rule) bool{ofCarrier(m.Channel), ofReport(m.Channel), ofLine, ofCode} {
		if r, found := b.first(m.To, says); found {
			deciding[r] = true
		}
	}
	for _, r := range b.rules {
		if deciding[r] {
			about = append(about, r)
			delete(deciding, r)
		}
	}
	return about
}

// Code is the code for a destination, "" if it is to be drawn. It is verify.Engine.ChooseCode.
func (b *Book) Code(to string) string {
	r, _ := b.decides(to, ofCode)
	return r.Code
}

// Blocked reports whether the country of a destination is closed. It is verify.Engine.Blocked.
func (b *Book) Blocked(to string, c verify.Channel) bool {
	_, found := b.decides(to, ofCountry(string(c)))
	return found
}

// Line implements verify.Lines. A number without a rule is what the numbering plan says.
func (b *Book) Line(_ context.Context, number string) (verify.Line, error) {
	r, _ := b.decides(number, ofLine)
	return verify.Line{Type: verify.LineType(r.Line)}, nil
}

// handOver is how many copies of a message arrive, or why it is refused.
func (b *Book) handOver(m provider.Message) (copies int, err *provider.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, found := b.first(m.To, ofCarrier(m.Channel))
	if !found {
		return 1, nil
	}
	if b.tries == nil || len(b.tries) >= maxTries {
		b.tries = map[string]int{}
	}
	b.tries[m.Attempt]++
	known, _ := behaviourOf(r.Carrier)
	return known.do(b.tries[m.Attempt])
}
