// Package webapi sends by a vendor's HTTP API that is described in the configuration, not in code:
// what a request looks like, what an answer means, how a report is proved and read. In verifyd.toml
// its type is "http". It is for the long tail of SMS vendors, and for the Kannel or Jasmin that a
// house runs already; presets/ has descriptions that others have written.
//
// The idea is that a description is checked when verifyd starts and cannot go wrong afterwards:
// every name in a template is known, every rule names a class, every example in it is read as it
// says. What a message brings into a request is escaped for the place where it stands, so that no
// text can become another field.
//
// It is not for a vendor whose requests must be signed or whose answers need thought: that is a
// provider of its own, or a gateway behind httpapi.
package webapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends to one described API. It is safe for concurrent use.
type Provider struct {
	channels []string
	request  *request
	answers  *answers
	check    *check // nil where the description has none
	sender   *httpsend.Sender
	reports  http.Handler
}

// New reads the description, and tries its examples. It does not call the vendor.
func New(c Config, deps provider.Deps) (*Provider, error) {
	c, err := c.withPreset()
	if err != nil {
		return nil, err
	}
	timeout, err := httpsend.ParseTimeout(c.Timeout)
	if err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	p := &Provider{sender: httpsend.New(deps, timeout, c.secrets()...)}
	if p.channels, err = c.channels(); err != nil {
		return nil, err
	}
	if p.request, err = c.request(deps.Now); err != nil {
		return nil, err
	}
	if p.answers, err = parseAnswers(c.Accepted, c.Errors); err != nil {
		return nil, err
	}
	if err := p.try(c.Examples); err != nil {
		return nil, err
	}
	if p.check, err = c.check(deps.Now); err != nil {
		return nil, err
	}
	if p.reports, err = c.reports(deps); err != nil {
		return nil, err
	}
	return p, nil
}

// Send writes m into the request of the description and reads the answer by its rules.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if !slices.Contains(p.channels, m.Channel) {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "this provider is not set up for the channel",
		}
	}
	r, err := p.request.write(m)
	if err != nil {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: p.sender.Excerpt(err.Error(), m)}
	}
	return p.sender.Send(ctx, r, m, p.answers.read)
}

func (p *Provider) read(a httpsend.Answer) (provider.Accepted, *provider.Error) {
	return p.answers.read(a, p.sender.Refusal(a))
}

// ServeReport takes the calls that the description's report describes.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// reports refuses every call where the description has no report.
func (c Config) reports(deps provider.Deps) (http.Handler, error) {
	if c.Report == nil {
		return http.NotFoundHandler(), nil
	}
	reading, err := parseReading(*c.Report)
	if err != nil {
		return nil, err
	}
	proof, err := parseProof(c.Report.Proof, deps.Now)
	if err != nil {
		return nil, err
	}
	return &httpreport.Handler{
		Methods: reading.methods, Prove: proof, Read: reading.read,
		Record: deps.Report, Reply: c.Report.Reply, Log: deps.Log,
	}, nil
}
