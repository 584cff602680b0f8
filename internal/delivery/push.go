package delivery

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/channel"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// PushRoutes say who carries notifications.
type PushRoutes struct {
	// Credentials are those of services that name one, by its SID (CR…).
	Credentials map[string][]Route
	// Platforms are those of every other service: "fcm", "apn".
	Platforms map[factor.Platform][]Route
}

// of are the routes of a notification. A credential that the configuration does not know leads where
// the platform's own routes lead.
func (r PushRoutes) of(d factor.PushDelivery) []Route {
	if own := r.Credentials[d.CredentialSID]; len(own) > 0 {
		return own
	}
	return r.Platforms[d.Platform]
}

// Notifier hands notifications to the platforms of handsets. It implements queue.Worker.
//
// Unlike a text message, a notification may be handed over twice: the second one takes the place of the
// first (provider.Push.Collapse) and costs nothing. So what may have gone out is tried again as what
// surely did not, and only a platform that does not know the handset any more ends it.
type Notifier struct {
	Engine *factor.Engine
	Routes PushRoutes
	Log    *slog.Logger
	Now    func() time.Time
}

const (
	// pushTimeout bounds one hand-over.
	pushTimeout = 10 * time.Second
	// PushTurnTimeout is how long a turn may take: long enough for two hand-overs that fill their time.
	PushTurnTimeout = 2*pushTimeout + 5*time.Second
	// maxPushPause bounds the pause between two turns: a challenge lives for minutes.
	maxPushPause = 30 * time.Second
)

// Work delivers the notification that a job refers to, or takes one turn at it.
func (w *Notifier) Work(ctx context.Context, job verify.Job) error {
	d, ok := job.Push.(factor.PushDelivery)
	if !ok {
		var err error
		if d, ok, err = w.Engine.PushDelivery(ctx, job.Ref); err != nil {
			return err
		}
	}
	routes := w.Routes.of(d)
	if !ok || len(routes) == 0 {
		return w.Engine.DropPush(ctx, job, d.Notification)
	}
	return w.Engine.RecordPush(ctx, job, d, w.turn(ctx, d, routes, job.Runs))
}

// turn offers a notification to the routes in their order. It ends when one takes it, when the handset
// is not known, or when none is left.
func (w *Notifier) turn(ctx context.Context, d factor.PushDelivery, routes []Route, runs int) factor.PushResult {
	message := channel.ComposePush(d)
	r := factor.PushResult{State: factor.NotificationFailed}
	var asked time.Duration // the longest pause that a platform asked for
	mayHelp := false        // whether some route may take it later
	for i, route := range routes {
		message.Key = d.Notification.SID + ":" + strconv.Itoa(i+1)
		accepted, failure := w.handOver(ctx, route, message)
		r.HandOvers++
		r.Provider = route.Name
		if failure == nil {
			r.State, r.ProviderID, r.ErrorCode, r.ErrorClass = factor.NotificationSent, accepted.ID, "", ""
			return r
		}
		r.ErrorCode, r.ErrorClass = failure.Code, failure.Class.String()
		switch failure.Class {
		case provider.BadRecipient:
			r.Unreachable = true
			return r
		case provider.BadRequest:
		default:
			mayHelp = true
			asked = max(asked, failure.RetryAfter)
		}
	}
	if !mayHelp {
		return r
	}
	r.RetryAt = w.Now().Add(max(asked, min(time.Second<<min(max(runs-1, 0), 10), maxPushPause)))
	if r.RetryAt.Before(d.Deadline) {
		r.State = factor.NotificationQueued
	}
	return r
}

// handOver gives a notification to one provider, and writes the log line of it. The token is a secret:
// whoever has it and the application's key can write to the person.
func (w *Notifier) handOver(ctx context.Context, route Route, m provider.Message) (provider.Accepted, *provider.Error) {
	start := w.Now()
	ctx, cancel := context.WithTimeout(ctx, min(pushTimeout, m.Deadline.Sub(start)))
	defer cancel()
	accepted, failure := ask(ctx, w.Log, route, m)

	attrs := append(make([]slog.Attr, 0, 8),
		slog.String("notification", m.Attempt),
		slog.String("platform", m.Push.Platform),
		slog.String("provider", route.Name),
		slog.Duration("took", w.Now().Sub(start)))
	if failure == nil {
		w.Log.LogAttrs(ctx, slog.LevelInfo, "notification", append(attrs,
			slog.String("outcome", "accepted"), slog.String("id", accepted.ID))...)
		return accepted, nil
	}
	w.Log.LogAttrs(ctx, slog.LevelWarn, "notification", append(attrs,
		slog.String("outcome", failure.Class.String()), slog.String("code", failure.Code), slog.String("error", failure.Error()))...)
	return accepted, failure
}
