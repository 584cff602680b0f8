// Package desk is what all far ends of the fake carrier share: it decides by its knobs what becomes of a
// message, and it remembers every one of them.
//
// A far end speaks its protocol, checks what a carrier would check, and then asks the desk (Meet). What
// the desk says is done in the far end's own words: Throttled is ESME_RTHROTTLED over SMPP, 450 over SMTP
// and a 429 over HTTP.
//
// With a seed and a clock it says the same in every run: what it draws depends on the seed, the provider,
// the destination and how many messages came for it, and not on which goroutine was first.
package desk

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/wildcard"
)

// keep is how many messages are remembered; when there are more the oldest tenth is forgotten.
const keep = 10_000

// Message is one that a far end was given.
type Message struct {
	// Number counts the messages of all providers, from 1.
	Number int `json:"number"`
	// ID is the identifier that the sender was told, "" where there was none.
	ID       string `json:"id"`
	Provider string `json:"provider"`
	// To is as verifyd writes it: +34612345678, an e-mail address, the token of a handset.
	To   string `json:"to"`
	From string `json:"from"`
	// Text is what the person reads; for a call, how long they listened and which keys they pressed.
	Text string `json:"text"`
	// Answer is what its sender was told.
	Answer Answer `json:"answer"`
	// Arrived says that the person has it.
	Arrived bool `json:"arrived"`
	// At is when it came.
	At time.Time `json:"at"`
}

// Desk is the desk of one carrier. The zero value accepts and delivers everything.
type Desk struct {
	// Now is the time, time.Now where it is nil.
	Now func() time.Time
	// Seed is what everything that is drawn, and every identifier, depends on.
	Seed uint64
	// OnKnobs, if it is set, is called after the knobs have changed.
	OnKnobs func()

	mu       sync.Mutex
	knobs    []Knob
	windows  []window // of the knobs with a TPS
	met      map[string]uint64
	ids      uint64
	messages []Message
	number   int
	changed  chan struct{}
}

// window counts the messages of a second.
type window struct {
	second time.Time
	n      int
}

// Plan is what becomes of one message.
type Plan struct {
	Answer  Answer
	Latency time.Duration
	Arrives bool
	// Reports are sent in this order, ReportAfter after the answer, or before it if ReportFirst.
	Reports     []State
	ReportAfter time.Duration
	ReportFirst bool
	Keys        string // what the person presses in a call
}

// Time is the time of the desk.
func (d *Desk) Time() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Set puts knobs in the place of those that held.
func (d *Desk) Set(knobs []Knob) {
	d.mu.Lock()
	d.knobs, d.windows = slices.Clone(knobs), make([]window, len(knobs))
	d.mu.Unlock()
	if d.OnKnobs != nil {
		d.OnKnobs()
	}
}

// Knobs are those that hold.
func (d *Desk) Knobs() []Knob {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.knobs)
}

// Closed says whether nobody may connect to a provider.
func (d *Desk) Closed(provider string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.knobs, func(k Knob) bool {
		return k.Answer == Closed && (k.Provider == "" || k.Provider == provider)
	})
}

// Meet decides what becomes of a message: the first knob that is about it decides, and where none is it
// is accepted, arrives, and is reported as delivered.
func (d *Desk) Meet(provider, to string) Plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.met == nil || len(d.met) > keep {
		d.met = map[string]uint64{}
	}
	of := provider + " " + to
	d.met[of]++
	draws := d.draws(of, d.met[of])
	for i, k := range d.knobs {
		if k.Answer == Closed || k.Provider != "" && k.Provider != provider || k.To != "" && !wildcard.Match(k.To, to) {
			continue
		}
		if k.Share > 0 && draws.Float64() >= k.Share {
			continue
		}
		p := k.plan()
		if k.TPS > 0 && d.tooFast(i, k.TPS) {
			p = Plan{Answer: Throttled, Latency: p.Latency}
		}
		return p
	}
	return Knob{}.plan()
}

func (d *Desk) draws(of string, n uint64) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", of, n)
	return rand.New(rand.NewPCG(d.Seed, h.Sum64()))
}

func (d *Desk) tooFast(i, tps int) bool {
	w := &d.windows[i]
	if now := d.Time(); now.Sub(w.second) >= time.Second || now.Before(w.second) {
		*w = window{second: now}
	}
	w.n++
	return w.n > tps
}

// NewID is an identifier that nobody was given before: 32 hexadecimal digits.
func (d *Desk) NewID() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids++
	draws := d.draws("id", 0)
	return fmt.Sprintf("%016x%016x", draws.Uint64(), d.ids)
}

// Keep remembers a message, which came now, and is it as it is remembered.
func (d *Desk) Keep(m Message) Message {
	m.At, m.Answer = d.Time(), cmp.Or(m.Answer, Accepted)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.number++
	m.Number = d.number
	if len(d.messages) >= keep {
		d.messages = slices.Delete(d.messages, 0, keep/10)
	}
	d.messages = append(d.messages, m)
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
	return m
}

// Query chooses messages.
type Query struct {
	// Provider and To are patterns; "" is all.
	Provider, To string
	// After is the Number of a message before those that are asked for.
	After int
	// All has the messages too that did not arrive.
	All bool
}

func (q Query) fits(m Message) bool {
	return m.Number > q.After && (q.All || m.Arrived) && (q.Provider == "" || wildcard.Match(q.Provider, m.Provider)) &&
		(q.To == "" || wildcard.Match(q.To, m.To))
}

// Messages are those that q asks for, the oldest first. If there is none yet it waits for the first, until
// ctx ends.
func (d *Desk) Messages(ctx context.Context, q Query) []Message {
	for {
		d.mu.Lock()
		found := []Message{}
		for _, m := range d.messages {
			if q.fits(m) {
				found = append(found, m)
			}
		}
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		changed := d.changed
		d.mu.Unlock()
		if len(found) > 0 || ctx.Err() != nil {
			return found
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return found
		}
	}
}

// Forget forgets all messages. Numbers go on.
func (d *Desk) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = nil
}
