package delivery

import (
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// The numbers of what follows from an answer (channels reference, section 10.2).
const (
	// retryPause is the pause before the one more try at a provider whose first answer was temporary,
	// if there is retryLeft after it.
	retryPause = 500 * time.Millisecond
	retryLeft  = 2 * time.Second
	// shortPause is the longest that a throttling provider is waited for where there is no other;
	// where there is one, retryPause.
	shortPause = 2 * time.Second
	// lifeLeft is what a code must have left for another hand-over to be of use.
	lifeLeft = time.Minute

	firstBackOff = time.Second
	maxBackOff   = 30 * time.Second
)

// grace is how long to wait after a hand-over of unknown outcome: by then most people who did get
// the message have used it.
var grace = map[verify.Channel]time.Duration{
	verify.SMS:      8 * time.Second,
	verify.RCS:      8 * time.Second,
	verify.WhatsApp: 10 * time.Second,
	verify.Call:     20 * time.Second,
	verify.Email:    15 * time.Second,
}

// answer is a failure, with all that decides about what follows. Only the class of the provider's
// answer counts, never its code.
type answer struct {
	class      provider.Class
	retryAfter time.Duration
	channel    verify.Channel
	took       time.Duration // until it came
	others     bool          // there is another provider to be asked
	repeatable bool          // the provider knows a message by its key
	first      bool          // nobody was given the message before
	retried    bool          // this provider has had its second chance
	unfit      bool          // this provider is left alone by others
	unknown    bool          // an earlier hand-over had an unknown outcome: one more was the last
	left       time.Duration // until nothing is tried any more
}

// decide says what follows, after which pause, and why.
//
//	bad_recipient  nobody can reach this address: stop
//	bad_request    wrong for this provider: the next one, at once
//	temporary      surely not sent: the first time once more, else the next one, at once; a provider that
//	               took long to say so is not asked again while a person waits
//	throttled      surely not sent: a short pause is waited for, else the next one, at once
//	unknown        perhaps sent: the next one, once, unless the code comes back before. The time for that
//	               is counted from when the message may have left
func (a answer) decide() (verify.Decision, time.Duration, string) {
	switch a.class {
	case provider.BadRecipient:
		return verify.DecidedStop, 0, "nobody reaches this address by this channel"
	case provider.BadRequest:
		return verify.DecidedNext, 0, "wrong for this provider alone"
	case provider.Temporary:
		if a.first && !a.unfit && a.left-retryPause >= retryLeft && (a.took < retryPause || !a.others) {
			return verify.DecidedRetry, retryPause, fmt.Sprintf("surely not sent: once more in %s", retryPause)
		}
		return verify.DecidedNext, 0, "surely not sent"
	case provider.Throttled:
		longest := shortPause
		if a.others {
			longest = retryPause
		}
		if 0 < a.retryAfter && a.retryAfter <= longest && !a.retried {
			return verify.DecidedRetry, a.retryAfter, fmt.Sprintf("surely not sent: it asked for %s", a.retryAfter)
		}
		return verify.DecidedNext, 0, "surely not sent: too fast for it"
	}
	pause := max(grace[a.channel]-a.took, 0).Round(time.Millisecond)
	switch {
	case a.unknown:
		return verify.DecidedStop, 0, "perhaps sent twice already"
	case a.repeatable:
		return verify.DecidedRetry, pause, fmt.Sprintf("perhaps sent: it knows messages by their key, so once more in %s", pause)
	default:
		return verify.DecidedWait, pause, fmt.Sprintf("perhaps sent: the next one in %s, unless the code comes back", pause)
	}
}

// backOff is the pause after the n-th round in which no route took the message, n counting from 1:
// a second, doubled each time, half a minute at most. A provider that asked for a longer pause
// gets it.
func backOff(n int, asked time.Duration) time.Duration {
	pause := maxBackOff
	if n < 6 {
		pause = min(firstBackOff<<max(n-1, 0), maxBackOff)
	}
	return max(pause, asked)
}

// Budget bounds what is tried for one attempt. A zero field is its default.
type Budget struct {
	// MaxSends is how often the message may be sent, as far as that is known; default 3. Hand-overs
	// that were surely not sent do not count: they cost nothing and reach nobody.
	MaxSends int
	// Deadline is how long after the beginning of its first turn anything is tried; default a minute.
	Deadline time.Duration
}

const (
	defaultSends    = 3
	defaultDeadline = time.Minute
)

func (b Budget) sends() int {
	if b.MaxSends == 0 {
		return defaultSends
	}
	return b.MaxSends
}

func (b Budget) deadline() time.Duration {
	if b.Deadline == 0 {
		return defaultDeadline
	}
	return b.Deadline
}

// progress is what the turns of an attempt have come to, as its story tells.
type progress struct {
	began     time.Time // of the first turn
	handOvers int
	sends     int // that went out, or perhaps did
	unknown   bool
	rounds    int      // that are over
	done      []string // providers that are done with in this round
	gone      []string // providers that have, or perhaps have, the message, and would not know it again
	retried   string   // the provider that has its second chance now
	booked    string   // the provider in whose pace this turn has a place
	mayHelp   bool     // some provider may take it later
}

// readProgress reads a story.
func readProgress(steps []verify.Step) (p progress) {
	for _, s := range steps {
		p.add(s)
	}
	return p
}

func (p *progress) add(s verify.Step) {
	if p.began.IsZero() {
		p.began = s.At.Time()
	}
	switch s.Kind {
	case verify.StepBooked:
		p.booked = s.Provider
		return
	case verify.StepHandOver:
	default:
		return
	}
	p.handOvers++
	p.booked, p.retried = "", ""
	switch s.Outcome {
	case accepted:
		p.sends++
		p.gone = append(p.gone, s.Provider)
	case provider.Unknown.String():
		p.sends++
		p.unknown = true
		if s.Decision != verify.DecidedRetry {
			p.gone = append(p.gone, s.Provider)
		}
	case provider.Temporary.String(), provider.Throttled.String():
		p.mayHelp = true
	}
	switch s.Decision {
	case verify.DecidedRetry:
		p.retried = s.Provider
	case verify.DecidedAgain:
		p.rounds++
		p.done, p.mayHelp = nil, false
	case verify.DecidedNext, verify.DecidedWait:
		p.done = append(p.done, s.Provider)
	}
}
