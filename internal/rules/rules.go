// Package rules has a verifyd dev behave by the destination: a number that no carrier reaches, one whose
// message comes late or twice, a landline, a code that is always the same. A test names the case by the
// number that it uses and needs no other preparation.
//
// Rules stand in the place of a carrier, of a lookup and of a draw of randomness, so everything else is what
// production does with such an answer. docs/testing.md has the table of what a carrier may do; it is the
// table behaviours below.
package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/wildcard"
	"github.com/verifyd/verifyd/provider"
)

// Rule says what happens with some destinations. What it leaves empty is as it would be without it.
type Rule struct {
	// To is the destination, with * for any part: "+346000000*", "*@bounce.example".
	To string `json:"to"`
	// Channel is that of the message, for Carrier: "sms", "call"…; empty is every channel.
	Channel string `json:"channel,omitempty"`
	// Carrier is what becomes of the message, one of Carriers.
	Carrier string `json:"carrier,omitempty"`
	// Line is what a lookup says of a number: "mobile", "landline" or "voip".
	Line string `json:"line,omitempty"`
	// Code is the code of every verification: 4 to 10 digits or letters.
	Code string `json:"code,omitempty"`
}

// behaviour is what a carrier does with a message. It answers the n-th hand-over of one attempt, n counting
// from 1, with the number of copies that arrive, or with an error.
type behaviour struct {
	name, about string
	do          func(n int) (copies int, err *provider.Error)
}

const lateBy = 30 * time.Second

var behaviours = []behaviour{
	{"delivers", "it arrives, as it does without a rule", func(int) (int, *provider.Error) { return 1, nil }},
	{"late", "it arrives half a minute later", func(n int) (int, *provider.Error) {
		if n == 1 {
			return 0, &provider.Error{Class: provider.Temporary, Code: "late", RetryAfter: lateBy}
		}
		return 1, nil
	}},
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

// Carriers are what a carrier may do, with what that means.
func Carriers() (list [][2]string) {
	for _, b := range behaviours {
		list = append(list, [2]string{b.name, b.about})
	}
	return list
}

// Check says what is wrong with a rule.
func (r Rule) Check() error {
	known := slices.ContainsFunc(behaviours, func(b behaviour) bool { return b.name == r.Carrier })
	switch {
	case r.To == "":
		return errors.New("to is missing: a destination, with * for any part")
	case r.Carrier != "" && !known:
		names := ""
		for _, b := range behaviours {
			names += " " + b.name
		}
		return fmt.Errorf("carrier %q is none of%s", r.Carrier, names)
	case r.Channel != "" && !slices.Contains(verify.Channels(), verify.Channel(r.Channel)):
		return fmt.Errorf("channel %q is unknown", r.Channel)
	case r.Line != "" && !slices.Contains([]verify.LineType{verify.Mobile, verify.Landline, verify.VoIP}, verify.LineType(r.Line)):
		return fmt.Errorf("line %q is none of mobile landline voip", r.Line)
	case r.Code != "" && !verify.ValidCode(r.Code):
		return fmt.Errorf("code %q has not 4 to 10 digits or letters", r.Code)
	default:
		return nil
	}
}

// Parse reads rules from JSON: {"rules":[{"to":"+34600*","carrier":"refuses"}]}. A key that means nothing is
// an error.
func Parse(text []byte) ([]Rule, error) {
	var file struct {
		Rules []Rule `json:"rules"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("rules: something follows the object")
	}
	for i, r := range file.Rules {
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return file.Rules, nil
}

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

// Rules are those that hold.
func (b *Book) Rules() []Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.rules)
}

// first is the first rule about a destination that says something.
func (b *Book) first(to string, says func(Rule) bool) (Rule, bool) {
	for _, r := range b.rules {
		if wildcard.Match(r.To, to) && says(r) {
			return r, true
		}
	}
	return Rule{}, false
}

// Code is the code for a destination, "" if it is to be drawn. It is verify.Engine.ChooseCode.
func (b *Book) Code(to string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, _ := b.first(to, func(r Rule) bool { return r.Code != "" })
	return r.Code
}

// Line implements verify.Lines. A number without a rule is what the numbering plan says.
func (b *Book) Line(_ context.Context, number string) (verify.Line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, _ := b.first(number, func(r Rule) bool { return r.Line != "" })
	return verify.Line{Type: verify.LineType(r.Line)}, nil
}

// Carrier is a provider that does with messages what the rules say before next gets them.
func (b *Book) Carrier(next provider.Provider) provider.Provider { return carrier{b, next} }

type carrier struct {
	book *Book
	next provider.Provider
}

// Send implements provider.Provider.
func (c carrier) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
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
	return accepted, nil
}

func (b *Book) handOver(m provider.Message) (copies int, err *provider.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, found := b.first(m.To, func(r Rule) bool { return r.Carrier != "" && (r.Channel == "" || r.Channel == m.Channel) })
	if !found {
		return 1, nil
	}
	if b.tries == nil || len(b.tries) >= maxTries {
		b.tries = map[string]int{}
	}
	b.tries[m.Attempt]++
	i := slices.IndexFunc(behaviours, func(known behaviour) bool { return known.name == r.Carrier })
	return behaviours[i].do(b.tries[m.Attempt])
}
