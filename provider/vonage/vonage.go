// Package vonage sends SMS by Vonage's SMS API (once Nexmo's), texts by RCS by its Messages API
// (messages.go), and calls by its Voice API (voice.go).
//
// The SMS API answers 200 to everything, so the class of a failure comes from the status of each part
// in the body (class.go), and an answer that cannot be read is Unknown. Delivery receipts come by
// GET or POST, and are proved by a signature, where the account makes one.
package vonage

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// New checks the configuration. It does not call Vonage.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APISecret, c.SignatureSecret, c.PrivateKey), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.reports = &httpreport.Handler{
		Methods: []string{http.MethodPost, http.MethodGet},
		Prove:   p.prove, Read: p.readReport, Record: deps.Report, Answer: p.answer, Log: deps.Log,
	}
	return p, nil
}

// Send posts one text, which Vonage cuts into as many parts as it needs, or makes one call.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch m.Channel {
	case "sms":
	case "rcs":
		return p.sendRCS(ctx, m)
	case "call":
		return p.call(ctx, m)
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "vonage carries sms, rcs and call and nothing else"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL: p.endpoint,
		Header: http.Header{
			"Authorization": {p.authorization},
			"Content-Type":  {"application/x-www-form-urlencoded"},
		},
		Body: []byte(p.form(m).Encode()),
	}, m, p.readAnswer)
}

// ServeReport takes delivery receipts, and tells calls how they go on.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// form is the request of https://developer.vonage.com/en/api/sms.
func (p *Provider) form(m provider.Message) url.Values {
	// Vonage takes lives from twenty seconds on.
	life := p.sender.Life(m, 20*time.Second, 10*time.Minute)
	form := url.Values{
		"to":                {strings.TrimPrefix(m.To, "+")},
		"from":              {p.from},
		"text":              {m.Text},
		"ttl":               {strconv.FormatInt(life.Milliseconds(), 10)},
		"client-ref":        {m.Key},
		"status-report-req": {"1"},
	}
	if m.From != "" {
		form.Set("from", strings.TrimPrefix(m.From, "+"))
	}
	if m.Encoding == "ucs2" {
		form.Set("type", "unicode")
	}
	if r := m.Regulatory; r != nil {
		for name, value := range map[string]string{"entity-id": r.DLTEntity, "content-id": r.DLTTemplate} {
			if value != "" {
				form.Set(name, value)
			}
		}
	}
	if p.reportURL != "" {
		form.Set("callback", p.reportURL)
	}
	return form
}
