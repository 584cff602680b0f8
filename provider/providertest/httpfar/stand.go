package httpfar

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider/providertest"
)

// Stand is where a fake carrier with a clock serves, as a part of a providertest.Far: a test sets the
// clock, and may answer in the carrier's place.
type Stand struct {
	*httptest.Server
	holding chan struct{}

	mu      sync.Mutex
	carrier http.Handler
	clock   time.Time // the zero time is that of the machine
	did     func(http.ResponseWriter, *http.Request) bool
}

// NewStand serves until the test ends, carrier from Carry on. HTTP/2 comes with TLS.
func NewStand(t testing.TB, http2 bool) *Stand {
	s := &Stand{holding: make(chan struct{}, 100)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if s.EnableHTTP2 = http2; http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// Carry says who answers. It is not a part of NewStand because a carrier wants the clock (Now).
func (s *Stand) Carry(carrier http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carrier = carrier
}

// Instead lets a test answer in the carrier's place: do says whether it has. Nil leaves all to the carrier.
func (s *Stand) Instead(do func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = do
}

func (s *Stand) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	did, carrier := s.did, s.carrier
	s.mu.Unlock()
	if did == nil || !did(w, r) {
		carrier.ServeHTTP(w, r)
	}
}

// Now is the clock of both ends.
func (s *Stand) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock.IsZero() {
		return time.Now()
	}
	return s.clock
}

// At sets the clock.
func (s *Stand) At(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = now
}

// Act does what of an act is the server's, which is to leave, and says what the carrier does with every
// message from now on: hold, if it is not nil, is told of each that is kept unanswered, and drop is to end
// the connection. A refusal is in the carrier's own terms.
func (s *Stand) Act(act providertest.Act) (hold chan<- struct{}, drop bool) {
	switch act {
	case providertest.Hang:
		return s.holding, false
	case providertest.Mute:
		return make(chan struct{}), false
	case providertest.Leave:
		s.Listener.Close()
		s.CloseClientConnections()
	}
	return nil, act == providertest.Drop
}

// Holding is of providertest.Far.
func (s *Stand) Holding() <-chan struct{} { return s.holding }
