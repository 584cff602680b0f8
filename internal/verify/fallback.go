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
// payment that a channel cannot speak of, a limit that is reached are passed over. Where the message before
// can be taken back it is, and the code goes on when that is confirmed (revocation.go).

// Fallback is the kind of the jobs that go on by another channel. It is left by the commit that ends an
// attempt, so that nothing is lost between the two.
const Fallback = "fallback"

// fallbackLife is what a code must have left for another channel to be of use.
const fallbackLife = time.Minute

// maxFallbackAfter bounds the patience of a chain.
const maxFallbackAfter = 10 * time.Minute

// rcsWait is the patience with a message of RCS where the service does not say one: it is taken back before
// its code goes on, so that nobody reads two (channels reference, section 6).
const rcsWait = 20 * time.Second

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
	after := s.FallbackAfter
	if after == 0 && w.channel == RCS {
		after = rcsWait
	}
	w.options.FallbackAfter = int(after / time.Second)
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
type Fallbacks struct {
	Engine *Engine
	// Revoke takes back what of an attempt may still arrive; nil takes nothing back.
	Revoke func(context.Context, *Attempt) Revocations
}

// Work goes on by another channel with the verification of the attempt that a job refers to.
func (f Fallbacks) Work(ctx context.Context, job Job) error {
	e := f.Engine
	var a *Attempt
	var v *Verification
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		a, v = nil, nil
		if a, err = tx.Attempt(job.Ref); err == nil {
			v, err = tx.Verification(a.VerificationSID)
		}
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
	var back Revocations
	if f.Revoke != nil && obstacle(a, v, w, why, e.Now()) == "" {
		back = f.Revoke(ctx, a)
	}
	return e.Store.Update(ctx, func(tx Tx) error { return e.fallBack(tx, onward{job, a, v, s, w, why, back}) })
}

// onward is a step to another channel as it was found before its commit: to take messages back takes a while.
type onward struct {
	job     Job
	attempt *Attempt
	of      *Verification
	service *Service
	wish    *wish // nil if there is no channel, for which why is the reason
	why     string
	back    Revocations
}

// nothingToDo is of obstacle where there is nothing to say either: a receipt came meanwhile, or another route
// is being tried, whose end leaves another job.
const nothingToDo = "-"

// obstacle says why a code does not go on, "" if it does. v is its verification, or what is current in the place
// of that, which then is over. w is nil if there is no channel, for which why is the reason.
func obstacle(a *Attempt, v *Verification, w *wish, why string, now time.Time) string {
	switch {
	case a.State.arrived(), a.State == AttemptQueued:
		return nothingToDo
	case v == nil || v.SID != a.VerificationSID || v.StatusAt(now) != Pending:
		return "the verification is over"
	case v.Sends[len(v.Sends)-1].AttemptSID != a.SID:
		return "the person asked for another code meanwhile"
	case v.ExpiresAt.Sub(now) < fallbackLife:
		return "the code has no time left"
	case v.MaySend() != MaySend:
		return "no send is left"
	case w == nil:
		return "no other channel: " + why
	}
	return ""
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
		if err == nil {
			w.sends = e.sendMeter(s, w)
			err = e.Store.View(ctx, func(tx Tx) error { return w.sends.look(tx, s, w, e.Now()) })
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
			why = append(why, whyRefused(Channel(name), refused))
		}
	}
	return nil, strings.Join(why, ", "), nil
}

func whyRefused(c Channel, refused *Error) string {
	return fmt.Sprintf("%s is refused (%d)", c, refused.Code)
}

// fallBack makes the new attempt, if the verification is still as it was and nothing of the old one will
// arrive, and says so in the story of the old one. Verification and meter are read as a start reads them, and
// before the attempt, whatever it says (see Tx, "The order of locks").
func (e *Engine) fallBack(tx Tx, o onward) error {
	now := e.Now()
	var meters readings
	if o.wish != nil {
		meters = readingsOf(o.wish.sends.id)
	}
	v, found, err := tx.CurrentAndMeters(o.of.ServiceSID, o.of.Recipient, meters.ids)
	if err != nil {
		return err
	}
	meters.found = found
	var sent *Meter
	if o.wish != nil {
		sent, err = o.wish.sends.spend(tx, o.service, o.wish, meters.of(o.wish.sends.id), now)
		if refused, isRefusal := errors.AsType[*Error](err); isRefusal {
			o.wish, o.why, err = nil, whyRefused(o.wish.channel, refused), nil
		}
		if err != nil {
			return err
		}
	}
	a, err := tx.Attempt(o.attempt.SID)
	if errors.Is(err, ErrNotFound) { // of its age
		tx.FinishJob(o.job)
		return nil
	}
	if err != nil {
		return err
	}
	state := a.State
	then := o.back.tell(a, o.job.Runs)
	if state == AttemptQueued || !state.arrived() && (state != o.attempt.State || a.HandOvers != o.attempt.HandOvers) {
		// A report came meanwhile that the message failed. Its commit has put another job in the place of
		// this one, which goes on from here.
		a.State = state
		if len(o.back) > 0 {
			a.UpdatedAt = now
			tx.PutAttempt(a)
		}
		return nil
	}
	if then == askAgain {
		tx.DeferJob(o.job, now.Add(revokePause(o.job.Runs)))
	} else {
		tx.FinishJob(o.job)
	}
	if then == goOn {
		step := Step{At: MillisOf(now), Kind: StepFallback, Decision: DecidedStop, Why: obstacle(a, v, o.wish, o.why, now)}
		if step.Why == "" {
			next, err := e.goOn(tx, o, v, now)
			if err != nil {
				return err
			}
			if sent != nil {
				meters.put(tx, sent)
			}
			step.Decision, step.Why = DecidedOther, strings.TrimPrefix(o.why+"; goes on by "+string(next.Channel)+", attempt "+next.SID, "; ")
		}
		if step.Why != nothingToDo {
			a.Story = a.Story.Add(step)
		} else if len(o.back) == 0 {
			return nil
		}
	}
	a.UpdatedAt = now
	tx.PutAttempt(a)
	subscriber, err := e.subscriber(tx, a.ServiceSID)
	if err != nil {
		return err
	}
	return e.announceMessage(tx, subscriber, state, a, now) // undelivered, if it was taken back
}

// goOn makes the new attempt.
func (e *Engine) goOn(tx Tx, o onward, v *Verification, now time.Time) (*Attempt, error) {
	next, err := e.attempt(v, o.service, o.wish, now)
	if err != nil {
		return nil, err
	}
	tx.PutVerification(v)
	tx.AddAttempt(next)
	tx.Count(tally(v, AttemptCount{Made: 1}))
	tx.Enqueue(Job{ID: sid.Key(next.SID), Kind: string(next.Channel), Ref: next.SID, Due: now})
	return next, e.announce(tx, o.service, v, next, now)
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
