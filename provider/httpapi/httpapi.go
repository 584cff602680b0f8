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
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// maxAnswer is more than any answer of the contract needs.
const maxAnswer = 64 << 10

// Provider sends to one gateway. It is safe for concurrent use.
type Provider struct {
	endpoint  string
	secret    Secret
	timeout   time.Duration
	from      string
	headers   http.Header
	transport http.RoundTripper
	now       func() time.Time
	unsaid    []string // what Excerpt blanks in the gateway's words
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
	timeout, err := c.timeout()
	if err != nil {
		return nil, err
	}
	headers, err := c.headers()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		endpoint:  endpoint,
		secret:    secret,
		timeout:   timeout,
		from:      c.From,
		headers:   headers,
		transport: transport(deps.HTTP),
		now:       deps.Now,
		unsaid:    []string{strings.TrimPrefix(c.Secret, "whsec_")},
	}
	for _, v := range c.Headers {
		p.unsaid = append(p.unsaid, v)
	}
	if p.now == nil {
		p.now = time.Now
	}
	return p, nil
}

// transport is lent by the server, or made. The client around it is not used: a RoundTripper
// follows no redirects, and a POST with a code in it must not be sent elsewhere.
func transport(lent *http.Client) http.RoundTripper {
	if lent != nil && lent.Transport != nil {
		return lent.Transport
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,

		MaxResponseHeaderBytes: maxAnswer,
	}
}

// Repeatable says that a message may be handed over again after an Unknown: a gateway that keeps
// the contract knows it by its Idempotency-Key.
func (p *Provider) Repeatable() {}

// Send posts m to the gateway and reads its answer.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if !printable(m.Key) {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "the message has no key, or one that fits no HTTP header",
		}
	}
	body, err := encode(m, p.from)
	if err != nil {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: "encode the message: " + p.excerpt(err.Error(), m),
		}
	}

	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	content := &content{rest: bytes.NewReader(body)}
	req, err := p.request(ctx, m.Key, body)
	if err != nil {
		return provider.Accepted{}, &provider.Error{
			Class: provider.BadRequest, Detail: p.excerpt(err.Error(), m),
		}
	}
	req.Body = content
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return provider.Accepted{}, p.noAnswer(ctx, err, content.taken.Load(), m)
	}
	defer resp.Body.Close()
	// A body that ends early is judged by what there is of it: the status has been read.
	answered, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	accepted, failure := readAnswer(resp.StatusCode, resp.Header, answered, p.now())
	if failure != nil {
		failure.Code = p.excerpt(failure.Code, m)
		failure.Detail = p.excerpt(failure.Detail, m)
		return provider.Accepted{}, failure
	}
	return accepted, nil
}

func (p *Provider) request(ctx context.Context, key string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// With an Idempotency-Key and a body that it can rewind, net/http quietly posts again when a
	// reused connection dies before the answer. The contract allows it, but the smallest gateways
	// keep no list of keys, and a second text is worse than an Unknown, which routing understands.
	req.GetBody = nil

	for name, values := range p.headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "verifyd")
	req.Header.Set("Idempotency-Key", key)
	p.secret.SignHeader(req.Header, key, p.now(), body)
	return req, nil
}

// content is the body of a request. It remembers that its last byte was taken, after which nobody
// can say that it did not arrive: httptrace reports a written request only when the gateway may
// have long begun to work on it.
type content struct {
	rest  *bytes.Reader
	taken atomic.Bool
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.rest.Read(p)
	if c.rest.Len() == 0 {
		c.taken.Store(true)
	}
	return n, err
}

func (c *content) Close() error { return nil }

// noAnswer is the class of silence: a gateway that cannot have read the last byte has sent nothing.
func (p *Provider) noAnswer(ctx context.Context, err error, taken bool, m provider.Message) *provider.Error {
	e := &provider.Error{Class: provider.Temporary, Detail: "the gateway was not reached"}
	if taken {
		e.Class, e.Detail = provider.Unknown, "the gateway did not answer"
	}
	if ctx.Err() != nil {
		e.Err = ctx.Err()
		return e
	}
	// The text alone is kept: net/http quotes a malformed answer, which may repeat the request.
	e.Detail += ": " + p.excerpt(err.Error(), m)
	return e
}

func (p *Provider) excerpt(words string, m provider.Message) string {
	return provider.Excerpt(words, m, p.unsaid...)
}
