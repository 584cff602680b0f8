package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Knob says what becomes of some messages. What it leaves empty is as it would be without it.
type Knob struct {
	// Provider is the type of a provider, "smpp", "twilio"…; empty is all.
	Provider string `json:"provider,omitempty"`
	// To is the destination, with * for any part: "+346000000*", "*11"; empty is all.
	To string `json:"to,omitempty"`
	// Share is how many of those messages meet the knob, 0.1 being every tenth; 0 is all. The others meet
	// the knobs below it.
	Share float64 `json:"share,omitempty"`

	// Answer is what the sender is told, "accepted" where it is empty.
	Answer Answer `json:"answer,omitempty"`
	// Latency is how long the answer takes.
	Latency Duration `json:"latency,omitempty"`
	// TPS is how many messages are taken in a second; those beyond it are throttled.
	TPS int `json:"tps,omitempty"`

	// Arrives says whether the person gets the message; those that are accepted do where it is null.
	Arrives *bool `json:"arrives,omitempty"`
	// Report are the states that are reported, one after the other: the sequence is what makes a report
	// come twice, in the wrong order, or be a lie. Null is "delivered" for a message that was accepted and
	// arrives, and nothing for any other.
	Report *[]State `json:"report,omitempty"`
	// ReportAfter is how long after the answer the reports come.
	ReportAfter Duration `json:"report_after,omitempty"`
	// ReportFirst has the reports come before the answer.
	ReportFirst bool `json:"report_first,omitempty"`

	// Keys are what the person presses in a call, "1" where it is empty; "none" is an answering machine.
	Keys string `json:"keys,omitempty"`
}

// Answer is what the sender of a message is told.
type Answer string

// The answers. Those in the middle are the classes of refusals, which every provider has to recognise.
const (
	Accepted Answer = "accepted"

	Temporary    Answer = "temporary"     // refused for the time being
	Throttled    Answer = "throttled"     // refused, because it is too fast
	BadRecipient Answer = "bad_recipient" // refused, nobody is there
	BadRequest   Answer = "bad_request"   // refused, because of something else in it
	Unknown      Answer = "unknown"       // an answer that leaves open whether it was sent

	Dropped Answer = "dropped" // the connection ends without an answer
	Silent  Answer = "silent"  // no answer ever comes
	Closed  Answer = "closed"  // connections are refused; it is about a port, not about a message
)

var answers = []Answer{Accepted, Temporary, Throttled, BadRecipient, BadRequest, Unknown, Dropped, Silent, Closed}

// Refusal says whether the sender is told that the message is not taken.
func (a Answer) Refusal() bool { return slices.Contains(answers[1:6], a) }

// final says that nothing can follow: the message was refused beyond doubt.
func (a Answer) final() bool { return a.Refusal() && a != Unknown }

// State is what a report says.
type State string

// The states.
const (
	Sent      State = "sent" // it is on its way, which changes nothing
	Delivered State = "delivered"
	Failed    State = "failed" // the handset was off, or the mailbox full
	NoSuch    State = "bad_recipient"
)

var states = []State{Sent, Delivered, Failed, NoSuch}

// Duration is a length of time, written as "1.5s".
type Duration time.Duration

// MarshalText writes it as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads one that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%q is not a duration like \"1.5s\"", text)
	}
	*d = Duration(parsed)
	return nil
}

// Check says what is wrong with a knob. Providers are the types that there are.
func (k Knob) Check(providers []string) error {
	switch {
	case k.Provider != "" && !slices.Contains(providers, k.Provider):
		return fmt.Errorf("provider %q is none of %s", k.Provider, strings.Join(providers, " "))
	case k.Share < 0 || k.Share > 1:
		return fmt.Errorf("share %v is not between 0 and 1", k.Share)
	case k.TPS < 0:
		return fmt.Errorf("tps %d is negative", k.TPS)
	case k.Answer != "" && !slices.Contains(answers, k.Answer):
		return fmt.Errorf("answer %q is none of %v", k.Answer, answers)
	case k.Answer == Closed && (k.To != "" || k.Share != 0):
		return errors.New(`answer "closed" is about a port, and cannot choose messages by to or share`)
	case k.Answer.final() && k.Arrives != nil && *k.Arrives:
		return errors.New("arrives: a message that is refused does not")
	}
	if k.Keys != "none" && strings.Trim(k.Keys, "0123456789*#") != "" {
		return fmt.Errorf("keys %q are neither keys of a telephone nor \"none\"", k.Keys)
	}
	if k.Report != nil {
		for _, s := range *k.Report {
			if !slices.Contains(states, s) {
				return fmt.Errorf("report %q is none of %v", s, states)
			}
		}
	}
	return nil
}

func (k Knob) plan() Plan {
	p := Plan{
		Answer: k.Answer, Latency: time.Duration(k.Latency), ReportAfter: time.Duration(k.ReportAfter), ReportFirst: k.ReportFirst,
	}
	if p.Answer == "" {
		p.Answer = Accepted
	}
	if p.Keys = k.Keys; p.Keys == "" {
		p.Keys = "1"
	} else if p.Keys == "none" {
		p.Keys = ""
	}
	p.Arrives = p.Answer == Accepted
	if k.Arrives != nil {
		p.Arrives = *k.Arrives
	}
	switch {
	case p.Answer.final(): // nothing follows
	case k.Report != nil:
		p.Reports = slices.Clone(*k.Report)
	case p.Answer == Accepted && p.Arrives:
		p.Reports = []State{Delivered}
	}
	return p
}

// Parse reads knobs from JSON: {"knobs":[{"provider":"twilio","answer":"throttled"}]}. A key that means
// nothing is an error, and so is a provider that is not among those given.
func Parse(text []byte, providers []string) ([]Knob, error) {
	var file struct {
		Knobs []Knob `json:"knobs"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("knobs: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("knobs: something follows the object")
	}
	for i, k := range file.Knobs {
		if err := k.Check(providers); err != nil {
			return nil, fmt.Errorf("knob %d: %w", i+1, err)
		}
	}
	return file.Knobs, nil
}
