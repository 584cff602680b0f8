package verify

import (
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
)

// Limits are the limits that hold without a customer's doing, a row each. The zero value has none:
// a developer's tests start and check as fast as they can, always with the same few numbers.
type Limits struct {
	// Starts bounds the accepted starts of one recipient in a service: 60212, "too many concurrent
	// requests for phone number". Where a burst ends and a resend begins Twilio does not say.
	Starts ratelimit.Limit
	// InFlight bounds the starts of one recipient in a service that are under way at once, on each
	// node: 60212.
	InFlight InFlightLimit
	// Sends bounds the messages to one address, over all services of an account: 60626.
	Sends []SendLimit
	// Fetches bounds the fetches of one verification, on each node: 20429.
	Fetches []ratelimit.Limit
	// Attempts and SafeList bound the calls of an account for these resources, on each node: 20429.
	Attempts, SafeList []ratelimit.Limit
	// Guesses bounds the wrong codes for one recipient in a service, over all its verifications:
	// 60202 for a start. Of the rows that apply, the strictest holds.
	Guesses []GuessLimit
	// AccountGuesses times as many wrong codes as Guesses allows in a service may be typed for one
	// recipient over all services of an account: 60202. 0 is no limit.
	AccountGuesses int
	// DeviceGuesses bounds the wrong codes of verifications that a known device began (see
	// guess_meters.go); they do not count for Guesses and AccountGuesses.
	DeviceGuesses ratelimit.Limit
	// FactorGuesses bounds the wrong codes for one authenticator app, over all its challenges: 60308.
	FactorGuesses FactorGuessLimit
}

// GuessLimit is a bound of wrong codes that applies if all its conditions hold.
type GuessLimit struct {
	MaxLength int  // of the code, in characters; 0 is any
	Payments  bool // services with PSD2 alone
	After     int  // wrong codes since the last approval
	ratelimit.Limit
}

// FactorGuessLimit bounds wrong codes by the chance that one of them is right. An app's code has a few
// that are right at the same time (its skew), so the chance of a guess differs from app to app.
type FactorGuessLimit struct {
	// OneIn bounds the chance of an Interval: one in so many, where the bounds of Max allow it.
	OneIn int
	// Max is the least and the most wrong codes that an Interval may have. The least holds as well
	// after so many wrong codes in a row as After says.
	Max      Range
	After    int
	Interval time.Duration
}

// Of is the limit for an app whose codes have so many digits, and are right as many steps too early or too
// late as skew says, with so many wrong codes in a row.
func (l FactorGuessLimit) Of(codeLength, skew, failed int) ratelimit.Limit {
	codes := 1
	for range codeLength {
		codes *= 10
	}
	right := 2*skew + 1
	most := min(max(codes/max(right*l.OneIn, 1), l.Max.Min), l.Max.Max)
	if failed >= l.After {
		most = l.Max.Min
	}
	return ratelimit.Limit{Max: most, Interval: l.Interval}
}

const day = 24 * time.Hour

