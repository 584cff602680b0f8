package delivery

import (
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Route is one way to carry a channel's messages.
type Route struct {
	Name     string // the provider's name in the configuration
	Provider provider.Provider
}

// Routes are the routes of each channel, the preferred one first.
type Routes map[verify.Channel][]Route

// Routed reports whether a channel has a route.
func (r Routes) Routed(c verify.Channel) bool { return len(r[c]) > 0 }

// MessagingServices are the routes of each messaging service by its SID (MG…). A channel that one
// does not name has the routes that every message of the channel has.
type MessagingServices map[string]Routes

// Carry reports whether a messaging service has routes of its own for a channel.
func (m MessagingServices) Carry(messagingServiceSID string, c verify.Channel) bool {
	return m[messagingServiceSID].Routed(c)
}

// step is what follows from one hand-over.
type step int

const (
	stop     step = iota + 1 // the attempt is over
	nextNow                  // try the next route at once
	waitSame                 // try the same route again later
	waitNext                 // try the next route later
)

// after says what follows from a failure. Only the class counts, and whether an earlier hand-over
// of the same message had an unknown outcome: then the person may have it already, and one more
// was the last.
//
//	bad_recipient  nobody can reach this address: stop
//	bad_request    wrong for this provider: the next route, at once
//	temporary      surely not sent: the next route, at once; after the last one, later
//	throttled      likewise
//	unknown        perhaps sent: wait for the person to use it, then once more
func after(class provider.Class, repeatable, wasUnknown bool) step {
	switch class {
	case provider.BadRecipient:
		return stop
	case provider.BadRequest, provider.Temporary, provider.Throttled:
		return nextNow
	default:
		switch {
		case wasUnknown:
			return stop
		case repeatable:
			return waitSame
		default:
			return waitNext
		}
	}
}

// grace is how long to wait after a hand-over of unknown outcome: by then most people who did get
// the message have used it.
var grace = map[verify.Channel]time.Duration{
	verify.SMS:      8 * time.Second,
	verify.RCS:      8 * time.Second,
	verify.WhatsApp: 10 * time.Second,
	verify.Call:     20 * time.Second,
	verify.Email:    15 * time.Second,
}

const (
	firstBackOff = time.Second
	maxBackOff   = 30 * time.Second
)

// backOff is the pause after the n-th turn in which no route took the message, n counting from 1:
// a second, doubled each time, half a minute at most. A provider that asked for a longer pause
// gets it.
func backOff(n int, asked time.Duration) time.Duration {
	pause := maxBackOff
	if n < 6 {
		pause = min(firstBackOff<<max(n-1, 0), maxBackOff)
	}
	return max(pause, asked)
}
