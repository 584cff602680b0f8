// Package webhook carries events to the URLs of the application that asked for them, and to the sink of
// the configuration. Every delivery was committed with the change that it tells of, and is made at least
// once: what is not taken is tried again, later and later, until it is given up. Nothing of an answer but
// its status and its time is kept, so that a URL which names something inside the network shows nothing
// of it.
//
// The order of events is not kept: a receiver that needs it looks at the resource.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Worker delivers events. It implements queue.Worker.
type Worker struct {
	Engine *verify.Engine
	// Client calls the webhooks (see NewClient). What it is told of redirects counts.
	Client *http.Client
	Sink   Sink
	Log    *slog.Logger
	Now    func() time.Time
	// Random is a number from 0 up to 1, by which pauses differ.
	Random func() float64

	// Two gates, because a webhook may name the URL of the sink: what becomes of the one does not close the
	// other.
	webhooks, sink gate
}

// Sink is where the events of verifications go.
type Sink struct {
	URL    string
	Key    []byte // signs; nil is no signature
	Client *http.Client
}

// pauses are those after each failure. After the last one, or when the delivery is a day old, it is given
// up.
var pauses = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// Work makes one try at the delivery that a job refers to.
func (w *Worker) Work(ctx context.Context, job verify.Job) error {
	d, to, ok, err := w.Engine.EventTarget(ctx, job.Ref)
	if err != nil {
		return err
	}
	if !ok {
		return w.Engine.DropEvent(ctx, job, verify.EventDropped)
	}
	gate, pace, client, target := &w.webhooks, webhookPace, w.Client, to.URL
	if d.Kind == verify.ToSink {
		if gate, pace, client, target = &w.sink, sinkPace, w.Sink.Client, w.Sink.URL; target == "" {
			return w.Engine.DropEvent(ctx, job, verify.EventDropped)
		}
	}
	now := w.Now()
	if !now.Before(d.GiveUpAt) {
		return w.Engine.DropEvent(ctx, job, verify.EventFailed)
	}
	again, ok := gate.enter(d.AccountSID, target, pace, now)
	if !ok {
		return w.Engine.PutOffEvent(ctx, job, again)
	}
	try := verify.EventTry{At: now}
	try.Code, err = w.call(ctx, client, target, to.Token, d)
	end := w.Now()
	gate.leave(d.AccountSID, target, err == nil, end)
	try.Milli = int(end.Sub(now).Milliseconds())
	retry := time.Time{}
	if err != nil {
		try.Error = err.Error()
		if try.Code != http.StatusGone {
			retry = w.retryAt(d, end)
		}
	}
	w.note(ctx, d, try, retry)
	return w.Engine.RecordTry(ctx, job, d, try, retry)
}

// retryAt is the time of the next try, zero if there is none.
func (w *Worker) retryAt(d *verify.EventDelivery, now time.Time) time.Time {
	if d.Failures >= len(pauses) {
		return time.Time{}
	}
	pause := pauses[d.Failures]
	at := now.Add(pause + time.Duration(w.Random()*float64(pause)/5))
	if at.After(d.GiveUpAt) {
		return time.Time{}
	}
	return at.Truncate(time.Millisecond)
}

// maxAnswer is how much of an answer is read, so that its connection can be used again.
const maxAnswer = 4 << 10

// call posts a delivery once. code is the status of the answer, 0 if there is none; an error says why
// the event was not taken.
func (w *Worker) call(ctx context.Context, client *http.Client, target, token string, d *verify.EventDelivery) (code int, err error) {
	headers, target, err := w.sign(target, token, d)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(d.Body))
	if err != nil {
		return 0, errors.New("the URL cannot be called")
	}
	r.Header = headers
	answer, err := client.Do(r)
	if err != nil {
		return 0, reason(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // what comes is thrown away, and so is what does not
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return answer.StatusCode, fmt.Errorf("answered %d", answer.StatusCode)
	}
	return answer.StatusCode, nil
}

// sign makes the headers of a call, and the URL that it goes to.
func (w *Worker) sign(target, token string, d *verify.EventDelivery) (h http.Header, called string, err error) {
	h = http.Header{}
	if d.Kind == verify.ToSink {
		h.Set("Content-Type", "application/json") // Twilio says no more of its lists of CloudEvents
		h.Set("User-Agent", "verifyd")
		if w.Sink.Key != nil {
			signStandard(h, w.Sink.Key, d.UUID, w.Now(), d.Body)
		}
		return h, target, nil
	}
	h.Set("User-Agent", "TwilioProxy/1.1") // receivers know it
	h.Set("I-Twilio-Idempotency-Token", d.UUID)
	if strings.HasPrefix(d.Body, "{") {
		signature, called := SignJSON(token, target, d.Body)
		h.Set("Content-Type", "application/json")
		h.Set("X-Twilio-Signature", signature)
		return h, called, nil
	}
	form, err := url.ParseQuery(d.Body)
	if err != nil {
		return nil, "", fmt.Errorf("body of delivery %s is no form", d.SID)
	}
	h.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	h.Set("X-Twilio-Signature", Sign(token, target, form))
	return h, target, nil
}

// reason is what a person is told of a failed call: no bytes that the receiver sent, which may be
// something inside the network.
func reason(err error) error {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, ErrAddress):
		return ErrAddress
	case errors.As(err, &dns):
		return errors.New("the name of the host does not resolve")
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return errors.New("no answer in time")
	case errors.As(err, &op) && op.Op == "dial":
		return errors.New("no connection")
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return errors.New("TLS: the certificate or the handshake is not good")
	default:
		return errors.New("the connection broke, or the answer is no HTTP")
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (w *Worker) note(ctx context.Context, d *verify.EventDelivery, try verify.EventTry, retry time.Time) {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("delivery", d.SID), slog.String("event", d.EventType), slog.String("webhook", d.WebhookSID),
		slog.Int("code", try.Code), slog.Int("ms", try.Milli),
	}
	if try.Error != "" {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", try.Error), slog.Bool("given_up", retry.IsZero()))
	}
	w.Log.LogAttrs(ctx, level, "event delivery", attrs...)
}
