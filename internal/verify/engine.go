package verify

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
)

// Engine has the operations. Everything that it needs from outside is a field.
type Engine struct {
	Store Store
	Keys  *keyring.Ring
	// Now is the clock.
	Now func() time.Time
	// Random is the source of SIDs, codes and secrets. It must be safe for concurrent use and fit
	// for secrets: crypto/rand.Reader.
	Random io.Reader
	// Routed reports whether some provider carries a channel.
	Routed func(Channel) bool
	// Carries reports whether a messaging service (MG…) has providers for a channel; nil if every
	// messaging service is taken, and carried as Routed says.
	Carries func(messagingServiceSID string, c Channel) bool
	// Brandless reports whether text messages to a country must not name the brand; nil if they
	// always may.
	Brandless func(country string) bool
	// ChooseCode is the code for a recipient, "" to have one drawn; nil draws every one. It is for tests
	// of applications: whoever knows what it answers needs no message.
	ChooseCode func(to string) string
	// Blocked reports whether the country of a number is closed, whatever the rules of geography say; nil if
	// they alone decide. It is for tests of applications too.
	Blocked func(to string, c Channel) bool
	// Lanes take messages straight from the commits of their starts; nil if every message shall
	// wait in the queue.
	Lanes Lanes
	// Lines is asked about numbers of services with LookupEnabled; nil if nobody but the numbering
	// plan is.
	Lines Lines
	// SweepRest is how long Sweep rests between two steps, so that those who wait for an answer
	// hardly notice it.
	SweepRest time.Duration
	// Retention is how long records are kept.
	Retention Retention
	// Announced are the events of verifications and their messages that the sink is told of, for services
	// that subscribe.
	Announced Subscription
	// RefuseWrongCodes has a wrong code of an authenticator app answered with an error (60311, 60324) where
	// the factor or the challenge is otherwise shown as it was. It is counted either way.
	RefuseWrongCodes bool
	// JSONWebhooks has webhooks called with JSON in the place of a form.
	JSONWebhooks bool
	// Limits are the built-in limits; the zero value has none.
	Limits Limits

	*memory
}

// memory is what an engine remembers, for all views of it (see At).
type memory struct {
	directory directory
	calls     calls
	inFlight  inFlight
	swept     swept
	forgotten atomic.Int64 // the hour before which DropOld has removed the counters
}

// NewEngine puts an engine together.
func NewEngine(store Store, keys *keyring.Ring, now func() time.Time, random io.Reader, routed func(Channel) bool) *Engine {
	return &Engine{
		Store:  store,
		Keys:   keys,
		Now:    now,
		Random: random,
		Routed: routed,
		memory: &memory{directory: directory{store: store}},
	}
}
