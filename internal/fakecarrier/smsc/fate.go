package smsc

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

// Fate is what becomes of a message. The zero Fate accepts it at once, delivers it, and reports that
// it was delivered.
type Fate struct {
	// Share is how many of the messages meet this fate, 0.1 being every tenth; the others meet the
	// zero Fate. 0 is all.
	Share float64

	// Status refuses the message; Words go along in additional_status_info_text.
	Status smpp.Status
	Words  string
	// Delay is how long the answer takes.
	Delay time.Duration
	// Silent never answers; Taken says whether the message is accepted all the same.
	Silent, Taken bool
	// Drop breaks the connection instead of answering. Taken as with Silent.
	Drop bool
	// Nack answers with generic_nack and Status.
	Nack bool
	// Lost accepts the message and forgets it. It is reported as if it had arrived.
	Lost bool
	// Congestion is the congestion_state in the answer, 0 for none.
	Congestion byte

	// NoReceipt never reports.
	NoReceipt bool
	// ReceiptFirst answers the message after the client has answered the receipt.
	ReceiptFirst bool
	// ReceiptDelay is how long after the answer the report comes.
	ReceiptDelay time.Duration
	// Copies is how often the report is sent, 1 unless it is set.
	Copies int
	// State and Err are what the report says, "DELIVRD" and "000" unless they are set.
	State, Err string
	// Outcomes are several reports in this order, in the place of Copies, State and Err.
	Outcomes []Outcome
	// Form is how the report is written.
	Form Form
}

// Outcome is what one report says, as Fate.State and Fate.Err.
type Outcome struct{ State, Err string }

// outcomes are the reports of a message.
func (f Fate) outcomes() []Outcome {
	if f.Outcomes != nil {
		return f.Outcomes
	}
	return slices.Repeat([]Outcome{{f.State, f.Err}}, max(f.Copies, 1))
}

// Fates are the usual ones by the last two digits of a number, for whoever tries things out.
func Fates() map[string]Fate {
	return map[string]Fate{
		"11": {Status: smpp.InvalidDestination},
		"22": {State: "UNDELIV", Err: "001"},
		"33": {ReceiptFirst: true},
		"44": {Silent: true},
		"55": {Copies: 2},
		"58": {Status: smpp.Throttled},
		"77": {Delay: 3 * time.Second},
		"99": {NoReceipt: true},
	}
}

// meets draws whether a message meets f.
func (f Fate) meets() Fate {
	if f.Share > 0 && rand.Float64() >= f.Share {
		return Fate{}
	}
	return f
}
