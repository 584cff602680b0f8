package providertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// channelFar is a far end without a network: send hands it a message, and what comes back is what
// a wire would have shown.
type channelFar struct {
	holding chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	does  Behaviour
	taken []Taken
}

func newChannelFar(t testing.TB) *channelFar {
	f := &channelFar{holding: make(chan struct{}, 100), stopped: make(chan struct{})}
	t.Cleanup(func() { close(f.stopped) })
	return f
}

func (f *channelFar) Behave(b Behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.does = b
}

func (f *channelFar) Holding() <-chan struct{} { return f.holding }

func (f *channelFar) Taken() []Taken {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Taken(nil), f.taken...)
}

// What a wire can show besides an answer.
var (
	errRefused = errors.New("connection refused")
	errDropped = errors.New("connection reset after the last byte")
)

// answer is what the far end says: an identifier, or a refusal.
type answer struct {
	id    string
	class provider.Class
	words string
}

func (f *channelFar) send(ctx context.Context, to, text string) (answer, error) {
	f.mu.Lock()
	does := f.does
	if does.Act == Accept {
		f.taken = append(f.taken, Taken{To: to, Text: text, ID: fmt.Sprintf("id-%d", len(f.taken))})
		defer f.mu.Unlock()
		return answer{id: f.taken[len(f.taken)-1].ID}, nil
	}
	f.mu.Unlock()
	switch does.Act {
	case Refuse:
		return answer{class: does.Class, words: does.Words}, nil
	case Leave:
		return answer{}, errRefused
	case Drop:
		return answer{}, errDropped
	case Hang:
		f.holding <- struct{}{}
	}
	select {
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-f.stopped: // as a process would end that holds a connection
		return answer{}, errDropped
	}
}

// honest is a provider that passes.
type honest struct {
	far  *channelFar
	deps provider.Deps
}

func (p honest) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" && m.Channel != "email" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "no such channel here"}
	}
	if err := ctx.Err(); err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.Temporary, Err: err}
	}
	text := m.Text
	if m.Push != nil {
		text = m.Push.Data["challenge_sid"]
	}
	a, err := p.far.send(ctx, m.To, text)
	switch {
	case errors.Is(err, errRefused):
		return provider.Accepted{}, &provider.Error{Class: provider.Temporary, Err: err}
	case err != nil:
		return provider.Accepted{}, &provider.Error{Class: provider.Unknown, Err: err}
	case a.class != 0:
		return provider.Accepted{}, &provider.Error{
			Class: a.class, Code: "58", Detail: provider.Excerpt(a.words, m, password),
		}
	}
	p.deps.Log.Debug("sent", "attempt", m.Attempt)
	return provider.Accepted{ID: a.id}, nil
}

const password = "hunter2-hunter2"

// subject is honest, changed by wrap.
func subject(wrap func(honest) provider.Provider) Subject {
	return Subject{
		Channels: []string{"sms", "email"},
		Secrets:  []string{password},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, Far) {
			h := honest{newChannelFar(t), deps}
			return wrap(h), h.far
		},
	}
}
