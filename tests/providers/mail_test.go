//go:build full

package providers

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	fakemark "github.com/verifyd/verifyd/internal/fakecarrier/postmark"
	fakegrid "github.com/verifyd/verifyd/internal/fakecarrier/sendgrid"
	fakeses "github.com/verifyd/verifyd/internal/fakecarrier/ses"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/postmark"
	"github.com/verifyd/verifyd/provider/sendgrid"
	"github.com/verifyd/verifyd/provider/ses"
)

const (
	sendgridMails = "/v3/mail/send"
	postmarkMails = "/email"
	sesMails      = "/v2/email/outbound-emails"
)

// signedAnew are the paths whose Authorization is made for each request.
var signedAnew = map[string]bool{"/": true, sesMails: true, vonageCalls: true}

func theMail() provider.Message {
	return provider.Message{
		Attempt: "VL00000000000000000000000000000001", Key: "VL1:1", Channel: "email", To: "pat@example.com", Code: "482913",
		Email: &provider.Email{Subject: "482913 is your Acme code", Text: "482913 & no more.\n", HTML: "<p>482913 &amp; no more.</p>"},
	}
}

// mailFakes are the vendors of mail, who check what comes: of our providers and of the libraries alike.
func mailFakes(t *testing.T) map[string]http.Handler {
	return map[string]http.Handler{
		sendgridMails: eventServer(t), postmarkMails: fakemark.New(secret), sesMails: fakeses.New(apiKey, secret, "auth.example.com", time.Now),
	}
}

// mailQuestion is the mail for the libraries' clients.
func mailQuestion() map[string]any {
	m := theMail()
	return map[string]any{
		"to": m.To, "from": "codes@auth.example.com", "name": "Acme", "subject": m.Email.Subject, "text": m.Email.Text, "html": m.Email.HTML,
		"headers": map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Entity-Ref-ID": m.Attempt},
	}
}

// mailOurs sends the mail by each of our providers, and returns the paths.
func mailOurs(t *testing.T, f *far) []string {
	t.Helper()
	const from, name = "codes@auth.example.com", "Acme"
	for kind, build := range map[string]func() (provider.Provider, error){
		"sendgrid": func() (provider.Provider, error) {
			return sendgrid.New(sendgrid.Config{APIKey: secret, From: from, FromName: name, BaseURL: f.URL}, provider.Deps{})
		},
		"postmark": func() (provider.Provider, error) {
			return postmark.New(postmark.Config{ServerToken: secret, From: from, FromName: name, BaseURL: f.URL}, provider.Deps{})
		},
		"ses": func() (provider.Provider, error) {
			return ses.New(ses.Config{Region: "eu-west-1", AccessKeyID: apiKey, SecretAccessKey: secret, From: from, FromName: name, BaseURL: f.URL}, provider.Deps{})
		},
	} {
		p, err := build()
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if _, err := p.Send(t.Context(), theMail()); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	return []string{sendgridMails, postmarkMails, sesMails}
}

var makeSendGrid = sync.OnceValues(func() (*fakegrid.Server, error) { return fakegrid.New(secret) })

func eventServer(t *testing.T) *fakegrid.Server {
	t.Helper()
	s, err := makeSendGrid()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func eventKey(t *testing.T) string { return eventServer(t).PublicKey() }

// eventOf is a call of SendGrid's event webhook.
func eventOf(t *testing.T, now time.Time) call {
	t.Helper()
	s := eventServer(t)
	r, err := s.Events(reportURL, now, fakegrid.Mail{ID: "a", To: "pat@example.com"}.Event("delivered", now))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	c := call{Vendor: "sendgrid", URL: reportURL, Body: string(body), Key: s.PublicKey(), Headers: map[string]string{}}
	for _, name := range []string{"X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"} {
		c.Headers[name] = r.Header.Get(name)
	}
	return c
}
