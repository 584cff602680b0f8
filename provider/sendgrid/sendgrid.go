// Package sendgrid sends mail by Twilio SendGrid's v3 API.
//
// SendGrid takes nearly every mail and says by its event webhook what became of it: the webhook is
// signed with ECDSA over the time and the raw body, and each mail carries the key of its hand-over as
// a custom argument, which SendGrid echoes in its events.
package sendgrid

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
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

// New checks the configuration. It does not call SendGrid.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APIKey), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readEvents, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one mail.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "email" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "sendgrid carries email and nothing else"}
	}
	letter, failed := email.Compose(m, p.from, p.fromName)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: p.base.JoinPath("v3", "mail", "send").String(), Header: p.header(), Body: httpsend.JSON(newRequest(letter, m.Key)),
	}, m)
	if err != nil {
		return provider.Accepted{}, err
	}
	if answer.OK() {
		return provider.Accepted{ID: httpsend.ID(answer.Header.Get("X-Message-Id")), Parts: 1}, nil
	}
	return provider.Accepted{}, p.sender.Unsaid(p.refusal(answer), m)
}

func (p *Provider) header() http.Header {
	return http.Header{"Authorization": {"Bearer " + p.apiKey}, "Content-Type": {"application/json"}}
}

// ServeReport takes calls of the event webhook.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// Check implements provider.Checker: it asks what the API key may do.
func (p *Provider) Check(ctx context.Context) error {
	var read struct {
		Scopes []string `json:"scopes"`
	}
	answer, err := p.sender.CheckJSON(ctx, httpsend.Request{URL: p.base.JoinPath("v3", "scopes").String(), Header: p.header()}, "the list of scopes", &read)
	switch {
	case answer.Status == http.StatusUnauthorized:
		return errors.New("SendGrid does not know the api_key (401): it may have been deleted, or be that of another region")
	case err != nil:
		return err
	case !slices.Contains(read.Scopes, "mail.send"):
		return errors.New("the api_key may not send mail: give it the permission Mail Send")
	}
	return nil
}

// request is the body of https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send.
type request struct {
	Personalizations []personalization `json:"personalizations"`
	From             address           `json:"from"`
	Subject          string            `json:"subject"`
	Content          []content         `json:"content"`
	Headers          map[string]string `json:"headers"`
	CustomArgs       map[string]string `json:"custom_args,omitempty"`
	Tracking         tracking          `json:"tracking_settings"`
}

type personalization struct {
	To []address `json:"to"`
}

type address struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type content struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// tracking is off: it would put a picture into the mail, and send every link by way of SendGrid.
type tracking struct {
	Click struct {
		Enable bool `json:"enable"`
	} `json:"click_tracking"`
	Open struct {
		Enable bool `json:"enable"`
	} `json:"open_tracking"`
}

// keyArgument is the name under which events bring back the key of a hand-over.
const keyArgument = "verifyd_key"

func newRequest(l email.Letter, key string) request {
	r := request{
		Personalizations: []personalization{{To: []address{{Email: l.To}}}},
		From:             address{l.From, l.FromName}, Subject: l.Subject,
		Content: []content{{"text/plain", l.Text}}, Headers: map[string]string{},
	}
	if l.HTML != "" {
		r.Content = append(r.Content, content{"text/html", l.HTML})
	}
	for _, h := range l.Headers {
		r.Headers[h.Name] = h.Value
	}
	if key != "" {
		r.CustomArgs = map[string]string{keyArgument: key}
	}
	return r
}

// refusal is the error that an answer means. SendGrid has no codes: the status decides, and a 400 that
// is about the field of the recipient.
func (p *Provider) refusal(a httpsend.Answer) *provider.Error {
	e := p.sender.Refusal(a)
	var read struct {
		Errors []struct {
			Message string          `json:"message"`
			Field   httpsend.Scalar `json:"field"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if len(read.Errors) > 0 {
		httpsend.Codes(nil).Refine(e, "", read.Errors[0].Message)
		if a.Status == http.StatusBadRequest && ofRecipient.MatchString(string(read.Errors[0].Field)) {
			e.Class = provider.BadRecipient
		}
	}
	if a.Status == http.StatusTooManyRequests && e.RetryAfter == 0 {
		if at, err := strconv.ParseInt(a.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			e.RetryAfter = httpsend.Seconds(time.Unix(at, 0).Sub(p.now()).Seconds())
		}
	}
	return e
}
