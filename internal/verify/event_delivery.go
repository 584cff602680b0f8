package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// EventDelivery is an event on its way to a webhook, or to the sink of events: what is to be posted, and
// what became of it. It is made in the commit of the change that it tells of, with a job of its Kind.
type EventDelivery struct {
	SID        string // ED…
	Kind       string // ToWebhook or ToSink
	WebhookSID string // "" for the sink
	ServiceSID string
	AccountSID string
	EventType  string
	// UUID is the same for every try, so that a receiver can tell a repetition.
	UUID string
	// Body is posted byte for byte: a form or an object of JSON for a webhook, a list of JSON for the sink.
	Body  string
	State EventState
	// Tries are the last of them, oldest first.
	Tries []EventTry
	// Failures counts the tries since the event, or since a person had it sent again.
	Failures  int
	CreatedAt time.Time
	UpdatedAt time.Time
	// GiveUpAt is the time after which there are no more tries.
	GiveUpAt time.Time
}

// The kinds of the jobs that deliver events.
const (
	ToWebhook = "webhook"
	ToSink    = "event"
)

// EventState is what became of a delivery.
type EventState string

// The states.
const (
	EventQueued    EventState = "queued"
	EventDelivered EventState = "delivered"
	EventFailed    EventState = "failed"  // given up
	EventDropped   EventState = "dropped" // its webhook was deleted or disabled meanwhile
)

// EventStates are all of them.
func EventStates() []EventState {
	return []EventState{EventQueued, EventDelivered, EventFailed, EventDropped}
}

// EventTry is one call of the receiver. Stored as JSON; storetest pins the names.
type EventTry struct {
	At    time.Time `json:"at"`
	Milli int       `json:"ms"`    // how long it took
	Code  int       `json:"code"`  // HTTP status, 0 without an answer
	Error string    `json:"error"` // "" if it was taken
}

const (
	// maxTries bounds the tries that a delivery remembers.
	maxTries = 20
	// EventGiveUp is how long an event is tried to be delivered.
	EventGiveUp = 24 * time.Hour
)

// EventQuery says which deliveries of an account to list; "" is every.
type EventQuery struct {
	AccountSID string
	WebhookSID string
	State      EventState
}

// Told is the service that a path names, with the webhooks that are told of what happens in it.
func (e *Engine) Told(ctx context.Context, accountSID, serviceSID string) (*Service, []Webhook, error) {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, nil, err
	}
	hooks, err := e.directory.hooks(ctx, s.SID)
	return s, hooks, err
}

// Tell leaves a delivery for every webhook that wants an event, in the commit of the change that it tells of. hooks
// are those of Told.
func (e *Engine) Tell(tx Tx, hooks []Webhook, ev Event, now time.Time) error {
	for i := range hooks {
		w := &hooks[i]
		if !w.Wants(ev.Type) {
			continue
		}
		uuid, err := newUUID(e.Random)
		if err != nil {
			return err
		}
		if err := e.post(tx, EventDelivery{
			Kind: ToWebhook, WebhookSID: w.SID, ServiceSID: w.ServiceSID, AccountSID: w.AccountSID,
			EventType: string(ev.Type), UUID: uuid, Body: written(w.parameters(ev, uuid), e.JSONWebhooks),
		}, now); err != nil {
			return err
		}
	}
	return nil
}

// written is the body of a webhook's call, in the order of its parameters: a form, or JSON.
func written(parameters [][2]string, inJSON bool) string {
	list := make([]string, len(parameters))
	for i, p := range parameters {
		if inJSON {
			list[i] = jsonText(p[0]) + ":" + jsonText(p[1])
		} else {
			list[i] = url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1])
		}
	}
	if inJSON {
		return "{" + strings.Join(list, ",") + "}"
	}
	return strings.Join(list, "&")
}

// jsonText is a text in JSON.
func jsonText(s string) string {
	text, err := json.Marshal(s)
	if err != nil { // a text always encodes
		panic(err)
	}
	return string(text)
}

// post commits a delivery and its job with everything else.
func (e *Engine) post(tx Tx, d EventDelivery, now time.Time) (err error) {
	if d.SID, err = sid.New(sid.EventDelivery, now, e.Random); err != nil {
		return err
	}
	d.State, d.CreatedAt, d.UpdatedAt, d.GiveUpAt = EventQueued, now, now, now.Add(EventGiveUp)
	tx.AddEventDelivery(&d)
	tx.Enqueue(Job{ID: sid.Key(d.SID), Kind: d.Kind, Ref: d.SID, Due: now})
	return nil
}

