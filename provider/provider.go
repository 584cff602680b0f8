// Package provider is the contract between verifyd and whoever carries a message: a carrier, a
// mail relay, a gateway of your own, the inbox of `verifyd dev`.
//
// A provider takes one composed Message and either has it accepted or says, as an *Error, in which
// of five classes the failure falls. Routing looks at the class alone; it never learns a vendor's
// codes.
//
// The package imports nothing of verifyd, so that a provider can be written and tested with Go
// alone: providertest is the exam that every provider takes.
package provider

import (
	"context"
	"time"
)

// Provider carries messages of one or more channels. Send is called from many goroutines.
//
// Send returns when the other side has taken the message over, or refused it. It must give up when
// ctx ends. A failure is always an *Error; anything else counts as Unknown, because only the
// provider can know that nothing was sent. One that names its messages itself gives the ID beside an
// Unknown too, so that a report can say what became of the message.
type Provider interface {
	Send(ctx context.Context, m Message) (Accepted, error)
}

// Message is one text (or call, or e-mail) for one person, composed and ready to go.
type Message struct {
	// Attempt is the SID (VL…) of the verification attempt this message belongs to.
	Attempt string
	// Verification is the SID (VE…) of the verification. Providers outside this process do not
	// need it; the development inbox shows the verification's state by it.
	Verification string
	// Key names this hand-over: the attempt and an ordinal, "VL…:1". A message that is handed over
	// again because its outcome was unknown carries the same key, so that the other side can
	// recognise it.
	Key string
	// Channel is "sms", "call", "email", "whatsapp", "rcs" or "push".
	Channel string
	// To is the destination: E.164 with a leading +, an e-mail address, or the token under which a
	// push platform knows the handset.
	To string
	// From is the sender that the route prefers, or on whatsapp that of the service, in E.164; empty
	// leaves the choice to the provider.
	From string
	// Country is the ISO 3166-1 alpha-2 code of To, empty for e-mail.
	Country string
	// Locale is the BCP 47 tag of the language that the message is written in.
	Locale string
	// Code is the passcode in Text. It is here for templates that are filled in elsewhere.
	Code string
	// Brand is the friendly name that the message speaks for.
	Brand string
	// Text is what the person reads on sms, whatsapp and rcs; for a call, its words as one text.
	Text string
	// Segments is the number of SMS segments that Text needs, 0 on other channels.
	Segments int
	// Encoding is "gsm7" or "ucs2" for sms, empty on other channels.
	Encoding string
	// Template names the registered template for channels that demand one (whatsapp).
	Template *Template
	// Speech is what a call says.
	Speech *Speech
	// Email is the mail.
	Email *Email
	// Push is the notification.
	Push *Push
	// Regulatory is what carriers of a country want to be told with every message, nil for nothing.
	Regulatory *Regulatory
	// Deadline is the end of the code's life: a message that arrives later is useless.
	Deadline time.Time
}

// Regulatory are the identifiers under which a sender and a text are registered with the carriers of a
// country. The ones that there are belong to India, where a ledger of the carriers (DLT) has them, and
// where a text that is not registered word for word is refused.
type Regulatory struct {
	DLTEntity   string `json:"dlt_entity"`   // the principal entity: who sends
	DLTTemplate string `json:"dlt_template"` // the content template: what is sent
}

// Template is a message registered with the channel beforehand.
type Template struct {
	Name     string            `json:"name"`     // under which the channel knows it
	Language string            `json:"language"` // the channel's own form: pt_BR
	Vars     map[string]string `json:"vars"`     // what it is filled with, by the names of its variables
}

// Speech is the score of a call.
type Speech struct {
	Language string       `json:"language"`        // BCP 47
	Voice    string       `json:"voice,omitempty"` // the service's tts_name, empty for the default
	Parts    []SpeechPart `json:"parts"`           // one after the other
	// Repeat is how many times the parts are spoken in all.
	Repeat int `json:"repeat"`
	// PressKey asks the person to press any key before the code is spoken, so that an answering
	// machine does not hear it.
	PressKey bool `json:"press_key"`
	// PressKeyPrompt is the sentence that asks for it.
	PressKeyPrompt string `json:"press_key_prompt,omitempty"`
	// SendDigits are dialled after the call is answered: 0-9, *, #, w (half a second) and W (a second).
	SendDigits string `json:"send_digits,omitempty"`
}

// SpeechPart is a sentence, a code spoken digit by digit, or a pause; exactly one field is set.
type SpeechPart struct {
	Say     string `json:"say,omitempty"`      // a sentence
	Digits  string `json:"digits,omitempty"`   // a code: digits, or letters where the application chose it
	PauseMS int    `json:"pause_ms,omitempty"` // milliseconds
}

// Email is a mail with both of its bodies.
type Email struct {
	Subject  string `json:"subject"`             // one line
	Text     string `json:"text"`                // without markup
	HTML     string `json:"html"`                // a whole document
	From     string `json:"from,omitempty"`      // address only; empty: the provider's own
	FromName string `json:"from_name,omitempty"` // display name; empty: the provider's own
}

// Push is a notification for an app on an enrolled handset. It carries no secret: the app fetches
// what it is about.
type Push struct {
	// Platform is "fcm" or "apn".
	Platform string `json:"platform"`
	// App is the app's identifier as it registered: the bundle id, the topic of APNs.
	App string `json:"app,omitempty"`
	// Title and Body are what the person reads before the app is opened.
	Title string `json:"title"`
	Body  string `json:"body"`
	// Data is what the app reads: type, challenge_sid, factor_sid, message.
	Data map[string]string `json:"data"`
	// Collapse names what the notification is about: a later one of the same name takes the place
	// of an earlier one that was not shown yet.
	Collapse string `json:"collapse,omitempty"`
}

// Accepted says that the other side has the message.
type Accepted struct {
	ID    string // the carrier's identifier, "" where it gives none
	Parts int    // messages billed, 0 if unknown
	Price Price  // of all parts together
}

// Price is an amount of money as the carrier states it; the zero value is "not stated".
type Price struct {
	Amount   string // decimal: "0.04"
	Currency string // ISO 4217: "EUR"
}

// Repeatable is a Provider whose other side recognises a message by its Key: handing it over a
// second time, after an outcome that nobody knows, sends nothing twice.
type Repeatable interface{ Repeatable() }
