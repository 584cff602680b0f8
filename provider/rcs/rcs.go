// Package rcs sends codes by RCS for Business, Google's API for agents of brands.
//
// The idea is that a message is named by us: an identifier made of its key, which Google ignores the
// second time, so that what was perhaps sent can be sent once more, and taken back without an answer to
// the first. A message for a telephone that is switched off waits at Google; it is taken back when its
// time is over, or when verifyd asks (Revoke), and only then may the code go on by another channel.
package rcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/googleauth"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	scope = "https://www.googleapis.com/auth/rcsbusinessmessaging"
	// maxText is the limit for a text, in characters.
	maxText = 3072
	// minTTL is the shortest life that Google advises: with less, a message is delivered and taken back
	// at once (the guide "Send messages", "Set a message expiration").
	minTTL = 10 * time.Second
)

// Provider sends for one agent. It is safe for concurrent use.
type Provider struct {
	settings
	tokens  *googleauth.Tokens
	sender  *httpsend.Sender
	reports *httpreport.Handler
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
	sender := httpsend.New(deps, s.timeout, append(s.account.Secrets(), c.ClientToken)...)
	p := &Provider{settings: s, sender: sender, tokens: googleauth.NewTokens(s.account, scope, s.tokenURL, sender, deps.Now)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: p.readReports, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Repeatable says that a message may be handed over again after an Unknown: Google ignores a messageId
// that it has seen from the same agent.
func (p *Provider) Repeatable() {}

// agentMessage is the body of phones.agentMessages.create, https://developers.google.com/
// business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages.
type agentMessage struct {
	ContentMessage     contentMessage `json:"contentMessage"`
	MessageTrafficType string         `json:"messageTrafficType"`
	TTL                string         `json:"ttl"`
}

type contentMessage struct {
	Text string `json:"text"`
}

// Send posts one message. It names the message also where the outcome is unknown, so that a report can
// still say what it was.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch {
	case m.Channel != "rcs":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "this is a provider for rcs and nothing else"}
	case m.To == "" || m.Text == "" || utf8.RuneCountInString(m.Text) > maxText:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "a message has an address and a text of 1 to 3072 characters"}
	}
	if p.asksFirst {
		if err := p.capable(ctx, m); err != nil {
			return provider.Accepted{}, err
		}
	}
	accepted := provider.Accepted{ID: messageID(m.Key)}
	err := p.call(ctx, http.MethodPost, p.phone(m.To, "agentMessages", "messageId", accepted.ID), httpsend.JSON(agentMessage{
		ContentMessage: contentMessage{m.Text}, MessageTrafficType: p.trafficType,
		TTL: fmt.Sprintf("%ds", p.sender.Life(m, minTTL, p.ttl)/time.Second),
	}), m)
	if err != nil && provider.AsError(err).Class != provider.Unknown {
		return provider.Accepted{}, err
	}
	return accepted, err
}

// capable asks whether RCS reaches a telephone, before the code leaves the house.
func (p *Provider) capable(ctx context.Context, m provider.Message) error {
	err := p.call(ctx, http.MethodGet, p.phone(m.To, "capabilities", "requestId", messageID(m.Key+"?")), nil, m)
	if err == nil {
		return nil
	}
	failure := provider.AsError(err)
	if failure.Class == provider.Unknown {
		failure.Class = provider.Temporary // whatever became of this request, the message was not in it
	}
	return failure
}

// Revoke takes a message back. Google answers 200 when it will not be delivered any more, and 404 when it
// has been (the reference of phones.agentMessages.delete).
func (p *Provider) Revoke(ctx context.Context, s provider.Sent) error {
	id := s.ID
	if id == "" {
		id = messageID(s.Key)
	}
	err := p.call(ctx, http.MethodDelete, p.phone(s.To, "agentMessages/"+url.PathEscape(id)), nil, provider.Message{To: s.To})
	if err == nil {
		return nil
	}
	failure := provider.AsError(err)
	if failure.Class == provider.BadRecipient {
		failure.Class, failure.Detail = provider.BadRequest, "Google has delivered it, or does not know it"
	}
	return failure
}

