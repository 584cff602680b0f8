// Package infobip sends SMS by Infobip's SMS API, version 3, and calls as voice messages (voice.go).
//
// Infobip lets the sender name the message, and refuses a name that it has seen: so a message may
// be handed over again after an Unknown, and the refusal of the second is the acceptance of the
// first. A 200 says nothing; the group of the message's status does.
package infobip

import (
	"context"
	"net/http"
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
}

// New checks the configuration. It does not call Infobip.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.APIKey)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReports, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Repeatable says that a message may be handed over again after an Unknown: Infobip knows it by
// its messageId.
func (p *Provider) Repeatable() {}

// Send posts one message, or one voice message, under its Key.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	var endpoint string
	var request any
	switch m.Channel {
	case "sms":
		endpoint, request = p.endpoint, p.request(m)
	case "call":
		call, failed := p.voiceRequest(m)
		if failed != nil {
			return provider.Accepted{}, failed
		}
		endpoint, request = p.calls, call
	default:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "infobip carries sms and call and nothing else"}
	}
	read := func(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
		return readAnswer(a, m.Key, refusal)
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL: endpoint,
		Header: http.Header{
			"Authorization": {"App " + p.apiKey},
			"Content-Type":  {"application/json"},
			"Accept":        {"application/json"},
		},
		Body: httpsend.JSON(request),
	}, m, read)
}

// ServeReport takes delivery reports.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the body of https://www.infobip.com/docs/api/channels/sms/outbound-sms/send-sms-messages.
type request struct {
	Messages []message `json:"messages"`
}

type message struct {
	Sender       string        `json:"sender"`
	Destinations []destination `json:"destinations"`
	Content      content       `json:"content"`
	Options      options       `json:"options"`
	Webhooks     *webhooks     `json:"webhooks,omitempty"`
}

type destination struct {
	To        string `json:"to"`
	MessageID string `json:"messageId"`
}

type content struct {
	Text string `json:"text"`
}

type options struct {
	ValidityPeriod period    `json:"validityPeriod"`
	Regional       *regional `json:"regional,omitempty"`
}

type regional struct {
	IndiaDLT indiaDLT `json:"indiaDlt"`
}

type indiaDLT struct {
	PrincipalEntityID string `json:"principalEntityId,omitempty"`
	ContentTemplateID string `json:"contentTemplateId,omitempty"`
}

type period struct {
	Amount   int    `json:"amount"`
	TimeUnit string `json:"timeUnit"`
}

type webhooks struct {
	Delivery delivery `json:"delivery"`
}

type delivery struct {
	URL string `json:"url"`
}

func (p *Provider) request(m provider.Message) request {
	out := message{
		Sender:       p.from,
		Destinations: []destination{{To: strings.TrimPrefix(m.To, "+"), MessageID: m.Key}},
		Content:      content{m.Text},
		Options:      options{ValidityPeriod: period{int(p.sender.Life(m, 30*time.Second, 10*time.Minute).Seconds()), "SECONDS"}},
	}
	if m.From != "" {
		out.Sender = m.From
	}
	if r := m.Regulatory; r != nil {
		out.Options.Regional = &regional{indiaDLT{r.DLTEntity, r.DLTTemplate}}
	}
	if p.reportURL != "" {
		out.Webhooks = &webhooks{delivery{p.reportURL}}
	}
	return request{[]message{out}}
}
