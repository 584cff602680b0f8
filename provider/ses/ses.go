// Package ses sends mail by Amazon SES, version 2 of its API.
//
// Requests are signed (sigv4). What became of a mail comes by an SNS topic to which a configuration set
// publishes (snstopic).
package ses

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/sigv4"
	"github.com/verifyd/verifyd/provider/snstopic"
)

// Config is the [providers.X] table of a provider of type "ses".
type Config struct {
	// Region is that of SES: "eu-west-1".
	Region          string `json:"region"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	// SessionToken goes with temporary credentials, which somebody else keeps fresh.
	SessionToken string `json:"session_token"`
	// From is the sender for mails whose service and route name none.
	From     string `json:"from"`
	FromName string `json:"from_name"`
	// ConfigurationSet publishes the events of a mail.
	ConfigurationSet string `json:"configuration_set"`
	// TopicARN is the SNS topic that calls this provider's reports; no other is believed.
	TopicARN string `json:"topic_arn"`
	// BaseURL is https://email.REGION.amazonaws.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one mail: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	base             *url.URL
	region           string
	credentials      sigv4.Credentials
	from, fromName   string
	configurationSet string
	timeout          time.Duration
}

var region = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

func (c Config) settings() (settings, error) {
	s := settings{
		region: c.Region, from: c.From, fromName: c.FromName, configurationSet: c.ConfigurationSet,
		credentials: sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
	}
	if !region.MatchString(c.Region) {
		return s, fmt.Errorf("region %q is not of the form eu-west-1", c.Region)
	}
	if err := httpsend.Require("access_key_id", c.AccessKeyID, "secret_access_key", c.SecretAccessKey); err != nil {
		return s, err
	}
	if err := email.CheckSender(c.From, c.FromName); err != nil {
		return s, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://email." + c.Region + ".amazonaws.com"
	}
	var err error
	if s.base, err = httpsend.ParseBase("base_url", c.BaseURL, false); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

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

// Send calls SendEmail once.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "email" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "ses carries email and nothing else"}
	}
	letter, failed := email.Compose(m, p.from, p.fromName)
	if failed != nil {
		return provider.Accepted{}, failed
	}
	answer, err := p.sender.Do(ctx, p.signed(http.MethodPost, httpsend.JSON(p.request(letter)), "outbound-emails"), m)
	if err != nil {
		return provider.Accepted{}, err
	}
	accepted, failure := readAnswer(answer, p.sender.Refusal(answer))
	if failure != nil {
		return provider.Accepted{}, p.sender.Unsaid(failure, m)
	}
	return accepted, nil
}

// signed is a request for what the path names below /v2/email.
func (p *Provider) signed(method string, body []byte, path string) httpsend.Request {
	u := p.base.JoinPath("v2", "email", path)
	h := http.Header{"Content-Type": {"application/json"}}
	p.credentials.Sign(method, u, h, body, sigv4.Service{Region: p.region, Name: "ses"}, p.now())
	return httpsend.Request{Method: method, URL: u.String(), Header: h, Body: body}
}

// ServeReport takes messages of the SNS topic.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// Check implements provider.Checker: it asks for the account. A key that may do nothing but send is
// refused with words that tell that AWS knows it, which is provider.ErrUnproven of the account alone.
func (p *Provider) Check(ctx context.Context) error {
	var read struct{ ProductionAccessEnabled, SendingEnabled bool }
	answer, err := p.sender.CheckJSON(ctx, p.signed(http.MethodGet, nil, "account"), "the account", &read)
	if err != nil {
		refusal := p.sender.Refusal(answer)
		readAnswer(answer, refusal) // which names the exception
		switch refusal.Code {
		case "AccessDeniedException":
			return provider.Unproven("SES knows the access key, and the key may not read the account (ses:GetAccount)")
		case "UnrecognizedClientException":
			return errors.New("AWS does not know the access_key_id, or the session_token is another's")
		case "ExpiredTokenException":
			return errors.New("the session_token has expired")
		case "InvalidSignatureException", "SignatureDoesNotMatch":
			return errors.New("AWS refuses our signature: the secret_access_key is not that of the access_key_id, or the clock of this host is wrong")
		}
		return err
	}
	switch {
	case !read.SendingEnabled:
		return fmt.Errorf("SES has paused sending for this account in %s", p.region)
	case !read.ProductionAccessEnabled:
		return fmt.Errorf("the account is in the sandbox of SES in %s: mail goes to verified addresses alone. Ask AWS for production access", p.region)
	}
	return nil
}

// request is the input of https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.
type request struct {
	FromEmailAddress     string
	Destination          destination
	Content              content
	ConfigurationSetName string `json:",omitempty"`
}

type destination struct{ ToAddresses []string }

type content struct{ Simple simple }

type simple struct {
	Subject text
	Body    body
	Headers []email.Header
}

type body struct {
	Text text
	HTML *text `json:"Html,omitempty"`
}

type text struct{ Data, Charset string }

func (p *Provider) request(l email.Letter) request {
	s := simple{Subject: text{l.Subject, "UTF-8"}, Body: body{Text: text{l.Text, "UTF-8"}}, Headers: l.Headers}
	if l.HTML != "" {
		s.Body.HTML = &text{l.HTML, "UTF-8"}
	}
	from := l.From
	if l.FromName != "" {
		from = (&mail.Address{Name: l.FromName, Address: l.From}).String() // other than ASCII by RFC 2047
	}
	return request{FromEmailAddress: from, Destination: destination{[]string{l.To}}, Content: content{s}, ConfigurationSetName: p.configurationSet}
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		MessageID httpsend.Scalar `json:"MessageId"`
		Type      string          `json:"__type"`
		Message   string          `json:"message"` // "Message" is read too: names have no case
	}
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.MessageID)), Parts: 1}, nil
	}
	// "MessageRejected:http://internal.amazon.com/…" in the header, "com.amazonaws.x#MessageRejected" in
	// the body of some.
	name, _, _ := strings.Cut(a.Header.Get("X-Amzn-ErrorType"), ":")
	if name == "" {
		name = read.Type[strings.LastIndexByte(read.Type, '#')+1:]
	}
	refusals.Refine(refusal, name, read.Message)
	return provider.Accepted{}, refusal
}
