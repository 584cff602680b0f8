// Package inbox is what `verifyd dev` has in place of a carrier: a provider that keeps every
// message and shows it to the developer as the person would have seen it. The same messages are an
// API, so that a test can ask for the code that its user received and need not poll for it.
//
// The one idea is the message's SID, which sorts by time. "Newer than this one" is a comparison of
// two strings and holds even when the older message has long been forgotten. A wait, a stream that
// resumes after a lost connection and the clearing of the inbox are all that one comparison.
//
// It is not for production: it keeps codes in clear, it asks nobody for a password, and it forgets
// the oldest message when it is full and every message when the process ends.
package inbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

const defaultLimit = 5000

// ErrClosed is what a wait ends with when the inbox is closed under it.
var ErrClosed = errors.New("inbox: closed")

// Options are what an Inbox is lent. Every field may be left out.
type Options struct {
	// Now dates the messages; nil is time.Now.
	Now func() time.Time
	// State tells the present status of a verification, or of the challenge (YC…) that a notification
	// is about: "pending", "approved" and so on. It is called when messages are read, never while they are sent. A status that it cannot tell is
	// shown as unknown. Nil: every status is unknown.
	State func(ctx context.Context, sid string) (status string, err error)
	// Limit is how many messages are kept, the newest; 0 is 5000.
	Limit int
	// Clock says that there is a clock to be moved at /dev/clock, and that the page shall show it.
	Clock bool
	// Sent is told of every message, in their order, while it is taken in. Nil: nobody is.
	Sent func(Message)
	// Rules are the rules that decided something about a message, as a value that is a list in JSON; they
	// are shown beside it. Nil: there are none.
	Rules func(provider.Message) any
	// Hint is a command line that the empty page offers as the way to a first message. It is
	// shown as it stands, as text.
	Hint string
	// Factors lists authenticator apps that wait for their first code, newest first, and Factor finds
	// one of them; its error is ErrNoFactor where there is none. Nil: there are none.
	Factors func(ctx context.Context) ([]Factor, error)
	Factor  func(ctx context.Context, sid string) (Factor, error)
	// Handsets are the simulated telephones; nil if there can be none.
	Handsets Handsets
	// Rand makes the SIDs of one process unlike those of another; nil is crypto/rand.
	Rand io.Reader
}

// Inbox is a provider whose messages go nowhere and can be read back. Make one with New.
type Inbox struct {
	now   func() time.Time
	state func(context.Context, string) (string, error)
	sent  func(Message)
	rules func(provider.Message) any
	limit int
	hint  string
	clock bool

	factors func(context.Context) ([]Factor, error)
	factor  func(context.Context, string) (Factor, error)

	handsets Handsets

	close  sync.Once
	closed chan struct{}

	mu       sync.Mutex
	sids     minter
	messages []*Message // by SID, so the oldest first; never changed once they are in
	cleared  string     // the SID that the last Clear took
	watchers map[string]map[chan struct{}]struct{}
}

var _ provider.Provider = (*Inbox)(nil)

// New makes an empty inbox.
func New(o Options) *Inbox {
	in := &Inbox{
		now:      o.Now,
		state:    o.State,
		sent:     o.Sent,
		rules:    o.Rules,
		limit:    o.Limit,
		hint:     o.Hint,
		clock:    o.Clock,
		factors:  o.Factors,
		factor:   o.Factor,
		handsets: o.Handsets,
		closed:   make(chan struct{}),
		sids:     minter{rand: o.Rand},
		watchers: make(map[string]map[chan struct{}]struct{}),
	}
	if in.now == nil {
		in.now = time.Now
	}
	if in.limit <= 0 {
		in.limit = defaultLimit
	}
	if in.sids.rand == nil {
		in.sids.rand = rand.Reader
	}
	return in
}

// Send keeps the message. It fails only when ctx has ended before it began.
func (in *Inbox) Send(ctx context.Context, pm provider.Message) (provider.Accepted, error) {
	if err := ctx.Err(); err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.Temporary, Err: err}
	}
	m := newMessage(pm)
	var about any
	if in.rules != nil {
		about = in.rules(pm)
	}
	var err error
	if m.Rules, err = json.Marshal(about); err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Err: err}
	}

	in.mu.Lock()
	defer in.mu.Unlock()
	m.CreatedAt = in.now()
	m.SID = in.sids.next(m.CreatedAt)
	in.messages = append(in.messages, m)
	if over := len(in.messages) - in.limit; over > 0 {
		clear(in.messages[:over]) // the array outlives the reslice; its messages must not
		in.messages = in.messages[over:]
	}
	in.wake(m.key)
	in.wake("")
	if in.sent != nil {
		in.sent(*m)
	}
	return provider.Accepted{ID: m.SID, Parts: m.Segments}, nil
}

// Clear forgets every message. It takes a SID of its own, so that it has its place among the
// messages: a stream that saw nothing newer than that SID has yet to be told.
func (in *Inbox) Clear() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = nil
	in.cleared = in.sids.next(in.now())
	for key := range in.watchers {
		in.wake(key)
	}
}

// Saved is an inbox as it was once.
type Saved struct{ messages []*Message }

