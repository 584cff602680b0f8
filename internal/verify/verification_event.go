package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The events of verifications, behind the name that they all begin with (factors reference, section 9).
const (
	verificationPending  = "verification.pending"
	verificationApproved = "verification.approved"
	verificationCanceled = "verification.canceled"
	verificationSpent    = "verification.max-attempts-reached"
	verificationEvents   = "com.twilio.accountsecurity.verify."
)

// cloudEvent is one event as CloudEvents 1.0 writes it in JSON.
type cloudEvent struct {
	SpecVersion     string            `json:"specversion"`
	Type            string            `json:"type"`
	Source          string            `json:"source"`
	ID              string            `json:"id"`
	DataSchema      string            `json:"dataschema"`
	DataContentType string            `json:"datacontenttype"`
	Time            string            `json:"time"`
	Data            verificationState `json:"data"`
}

// verificationState is what an event says of a verification. A code is never in it.
type verificationState struct {
	AccountSID      string       `json:"account_sid"`
	ServiceSID      string       `json:"service_sid"`
	VerificationSID string       `json:"verification_sid"`
	FriendlyName    string       `json:"friendly_name"`
	CustomName      string       `json:"custom_friendly_name,omitempty"`
	CustomCode      bool         `json:"custom_code_enabled"`
	CreatedAt       string       `json:"created_at"`
	VerifiedAt      string       `json:"verified_at,omitempty"`
	ExpiredAt       string       `json:"expired_at"`
	To              string       `json:"to"`
	Status          string       `json:"verification_status"`
	Country         string       `json:"country"`
	CodeLength      int          `json:"code_length"`
	Sends           sendAttempts `json:"send_code_attempts"`
	Checks          checks       `json:"check_attempts"`
}

type sendAttempts struct {
	Count    int           `json:"count"`
	Attempts []sendAttempt `json:"attempts"`
}

type sendAttempt struct {
	Time       string `json:"time"`
	Channel    string `json:"channel"`
	AttemptSID string `json:"attempt_sid"`
	// Locale and Tags are absent when the attempt is no longer kept.
	Locale string          `json:"locale,omitempty"`
	Tags   json.RawMessage `json:"tags,omitempty"`
}

type checks struct {
	Count int `json:"count"`
}

const microseconds = "2006-01-02T15:04:05.000000Z"

// announce leaves the event of a verification that has just moved, where its service subscribes. made
// is the attempt that moved it, which cannot be read yet; nil where none did.
func (e *Engine) announce(tx Tx, s *Service, v *Verification, made *Attempt, now time.Time) error {
	if !e.AnnounceVerifications || !s.VerifyEventSubscription {
		return nil
	}
	kind, ok := map[Status]string{
		Pending: verificationPending, Approved: verificationApproved, Canceled: verificationCanceled,
		MaxAttemptsReached: verificationSpent,
	}[v.Status]
	if !ok {
		return nil
	}
	id, err := newUUID(e.Random)
	if err != nil {
		return err
	}
	data := verificationState{
		AccountSID: v.AccountSID, ServiceSID: v.ServiceSID, VerificationSID: v.SID,
		FriendlyName: s.FriendlyName, CustomCode: s.CustomCodeEnabled,
		CreatedAt: v.CreatedAt.UTC().Format(microseconds), ExpiredAt: v.ExpiresAt.UTC().Format(microseconds),
		To: v.To, Status: strings.ToUpper(string(v.Status)), Country: v.Country, CodeLength: v.CodeLength,
		Sends:  sendAttempts{Count: len(v.Sends), Attempts: []sendAttempt{}},
		Checks: checks{v.Checks},
	}
	if v.Status == Approved {
		data.VerifiedAt = now.UTC().Format(microseconds)
	}
	for _, send := range v.Sends {
		a, err := made, error(nil)
		if a == nil || a.SID != send.AttemptSID {
			if a, err = tx.Attempt(send.AttemptSID); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		said := sendAttempt{
			Time: send.At.UTC().Format(microseconds), Channel: strings.ToUpper(string(send.Channel)), AttemptSID: send.AttemptSID,
		}
		if err == nil {
			said.Locale, said.Tags = a.Locale, json.RawMessage(cmp.Or(a.Options.Tags, "{}"))
			data.CustomName = customName(s, a)
		}
		data.Sends.Attempts = append(data.Sends.Attempts, said)
	}
	body, err := json.Marshal([]cloudEvent{{
		SpecVersion: "1.0", Type: verificationEvents + kind,
		Source:          "/v1/Accounts/" + v.AccountSID + "/Services/" + v.ServiceSID + "/Verifications/" + v.SID,
		ID:              id,
		DataSchema:      "https://events-schemas.twilio.com/AccountSecurity.VerifyEventStreamEvent/1",
		DataContentType: "application/json", Time: now.UTC().Format("2006-01-02T15:04:05.000Z"), Data: data,
	}})
	if err != nil {
		return fmt.Errorf("event of %s: %w", v.SID, err)
	}
	return e.post(tx, EventDelivery{
		Kind: ToSink, ServiceSID: v.ServiceSID, AccountSID: v.AccountSID, EventType: kind, UUID: id, Body: string(body),
	}, now)
}

// customName is the name that a message spoke for instead of the service's, "" if it did not.
func customName(s *Service, a *Attempt) string {
	if a.Brand == s.FriendlyName {
		return ""
	}
	return a.Brand
}
