package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// MessageState is what an event says of a message. The members, and their order, are those of the factors
// reference, section 9; error_code and tags are in Twilio's published schemas besides, and number_segments,
// which is there too, is not known here. The two families differ in what they call the state.
type MessageState struct {
	Channel         string `json:"channel"`
	VerificationSID string `json:"verification_sid"`
	AttemptSID      string `json:"attempt_sid"`
	To              string `json:"to"`
	Status          string `json:"message_status,omitempty"`
	DLRStatus       string `json:"dlr_status,omitempty"`
	AccountSID      string `json:"account_sid"`
	ServiceSID      string `json:"service_sid"`
	// MCC and MNC are "" if neither a report nor a lookup said them.
	MCC string `json:"mcc"`
	MNC string `json:"mnc"`
	// HasFallback says that another channel is there to go on by.
	HasFallback bool            `json:"has_fallback"`
	IsFallback  bool            `json:"is_fallback"`
	CreatedAt   string          `json:"created_at"`
	ErrorCode   string          `json:"error_code,omitempty"`
	Tags        json.RawMessage `json:"tags,omitempty"`
}

// said is the state of an attempt and the carrier's code for its failure, as events say them; "" is nothing.
func (a *Attempt) said() (status, code string) {
	if !slices.Contains(messageStates, a.State) {
		return "", ""
	}
	if a.State == AttemptUndelivered || a.State == AttemptFailed {
		code = a.ErrorCode
	}
	return strings.ToUpper(string(a.State)), code
}

// announceMessage leaves the events of a message that has just moved from one state to another. s is its
// service if that subscribes, or nil. A message that goes out by another route is not at its end: nothing is
// told until it is sent again.
func (e *Engine) announceMessage(tx Tx, s *Service, before AttemptState, a *Attempt, now time.Time) error {
	status, code := a.said()
	if s == nil || status == "" || a.State == before {
		return nil
	}
	for _, family := range []struct{ name, schema string }{
		{messageEvents, "MessageStatusEvent/1"}, {dlrEvents, "VerifyEventStreamDLREvent/1"},
	} {
		kind := EventType(family.name + string(a.State))
		if !e.Announced[kind] {
			continue
		}
		data := MessageState{
			Channel: strings.ToUpper(string(a.Channel)), VerificationSID: a.VerificationSID, AttemptSID: a.SID, To: a.To,
			AccountSID: a.AccountSID, ServiceSID: a.ServiceSID, MCC: a.MCC, MNC: a.MNC,
			HasFallback: a.Options.Fallback != "", IsFallback: a.Options.IsFallback,
			CreatedAt: a.CreatedAt.UTC().Format(microseconds), ErrorCode: code, Tags: json.RawMessage(a.Options.Tags),
		}
		if family.name == dlrEvents {
			data.DLRStatus = status
		} else {
			data.Status = status
		}
		if err := e.toSink(tx, kind, about{a.AccountSID, a.ServiceSID, a.VerificationSID}, family.schema, data, now); err != nil {
			return err
		}
	}
	return nil
}
