// Package twilio sends SMS, and texts by RCS, by Twilio's Programmable Messaging API, and calls by Programmable
// Voice.
//
// verifyd makes and checks the code, and Twilio carries the text or speaks it: it is not Twilio
// Verify, which would own both. The class of a failure comes from Twilio's error code (class.go); reports are
// status callbacks, proved by X-Twilio-Signature.
package twilio

import (
	"context"
	"net/http"
	"net/url"
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

// New checks the configuration. It does not call Twilio.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.AuthToken, c.APIKeySecret), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.seal = callscript.NewSeal(c.AuthToken) // is set where report_url is
	p.reports = &httpreport.Handler{Prove: p.prove, Read: p.readReport, Record: deps.Report, Answer: p.answer, Log: deps.Log}
	return p, nil
}

// Send creates one Message or Call resource.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	var endpoint string
	var form url.Values
	codes := refusals
	switch m.Channel {
	case "sms":
		if p.from == "" && p.messagingService == "" && m.From == "" {
			return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "from is missing: there is a call_from alone"}
		}
		endpoint, form = p.endpoint, p.form(m)
	case "rcs":
		if p.rcsFrom == "" && p.messagingService == "" && m.From == "" {
			return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "there is no sender for rcs: set rcs_from or messaging_service_sid"}
		}
		endpoint, form = p.endpoint, p.form(m)
	case "call":
		var failed *provider.Error
		if form, failed = p.callForm(m); failed != nil {
			return provider.Accepted{}, failed
		}
		endpoint, codes = p.calls, callRefusals
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "twilio carries sms, rcs and call and nothing else"}
	}
	read := func(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
		return readAnswer(a, codes, refusal)
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL: endpoint,
		Header: http.Header{
			"Authorization": {p.authorization},
			"Content-Type":  {"application/x-www-form-urlencoded"},
		},
		Body: []byte(form.Encode()),
	}, m, read)
}

// ServeReport takes status callbacks, and tells calls how they go on.
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
