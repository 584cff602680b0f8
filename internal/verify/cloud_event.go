package verify

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// The events of verifications, and of the messages that carry their codes, behind the name that all of them
// begin with (factors reference, section 9). They go to the sink as CloudEvents, in the same commit as the
// change that they tell of; webhooks are told of factors and challenges alone.
const (
	VerificationPending  EventType = "verification.pending" // every send that was asked for
	VerificationApproved EventType = "verification.approved"
	VerificationCanceled EventType = "verification.canceled"
	VerificationExpired  EventType = "verification.expired"
	VerificationSpent    EventType = "verification.max-attempts-reached"

	cloudEvents = "com.twilio.accountsecurity.verify."
	// messageEvents and dlrEvents are followed by the state of an attempt. Twilio has replaced the second
	// family by the first and takes no new subscriptions for it.
	messageEvents = "message."
	dlrEvents     = "attempt-dlr."
)

// messageStates are the states of an attempt that have events.
var messageStates = []AttemptState{AttemptSent, AttemptDelivered, AttemptRead, AttemptUndelivered, AttemptFailed}

// CloudEvents are all types of events that the sink may be told of.
func CloudEvents() []EventType {
	list := []EventType{VerificationPending, VerificationApproved, VerificationCanceled, VerificationExpired, VerificationSpent}
	for _, family := range []string{messageEvents, dlrEvents} {
		for _, state := range messageStates {
			list = append(list, EventType(family+string(state)))
		}
	}
	return list
}

// Subscription is what the sink is told of. The zero value is nothing.
type Subscription map[EventType]bool

// UsualEvents are the patterns of a Subscription to all events but for those that say what another one says.
func UsualEvents() []string { return []string{"verification.*", "message.*"} }

// Subscribe makes a Subscription of patterns: the name of an event with or without what all begin with, or the
// beginning of names and a *.
func Subscribe(patterns []string) (Subscription, error) {
	s := Subscription{}
	for _, pattern := range patterns {
		beginning, open := strings.CutSuffix(strings.TrimPrefix(pattern, cloudEvents), "*")
		known := false
		for _, kind := range CloudEvents() {
			if string(kind) == beginning || open && strings.HasPrefix(string(kind), beginning) {
				s[kind], known = true, true
			}
		}
		if !known {
			return nil, fmt.Errorf("there is no event %q", pattern)
		}
	}
	return s, nil
}

// CloudEvent is one event as CloudEvents 1.0 writes it in JSON.
type CloudEvent struct {
	SpecVersion     string `json:"specversion"`
	Type            string `json:"type"`
	Source          string `json:"source"`
	ID              string `json:"id"`
	DataSchema      string `json:"dataschema"`
	DataContentType string `json:"datacontenttype"`
	Time            string `json:"time"`
	Data            any    `json:"data"`
}

// about is the verification that an event tells of.
type about struct{ accountSID, serviceSID, verificationSID string }

// toSink leaves an event for the sink. schema is the name of that of its data.
func (e *Engine) toSink(tx Tx, kind EventType, of about, schema string, data any, now time.Time) error {
	id, err := newEventID(e.Random)
	if err != nil {
		return err
	}
	body, err := json.Marshal([]CloudEvent{{
		SpecVersion: "1.0", Type: cloudEvents + string(kind),
		Source:          "/v1/Accounts/" + of.accountSID + "/Services/" + of.serviceSID + "/Verifications/" + of.verificationSID,
		ID:              id,
		DataSchema:      "https://events-schemas.twilio.com/AccountSecurity." + schema,
		DataContentType: "application/json", Time: now.UTC().Format("2006-01-02T15:04:05.000Z"), Data: data,
	}})
	if err != nil {
		return fmt.Errorf("event of %s: %w", of.verificationSID, err)
	}
	return e.post(tx, EventDelivery{
		Kind: ToSink, ServiceSID: of.serviceSID, AccountSID: of.accountSID, EventType: string(kind), UUID: id, Body: string(body),
	}, now)
}

// newEventID draws the name of an event: 64 hexadecimal digits, as Twilio's have.
func newEventID(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("mint the name of an event: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// subscriberOf is the service of an attempt if it subscribes to the events of its verifications, nil if it
// does not, or is gone.
func (e *Engine) subscriberOf(ctx context.Context, a *Attempt) (*Service, error) {
	if len(e.Announced) == 0 {
		return nil, nil
	}
	s, err := e.directory.service(ctx, a.AccountSID, a.ServiceSID)
	if err != nil || !s.VerifyEventSubscription {
		return nil, ignoreNotFound(err)
	}
	return s, nil
}

// subscriber is subscriberOf inside an Update, which reads a service that this node does not have in memory.
func (e *Engine) subscriber(tx Tx, serviceSID string) (*Service, error) {
	if len(e.Announced) == 0 {
		return nil, nil
	}
	s, known := e.directory.known(serviceSID)
	if !known {
		var err error
		if s, err = tx.Service(serviceSID); err != nil {
			return nil, ignoreNotFound(err)
		}
	}
	if !s.VerifyEventSubscription {
		return nil, nil
	}
	return s, nil
}