// Save notes which messages there are.
func (in *Inbox) Save() Saved {
	in.mu.Lock()
	defer in.mu.Unlock()
	return Saved{slices.Clone(in.messages)}
}

// Restore has those messages be there that were, under their SIDs. For streams it is a Clear that is followed
// by all of them.
func (in *Inbox) Restore(s Saved) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = slices.Clone(s.messages)
	in.cleared = in.sids.next(in.now())
	for key := range in.watchers {
		in.wake(key)
	}
}

// Close ends every wait and every stream, and refuses new ones. Messages can still be sent and
// read. It is for http.Server.RegisterOnShutdown: Shutdown waits for answers, and a stream has no
// end of its own.
func (in *Inbox) Close() {
	in.close.Do(func() { close(in.closed) })
}

// Messages are the messages that q asks for, the newest first.
func (in *Inbox) Messages(ctx context.Context, q Query) []Message {
	return in.read(ctx, q)
}

// Message is the message with that SID, if it is still there.
func (in *Inbox) Message(ctx context.Context, sid string) (Message, bool) {
	in.mu.Lock()
	i, ok := slices.BinarySearchFunc(in.messages, sid, bySID)
	var m *Message
	if ok {
		m = in.messages[i]
	}
	in.mu.Unlock()
	if !ok {
		return Message{}, false
	}
	return in.withStatus(ctx, []*Message{m})[0], true
}

// Wait is Messages, but waits until there is one. It fails with ErrClosed, or with the error of ctx.
func (in *Inbox) Wait(ctx context.Context, q Query) ([]Message, error) {
	news, stop := in.watch(q.To)
	defer stop()
	for {
		if got := in.read(ctx, q); len(got) > 0 {
			return got, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-in.closed:
			return nil, ErrClosed
		}
	}
}

// read is Messages.
func (in *Inbox) read(ctx context.Context, q Query) []Message {
	if !q.Pending {
		return in.withStatus(ctx, in.find(q))
	}
	all := q
	all.Limit = stateWindow
	status, got := in.statuses(ctx), []Message{}
	for _, found := range in.find(all) {
		if len(got) == q.limit() {
			break // every status is a question to the store
		}
		m := *found
		if m.VerificationStatus = status(m.subject()); !settled(m.VerificationStatus) {
			got = append(got, m)
		}
	}
	return got
}

func (in *Inbox) find(q Query) []*Message {
	matches, limit := q.matcher(), q.limit()
	in.mu.Lock()
	defer in.mu.Unlock()
	var got []*Message
	for _, m := range slices.Backward(in.messages) {
		if m.SID <= q.After || len(got) == limit {
			break
		}
		if matches(m) {
			got = append(got, m)
		}
	}
	return got
}

// since is what a stream that has seen everything up to the SID after has missed, the oldest
// first, and the SID of a Clear, "" if there was none. Clear comes before all of the messages: those that
// are there have come since, or were brought back.
func (in *Inbox) since(q Query, after string) (missed []*Message, cleared string) {
	matches := q.matcher()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.cleared > after {
		cleared, after = in.cleared, ""
	}
	i, found := slices.BinarySearchFunc(in.messages, after, bySID)
	if found {
		i++
	}
	for _, m := range in.messages[i:] {
		if matches(m) {
			missed = append(missed, m)
		}
	}
	return missed, cleared
}

// newest is the SID that was given out last, to a message or to a Clear.
func (in *Inbox) newest() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.sids.last
}

// watch asks for a word whenever something may have changed for a destination, or for any if to is
// empty. Several changes may be one word. The caller must call stop.
func (in *Inbox) watch(to string) (news <-chan struct{}, stop func()) {
	key, ch := foldDestination(to), make(chan struct{}, 1)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.watchers[key] == nil {
		in.watchers[key] = make(map[chan struct{}]struct{})
	}
	in.watchers[key][ch] = struct{}{}
	return ch, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.watchers[key], ch)
		if len(in.watchers[key]) == 0 {
			delete(in.watchers, key)
		}
	}
}

// wake tells the watchers of one key. The caller holds mu.
func (in *Inbox) wake(key string) {
	for ch := range in.watchers[key] {
		select {
		case ch <- struct{}{}:
		default: // it has not yet come for the last word, and will find this too
		}
	}
}

// withStatus copies the messages and says of each what its verification has come to, asking once
// for each verification.
func (in *Inbox) withStatus(ctx context.Context, found []*Message) []Message {
	messages := make([]Message, len(found))
	status := in.statuses(ctx)
	for i, m := range found {
		messages[i] = *m
		messages[i].VerificationStatus = status(m.subject())
	}
	return messages
}

// statuses is status that asks once about each.
func (in *Inbox) statuses(ctx context.Context) func(sid string) string {
	known := make(map[string]string)
	return func(sid string) string {
		status, ok := known[sid]
		if !ok {
			status = in.status(ctx, sid)
			known[sid] = status
		}
		return status
	}
}

// status is "" when nobody knows. A verification that was deleted is no reason to withhold the
// message.
func (in *Inbox) status(ctx context.Context, sid string) string {
	if in.state == nil || sid == "" {
		return ""
	}
	status, err := in.state(ctx, sid)
	if err != nil {
		return ""
	}
	return status
}
