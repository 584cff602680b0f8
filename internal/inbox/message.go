package inbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Message is one message as it went out. In JSON every key is always there, null when unset.
type Message struct {
	SID             string `json:"sid"` // SM…, in the order of arrival
	AttemptSID      string `json:"attempt_sid"`
	VerificationSID string `json:"verification_sid"`
	// VerificationStatus is the status of the verification, or of the challenge that a notification is
	// about, at the time of reading; "" if it is not known.
	VerificationStatus string `json:"verification_status"`
	Channel            string `json:"channel"`
	To                 string `json:"to"`
	From               string `json:"from"`
	FromName           string `json:"from_name"` // e-mail only
	Brand              string `json:"brand"`
	Code               string `json:"code"`
	// Text is what the person reads or hears; for an e-mail, its plain body.
	Text      string             `json:"text"`
	Segments  int                `json:"segments"` // sms only
	Encoding  string             `json:"encoding"` // sms only
	Subject   string             `json:"subject"`  // e-mail only
	HTML      string             `json:"html"`     // e-mail only
	Locale    string             `json:"locale"`
	CreatedAt time.Time          `json:"created_at"`
	ExpiresAt time.Time          `json:"expires_at"` // the end of the code's life
	Speech    *provider.Speech   `json:"speech"`     // call only; must not be changed
	Template  *provider.Template `json:"template"`   // whatsapp only; must not be changed
	Push      *provider.Push     `json:"push"`       // push only; must not be changed
	// Rules are those that decided something about it, in JSON: a list, or null.
	Rules json.RawMessage `json:"rules"`

	key string // To as it is compared
}

// subject is the SID of what the message is about: a verification, or a challenge.
func (m *Message) subject() string {
	if m.Push != nil {
		return m.Push.Data["challenge_sid"]
	}
	return m.VerificationSID
}

// newMessage copies all that it keeps: the sender may use the speech and the template again.
func newMessage(pm provider.Message) *Message {
	m := &Message{
		AttemptSID:      pm.Attempt,
		VerificationSID: pm.Verification,
		Channel:         pm.Channel,
		To:              pm.To,
		From:            pm.From,
		Brand:           pm.Brand,
		Code:            pm.Code,
		Text:            pm.Text,
		Segments:        pm.Segments,
		Encoding:        pm.Encoding,
		Locale:          pm.Locale,
		ExpiresAt:       pm.Deadline,
		key:             foldDestination(pm.To),
	}
	if pm.Email != nil {
		m.Subject, m.HTML, m.FromName = pm.Email.Subject, pm.Email.HTML, pm.Email.FromName
		if pm.Email.Text != "" {
			m.Text = pm.Email.Text
		}
		if pm.Email.From != "" {
			m.From = pm.Email.From
		}
	}
	if pm.Speech != nil {
		speech := *pm.Speech
		speech.Parts = slices.Clone(speech.Parts)
		m.Speech = &speech
	}
	if pm.Template != nil {
		template := *pm.Template
		template.Vars = maps.Clone(template.Vars)
		m.Template = &template
	}
	if pm.Push != nil {
		push := *pm.Push
		push.Data = maps.Clone(push.Data)
		m.Push = &push
	}
	return m
}

// MarshalJSON writes the keys in the order of the fields.
func (m Message) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		SID                string             `json:"sid"`
		AttemptSID         *string            `json:"attempt_sid"`
		VerificationSID    *string            `json:"verification_sid"`
		VerificationStatus *string            `json:"verification_status"`
		Channel            string             `json:"channel"`
		To                 string             `json:"to"`
		From               *string            `json:"from"`
		FromName           *string            `json:"from_name"`
		Brand              *string            `json:"brand"`
		Code               *string            `json:"code"`
		Text               *string            `json:"text"`
		Segments           *int               `json:"segments"`
		Encoding           *string            `json:"encoding"`
		Subject            *string            `json:"subject"`
		HTML               *string            `json:"html"`
		Locale             *string            `json:"locale"`
		CreatedAt          string             `json:"created_at"`
		ExpiresAt          *string            `json:"expires_at"`
		Speech             *provider.Speech   `json:"speech"`
		Template           *provider.Template `json:"template"`
		Push               *provider.Push     `json:"push"`
		Rules              json.RawMessage    `json:"rules"`
	}{
		m.SID, unlessZero(m.AttemptSID), unlessZero(m.VerificationSID), unlessZero(m.VerificationStatus),
		m.Channel, m.To, unlessZero(m.From), unlessZero(m.FromName), unlessZero(m.Brand),
		unlessZero(m.Code), unlessZero(m.Text), unlessZero(m.Segments), unlessZero(m.Encoding),
		unlessZero(m.Subject), unlessZero(m.HTML), unlessZero(m.Locale),
		timestamp(m.CreatedAt), unlessZero(timestamp(m.ExpiresAt)), m.Speech, m.Template, m.Push,
		m.Rules,
	})
}

// unlessZero is nil for the zero value, so that JSON says null.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// foldDestination is the form in which destinations are compared: e-mail addresses without regard
// to ASCII case. Other letters keep their case, as they do where verifications are looked up.
func foldDestination(to string) string {
	if !strings.Contains(to, "@") {
		return to
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, to)
}