// nobody is a number that is given to nobody: the exchange 555-01 is for films.
const nobody = "+12025550100"

// Check asks for an access token, and for the capabilities of a telephone that nobody has: that proves the
// account, its key and the agent, and sends nothing.
func (p *Provider) Check(ctx context.Context) error {
	err := p.call(ctx, http.MethodGet, p.phone(nobody, "capabilities", "requestId", messageID("check")), nil, provider.Message{To: nobody})
	if err == nil || provider.AsError(err).Class == provider.BadRecipient {
		return nil
	}
	return provider.Plain(err)
}

// space is in which names of messages are made of keys (RFC 9562, 5.5). It never changes: the name of a
// message that is on its way would.
var space = uuid.MustParse("6f1d8a52-5c0f-4f0e-9d5e-0b8f3a7c2e41")

// messageID is the name of a message: it has to be a UUID.
func messageID(key string) string { return uuid.NewSHA1(space, []byte(key)).String() }

// phone is the URL of something of a telephone; more are names and values of its query.
func (p *Provider) phone(number, what string, more ...string) string {
	query := url.Values{"agentId": {p.agent}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return p.base + "/v1/phones/" + url.PathEscape(number) + "/" + what + "?" + query.Encode()
}

// call makes one request, whose answer is to be a 2xx; the error is a *provider.Error. An access token that
// Google no longer takes is replaced once: what was refused for its credentials was surely not done.
func (p *Provider) call(ctx context.Context, method, url string, body []byte, m provider.Message) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	refused := ""
	for {
		access, err := p.tokens.Get(ctx, refused, m)
		if err != nil {
			return err
		}
		header := http.Header{"Authorization": {"Bearer " + access}}
		if body != nil {
			header.Set("Content-Type", "application/json")
		}
		answer, err := p.sender.Do(ctx, httpsend.Request{Method: method, URL: url, Header: header, Body: body}, m)
		switch {
		case err != nil:
			return err
		case answer.OK():
			return nil
		case answer.Status != http.StatusUnauthorized || refused != "":
			return p.refusal(answer, access, m)
		}
		refused = access
	}
}

// codes are answers by their status and canonical code. That a telephone is not found says that RCS does
// not reach it, or that the agent is not launched with its carrier: another channel does. A fault is
// Unknown, as nobody says that the message was not taken; it may be handed over again.
var codes = httpsend.Codes{
	"404 NOT_FOUND":          provider.BadRecipient,
	"400 INVALID_ARGUMENT":   provider.BadRequest,
	"401 UNAUTHENTICATED":    provider.BadRequest,
	"403 PERMISSION_DENIED":  provider.BadRequest,
	"429 RESOURCE_EXHAUSTED": provider.Throttled,
	"503 UNAVAILABLE":        provider.Temporary,
	"500 INTERNAL":           provider.Unknown,
}

// refusal is what an answer that is no 2xx means to routing. It does not repeat the access token.
func (p *Provider) refusal(answer httpsend.Answer, access string, m provider.Message) *provider.Error {
	var read struct {
		Error struct {
			Message httpsend.Scalar `json:"message"`
			Status  httpsend.Scalar `json:"status"`
		} `json:"error"`
	}
	if json.Valid(answer.Body) {
		_ = json.Unmarshal(answer.Body, &read) // fields of another type are taken as absent
	}
	e := p.sender.Refusal(answer)
	if read.Error.Status != "" {
		codes.Refine(e, e.Code+" "+string(read.Error.Status), string(read.Error.Message))
	}
	e.Code, e.Detail = p.sender.Excerpt(e.Code, m, access), p.sender.Excerpt(e.Detail, m, access)
	return e
}

// errNoToken says why no webhook is believed.
var errNoToken = errors.New("client_token is not set")
