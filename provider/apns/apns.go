// Package apns notifies apps on iPhones by the Apple Push Notification service.
//
// A notification is one request over a connection of HTTP/2 that is kept, and proves who sends it by
// a token that a key of the team's has signed. Apple wants that token to change neither too often nor
// too seldom, and the same handset to be asked for at the host it belongs to: sandbox for builds
// from Xcode, production for all others. The package knows both and asks the other one itself.
//
// There are no reports: that a notification arrived is known when the app has asked. It is not for
// certificates in the place of keys, nor for silent notifications.
package apns

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Provider sends for one team of developers. It is safe for concurrent use.
type Provider struct {
	hosts   []*url.URL // the one to ask first, and the other, if there is one
	topic   string
	title   bool
	timeout time.Duration
	signer  *signer
	homes   homes
	client  *http.Client
	sender  *httpsend.Sender
	now     func() time.Time
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
	deps.HTTP = http2Alone(deps.HTTP)
	return &Provider{
		hosts:   s.hosts,
		topic:   s.topic,
		title:   c.Title,
		timeout: s.timeout,
		signer:  &signer{key: s.key, keyID: s.keyID, team: s.team},
		client:  deps.HTTP,
		sender:  httpsend.New(deps, s.timeout, s.secrets...),
		now:     deps.Now,
	}, nil
}

// http2Alone is a client like the one that was lent, with a connection of its own that speaks HTTP/2
// and nothing else, and is asked whether it still lives when it has been silent.
func http2Alone(lent *http.Client) *http.Client {
	tr := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout:    3 * time.Second,
		MaxResponseHeaderBytes: httpsend.MaxAnswer,
	}
	if lent != nil && lent.Transport != nil {
		theirs, ok := lent.Transport.(*http.Transport)
		if !ok {
			return lent
		}
		tr = theirs.Clone()
	}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP2(true)
	tr.HTTP2 = &http.HTTP2Config{SendPingTimeout: time.Minute, PingTimeout: 5 * time.Second}
	tr.IdleConnTimeout = time.Hour
	return &http.Client{Transport: tr}
}

// Close ends the connection to Apple once no notification is under way.
func (p *Provider) Close() error {
	p.client.CloseIdleConnections()
	return nil
}

// Send hands m to Apple. A handset that one host does not know is asked for at the other, and the
// host that knew it is remembered.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	n, err := p.compose(m)
	if err != nil {
		return provider.Accepted{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	first := p.homes.of(n.token)
	accepted, e := p.offer(ctx, p.hosts[first], n, m)
	if e == nil {
		return accepted, nil
	}
	if e.Code != badDeviceToken || len(p.hosts) < 2 {
		return provider.Accepted{}, e
	}
	other := 1 - first
	accepted, again := p.offer(ctx, p.hosts[other], n, m)
	switch {
	case again == nil:
		p.homes.remember(n.token, other)
		return accepted, nil
	case again.Code == badDeviceToken, again.Class == provider.BadRequest:
		// Neither knows it; or this key is not for the other host, which says nothing of the handset.
		return provider.Accepted{}, e
	}
	return provider.Accepted{}, again
}

// offer asks one host, and a second time if our token was too old for it.
func (p *Provider) offer(ctx context.Context, host *url.URL, n notification, m provider.Message) (provider.Accepted, *provider.Error) {
	bearer, err := p.signer.token(p.now())
	if err != nil {
		return provider.Accepted{}, err
	}
	accepted, err := p.post(ctx, host, n, bearer, m)
	if err == nil || err.Code != expiredProviderToken {
		return accepted, err
	}
	fresh, failed := p.signer.renew(bearer, p.now())
	if failed != nil || fresh == bearer {
		return accepted, err
	}
	return p.post(ctx, host, n, fresh, m)
}

func (p *Provider) post(ctx context.Context, host *url.URL, n notification, bearer string, m provider.Message) (provider.Accepted, *provider.Error) {
	header := n.header.Clone()
	header.Set("Authorization", "bearer "+bearer)
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: host.JoinPath("3", "device", n.token).String(), Header: header, Body: n.payload,
	}, m)
	if err != nil {
		return provider.Accepted{}, provider.AsError(err)
	}
	if answer.OK() {
		return provider.Accepted{ID: httpsend.ID(answer.Header.Get("Apns-Id"))}, nil
	}
	e := readRefusal(answer, p.sender.Refusal(answer))
	e.Code, e.Detail = p.sender.Excerpt(e.Code, m, bearer), p.sender.Excerpt(e.Detail, m, bearer)
	return provider.Accepted{}, e
}
