// Package delivery carries out the sends that a commit left behind. For every attempt it has the
// channel compose the message, asks the routes which providers to try in which order (route.go,
// fitness.go, conversion.go), gives the message to one after the other until one takes it, as the
// classes of their answers say (decide.go), and records what became of it and why. Later it takes the
// reports of carriers (report.go). It may send twice when a connection dies after the last byte was
// written; it never sends a code that has expired, or been approved or canceled meanwhile.
package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Worker delivers attempts. It implements queue.Worker.
type Worker struct {
	Engine *verify.Engine
	Routes Routes
	// MessagingServices are asked first, for a message that names one.
	MessagingServices MessagingServices
	Budget            Budget
	// TPS is how many messages a second a provider takes, by its name; no entry is no limit.
	TPS map[string]float64
	// MostInFlight is how many messages of one channel a provider may be given at a time, 0 is no limit. One
	// that is well and needs fewer has fewer (room.go), so that it holds few when it falls silent. It is for
	// our own sake; what a provider agreed with its other side (a window, calls at once) it keeps itself.
	MostInFlight int
	Log          *slog.Logger
	Now          func() time.Time

	fit fitness
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
		return w.Engine.RecordSend(ctx, job, job.Delivery.Attempt, w.turn(ctx, *job.Delivery))
	}
	d, ok, err := w.Engine.Delivery(ctx, job.Ref)
	if err != nil {
		return err
	}
	if !ok {
		return w.Engine.RecordDrop(ctx, job, d.Attempt)
	}
	return w.Engine.RecordSend(ctx, job, d.Attempt, w.turn(ctx, d))
}
