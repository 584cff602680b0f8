package verify

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Story is what happened to an attempt, step by step: every provider that was given its message, what
// it answered, how long that took, what was decided and why. It is a JSON array of steps, kept as text,
// because nearly nobody who reads an attempt reads its story.
type Story string

// Step is one step of a story. The names of its fields in JSON are stored; a test pins them.
type Step struct {
	At   Millis   `json:"at"`
	Kind StepKind `json:"kind,omitempty"`
	// Provider is who was asked, or is spoken of.
	Provider string `json:"by,omitempty"`
	// Took is how long a hand-over took.
	Took Millis `json:"ms,omitempty"`
	// Outcome is accepted or the class of a failure; of a report, the state that it says.
	Outcome string `json:"said,omitempty"`
	Code    string `json:"code,omitempty"` // the provider's own, verbatim
	Detail  string `json:"detail,omitempty"`
	// Decision is what follows, and Why the reason in words.
	Decision Decision `json:"then,omitempty"`
	Why      string   `json:"why,omitempty"`
}

// Millis is a time in milliseconds since 1970, or a number of them.
type Millis int64

// MillisOf is a time, to the millisecond.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the time that it stands for.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// StepKind is what a step is.
type StepKind string

// The kinds of steps.
const (
	StepHandOver StepKind = ""         // a provider was given the message
	StepPassed   StepKind = "passed"   // a provider whose turn it was is passed over, or put behind
	StepBooked   StepKind = "booked"   // a place in the pace of a provider was taken
	StepReport   StepKind = "report"   // the carrier said what became of the message
	StepEnd      StepKind = "end"      // nothing more is tried
	StepRevoke   StepKind = "revoke"   // the carrier was asked to take the message back
	StepFallback StepKind = "fallback" // the code goes on by another channel, or does not
)

// Decision is what follows from a step.
type Decision string

// The decisions.
const (
	DecidedSent  Decision = "sent"  // a provider has it
	DecidedRetry Decision = "retry" // the same provider, after a pause
	DecidedNext  Decision = "next"  // the next provider, at once
	DecidedWait  Decision = "wait"  // the next provider, unless the code comes back meanwhile
	DecidedAgain Decision = "again" // all providers once more, after a pause
	DecidedStop  Decision = "stop"  // nothing more
	DecidedOther Decision = "other" // another channel
)

// Decisions are all of them.
func Decisions() []Decision {
	return []Decision{DecidedSent, DecidedRetry, DecidedNext, DecidedWait, DecidedAgain, DecidedStop, DecidedOther}
}

const (
	// maxSteps bounds a story. Nothing ordinary comes near it.
	maxSteps = 24
	// keptFirst are the steps that a story keeps of its beginning where it grows too long.
	keptFirst = 6
	// maxWords bounds each text of a step, in bytes.
	maxWords = 160
)

// Steps are the steps, oldest first. A text that is no story has none.
func (s Story) Steps() []Step {
	if s == "" {
		return nil
	}
	var steps []Step
	if json.Unmarshal([]byte(s), &steps) != nil {
		return nil
	}
	return steps
}

// Add is the story with more steps.
func (s Story) Add(more ...Step) Story {
	if len(more) == 0 {
		return s
	}
	steps := more
	if s != "" {
		steps = append(s.Steps(), more...)
	}
	if len(steps) > maxSteps {
		steps = append(steps[:keptFirst:keptFirst], steps[len(steps)-(maxSteps-keptFirst):]...)
	}
	for i := range steps {
		st := &steps[i]
		st.Code, st.Detail, st.Why = inWords(st.Code), inWords(st.Detail), inWords(st.Why)
	}
	text, err := json.Marshal(steps)
	if err != nil { // texts and numbers always encode
		panic(fmt.Sprintf("a story: %v", err))
	}
	return Story(text)
}

// inWords cuts a text that came from outside, and makes it one that every database takes.
func inWords(s string) string {
	if len(s) > maxWords {
		cut := maxWords - len("…")
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}