// BuiltIn are the limits of a server. Numbers without a source are ours.
func BuiltIn() Limits {
	return Limits{
		Starts:   ratelimit.Limit{Max: 3, Interval: time.Second},
		InFlight: InFlightLimit{Wait: 250 * time.Millisecond},
		Sends: []SendLimit{
			{[]Channel{SMS, WhatsApp, RCS}, []ratelimit.Limit{{Max: 10, Interval: time.Hour}, {Max: 20, Interval: day}}},
			{[]Channel{Call}, []ratelimit.Limit{{Max: 3, Interval: time.Hour}, {Max: 8, Interval: day}}},
			{[]Channel{Email}, []ratelimit.Limit{{Max: 10, Interval: time.Hour}, {Max: 30, Interval: day}}},
		},
		Fetches: []ratelimit.Limit{ // Twilio's documentation, "Rate limits and timeouts"
			{Max: 60, Interval: time.Minute},
			{Max: 180, Interval: time.Hour},
			{Max: 250, Interval: day},
		},
		Attempts: []ratelimit.Limit{{Max: 100, Interval: time.Minute}}, // the same page
		SafeList: []ratelimit.Limit{{Max: 30, Interval: time.Minute}},
		// In any 24 hours a code of six digits is guessed with a chance of 25 in a million, one of
		// five with 1 in 10,000, one of four with 5 in 10,000. NIST SP 800-63B, 3.2.2, wants no more
		// than a hundred failures in a row, and RTS article 4(3)(b) no more than five of payments.
		Guesses: []GuessLimit{
			{Limit: ratelimit.Limit{Max: MaxGuesses, Interval: day}},
			{MaxLength: 5, Limit: ratelimit.Limit{Max: 10, Interval: day}},
			{MaxLength: 4, Limit: ratelimit.Limit{Max: 5, Interval: day}},
			{Payments: true, Limit: ratelimit.Limit{Max: 5, Interval: day}},
			{After: 100, Limit: ratelimit.Limit{Max: 5, Interval: day}},
		},
		AccountGuesses: 4,
		DeviceGuesses:  ratelimit.Limit{Max: 10, Interval: day},
		FactorGuesses:  FactorGuessLimit{OneIn: 10_000, Max: Range{Min: 5, Max: MaxGuesses}, After: 100, Interval: day},
	}
}

// MaxGuesses is the highest Max of any GuessLimit: a history remembers no more times.
const MaxGuesses = 25

// History is what the verifications of a recipient in a service leave to the next one, so that
// neither a cancellation nor another start makes sends or guesses free. An approval clears the
// guesses.
type History struct {
	Starts ratelimit.Window
	Guesses
}

// Guesses are wrong codes, for one recipient or for one app.
type Guesses struct {
	// Times are those of the latest of the last day, oldest first.
	Times []time.Time
	// Failed counts all since the last right one.
	Failed int
}

// Guessed records a wrong code, and keeps the times of most.
func (g *Guesses) Guessed(now time.Time, most int) {
	g.Times = logged(g.Times, ratelimit.Limit{Max: most, Interval: day}, now.Truncate(time.Millisecond))
	g.Failed++
}

// forgive clears the guesses.
func (g *Guesses) forgive() { *g = Guesses{} }

// fewFailures may be forgotten a day after the last of them: whoever waits for that gets five
// guesses a day, as after a hundred failures.
const fewFailures = 5

// heldUntil is how long guesses have to be remembered.
func (g *Guesses) heldUntil() time.Time {
	switch n := len(g.Times); {
	case n == 0:
		return time.Time{}
	case g.Failed <= fewFailures:
		return g.Times[n-1].Add(day)
	default:
		return g.Times[n-1].Add(30 * day)
	}
}

// start counts an accepted start; a burst is refused.
func (l Limits) start(h *History, now time.Time) error {
	next, wait, ok := l.Starts.Spend(h.Starts, now.Truncate(time.Millisecond))
	if !ok {
		return &Error{Code: CodeBurst, RetryAfter: wait}
	}
	h.Starts = next
	return nil
}

// guesses is how many wrong codes a new verification may take, at most most. If there are none, it
// may after wait.
//
// A verification that begins keeps its checks however long it lives, and there is one at a time; so
// no day has more wrong codes than the strictest row allows.
func (l Limits) guesses(g Guesses, codeLength int, payment bool, most int, now time.Time) (left int, wait time.Duration) {
	return l.guessesOver(1, g, codeLength, payment, most, now)
}

// guessesOver is guesses where so many times as much is allowed as in a service.
func (l Limits) guessesOver(times int, g Guesses, codeLength int, payment bool, most int, now time.Time) (left int, wait time.Duration) {
	left = most
	for _, row := range l.Guesses {
		if row.MaxLength > 0 && codeLength > row.MaxLength || row.Payments && !payment || g.Failed < row.After*times {
			continue
		}
		row.Max *= times
		n, pause := row.Left(g.Times, now)
		left, wait = min(left, n), max(wait, pause)
	}
	return left, wait
}
