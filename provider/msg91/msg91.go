// Package msg91 sends codes by MSG91's flows: templates registered in India, of which the text is
// theirs and the code is ours.
//
// MSG91 answers 200 to a refusal too; "type" in the body decides. It has an API that makes and
// checks codes as well, which is not used: verifyd does that.
package msg91

import (
	"context"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends by one flow. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
}

// New checks the configuration. It does not call MSG91.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.AuthKey)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReports, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send starts the flow for one person.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch {
	case m.Channel != "sms":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "msg91 carries sms and nothing else"}
	case m.Code == "":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "a flow takes a code, and the message has none"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    p.endpoint,
		Header: http.Header{"Authkey": {p.authKey}, "Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Body:   httpsend.JSON(p.request(m)),
	}, m, readAnswer)
}

// ServeReport takes delivery reports.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the body of https://docs.msg91.com/sms/send-sms.
type request struct {
	TemplateID string              `json:"template_id"`
	ShortURL   string              `json:"short_url"`
	Recipients []map[string]string `json:"recipients"`
}

func (p *Provider) request(m provider.Message) request {
	recipient := map[string]string{"mobiles": strings.TrimPrefix(m.To, "+"), p.codeVariable: m.Code}
	if p.brandVariable != "" {
		recipient[p.brandVariable] = m.Brand
	}
	return request{p.templateID, "0", []map[string]string{recipient}}
}
