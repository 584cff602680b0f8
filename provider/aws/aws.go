// Package aws sends SMS by AWS End User Messaging (once Pinpoint SMS), with SendTextMessage.
//
// Requests are signed by Signature Version 4 (sigv4). Events come by an SNS topic that calls
// verifyd's URL (snstopic). SNS itself sends texts too, without telling what became of them, and is
// not used for that.
package aws

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/sigv4"
	"github.com/verifyd/verifyd/provider/snstopic"
)

// Provider sends for one account in one region. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
	topic   *snstopic.Topic
	now     func() time.Time
}

// New checks the configuration. It does not call AWS.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.SecretAccessKey, c.SessionToken), now: deps.Now}
	if p.now == nil {
		p.now = time.Now
	}
	if p.topic, err = snstopic.New(c.TopicARN, p.sender, p.now); err != nil {
		return nil, err
	}
	p.reports = &httpreport.Handler{Prove: p.topic.Prove, Read: p.readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send calls SendTextMessage once.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "aws carries sms and nothing else"}
	}
	answer, err := p.sender.Do(ctx, p.signed("SendTextMessage", httpsend.JSON(p.request(m))), m)
	if err != nil {
		return provider.Accepted{}, err
	}
	accepted, failure := readAnswer(answer, p.sender.Refusal(answer))
	if failure != nil {
		return provider.Accepted{}, p.sender.Unsaid(failure, m)
	}
	return accepted, nil
}

// signed is a call of an action.
func (p *Provider) signed(action string, body []byte) httpsend.Request {
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.0"},
		"X-Amz-Target": {"PinpointSMSVoiceV2." + action},
	}
	p.credentials.Sign(http.MethodPost, p.endpoint, header, body, sigv4.Service{Region: p.region, Name: "sms-voice"}, p.now())
	return httpsend.Request{Method: http.MethodPost, URL: p.endpoint.String(), Header: header, Body: body}
}

// ServeReport takes messages of the SNS topic.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// request is the input of https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/
// API_SendTextMessage.html.
type request struct {
	DestinationPhoneNumber string            `json:"DestinationPhoneNumber"`
	OriginationIdentity    string            `json:"OriginationIdentity,omitempty"`
	MessageBody            string            `json:"MessageBody"`
	MessageType            string            `json:"MessageType"`
	ConfigurationSetName   string            `json:"ConfigurationSetName,omitempty"`
	TimeToLive             int               `json:"TimeToLive"`
	Context                map[string]string `json:"Context,omitempty"`
	// DestinationCountryParameters is what India's ledger has of sender and text.
	DestinationCountryParameters map[string]string `json:"DestinationCountryParameters,omitempty"`
}

func (p *Provider) request(m provider.Message) request {
	r := request{
		DestinationPhoneNumber: m.To, OriginationIdentity: p.from, MessageBody: m.Text, MessageType: "TRANSACTIONAL",
		ConfigurationSetName: p.configurationSet,
		TimeToLive:           int(p.sender.Life(m, 5*time.Second, 10*time.Minute).Seconds()),
	}
	if m.From != "" {
		r.OriginationIdentity = m.From
	}
	if id := m.Regulatory; id != nil {
		r.DestinationCountryParameters = map[string]string{}
		for name, value := range map[string]string{"IN_ENTITY_ID": id.DLTEntity, "IN_TEMPLATE_ID": id.DLTTemplate} {
			if value != "" {
				r.DestinationCountryParameters[name] = value
			}
		}
	}
	if m.Key != "" {
		r.Context = map[string]string{"key": m.Key}
	}
	return r
}
