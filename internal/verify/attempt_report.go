package verify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// Report is what a carrier says became of a message that a provider gave it. Stored as JSON while it
// waits; a test pins the names.
type Report struct {
	Provider string `json:"provider"` // the name of its table
	// ID is the carrier's identifier of the message, Key ours ("VL…:1"); one of them is set.
	ID  string `json:"id,omitempty"`
	Key string `json:"key,omitempty"`
	// State is delivered, read or undelivered; or sent of a message that the carrier could not take back
	// at the end of its life.
	State AttemptState `json:"state"`
	// Class and Code say why it was undelivered; Final that no other provider would do better.
	Class    string `json:"class,omitempty"`
	Code     string `json:"code,omitempty"`
	Final    bool   `json:"final,omitempty"`
	Price    string `json:"price,omitempty"`
	Currency string `json:"currency,omitempty"`
	MCC      string `json:"mcc,omitempty"`
	MNC      string `json:"mnc,omitempty"`
	Received Millis `json:"received"`
}

// ReportKey is under what the reports of a provider find an attempt: carriers number their messages
// each for himself.
func ReportKey(provider, id string) string { return provider + "/" + id }

// LateReports is the kind of the jobs that are reports of which nobody knows yet what they are about:
// they came before the hand-over was recorded, or belong to somebody else.
const LateReports = "report"

const (
	// reportsSeen is how long after its attempt a report is looked for: longer than any code lives.
	reportsSeen = 2 * MaxCodeTTL
	// reportWaits is how long a report waits for its attempt (channels reference, section 0.3).
	reportWaits = 5 * time.Minute
	// firstReportPause is doubled with every look.
	firstReportPause = time.Second
	// resendLife and resendAge bound what a report that a message failed can set off: the code must
	// have as long to live, and the attempt must be younger (channels reference, section 10.2).
	resendLife = 2 * time.Minute
	resendAge  = time.Minute
)

// ReportOutcome is what became of a report.
type ReportOutcome int

// The outcomes.
const (
	ReportTaken   ReportOutcome = iota + 1 // written, or known already
	ReportWaiting                          // kept, to be looked at again
	ReportDropped                          // nobody knew it for five minutes
)

// rank is how far a message has come; a report moves it forward alone.
func (s AttemptState) rank() int {
	switch s {
	case AttemptRead:
		return 2
	case AttemptDelivered:
		return 1
	default:
		return 0
	}
}

// arrived reports whether the carrier said that the message arrived.
func (s AttemptState) arrived() bool { return s.rank() > 0 }

// Report writes what a carrier says. When it returns nil the report is kept for good, whether or not
// its attempt is known by now. another says whether there is a route that an attempt was not sent by
// yet: a report that the message failed sends it that way, if there is time.
func (e *Engine) Report(ctx context.Context, r Report, another func(*Attempt) bool) (got ReportOutcome, err error) {
	r.Received = MillisOf(e.Now())
	for range 5 {
		got, err = e.takeReport(ctx, r, another)
		if !errors.Is(err, ErrExists) { // two jobs of one microsecond had the same number
			break
		}
	}
	return got, err
}

func (e *Engine) takeReport(ctx context.Context, r Report, another func(*Attempt) bool) (got ReportOutcome, err error) {
	now := e.Now()
	waiting, err := sid.New(sid.Request, now, e.Random)
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("a report: %w", err)
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		found, err := e.report(tx, r, another)
		if err != nil {
			return err
		}
		got = ReportTaken
		if !found {
			got = ReportWaiting
			tx.Enqueue(Job{ID: sid.Key(waiting), Kind: LateReports, Ref: string(text), Due: now.Add(firstReportPause)})
		}
		return nil
	})
	return got, err
}

// LateReport looks again for the attempt of a report that waits. keyOf is what its key is, if that has
// become known since, or "".
func (e *Engine) LateReport(ctx context.Context, job Job, keyOf func(Report) string, another func(*Attempt) bool) (r Report, got ReportOutcome, err error) {
	if err := json.Unmarshal([]byte(job.Ref), &r); err != nil {
		return r, 0, fmt.Errorf("a report that waits: %w", err)
	}
	r.Key = cmp.Or(r.Key, keyOf(r))
	err = e.Store.Update(ctx, func(tx Tx) error {
		found, err := e.report(tx, r, another)
		if err != nil {
			return err
		}
		now := e.Now()
		switch age := now.Sub(r.Received.Time()); {
		case found:
			got = ReportTaken
			tx.FinishJob(job)
		case age >= reportWaits:
			got = ReportDropped
			tx.FinishJob(job)
		default:
			got = ReportWaiting
			tx.DeferJob(job, now.Add(min(max(age, firstReportPause), reportWaits-age)))
		}
		return nil
	})
	return r, got, err
}

