package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/sid"
)

// A service may have a chain of channels: where one cannot reach the person, the next one is tried, with
// the same code, in a new attempt that counts as a send (channels reference, section 10.3). It goes on
// when an attempt has failed for good, or its carrier reports that it did not arrive, or, where the
// service says after how long, when there is neither a receipt nor the code; never when the carrier says
// that the message arrived, and never past a refusal: a channel that is off, a country that is closed, a
// payment that a channel cannot speak of are passed over.

// Fallback is the kind of the jobs that go on by another channel. It is left by the commit that ends an
// attempt, so that nothing is lost between the two.
const Fallback = "fallback"

// fallbackLife is what a code must have left for another channel to be of use.
const fallbackLife = time.Minute

// maxFallbackAfter bounds the patience of a chain.
const maxFallbackAfter = 10 * time.Minute

// setFallback notes what of a service's chain is behind the channel of a wish.
func (w *wish) setFallback(s *Service) {
	i := slices.Index(s.Fallback, w.channel)
	if i < 0 || i == len(s.Fallback)-1 {
		return
	}
	var rest []string
	for _, next := range s.Fallback[i+1:] {
		rest = append(rest, string(next))
	}
	w.options.Fallback = strings.Join(rest, ",")
	w.options.FallbackAfter = int(s.FallbackAfter / time.Second)
}

// checkFallback refuses a chain that cannot work: a single channel, e-mail, which is no way to a
// telephone number, and a channel that nobody carries.
func (e *Engine) checkFallback(s *Service) error {
	if len(s.Fallback) == 0 {
		return nil
	}
	if len(s.Fallback) == 1 || slices.Contains(s.Fallback, Email) {
		return invalid("Verifyd.Fallback")
	}
	for _, c := range s.Fallback[1:] {
		if !e.Routed(c) {
			return invalid("Verifyd.Fallback")
		}
	}
	return nil
}

// Fallbacks carries out the jobs of kind Fallback.
type Fallbacks struct{ Engine *Engine }

// Work goes on by another channel with the verification of the attempt that a job refers to.
func (f Fallbacks) Work(ctx context.Context, job Job) error {
	e := f.Engine
	var a *Attempt
	var v *Verification
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		if a, err = tx.Attempt(job.Ref); err != nil {
			return err
		}
		v, err = tx.Verification(a.VerificationSID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return e.Store.Update(ctx, func(tx Tx) error {
			tx.FinishJob(job)
			return nil
		})
	}
	if err != nil {
		return err
	}
	s, err := e.Service(ctx, a.AccountSID, a.ServiceSID)
	if _, refused := errors.AsType[*Error](err); err != nil && !refused {
		return err
	}
	var w *wish
	why := "the service is gone"
	if err == nil {
		if w, why, err = e.nextChannel(ctx, s, a, v); err != nil {
			return err
		}
	}
	return e.Store.Update(ctx, func(tx Tx) error { return e.fallBack(tx, job, s, w, why) })
}

// nextChannel is the wish to send by the first channel of the rest of an attempt's chain that takes it;
// nil if none does, and why.
func (e *Engine) nextChannel(ctx context.Context, s *Service, a *Attempt, v *Verification) (*wish, string, error) {
	var why []string
	for name := range strings.SplitSeq(a.Options.Fallback, ",") {
		p := StartParams{To: &a.To, Channel: &name, Amount: v.Amount, Payee: v.Payee, Tags: a.Options.Tags}
		if a.Brand != s.FriendlyName {
			p.CustomFriendlyName = a.Brand
		}
		if message.Supported(name, a.Locale) {
			p.Locale = a.Locale
		}
		w, err := p.read(s)
		if err == nil {
			err = e.chooseTemplate(ctx, s, w)
			if _, refused := errors.AsType[*Error](err); refused {
				err = nil // the words of the catalogue
			}
		}
		if err == nil {
			err = e.chooseRoute(ctx, s, w)
		}
		if err == nil {
			w.line = v.Line
			err = w.unfitLine(s)
		}
		if err == nil {
			var blocked *Error
			if blocked, err = e.blocked(ctx, s, w); blocked != nil {
				err = blocked
			}
		}
		refused, isRefusal := errors.AsType[*Error](err)
		switch {
		case err == nil:
			w.setFallback(s)
			w.options.IsFallback = true
			return w, strings.Join(why, ", "), nil
		case !isRefusal:
			return nil, "", err
		default:
			why = append(why, fmt.Sprintf("%s is refused (%d)", name, refused.Code))
		}
	}
	return nil, strings.Join(why, ", "), nil
}

// fallBack makes the new attempt, if the verification is still as it was, and says so in the story of the
// old one. w is nil if there is no channel.
func (e *Engine) fallBack(tx Tx, job Job, s *Service, w *wish, why string) error {
	tx.FinishJob(job)
	a, err := tx.Attempt(job.Ref)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v, err := tx.Verification(a.VerificationSID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := e.Now()
	step := Step{At: MillisOf(now), Kind: StepFallback, Decision: DecidedStop}
	switch {
	case a.State.arrived():
		return nil // a receipt that came meanwhile
	case a.State == AttemptQueued:
		return nil // another route is being tried; its end leaves another job
	case v.StatusAt(now) != Pending:
		step.Why = "the verification is over"
	case v.Sends[len(v.Sends)-1].AttemptSID != a.SID:
		step.Why = "the person asked for another code meanwhile"
	case v.ExpiresAt.Sub(now) < fallbackLife:
		step.Why = "the code has no time left"
	case v.MaySend() != MaySend:
		step.Why = "no send is left"
	case w == nil:
		step.Why = "no other channel: " + why
	default:
		next, err := e.attempt(v, s, w, now)
		if err != nil {
			return err
		}
		step.Decision, step.Why = DecidedOther, strings.TrimPrefix(why+"; goes on by "+string(w.channel)+", attempt "+next.SID, "; ")
		tx.PutVerification(v)
		tx.AddAttempt(next)
		tx.Count(tally(v, AttemptCount{Made: 1}))
		tx.Enqueue(Job{ID: sid.Key(next.SID), Kind: string(next.Channel), Ref: next.SID, Due: now})
		if err := e.announce(tx, s, v, next, now); err != nil {
			return err
		}
	}
	a.UpdatedAt = now
	a.Story = a.Story.Add(step)
	tx.PutAttempt(a)
	return nil
}

// endAttempt finishes the job of an attempt for which nothing more is tried, and leaves one to go on by
// another channel, now or later, if its service has a chain. An attempt has one job at a time, and its
// number.
func endAttempt(tx Tx, job Job, a *Attempt, now time.Time) {
	tx.FinishJob(job)
	if a.Options.Fallback == "" {
		return
	}
	next := Job{ID: sid.Key(a.SID), Kind: Fallback, Ref: a.SID, Due: now}
	switch a.State {
	case AttemptFailed, AttemptUndelivered:
		tx.Enqueue(next)
	case AttemptSent, AttemptUnknown:
		if a.Options.FallbackAfter > 0 {
			next.Due = now.Add(time.Duration(a.Options.FallbackAfter) * time.Second)
			tx.Enqueue(next)
		}
	}
}
