package smpp

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

const (
	testSystemID = "verifyd-test"
	testPassword = "hunter2x"
)

// world is a carrier and a provider that are joined by pipes, in a bubble: its clock knows no
// sockets. That nothing is left running is seen by the bubble, which does not end before.
type world struct {
	*testing.T
	far *smsc.Server
	p   *Provider
	// record takes the place of the server's store; nil keeps everything.
	record func(provider.Report) error

	stopRun context.CancelFunc
	ran     chan error

	// raw, if it is set, is the carrier instead of far.
	raw func(net.Conn)

	mu      sync.Mutex
	dialled []time.Time
	away    bool // connection refused
	hang    bool // no answer to a connection
	reports []provider.Report
}

// inWorld runs a story. The carrier has no fates by number unless the story gives them.
func inWorld(t *testing.T, c Config, far smsc.Config, story func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		w := &world{T: t, ran: make(chan error, 1)}
		far.Accounts = map[string]string{testSystemID: testPassword}
		if far.Fates == nil {
			far.Fates = map[string]smsc.Fate{}
		}
		w.far = smsc.New(far)
		c.Host, c.TLS, c.SystemID = "smsc.test", "none", testSystemID
		if c.Password == "" {
			c.Password = testPassword
		}
		var err error
		if w.p, err = New(c, provider.Deps{Report: w.report}); err != nil {
			t.Fatal(err)
		}
		w.p.dialer = w.dial
		w.p.jitter = func(d time.Duration) time.Duration { return d }
		story(w)
		if w.stopRun != nil {
			w.stop()
		}
		w.far.Close()
	})
}

func (w *world) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialled = append(w.dialled, time.Now())
	away, hang := w.away, w.hang
	w.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if away {
		return nil, errors.New("connection refused")
	}
	if address != "smsc.test:2775" {
		w.Errorf("dialled %s", address)
	}
	near, far := net.Pipe()
	if w.raw != nil {
		go w.raw(far)
	} else {
		go w.far.ServeConn(far)
	}
	return near, nil
}

func (w *world) setAway(away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = away
}

func (w *world) dials() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.dialled)
}

func (w *world) report(_ context.Context, r provider.Report) error {
	w.mu.Lock()
	record := w.record
	w.mu.Unlock()
	if record != nil {
		if err := record(r); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
	return nil
}

func (w *world) reported() []provider.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]provider.Report(nil), w.reports...)
}

// run starts the provider and lets it bind.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	w.stopRun = cancel
	go func() { w.ran <- w.p.Run(ctx) }()
	synctest.Wait()
}

// stop ends Run and waits for it.
func (w *world) stop() {
	w.Helper()
	w.stopRun()
	w.stopRun = nil
	if err := <-w.ran; err != nil {
		w.Errorf("Run: %v", err)
	}
}

// sent is what became of a Send.
type sent struct {
	accepted provider.Accepted
	err      *provider.Error
	took     time.Duration
}

// begin sends in the background.
func (w *world) begin(ctx context.Context, m provider.Message) <-chan sent {
	done := make(chan sent, 1)
	go func() {
		start := time.Now()
		a, err := w.p.Send(ctx, m)
		s := sent{accepted: a, took: time.Since(start)}
		if err != nil {
			s.err = provider.AsError(err)
		}
		done <- s
	}()
	return done
}

func (w *world) send(m provider.Message) sent { return <-w.begin(context.Background(), m) }

// mustSend sends and returns the identifier.
func (w *world) mustSend(m provider.Message) string {
	w.Helper()
	s := w.send(m)
	if s.err != nil {
		w.Fatalf("Send: %v", s.err)
	}
	return s.accepted.ID
}

// mustFail sends what has to fail in a certain way.
func (w *world) mustFail(m provider.Message, class provider.Class) sent {
	w.Helper()
	s := w.send(m)
	s.want(w.T, class)
	return s
}

func (s sent) want(t *testing.T, class provider.Class) {
	t.Helper()
	if s.err == nil || s.err.Class != class {
		t.Errorf("got %+v, %v, want class %v", s.accepted, s.err, class)
	}
}

// text is the n-th message. Its deadline is in ten minutes by the clock of the bubble.
func text(n int) provider.Message {
	m := providertest.Message("sms", n)
	m.Deadline = time.Now().Add(10 * time.Minute)
	return m
}

// session is that of the first link, nil unless it is bound.
func (w *world) session() *session {
	w.p.pool.mu.Lock()
	defer w.p.pool.mu.Unlock()
	return w.p.pool.links[0].spot.session
}

// waiting is how many wait in the pool.
func (w *world) waiting() int {
	w.p.pool.mu.Lock()
	defer w.p.pool.mu.Unlock()
	return w.p.pool.queue.Len()
}
