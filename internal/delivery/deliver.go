// Package delivery carries out the sends that a commit left behind. For every attempt it has the
// channel compose the message, gives it to the routes of the channel in their order, and records
// what became of it. It may send twice when a connection dies after the last byte was written; it
// never sends a code that has expired, or been approved or canceled meanwhile.
package delivery

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/channel"
	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Worker delivers attempts. It implements queue.Worker.
type Worker struct {
	Engine *verify.Engine
	Routes Routes
	// MessagingServices are asked first, for a message that names one.
	MessagingServices MessagingServices
	Log               *slog.Logger
	Now               func() time.Time
}

// sendTimeout bounds one hand-over. A mail relay may look at the whole message for viruses before
// it answers (RFC 5321, 4.5.3.2.6, would give it ten minutes; a code does not live that long).
func sendTimeout(c verify.Channel) time.Duration {
	if c == verify.Email {
		return 30 * time.Second
	}
	return 10 * time.Second
}

// TurnTimeout is how long a turn may take: long enough for two hand-overs that fill their time.
func TurnTimeout(c verify.Channel) time.Duration { return 2*sendTimeout(c) + 5*time.Second }

// Work delivers the attempt that a job refers to, or takes one turn at it.
func (w *Worker) Work(ctx context.Context, job verify.Job) error {
	if job.Delivery != nil {
		return w.Engine.RecordSend(ctx, job, job.Delivery.Attempt, w.turn(ctx, *job.Delivery, job.Runs))
	}
	d, ok, err := w.Engine.Delivery(ctx, job.Ref)
	if err != nil {
		return err
	}
	if !ok {
		return w.Engine.RecordDrop(ctx, job, d.Attempt)
	}
	return w.Engine.RecordSend(ctx, job, d.Attempt, w.turn(ctx, d, job.Runs))
}

// turn offers a message to the routes, from the one the attempt has come to. It ends when one
// takes it, when none is left, or when the answer of one is unknown.
func (w *Worker) turn(ctx context.Context, d verify.Delivery, runs int) verify.SendResult {
	a := d.Attempt
	routes := w.routes(a)
	message := channel.Compose(d)
	r := verify.SendResult{State: verify.AttemptFailed, Route: a.Route}
	var asked time.Duration // the longest pause that a provider asked for
	mayHelp := false        // whether some route may take the message later
	for ; r.Route < len(routes); r.Route++ {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < sendTimeout(a.Channel) && r.HandOvers > 0 {
			return w.later(r, d, 0) // slow routes: go on in the next run
		}
		route := routes[r.Route]
		message.Key = a.SID + ":" + strconv.Itoa(r.Route+1)
		accepted, failure := w.handOver(ctx, route, message)
		r.HandOvers++
		r.Provider = route.Name
		if failure == nil {
			r.State, r.ProviderID, r.ErrorCode, r.ErrorClass = verify.AttemptSent, accepted.ID, "", ""
			r.Price, r.Currency = accepted.Price.Amount, accepted.Price.Currency
			return r
		}
		r.ErrorCode, r.ErrorClass = failure.Code, failure.Class.String()
		_, repeatable := route.Provider.(provider.Repeatable)
		switch after(failure.Class, repeatable, a.ErrorClass == provider.Unknown.String()) {
		case stop:
			if failure.Class == provider.Unknown {
				r.State = verify.AttemptUnknown
			}
			return r
		case waitSame:
			return w.later(r, d, grace[a.Channel])
		case waitNext:
			if r.Route++; r.Route == len(routes) {
				r.State = verify.AttemptUnknown
				return r
			}
			return w.later(r, d, grace[a.Channel])
		}
		if failure.Class != provider.BadRequest {
			mayHelp = true
			asked = max(asked, failure.RetryAfter)
		}
	}
	r.Route = 0
	if !mayHelp {
		return r
	}
	return w.later(r, d, backOff(runs, asked))
}

// routes are those of the attempt's messaging service, or of its channel if it has none, or none
// any more: the configuration may have changed since the start.
func (w *Worker) routes(a *verify.Attempt) []Route {
	if own := w.MessagingServices[a.Options.MessagingServiceSID][a.Channel]; len(own) > 0 {
		return own
	}
	return w.Routes[a.Channel]
}

// later puts the next turn off, or gives up if the code will not live to see it.
func (w *Worker) later(r verify.SendResult, d verify.Delivery, pause time.Duration) verify.SendResult {
	r.RetryAt = w.Now().Add(pause)
	if r.RetryAt.Before(d.Deadline) {
		r.State = verify.AttemptQueued
	}
	return r
}

// handOver gives a message to one provider, and writes the log line of it.
func (w *Worker) handOver(ctx context.Context, route Route, m provider.Message) (provider.Accepted, *provider.Error) {
	start := w.Now()
	ctx, cancel := context.WithTimeout(ctx, min(sendTimeout(verify.Channel(m.Channel)), m.Deadline.Sub(start)))
	defer cancel()
	accepted, err := route.Provider.Send(ctx, m)

	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("attempt", m.Attempt),
		slog.String("channel", m.Channel),
		slog.String("to", phone.Masked(m.To)),
		slog.String("provider", route.Name),
		slog.Duration("took", w.Now().Sub(start)))
	if err == nil {
		w.Log.LogAttrs(ctx, slog.LevelInfo, "delivery", append(attrs,
			slog.String("outcome", "accepted"), slog.String("id", accepted.ID))...)
		return accepted, nil
	}
	failure := provider.AsError(err)
	w.Log.LogAttrs(ctx, slog.LevelWarn, "delivery", append(attrs,
		slog.String("outcome", failure.Class.String()), slog.String("code", failure.Code), slog.String("error", failure.Error()))...)
	return accepted, failure
}
