package providertest_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// What follows up to the next marker is the provider of docs/providers/writing.md, whole: it sends by
// the HTTP API of a carrier that does not exist.

// Config is the [providers.X] table of a provider of type "acme".
type Config struct {
	Token string `json:"token"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// BaseURL is https://api.acme.example unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// codes are those of https://acme.example/docs/errors. Others are judged by the status.
var codes = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "17",    // "number not in service"
	provider.BadRequest:   "20 21", // sender, credit
	provider.Throttled:    "30",
	provider.Temporary:    "40",
	provider.Unknown:      "41",
})

// Provider sends for one account. It is safe for concurrent use.
type Provider struct {
	endpoint, token, from string
	sender                *httpsend.Sender
	reports               *httpreport.Handler
}

// New checks the configuration. It does not call the carrier.
func New(c Config, deps provider.Deps) (*Provider, error) {
	if err := httpsend.Require("token", c.Token, "from", c.From); err != nil {
		return nil, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.acme.example"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return nil, err
	}
	timeout, err := httpsend.ParseTimeout(c.Timeout)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		endpoint: base.JoinPath("send").String(), token: c.Token, from: c.From,
		sender: httpsend.New(deps, timeout, c.Token),
	}
	p.reports = &httpreport.Handler{Prove: p.prove, Read: readReport, Record: deps.Report, Log: deps.Log}
	return p, nil
}

// Send posts one message.
func (p *Provider) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if m.Channel != "sms" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "acme carries sms and nothing else"}
	}
	from := m.From
	if from == "" {
		from = p.from
	}
	answer, err := p.sender.Do(ctx, httpsend.Request{
		URL:    p.endpoint,
		Header: http.Header{"Authorization": {"Bearer " + p.token}, "Content-Type": {"application/json"}},
		Body:   httpsend.JSON(map[string]string{"to": m.To, "from": from, "text": m.Text}),
	}, m)
	if err != nil {
		return provider.Accepted{}, err // where it broke has decided the class
	}
	var read struct {
		ID    httpsend.Scalar `json:"id"`
		Code  httpsend.Scalar `json:"code"`
		Words string          `json:"words"`
	}
	_ = json.Unmarshal(answer.Body, &read) // what cannot be read is judged by the status
	if answer.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.ID))}, nil
	}
	refusal := p.sender.Refusal(answer)
	codes.Refine(refusal, string(read.Code), read.Words)
	return provider.Accepted{}, p.sender.Unsaid(refusal, m)
}

// Check asks for the balance, for the doctor.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "send") + "balance",
		Header: http.Header{"Authorization": {"Bearer " + p.token}},
	}, "the balance", &struct{}{})
	return err
}

// ServeReport takes the carrier's reports.
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) { p.reports.ServeHTTP(w, r) }

// prove checks the carrier's signature, of the body byte for byte.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if !httpreport.EqualHex(httpreport.MAC(sha256.New, p.token, string(body)), r.Header.Get("Acme-Signature")) {
		return httpreport.ErrProof
	}
	return nil
}

func readReport(_ *http.Request, body []byte) ([]provider.Report, error) {
	var read struct {
		ID    httpsend.Scalar `json:"id"`
		State string          `json:"state"`
		Code  httpsend.Scalar `json:"code"`
	}
	if err := json.Unmarshal(body, &read); err != nil || read.ID == "" {
		return nil, errors.New("the body is not that of a report")
	}
	switch id := httpsend.ID(string(read.ID)); read.State {
	case "delivered":
		return []provider.Report{{ID: id, State: provider.Delivered}}, nil
	case "failed":
		code := httpsend.ID(string(read.Code))
		return []provider.Report{{ID: id, State: provider.Failed, Code: code, Class: codes.Of(code, provider.Temporary)}}, nil
	}
	return nil, nil // on its way: nothing to report
}

// The end of the provider of the manual; its exam follows.

const token = "s3cr3t-t0ken"

var codeOf = map[provider.Class]int{
	provider.BadRecipient: 17, provider.BadRequest: 20, provider.Throttled: 30, provider.Temporary: 40, provider.Unknown: 41,
}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{token},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			vendor := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					var m struct{ To, From, Text string }
					if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
						return providertest.Taken{}, err
					}
					if r.URL.Path != "/send" || r.Header.Get("Authorization") != "Bearer "+token {
						return providertest.Taken{}, errors.New("the path or the token is wrong")
					}
					return providertest.Taken{To: m.To, Text: m.Text}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) { fmt.Fprintf(w, `{"id":%q}`, taken.ID) },
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, `{"code":%d,"words":%q}`, codeOf[b.Class], b.Words)
				},
			})
			deps.HTTP = vendor.Client()
			p, err := New(Config{Token: token, From: "Acme", BaseURL: vendor.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, vendor
		},
	})
}

func TestCheckExam(t *testing.T) {
	desk := httpfar.Desk{
		Asks:   "GET /balance",
		Shows:  map[string]string{"Authorization": "Bearer " + token},
		Answer: `{"balance":"12.50"}`,
	}
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{token},
		Start: desk.Start(func(url string, deps provider.Deps) (provider.Provider, error) {
			return New(Config{Token: token, From: "Acme", BaseURL: url, Timeout: "2m"}, deps)
		}),
	})
}

func TestReportsAreProvedAndRead(t *testing.T) {
	var got httpfar.Reports
	p, err := New(Config{Token: token, From: "Acme"}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"id":7,"state":"failed","code":17}`
	signature := fmt.Sprintf("%x", httpreport.MAC(sha256.New, token, body))
	status, recorded := got.Call(p, httpfar.Post("/reports/acme/x", body, "Acme-Signature", signature))
	want := []provider.Report{{ID: "7", State: provider.Failed, Class: provider.BadRecipient, Code: "17"}}
	if status != 204 || !slices.Equal(recorded, want) {
		t.Errorf("got %d %+v, want %+v", status, recorded, want)
	}
	if status, _ := got.Call(p, httpfar.Post("/reports/acme/x", body+" ", "Acme-Signature", signature)); status != 403 {
		t.Errorf("another body: got %d, want 403", status)
	}
}

// TestTheManualShowsThisProvider keeps both pieces of Go in docs/providers/writing.md true: the
// provider whole, and its exam.
func TestTheManualShowsThisProvider(t *testing.T) {
	source, err := os.ReadFile("acme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../docs/providers/writing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, whole, _ := strings.Cut(string(source), "does not exist.\n\n")
	whole, exam, ok := strings.Cut(whole, "// The end of the provider of the manual; its exam follows.\n\n")
	exam, _, closed := strings.Cut(exam, "func TestReportsAreProvedAndRead")
	if !ok || !closed {
		t.Fatal("the markers are gone")
	}
	for _, want := range []string{whole, exam} {
		if !strings.Contains(string(manual), "```go\n"+strings.TrimSpace(want)+"\n```\n") {
			t.Errorf("writing.md does not show\n%s", strings.TrimSpace(want))
		}
	}
}
