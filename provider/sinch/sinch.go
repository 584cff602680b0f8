// Package sinch sends SMS by Sinch's SMS API (XMS), as a batch of one message, and calls by its Voice
// API (voice.go).
package sinch

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one service plan. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
	now     func() time.Time
}

// New checks the configuration. It does not call Sinch.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APIToken, c.WebhookSecret, c.ApplicationSecret), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: p.readReport, Record: deps.Report, Answer: p.answer, Log: deps.Log}
	return p, nil
}

// Send posts one batch, or makes one call.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch m.Channel {
	case "sms":
	case "call":
		return p.call(ctx, m)
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "sinch carries sms and call and nothing else"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    p.endpoint,
		Header: http.Header{"Authorization": {"Bearer " + p.apiToken}, "Content-Type": {"application/json"}},
		Body:   httpsend.JSON(p.request(m)),
	}, m, readAnswer)
}

// ServeReport takes delivery reports, and tells calls how they go on.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the body of https://developers.sinch.com/docs/sms/api-reference/sms/tag/Batches.
type request struct {
	From            string   `json:"from,omitempty"`
	To              []string `json:"to"`
	Body            string   `json:"body"`
	DeliveryReport  string   `json:"delivery_report"`
	CallbackURL     string   `json:"callback_url,omitempty"`
	ExpireAt        string   `json:"expire_at"`
	ClientReference string   `json:"client_reference,omitempty"`
}

func (p *Provider) request(m provider.Message) request {
	r := request{
		From: p.from, To: []string{strings.TrimPrefix(m.To, "+")}, Body: m.Text,
		DeliveryReport: "none", ClientReference: m.Key,
		ExpireAt: p.now().Add(p.sender.Life(m, time.Minute, 10*time.Minute)).UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	if m.From != "" {
		r.From = m.From
	}
	if p.reportURL != "" {
		r.DeliveryReport, r.CallbackURL = "per_recipient", p.reportURL
	}
	return r
}
