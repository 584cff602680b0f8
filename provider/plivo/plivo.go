// Package plivo sends SMS by Plivo's Message API, and calls by its Call API.
//
// Plivo signs its reports about messages, but not their bodies (X-Plivo-Signature-V2 is over the URL and a nonce):
// what a report says is as secret as the URL that it comes to. What a call asks is signed whole.
package plivo

import (
	"context"
	"net/http"
	"strings"
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
	seal    *callscript.Seal
	now     func() time.Time
}

// New checks the configuration. It does not call Plivo.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.AuthToken), seal: callscript.NewSeal(c.AuthToken), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: p.readReport, Record: deps.Report, Answer: p.answer, Log: deps.Log}
	return p, nil
}

// Send posts one message, or makes one call.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	var endpoint string
	var request any
	switch m.Channel {
	case "sms":
		endpoint, request = p.endpoint, p.request(m)
	case "call":
		call, failed := p.callRequest(m)
		if failed != nil {
			return provider.Accepted{}, failed
		}
		endpoint, request = p.calls, call
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "plivo carries sms and call and nothing else"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    endpoint,
		Header: http.Header{"Authorization": {p.authorization}, "Content-Type": {"application/json"}},
		Body:   httpsend.JSON(request),
	}, m, readAnswer)
}

// ServeReport takes callbacks, and tells calls how they go on.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the body of https://www.plivo.com/docs/messaging/api/message/send-a-message.
type request struct {
	Src    string `json:"src"`
	Dst    string `json:"dst"`
	Text   string `json:"text"`
	URL    string `json:"url,omitempty"`
	Method string `json:"method,omitempty"`
	// Expiry is how many seconds the message may wait at Plivo.
	Expiry int `json:"message_expiry"`
	// What India's ledger has of sender and text.
	DLTEntity   string `json:"dlt_entity_id,omitempty"`
	DLTTemplate string `json:"dlt_template_id,omitempty"`
}

func (p *Provider) request(m provider.Message) request {
	r := request{
		Src: p.from, Dst: strings.TrimPrefix(m.To, "+"), Text: m.Text,
		Expiry: int(p.sender.Life(m, 5*time.Second, 10*time.Minute).Seconds()),
	}
	if m.From != "" {
		r.Src = m.From
	}
	if id := m.Regulatory; id != nil {
		r.DLTEntity, r.DLTTemplate = id.DLTEntity, id.DLTTemplate
	}
	if p.reportURL != nil {
		r.URL, r.Method = p.reportURL.String(), http.MethodPost
	}
	return r
}
