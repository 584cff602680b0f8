// Package httpapi hands messages to a gateway of your own: a program in any language that takes
// one signed HTTP request per message and carries it wherever you like. The contract is written
// in docs/providers/httpapi.md, and examples/httpapi-gateway speaks it in thirty lines.
//
// The idea is that the gateway, not verifyd, knows the vendor. It names the class of a failure in
// the body of its answer; only where it says nothing does the HTTP status decide, and where there
// is no answer, the question of whether the last byte had left.
//
// It is not for vendors: an API that exists already has its own provider, or wants a gateway.
package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends to one gateway. It is safe for concurrent use.
type Provider struct {
	endpoint string
	secret   Secret
	from     string
	headers  http.Header
	sender   *httpsend.Sender
	now      func() time.Time
}

// New checks the configuration. It does not call the gateway.
func New(c Config, deps provider.Deps) (*Provider, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	secret, err := ParseSecret(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	timeout, err := httpsend.ParseTimeout(c.Timeout)
	if err != nil {
		return nil, err
	}
	headers, err := httpsend.ParseHeaders(c.Headers, ours...)
	if err != nil {
		return nil, err
	}
	unsaid := []string{strings.TrimPrefix(c.Secret, "whsec_")}
	for _, v := range c.Headers {
		unsaid = append(unsaid, v)
	}
	p := &Provider{
		endpoint: endpoint,
		secret:   secret,
		from:     c.From,
		headers:  headers,
		sender:   httpsend.New(deps, timeout, unsaid...),
		now:      deps.Now,
	}
	if p.now == nil {
		p.now = time.Now
	}
	return p, nil
}

// Repeatable says that a message may be handed over again after an Unknown: a gateway that keeps
// the contract knows it by its Idempotency-Key.
func (p *Provider) Repeatable() {}

// Send posts m to the gateway and reads its answer.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if !httpsend.Printable(m.Key) {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "the message has no key, or one that fits no HTTP header",
		}
	}
	body, err := encode(m, p.from)
	if err != nil {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "encode the message: " + p.sender.Excerpt(err.Error(), m),
		}
	}
	return p.sender.Send(ctx, httpsend.Request{URL: p.endpoint, Header: p.header(m.Key, body), Body: body}, m, readAnswer)
}

func (p *Provider) header(key string, body []byte) http.Header {
	h := p.headers.Clone()
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("Idempotency-Key", key)
	p.secret.SignHeader(h, key, p.now(), body)
	return h
}