// newUUID draws a UUID of version 4 (RFC 9562).
func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("mint a UUID: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// EventTarget is where a delivery goes.
type EventTarget struct {
	URL   string // of the webhook
	Token string // the account's auth token, which signs
}

// EventTarget reads a delivery that is to be made, and where to. ok is false if there is nothing to do
// any more: it is gone or over, or its webhook is deleted or disabled. Where the delivery is to the
// sink, the target is empty.
func (e *Engine) EventTarget(ctx context.Context, deliverySID string) (d *EventDelivery, to EventTarget, ok bool, err error) {
	var w *Webhook
	var a *Account
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		d, w, a = nil, nil, nil
		if d, err = tx.EventDelivery(deliverySID); err != nil || d.Kind == ToSink {
			return err
		}
		if w, err = tx.Webhook(d.WebhookSID); err != nil {
			return err
		}
		a, err = tx.Account(d.AccountSID)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return d, to, false, nil
	case err != nil:
		return d, to, false, err
	case d.State != EventQueued:
		return d, to, false, nil
	case d.Kind == ToSink:
		return d, to, true, nil
	case w.Status != WebhookEnabled:
		return d, to, false, nil
	}
	to.URL = w.URL
	to.Token, err = e.Token(a)
	return d, to, err == nil, err
}

// RecordTry writes what became of a call. The job is deferred to retry, or finished where that is zero.
// If a person had the event sent again while the call was under way, a failed one ends nothing: the job
// is that of the new sending.
func (e *Engine) RecordTry(ctx context.Context, job Job, d *EventDelivery, try EventTry, retry time.Time) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		next, err := tx.EventDelivery(d.SID)
		if errors.Is(err, ErrNotFound) {
			tx.FinishJob(job)
			return nil
		}
		if err != nil {
			return err
		}
		next.UpdatedAt = e.Now()
		next.Tries = append(next.Tries, try)
		next.Tries = next.Tries[max(len(next.Tries)-maxTries, 0):]
		if try.Error != "" && !next.GiveUpAt.Equal(d.GiveUpAt) {
			tx.PutEventDelivery(next)
			return nil
		}
		switch {
		case try.Error == "":
			next.State = EventDelivered
		case retry.IsZero():
			next.State = EventFailed
			next.Failures++
		default:
			next.Failures++
		}
		tx.PutEventDelivery(next)
		if retry.IsZero() {
			tx.FinishJob(job)
		} else {
			tx.DeferJob(job, retry)
		}
		return nil
	})
}

// PutOffEvent defers a job without a try.
func (e *Engine) PutOffEvent(ctx context.Context, job Job, until time.Time) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		tx.DeferJob(job, until)
		return nil
	})
}

// DropEvent finishes the job of a delivery that there is no reason to make any more, as state says.
func (e *Engine) DropEvent(ctx context.Context, job Job, state EventState) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.EventDelivery(job.Ref)
		switch {
		case errors.Is(err, ErrNotFound): // of its age
		case err != nil:
			return err
		case d.State == EventQueued:
			d.State, d.UpdatedAt = state, e.Now()
			tx.PutEventDelivery(d)
		}
		tx.FinishJob(job)
		return nil
	})
}

// ResendEvent has an event delivered again, whatever became of it: the same body, under the same UUID,
// with all tries before it. One that waits for its next try is tried now.
func (e *Engine) ResendEvent(ctx context.Context, accountSID, deliverySID string) (*EventDelivery, error) {
	var d *EventDelivery
	err := e.Store.Update(ctx, func(tx Tx) (err error) {
		if d, err = ownEventDelivery(tx, accountSID, deliverySID); err != nil {
			return err
		}
		now := e.Now()
		d.State, d.Failures, d.UpdatedAt, d.GiveUpAt = EventQueued, 0, now, now.Add(EventGiveUp)
		tx.PutEventDelivery(d)
		job := Job{ID: sid.Key(d.SID), Kind: d.Kind, Ref: d.SID, Due: now}
		tx.FinishJob(job) // one that waits or was buried
		tx.Enqueue(job)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// EventDelivery fetches a delivery.
func (e *Engine) EventDelivery(ctx context.Context, accountSID, deliverySID string) (*EventDelivery, error) {
	var d *EventDelivery
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		d, err = ownEventDelivery(tx, accountSID, deliverySID)
		return err
	})
	return d, err
}

// EventDeliveries lists deliveries, newest first.
func (e *Engine) EventDeliveries(ctx context.Context, q EventQuery, page Page) ([]EventDelivery, error) {
	var list []EventDelivery
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.EventDeliveries(q, page)
		return err
	})
	return list, err
}

func ownEventDelivery(tx Tx, accountSID, deliverySID string) (*EventDelivery, error) {
	d, err := tx.EventDelivery(deliverySID)
	if errors.Is(err, ErrNotFound) || err == nil && d.AccountSID != accountSID {
		return nil, &Error{Code: CodeNotFound}
	}
	return d, err
}
