package verify

import (
	"time"
)

// Attempt is one send of a verification's code: the audit trail of who was sent what, where, and
// how it went. It outlives its verification.
type Attempt struct {
	SID             string // VL…
	VerificationSID string
	ServiceSID      string
	AccountSID      string
	Channel         Channel
	To              string
	Country         string // ISO 3166-1 alpha-2, "" for e-mail
	CodeLength      int
	CreatedAt       time.Time
	UpdatedAt       time.Time
	ExpiresAt       time.Time // the end of the verification's life

	// How the message is written.
	Locale  string // the language asked for or chosen, BCP 47
	Brand   string // the name that the message speaks for
	Options AttemptOptions

	// What became of it.
	State AttemptState
	// Route is the number of routes that are done with, in the present round.
	Route    int
	Provider string // who was given the message last
	// ProviderID is the provider's own identifier of the message.
	ProviderID string
	// ErrorCode is the provider's own code for the last failure, verbatim.
	ErrorCode string
	// ErrorClass is the last failure's class by name, "" if there was none.
	ErrorClass string
	// HandOvers counts how often a provider was given the message.
	HandOvers int
	// Price and Currency are what the provider says it costs: "0.04", "EUR". "" if it does not say.
	Price    string
	Currency string

	// Story is how it came to all this.
	Story Story
	// ReportKey is under what the carrier's reports will name the message (see ReportKey), "" if none
	// are to come.
	ReportKey string

	// Carrier, MCC and MNC are who carries the number (see Line), "" if that was not looked up and no
	// report said it.
	Carrier string
	MCC     string
	MNC     string

	// Converted says that the code came back right after this attempt. Of the attempts of a
	// verification only the last one before its approval converts.
	Converted bool
}

// Conversion says in the API's words whether the code came back.
func (a *Attempt) Conversion() Conversion {
	if a.Converted {
		return Converted
	}
	return Unconverted
}

// AttemptOptions are the rarer wishes about a message.
type AttemptOptions struct {
	AppHash       string `json:"app_hash,omitempty"`
	SendDigits    string `json:"send_digits,omitempty"`
	PressKey      bool   `json:"press_key,omitempty"`
	Voice         string `json:"voice,omitempty"`
	DoNotShare    bool   `json:"do_not_share,omitempty"`
	EmailFrom     string `json:"email_from,omitempty"`
	EmailFromName string `json:"email_from_name,omitempty"`
	Brandless     bool   `json:"brandless,omitempty"`
	// Tags are the application's own words about the send, a JSON object of texts. They go into
	// events only.
	Tags string `json:"tags,omitempty"`
	// Template is nil for the words of the catalogue.
	Template *AttemptTemplate `json:"template,omitempty"`
	// MessagingServiceSID names the providers, "" for those of the channel.
	MessagingServiceSID string `json:"messaging_service,omitempty"`
	// From is the sender that the service wants, in E.164, "" for that of the route.
	From string `json:"from,omitempty"`
	// After is the provider of the send before, whose code did not come back: its routes begin behind it.
	After string `json:"after,omitempty"`
	// Fallback are the channels to go on by if this one does not reach the person, "sms,call".
	Fallback string `json:"fallback,omitempty"`
	// IsFallback says that it goes on where another channel did not reach the person.
	IsFallback bool `json:"is_fallback,omitempty"`
	// CustomCode says that the verification began with this send and a code of the application.
	CustomCode bool `json:"custom_code,omitempty"`
	// FallbackAfter is after how many seconds without a receipt to do so, 0 for never.
	FallbackAfter int `json:"fallback_after,omitempty"`
}

// AttemptState is what is known about the message.
type AttemptState string

// The states.
//
//	queued ──► sent ─────► delivered ──► read
//	   │ │       └───────► undelivered    the carrier took it and reports that it did not arrive
//	   │ ├───► failed      no provider took it, or the code's life was over
//	   │ ├───► unknown     handed over, and nobody can say whether it arrived
//	   │ └───► dropped     approved, canceled or deleted before it went out
//	   └─ … again and again, with other providers or later; undelivered comes back here
//
// Reports move it forward alone. That it was delivered is believed in any state, because a late receipt
// knows better than what was concluded before.
const (
	AttemptQueued      AttemptState = "queued"
	AttemptSent        AttemptState = "sent"
	AttemptDelivered   AttemptState = "delivered"
	AttemptRead        AttemptState = "read"
	AttemptUndelivered AttemptState = "undelivered"
	AttemptFailed      AttemptState = "failed"
	AttemptUnknown     AttemptState = "unknown"
	AttemptDropped     AttemptState = "dropped"
)

// AttemptStates are all of them.
func AttemptStates() []AttemptState {
	return []AttemptState{AttemptQueued, AttemptSent, AttemptDelivered, AttemptRead, AttemptUndelivered, AttemptFailed, AttemptUnknown, AttemptDropped}
}
