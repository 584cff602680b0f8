package verify

import "time"

// A code goes on by another channel while its message may still be on its way: a telephone that is switched
// off gets a message of RCS when it is switched on. Where the carrier can take the message back it is asked
// to, and nothing goes on before it has confirmed that. Without a confirmation the person gets no second
// message, and may ask for one.

// Revocation is what became of the wish to take one message back.
type Revocation struct {
	Provider string // who has the message, or perhaps has
	At, Took Millis
	Outcome  RevocationOutcome
	Code     string // the carrier's own, "" if it gave none
	Detail   string // in words
}

// RevocationOutcome is what the carrier says of it. It is the outcome of a step, and stored.
type RevocationOutcome string

// The outcomes.
const (
	Revoked RevocationOutcome = "revoked" // confirmed: it will not arrive
	Kept    RevocationOutcome = "kept"    // it has arrived, or may: nobody takes it back
	Unclear RevocationOutcome = "unclear" // nobody says; asking once more may help
)

// Revocations are those of all messages of an attempt that may arrive; none if none may, or if that is no
// reason to wait.
type Revocations []Revocation

// maxRevocations is how often one message is tried to be taken back.
const maxRevocations = 5

// revokePause is the pause after the n-th time that nobody said anything, n counting from 1: a second, then
// twice as long each time.
func revokePause(n int) time.Duration { return time.Second << min(max(n-1, 0), maxRevocations) }

// What follows from revocations.
type revoking int

const (
	goOn     revoking = iota // nothing will arrive
	askAgain                 // later
	stay                     // something may arrive: no other channel
)

// tell writes revocations into the story and the state of an attempt, and says what follows. runs counts
// how often they were tried, this time included.
func (all Revocations) tell(a *Attempt, runs int) revoking {
	then := goOn
	for _, r := range all {
		step := Step{At: r.At, Kind: StepRevoke, Provider: r.Provider, Took: r.Took, Outcome: string(r.Outcome), Code: r.Code, Detail: r.Detail}
		switch {
		case r.Outcome == Revoked:
			step.Decision, step.Why = DecidedOther, "it had not arrived, and will not any more"
		case r.Outcome == Unclear && runs < maxRevocations:
			step.Decision, step.Why = DecidedRetry, "nobody says whether it may arrive: asked again in "+revokePause(runs).String()
			then = max(then, askAgain)
		case r.Outcome == Unclear:
			step.Decision, step.Why = DecidedStop, "nobody says whether it may arrive: no other channel"
			then = stay
		default:
			step.Decision, step.Why = DecidedStop, "it has arrived, or may: no other channel"
			then = stay
		}
		a.Story = a.Story.Add(step)
	}
	if len(all) > 0 && then == goOn && !a.State.arrived() {
		a.State = AttemptUndelivered
	}
	return then
}

// notRevoked is the outcome of the step of a report that says that the carrier wanted to take a message
// back at the end of its life, and could not.
const notRevoked = "not_revoked"

// notes takes over a report that says nothing but that, once. It changes no state: the message may arrive.
func (a *Attempt) notes(r Report, step Step) bool {
	if r.State != AttemptSent || !a.undelivers(r) {
		return false
	}
	for _, before := range a.Story.Steps() {
		if before.Kind == StepReport && before.Outcome == notRevoked && before.Provider == r.Provider {
			return false
		}
	}
	step.Outcome, step.Decision, step.Why = notRevoked, DecidedStop, "its time is over, and it was not taken back: it may arrive, so there is no other channel"
	a.Story = a.Story.Add(step)
	return true
}
