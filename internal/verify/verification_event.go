package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// VerificationState is what an event says of a verification. A code is never in it.
type VerificationState struct {
	AccountSID      string `json:"account_sid"`
	ServiceSID      string `json:"service_sid"`
	VerificationSID string `json:"verification_sid"`
	FriendlyName    string `json:"friendly_name"`
	CustomCode      bool   `json:"custom_code_enabled"`
	// CustomName is the name that the last message spoke for.
	CustomName string `json:"custom_friendly_name"`
	CreatedAt  string `json:"created_at"`
	VerifiedAt string `json:"verified_at,omitempty"`
	ExpiredAt  string `json:"expired_at"`
	To         string `json:"to"`
	Status     string `json:"verification_status"`
	Country    string `json:"country"`
	// CodeLength is null for a code that the application made.
	CodeLength *int         `json:"code_length"`
	Sends      sendAttempts `json:"send_code_attempts"`
	Checks     checks       `json:"check_attempts"`
}

type sendAttempts struct {
	Count    int           `json:"count"`
	Attempts []sendAttempt `json:"attempts"`
}

type sendAttempt struct {
	Time       string `json:"time"`
	Channel    string `json:"channel"`
	AttemptSID string `json:"attempt_sid"`
	// What follows is absent when the attempt is no longer kept.
	Locale string `json:"locale,omitempty"`
	// DeliveryStatus is absent as long as nobody knows; ErrorCode is the carrier's own.
	DeliveryStatus string          `json:"delivery_status,omitempty"`
	ErrorCode      string          `json:"error_code,omitempty"`
	Tags           json.RawMessage `json:"tags,omitempty"`
}

type checks struct {
	Count int `json:"count"`
}

const microseconds = "2006-01-02T15:04:05.000000Z"

// endOf is the event of a verification that came to have a status, and what the event calls it. What was
// replaced is ours and shows as canceled.
var endOf = map[Status]struct {
	kind   EventType
	status string
}{
	Pending:            {VerificationPending, "PENDING"},
	Approved:           {VerificationApproved, "APPROVED"},
	Canceled:           {VerificationCanceled, "CANCELED"},
	Replaced:           {VerificationCanceled, "CANCELED"},
	Expired:            {VerificationExpired, "EXPIRED"},
	MaxAttemptsReached: {VerificationSpent, "MAX_ATTEMPTS_REACHED"},
}

// announce leaves the event of a verification that has just moved, where its service subscribes. made
// is the attempt that moved it, which cannot be read yet; nil where none did.
func (e *Engine) announce(tx Tx, s *Service, v *Verification, made *Attempt, now time.Time) error {
	said := endOf[v.Status]
	if !e.Announced[said.kind] || !s.VerifyEventSubscription {
		return nil
	}
	data := VerificationState{
		AccountSID: v.AccountSID, ServiceSID: v.ServiceSID, VerificationSID: v.SID,
		FriendlyName: s.FriendlyName, CustomName: s.FriendlyName, CustomCode: s.CustomCodeEnabled,
		CreatedAt: v.CreatedAt.UTC().Format(microseconds), ExpiredAt: v.ExpiresAt.UTC().Format(microseconds),
		To: v.To, Status: said.status, Country: v.Country, CodeLength: &v.CodeLength,
		Sends:  sendAttempts{Count: len(v.Sends), Attempts: []sendAttempt{}},
		Checks: checks{v.Checks},
	}
	if v.Status == Approved {
		data.VerifiedAt = now.UTC().Format(microseconds)
	}
	for _, send := range v.Sends {
		a, err := made, error(nil)
		if a == nil || a.SID != send.AttemptSID {
			if a, err = tx.PeekAttempt(send.AttemptSID); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		said := sendAttempt{
			Time: send.At.UTC().Format(microseconds), Channel: strings.ToUpper(string(send.Channel)), AttemptSID: send.AttemptSID,
		}
		if err == nil {
			said.Locale, said.Tags = a.Locale, json.RawMessage(cmp.Or(a.Options.Tags, "{}"))
			said.DeliveryStatus, said.ErrorCode = a.said()
			data.CustomName = cmp.Or(a.Brand, s.FriendlyName)
			if a.Options.CustomCode {
				data.CodeLength = nil
			}
		}
		data.Sends.Attempts = append(data.Sends.Attempts, said)
	}
	return e.toSink(tx, said.kind, about{v.AccountSID, v.ServiceSID, v.SID}, "VerifyEventStreamEvent/1", data, now)
}
