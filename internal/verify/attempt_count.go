package verify

import (
	"context"

	"github.com/verifyd/verifyd/internal/sid"
)

// AttemptCount is a number of attempts.
type AttemptCount struct {
	Made      int
	Converted int // of those made
}

func (n AttemptCount) plus(m AttemptCount) AttemptCount {
	return AttemptCount{n.Made + m.Made, n.Converted + m.Converted}
}

// Tally is one change of the counters of attempts. What is converted later counts at the time at
// which the attempt was made.
type Tally struct {
	AttemptSID string // says when it was made
	AccountSID string
	ServiceSID string
	Channel    Channel
	Country    string
	To         string
	AttemptCount
}

// Span is what a counter counts over. Hours and days are those of UTC, numbered from the epoch of
// SIDs (sid.HourOfKey).
type Span byte

// The spans.
const (
	Hours Span = 'h'
	Days  Span = 'd'
	// PrefixDays are days again, counted apart by the beginning of the number.
	PrefixDays Span = 'p'
)

// countedPrefix is how much of a number is counted apart, the plus sign included. It is a balance:
// with one digit more there are ten times as many counters, with one less a summary by a longer
// prefix has ten times as many attempts to look at.
const countedPrefix = len("+3461")

// Prefix is the beginning of the number, "" for e-mail.
func (t Tally) Prefix() string {
	if t.To == "" || t.To[0] != '+' {
		return ""
	}
	return t.To[:min(len(t.To), countedPrefix)]
}

// tally counts the last attempt of a verification.
func tally(v *Verification, n AttemptCount) Tally {
	last := v.Sends[len(v.Sends)-1]
	return Tally{AttemptSID: last.AttemptSID, AccountSID: v.AccountSID, ServiceSID: v.ServiceSID,
		Channel: last.Channel, Country: v.Country, To: v.To, AttemptCount: n}
}

// convert notes that a verification was approved after its last attempt.
func convert(tx Tx, v *Verification) {
	if len(v.Sends) == 0 {
		return
	}
	last := v.Sends[len(v.Sends)-1]
	tx.ConvertAttempt(last.AttemptSID, v.UpdatedAt)
	tx.Count(tally(v, AttemptCount{Converted: 1}))
}

// forgetCounts removes the counters of the hours and days before the attempts that are seen, once an
// hour.
func (e *Engine) forgetCounts(ctx context.Context) error {
	oldest := sid.HourOfKey(sid.KeyAt(e.attemptsFrom(e.Now())))
	if e.forgotten.Load() == oldest {
		return nil
	}
	accounts, err := e.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		for _, span := range []struct {
			Span
			before int64
		}{{Hours, oldest}, {Days, oldest / 24}, {PrefixDays, oldest / 24}} {
			for more := true; more; {
				err := e.Store.Update(ctx, func(tx Tx) (err error) {
					more, err = tx.ForgetCounts(a.SID, span.Span, span.before, sweepChunk)
					return err
				})
				if err != nil {
					return err
				}
			}
		}
	}
	e.forgotten.Store(oldest)
	return nil
}
