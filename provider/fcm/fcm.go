// Package fcm notifies apps on Android by Firebase Cloud Messaging, the HTTP v1 API.
//
// The idea is a data message and nothing else: Firebase shows nobody anything, it wakes the app, and
// the app fetches what the notification is about. The channel sees to it that there is no secret in
// the data. Access is by a service account, whose key signs an assertion once an hour for a token.
//
// There are no reports: that a notification arrived is known when the app has asked.
package fcm

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/googleauth"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one Firebase project. It is safe for concurrent use.
type Provider struct {
	endpoint string
	timeout  time.Duration
	tokens   *googleauth.Tokens
	sender   *httpsend.Sender
	now      func() time.Time
	jitter   func() time.Duration
}

// New checks the configuration. It calls nobody.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	sender := httpsend.New(deps, s.timeout, s.account.Secrets()...)
	return &Provider{
		endpoint: s.base.JoinPath("v1", "projects", s.project, "messages:send").String(),
		timeout:  s.timeout,
		tokens:   googleauth.NewTokens(s.account, scope, s.tokenURL, sender, deps.Now),
		sender:   sender,
		now:      deps.Now,
		jitter:   func() time.Duration { return rand.N(5 * time.Second) },
	}, nil
}

// Send hands m to Firebase. A token that it no longer knows is replaced once: what was refused for
// its credentials was surely not sent.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	body, err := encode(m, p.now())
	if err != nil {
		return provider.Accepted{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	access, err := p.tokens.Get(ctx, "", m)
	if err != nil {
		return provider.Accepted{}, err
	}
	answer, err := p.post(ctx, access, body, m)
	if err == nil && readRefusal(answer).unauthenticated() {
		if access, err = p.tokens.Get(ctx, access, m); err != nil {
			return provider.Accepted{}, err
		}
		answer, err = p.post(ctx, access, body, m)
	}
	switch {
	case err != nil:
		return provider.Accepted{}, err
	case answer.OK():
		return provider.Accepted{ID: name(answer.Body)}, nil
	}
	return provider.Accepted{}, p.failure(answer, access, m)
}

func (p *Provider) post(ctx context.Context, access string, body []byte, m provider.Message) (httpsend.Answer, error) {
	return p.sender.Do(ctx, httpsend.Request{
		URL: p.endpoint,
		Header: http.Header{
			"Authorization": {"Bearer " + access},
			"Content-Type":  {"application/json; charset=UTF-8"},
		},
		Body: body,
	}, m)
}

// failure is what a refusal means to routing.
func (p *Provider) failure(answer httpsend.Answer, access string, m provider.Message) *provider.Error {
	r, e := readRefusal(answer), p.sender.Refusal(answer)
	e.Class = r.class()
	if e.RetryAfter == 0 {
		e.RetryAfter = r.patience(p.jitter)
	}
	if code := r.code(); code != "" {
		e.Code += " " + p.sender.Excerpt(code, m, access)
	}
	if r.Message != "" {
		e.Detail = p.sender.Excerpt(string(r.Message), m, access)
	}
	return e
}
