package sip

import (
	"sync"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestExam is over TCP: UDP has no connection that could be dropped.
func TestExam(t *testing.T) {
	const username, password = "verifyd-trunk-7", "hunter2-hunter2"
	providertest.Run(t, providertest.Subject{
		Channels: []string{"call"},
		Secrets:  []string{username, password},
		Never:    []provider.Class{provider.Unknown}, // no answer of SIP means that
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			far := newFar(t, "tcp")
			n := newNear(t, far.exchange, func(c *Config) { c.Username, c.Password = username, password }, deps)
			return n.Provider, far
		},
	})
}

// far is the exchange as the exam wants it.
type far struct {
	*exchange
	holding chan struct{}

	mu       sync.Mutex
	does     providertest.Behaviour
	answered []*farCall
}

func newFar(t testing.TB, network string) *far {
	f := &far{holding: make(chan struct{}, 100)}
	f.exchange = newExchange(t, network, f.treat)
	return f
}

func (f *far) Behave(b providertest.Behaviour) {
	f.mu.Lock()
	f.does = b
	f.mu.Unlock()
	if b.Act == providertest.Leave {
		f.leave()
	}
}

func (f *far) Holding() <-chan struct{} { return f.holding }

// Taken waits for the end of the calls: what they say takes time.
func (f *far) Taken() []providertest.Taken {
	f.mu.Lock()
	answered := f.answered
	f.mu.Unlock()
	var taken []providertest.Taken
	for _, c := range answered {
		taken = append(taken, providertest.Taken{To: c.to(), Text: spelled(c.end()), ID: c.id})
	}
	return taken
}

var refusals = map[provider.Class]struct {
	status int
	header string
}{
	provider.BadRecipient: {404, "Reason: Q.850;cause=1"},
	provider.BadRequest:   {403, "X-Any: 1"},
	provider.Temporary:    {480, "X-Any: 1"},
	provider.Throttled:    {503, "Retry-After: 3"},
}

func (f *far) treat(c *farCall) {
	f.mu.Lock()
	does := f.does
	if does.Act == providertest.Accept {
		f.answered = append(f.answered, c)
	}
	f.mu.Unlock()
	switch does.Act {
	case providertest.Accept:
		c.respond(100, "Trying", nil)
		c.respond(180, "Ringing", nil)
		c.respond(200, "OK", c.sdp())
		<-c.acked
	case providertest.Refuse:
		r := refusals[does.Class]
		c.respond(r.status, does.Words, nil, r.header)
	case providertest.Hang:
		f.holding <- struct{}{}
	case providertest.Drop:
		if c.conn != nil {
			c.conn.Close()
		}
	}
}
