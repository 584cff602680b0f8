// Package telnyx sends SMS by Telnyx's Messaging API, and calls by Call Control (voice.go).
//
// The class of a failure comes from the code of the first error (class.go). Reports are webhooks
// signed with Ed25519 over the time and the raw body.
package telnyx

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one account. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
	seal    *callscript.Seal // nil where no call is made
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
	if s.connectionID != "" {
		p.seal = callscript.NewSeal(c.APIKey)
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: p.readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one message, or dials one call.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	var endpoint string
	var request any
	read := readAnswer
	switch m.Channel {
	case "sms":
		if p.from == "" && p.profile == "" && m.From == "" {
			return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "from is missing: there is a call_from alone"}
		}
		endpoint, request = p.endpoint, p.request(m)
	case "call":
		call, failed := p.callRequest(m)
		if failed != nil {
			return provider.Accepted{}, failed
		}
		endpoint, request, read = p.calls, call, readDial
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "telnyx carries sms and call and nothing else"}
	}
	return p.sender.Send(ctx, httpsend.Request{URL: endpoint, Header: p.header(), Body: httpsend.JSON(request)}, m, read)
}

func (p *Provider) header() http.Header {
	return http.Header{
		"Authorization": {"Bearer " + p.apiKey},
		"Content-Type":  {"application/json"},
		"Accept":        {"application/json"},
	}
}

// ServeReport takes webhooks, and commands calls to go on.
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
