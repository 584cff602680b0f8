// Package whatsapp sends codes by Meta's WhatsApp Cloud API, as authentication templates with a
// button that copies the code.
//
// The words are Meta's, one fixed sentence for each language; a message names the template and
// brings the code. Acceptance is not delivery: that a number is not on WhatsApp is mostly learned
// from the webhook, which is proved by the app's secret.
package whatsapp

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// maxCode is the longest code that an authentication template takes, in characters.
const maxCode = 15

// Provider sends from one business number, or from several by their senders. It is safe for concurrent use.
type Provider struct {
	settings
	sender  *httpsend.Sender
	reports *httpreport.Handler
}

// New checks the configuration. It does not call Meta.
func New(c Config, deps provider.Deps) (*Provider, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, sender: httpsend.New(deps, s.timeout, c.AccessToken, c.AppSecret)}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReports, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one template message.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	switch {
	case m.Channel != "whatsapp":
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "this is a provider for whatsapp and nothing else"}
	case m.Code == "" || len(m.Code) > maxCode:
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "an authentication template takes a code of 1 to 15 characters"}
	}
	endpoint, known := p.endpointOf(m.From)
	if !known {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "the sender of the message is none of phone_numbers"}
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL: endpoint,
		Header: http.Header{
			"Authorization": {"Bearer " + p.accessToken},
			"Content-Type":  {"application/json"},
		},
		Body: httpsend.JSON(p.request(m)),
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

// endpointOf is where the messages of a sender are posted. A message that names none, and every message of
// a table that knows one number alone, come from that one.
func (p *Provider) endpointOf(from string) (endpoint string, known bool) {
	if from == "" || len(p.endpoints) == 0 {
		return p.endpoint, true
	}
	endpoint, known = p.endpoints[from]
	return endpoint, known
}

// ServeReport takes webhooks, and answers the call by which Meta makes sure of a new URL.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		p.subscribe(w, r)
		return
	}
	p.reports.ServeHTTP(w, r)
}

// subscribe echoes the challenge to whoever knows the verify token.
func (p *Provider) subscribe(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("hub.mode") != "subscribe" || !httpreport.EqualSecret(query.Get("hub.verify_token"), p.verifyToken) {
		http.Error(w, "not proved", http.StatusForbidden)
		return
	}
	// What is echoed was sent by somebody: it must be text to every browser.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, query.Get("hub.challenge"))
}

// request is the body of https://developers.facebook.com/docs/whatsapp/business-management-api/
// authentication-templates: the code stands in the sentence and in the button.
type request struct {
	MessagingProduct string   `json:"messaging_product"`
	RecipientType    string   `json:"recipient_type"`
	To               string   `json:"to"`
	Type             string   `json:"type"`
	CallbackData     string   `json:"biz_opaque_callback_data,omitempty"`
	Template         template `json:"template"`
}

type template struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components"`
}

type language struct {
	Policy string `json:"policy"`
	Code   string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (p *Provider) request(m provider.Message) request {
	code := []parameter{{"text", m.Code}}
	return request{
		MessagingProduct: "whatsapp", RecipientType: "individual", To: strings.TrimPrefix(m.To, "+"), Type: "template",
		CallbackData: m.Key,
		Template: template{
			Name:     p.template(m),
			Language: language{"deterministic", p.language(m)},
			Components: []component{
				{Type: "body", Parameters: code},
				{Type: "button", SubType: "url", Index: "0", Parameters: code},
			},
		},
	}
}

// template is the name under which the business has registered the template.
func (p *Provider) template(m provider.Message) string {
	if p.templateName == "" && m.Template != nil {
		return m.Template.Name
	}
	return p.templateName
}

// language is that of the message if the template has it, then its language without the country,
// then the first of the template's.
func (p *Provider) language(m provider.Message) string {
	want := strings.ReplaceAll(m.Locale, "-", "_")
	if m.Template != nil && m.Template.Language != "" {
		want = m.Template.Language
	}
	bare, _, _ := strings.Cut(want, "_")
	switch {
	case len(p.languages) == 0, slices.Contains(p.languages, want):
		return want
	case slices.Contains(p.languages, bare):
		return bare
	}
	return p.languages[0]
}
