package httpapi

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Request is the body of POST /v1/send. New fields may come; a gateway ignores what it does not
// know. Removing or changing one would be /v2/. They are those of provider.Message, which says what
// each holds; what a message has not is "", 0 or null.
type Request struct {
	Attempt  string             `json:"attempt"`
	Key      string             `json:"key"`
	Channel  string             `json:"channel"`
	To       string             `json:"to"`
	From     string             `json:"from"`
	Country  string             `json:"country"`
	Locale   string             `json:"locale"`
	Brand    string             `json:"brand"`
	Code     string             `json:"code"`
	Text     string             `json:"text"`
	Segments int                `json:"segments"`
	Encoding string             `json:"encoding"`
	Template *provider.Template `json:"template"`
	Speech   *provider.Speech   `json:"speech"`
	Email    *provider.Email    `json:"email"`
	Push     *provider.Push     `json:"push"`
	// Regulatory is null where the carriers of the country want nothing.
	Regulatory *provider.Regulatory `json:"regulatory"`
	// Deadline is null where the message does not grow stale.
	Deadline *time.Time `json:"deadline"`
}

func encode(m provider.Message, from string) ([]byte, error) {
	r := Request{
		Attempt:  m.Attempt,
		Key:      m.Key,
		Channel:  m.Channel,
		To:       m.To,
		From:     m.From,
		Country:  m.Country,
		Locale:   m.Locale,
		Brand:    m.Brand,
		Code:     m.Code,
		Text:     m.Text,
		Segments: m.Segments,
		Encoding: m.Encoding,
		Template: m.Template,
		Speech:   m.Speech,
		Email:    m.Email,
		Push:     m.Push,

		Regulatory: m.Regulatory,
	}
	if r.From == "" {
		r.From = from
	}
	if !m.Deadline.IsZero() {
		d := m.Deadline.UTC().Truncate(time.Second)
		r.Deadline = &d
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // for whoever reads the body in a log of the gateway
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