// report finds the attempt of a report and writes it. found is false if there is none yet, or if it is
// just being handed over for the first time: then what the report says would be overwritten.
func (e *Engine) report(tx Tx, r Report, another func(*Attempt) bool) (found bool, err error) {
	attemptSID, _, _ := strings.Cut(r.Key, ":")
	if r.Key == "" {
		now := e.Now()
		attemptSID, err = tx.ReportedAttempt(ReportKey(r.Provider, r.ID), sid.KeyAt(now.Add(-reportsSeen)), sid.KeyAt(now.Add(time.Hour)))
	}
	var a *Attempt
	if err == nil {
		a, err = tx.Attempt(attemptSID)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case a.State == AttemptQueued && a.HandOvers == 0:
		return false, nil
	}
	before := *a
	again := false
	if r.State == AttemptUndelivered && a.undelivers(r) {
		if again, err = e.sendsAgain(tx, a, r, another); err != nil {
			return false, err
		}
	}
	if !a.report(r, e.Now(), again) {
		return true, nil
	}
	tx.PutAttempt(a)
	s, err := e.subscriber(tx, a.ServiceSID)
	if err == nil {
		err = e.announceMessage(tx, s, before.State, a, a.UpdatedAt)
	}
	if err != nil {
		return false, err
	}
	job := Job{ID: sid.Key(a.SID), Kind: string(a.Channel), Ref: a.SID, Due: e.Now()}
	switch {
	case before.State == AttemptQueued && a.State.arrived():
		tx.FinishJob(job) // it waited for this, or for a route
	case again:
		tx.FinishJob(job) // one that would go on by another channel
		tx.Enqueue(job)
	case a.State == AttemptUndelivered && before.State != AttemptUndelivered:
		endAttempt(tx, job, a, a.UpdatedAt)
	}
	return true, nil
}

// sendsAgain says whether a message that did not arrive goes out by another route. It has the attempt and only
// looks at the verification: if that ends at the same moment, the worker finds it ended.
func (e *Engine) sendsAgain(tx Tx, a *Attempt, r Report, another func(*Attempt) bool) (bool, error) {
	now := e.Now()
	if r.Final || now.Sub(a.CreatedAt) >= resendAge || a.ExpiresAt.Sub(now) < resendLife || !another(a) {
		return false, nil
	}
	v, err := tx.PeekVerification(a.VerificationSID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && v.StatusAt(now) == Pending, err
}

// undelivers reports whether a report that a message failed says something new: it is about the last
// hand-over, of which nothing else is known.
func (a *Attempt) undelivers(r Report) bool {
	return r.Provider == a.Provider && (a.State == AttemptSent || a.State == AttemptUnknown)
}

// report takes over what a carrier says, and reports whether that changed anything. again says that the
// message is sent by another route.
func (a *Attempt) report(r Report, now time.Time, again bool) (changed bool) {
	before := *a
	step := Step{At: MillisOf(now), Kind: StepReport, Provider: r.Provider, Outcome: string(r.State), Code: r.Code}
	switch {
	case r.State.rank() > a.State.rank():
		a.State = r.State
		a.ErrorCode, a.ErrorClass = "", ""
	case r.State == AttemptUndelivered && a.undelivers(r):
		a.State, a.ErrorCode, a.ErrorClass = AttemptUndelivered, r.Code, r.Class
		step.Decision = DecidedStop
		switch {
		case again:
			a.State = AttemptQueued
			step.Decision, step.Why = DecidedNext, r.Class+": the next route may reach the person"
		case r.Final:
			step.Why = "nobody reaches this address"
		default:
			step.Why = "no other route, or no time for one"
		}
	}
	if r.Provider == a.Provider {
		if r.Price != "" {
			a.Price, a.Currency = r.Price, r.Currency
		}
		if r.MCC != "" {
			a.MCC, a.MNC = r.MCC, r.MNC
		}
	}
	if *a == before {
		if !a.notes(r, step) {
			return false
		}
		a.UpdatedAt = now
		return true
	}
	a.UpdatedAt = now
	a.Story = a.Story.Add(step)
	return true
}
