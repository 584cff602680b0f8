// Package africastalking sends SMS by Africa's Talking.
//
// An answer is a 201 also when the message was refused: the code of its one recipient decides
// (class.go), and an answer that cannot be read is Unknown. Reports are signed by nothing.
package africastalking

import (
	"context"
	"net/http"
	"net/url"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one application. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
}

// New checks the configuration. It does not call Africa's Talking.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APIKey)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one message.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "africastalking carries sms and nothing else"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL: p.endpoint,
		Header: http.Header{
			"Apikey":       {p.apiKey},
			"Accept":       {"application/json"}, // XML otherwise
			"Content-Type": {"application/x-www-form-urlencoded"},
		},
		Body: []byte(p.form(m).Encode()),
	}, m, readAnswer)
}

// ServeReport takes delivery reports.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// form is the request of https://developers.africastalking.com/docs/sms/sending/bulk.
func (p *Provider) form(m provider.Message) url.Values {
	form := url.Values{"username": {p.username}, "to": {m.To}, "message": {m.Text}, "bulkSMSMode": {"1"}, "enqueue": {"1"}}
	from := m.From
	if from == "" {
		from = p.from
	}
	if from != "" {
		form.Set("from", from)
	}
	return form
}
