// Package telnyx sends SMS by Telnyx's Messaging API.
//
// The class of a failure comes from the code of the first error (class.go). Reports are webhooks
// signed with Ed25519 over the time and the raw body.
package telnyx

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one account. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
	now     func() time.Time
}

// New checks the configuration. It does not call Telnyx.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APIKey), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one message.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "telnyx carries sms and nothing else"}
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: p.endpoint,
		Header: http.Header{
			"Authorization": {"Bearer " + p.apiKey},
			"Content-Type":  {"application/json"},
			"Accept":        {"application/json"},
		},
		Body: httpsend.JSON(p.request(m)),
	}, m)
	if err != nil {
		return provider.Accepted{}, err
	}
	accepted, failure := readAnswer(answer, p.sender.Refusal(answer))
	if failure != nil {
		return provider.Accepted{}, p.sender.Unsaid(failure, m)
	}
	return accepted, nil
}

// ServeReport takes webhooks.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the body of https://developers.telnyx.com/api-reference/messages/send-a-message.
type request struct {
	From               string `json:"from,omitempty"`
	MessagingProfileID string `json:"messaging_profile_id,omitempty"`
	To                 string `json:"to"`
	Text               string `json:"text"`
	WebhookURL         string `json:"webhook_url,omitempty"`
}

func (p *Provider) request(m provider.Message) request {
	r := request{From: m.From, MessagingProfileID: p.profile, To: m.To, Text: m.Text, WebhookURL: p.reportURL}
	if r.From == "" {
		r.From = p.from
	}
	return r
}
