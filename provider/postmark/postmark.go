// Package postmark sends mail by Postmark's API.
//
// Its webhooks are not signed: they carry a user name and a password that Postmark was told, and come to
// a URL that nobody can guess. A mail is found by the MessageID of its acceptance.
package postmark

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "postmark".
type Config struct {
	// ServerToken is that of one server of the account.
	ServerToken string `json:"server_token"`
	// From is the sender for mails whose service and route name none.
	From     string `json:"from"`
	FromName string `json:"from_name"`
	// MessageStream is "outbound" unless it is set.
	MessageStream string `json:"message_stream"`
	// ReportUsername and ReportPassword are asked of a webhook. Without them none is believed.
	ReportUsername string `json:"report_username"`
	ReportPassword string `json:"report_password"`
	// BaseURL is https://api.postmarkapp.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one mail: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	base               *url.URL
	token              string
	from, fromName     string
	stream             string
	username, password string
	timeout            time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{token: c.ServerToken, from: c.From, fromName: c.FromName, stream: c.MessageStream,
		username: c.ReportUsername, password: c.ReportPassword}
	if err := httpsend.Require("server_token", c.ServerToken); err != nil {
		return s, err
	}
	if err := email.CheckSender(c.From, c.FromName); err != nil {
		return s, err
	}
	switch {
	case !httpsend.Printable(c.ServerToken):
		return s, errors.New("server_token holds a blank or a control character")
	case (c.ReportUsername == "") != (c.ReportPassword == ""):
		return s, errors.New("report_username and report_password go together")
	}
	if s.stream == "" {
		s.stream = "outbound"
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.postmarkapp.com"
	}
	var err error
	if s.base, err = httpsend.ParseBase("base_url", c.BaseURL, false); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// Provider sends for one server of an account. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
}

// New checks the configuration. It does not call Postmark.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.ServerToken, c.ReportPassword)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readEvent, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one mail.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "email" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "postmark carries email and nothing else"}
	}
	letter, failed := email.Compose(m, p.from, p.fromName)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: p.base.JoinPath("email").String(), Header: p.header(), Body: httpsend.JSON(p.request(letter)),
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

func (p *Provider) header() http.Header {
	return http.Header{
		"X-Postmark-Server-Token": {p.token}, "Content-Type": {"application/json"}, "Accept": {"application/json"},
	}
}

// ServeReport takes webhooks.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// Check implements provider.Checker: it asks for the server of the token.
func (p *Provider) Check(ctx context.Context) error {
	var read struct{ DeliveryType string }
	answer, err := p.sender.CheckJSON(ctx, httpsend.Request{URL: p.base.JoinPath("server").String(), Header: p.header()}, "the server of the token", &read)
	switch {
	case answer.Status == http.StatusUnauthorized:
		return errors.New("the server_token is not one that Postmark knows (401): it is that of a server, not of the account")
	case err != nil:
		return err
	case read.DeliveryType == "Sandbox":
		return errors.New("the server of the token is a sandbox: Postmark takes mail there and delivers none")
	}
	return nil
}

// request is the body of https://postmarkapp.com/developer/api/email-api.
type request struct {
	From          string
	To            string
	Subject       string
	TextBody      string
	HTMLBody      string `json:"HtmlBody,omitempty"`
	Headers       []email.Header
	MessageStream string
	TrackOpens    bool
	TrackLinks    string
}

func (p *Provider) request(l email.Letter) request {
	from := l.From
	if l.FromName != "" {
		// A name in UTF-8, quoted (https://postmarkapp.com/support/article/1180).
		from = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(l.FromName) + `" <` + l.From + `>`
	}
	return request{
		From: from, To: l.To, Subject: l.Subject, TextBody: l.Text, HTMLBody: l.HTML, Headers: l.Headers,
		MessageStream: p.stream, TrackLinks: "None",
	}
}

// refusals are the ErrorCode of an answer, https://postmarkapp.com/developer/api/overview#error-codes.
// Others are judged by the status. 300 is about any part of a mail: with words about 'To' it is
// BadRecipient.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "406",                                        // inactive: it bounced or complained before
	provider.BadRequest:   "10 300 400 401 402 403 405 409 411 412 413", // token, sender, credit, pending
	provider.Throttled:    "429",
	provider.Temporary:    "100", // maintenance
})

var ofRecipient = regexp.MustCompile(`(?i)\binvalid 'To' address`)

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		ErrorCode httpsend.Scalar
		Message   string
		MessageID httpsend.Scalar
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() && (read.ErrorCode == "0" || read.ErrorCode == "") {
		return provider.Accepted{ID: httpsend.ID(string(read.MessageID)), Parts: 1}, nil
	}
	refusals.Refine(refusal, string(read.ErrorCode), read.Message)
	if read.ErrorCode == "300" && ofRecipient.MatchString(read.Message) {
		refusal.Class = provider.BadRecipient
	}
	return provider.Accepted{}, refusal
}
