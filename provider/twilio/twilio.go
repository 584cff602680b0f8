// Package twilio sends SMS, and texts by RCS, by Twilio's Programmable Messaging API.
//
// verifyd makes and checks the code, and Twilio carries the text: it is not Twilio Verify, which
// would own both. The class of a failure comes from Twilio's error code (class.go); reports are
// status callbacks, proved by X-Twilio-Signature.
package twilio

import (
	"context"
	"net/http"
	"net/url"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one account. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
}

// New checks the configuration. It does not call Twilio.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.AuthToken, c.APIKeySecret)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send creates one Message resource.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch {
	case m.Channel != "sms" && m.Channel != "rcs":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "twilio carries sms and rcs and nothing else"}
	case m.Channel == "rcs" && m.From == "" && p.rcsFrom == "" && p.messagingService == "":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "there is no sender for rcs: set rcs_from or messaging_service_sid"}
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: p.endpoint,
		Header: http.Header{
			"Authorization": {p.authorization},
			"Content-Type":  {"application/x-www-form-urlencoded"},
		},
		Body: []byte(p.form(m).Encode()),
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

// ServeReport takes status callbacks.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// form is the request of https://www.twilio.com/docs/messaging/api/message-resource.
func (p *Provider) form(m provider.Message) url.Values {
	to, from, otherwise := m.To, m.From, p.from
	if m.Channel == "rcs" {
		// The prefix keeps Twilio from going on by SMS itself: verifyd decides that.
		to, otherwise = "rcs:"+m.To, p.rcsFrom
	}
	form := url.Values{
		"To":             {to},
		"Body":           {m.Text},
		"ValidityPeriod": {p.validity(m)},
	}
	switch {
	case from == "" && p.messagingService != "":
		form.Set("MessagingServiceSid", p.messagingService)
	case from == "":
		form.Set("From", otherwise)
	default:
		form.Set("From", from)
		if p.messagingService != "" {
			form.Set("MessagingServiceSid", p.messagingService) // whose sender From then is
		}
	}
	if p.reportURL != nil {
		form.Set("StatusCallback", p.reportURL.String())
	}
	return form
}
