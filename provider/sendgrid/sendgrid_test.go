package sendgrid

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	far "github.com/verifyd/verifyd/internal/fakecarrier/sendgrid"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testKey = "SG.s3cr3t-api-k3y"

func newFar(t testing.TB) *far.Server {
	t.Helper()
	s, err := far.New(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refusals are answers that mean each class.
var refusals = map[provider.Class]far.Refusal{
	provider.BadRecipient: {HTTP: 400, Field: "personalizations.0.to.0.email"},
	provider.BadRequest:   {HTTP: 403, Field: "from"},
	provider.Temporary:    {HTTP: 503},
	provider.Throttled:    {HTTP: 429},
	provider.Unknown:      {HTTP: 500},
}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"email"},
		Secrets:  []string{testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			s := newFar(t)
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					m, refusal := s.Read(r)
					if refusal != nil {
						return providertest.Taken{}, errors.New(refusal.Words)
					}
					return providertest.Taken{To: m.To, Text: m.Subject + m.Text + m.HTML}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					w.Header().Set("X-Message-Id", taken.ID)
					w.WriteHeader(http.StatusAccepted)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					r := refusals[b.Class]
					r.Words = b.Words
					r.Write(w)
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: testKey, From: "codes@auth.example.com", BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequest(t *testing.T) {
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), httpfar.Answering("202 Accepted", ""), providertest.Message("email", 0),
		func(d provider.Deps) (provider.Provider, error) {
			return New(Config{APIKey: testKey, From: "codes@auth.example.com", FromName: "Acme", BaseURL: "http://localhost"}, d)
		})
}

// serve lets a provider talk to s, at httpfar.Epoch.
func serve(t testing.TB, s *far.Server, got *httpfar.Reports) *Provider {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	p, err := New(Config{APIKey: testKey, From: "codes@auth.example.com", PublicKey: s.PublicKey(), BaseURL: server.URL}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAMailAndWhatBecameOfIt(t *testing.T) {
	s := newFar(t)
	var got httpfar.Reports
	p := serve(t, s, &got)
	m := providertest.Message("email", 1)
	if _, err := p.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	sent := s.Inbox()[0]
	if sent.Headers["Auto-Submitted"] != "auto-generated" || sent.Headers["X-Entity-Ref-ID"] != m.Attempt {
		t.Errorf("got the headers %v", sent.Headers)
	}
	at := httpfar.Epoch
	call, err := s.Events("/r", at,
		sent.Event("processed", at), sent.Event("delivered", at, "response", "250 OK"),
		sent.Event("delivered", at), // twice
		sent.Event("bounce", at, "type", "bounce", "status", "5.1.1", "reason", "550 5.1.1 no such user"),
		sent.Event("open", at))
	if err != nil {
		t.Fatal(err)
	}
	arrived := provider.Report{Key: m.Key, State: provider.Delivered, At: at}
	want := []provider.Report{arrived, arrived, {Key: m.Key, State: provider.Failed, Class: provider.BadRecipient, Code: "5.1.1", At: at}}
	if status, recorded := got.Call(p, call); status != 204 || !slices.Equal(recorded, want) {
		t.Errorf("got %d %+v\nwant %+v", status, recorded, want)
	}
}

func TestWhatIsNotProvedIsRefused(t *testing.T) {
	s := newFar(t)
	var got httpfar.Reports
	p := serve(t, s, &got)
	mail := far.Mail{ID: "a", To: "pat@example.com"}
	signed := func() *http.Request {
		r, err := s.Events("/r", httpfar.Epoch, mail.Event("delivered", httpfar.Epoch))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if status, recorded := got.Call(p, signed()); status != 204 || len(recorded) != 1 || recorded[0].ID != "a" {
		t.Fatalf("as it is: got %d %+v", status, recorded)
	}
	const timestamp, signature = "X-Twilio-Email-Event-Webhook-Timestamp", "X-Twilio-Email-Event-Webhook-Signature"
	for name, alter := range map[string]func(*http.Request){
		"another body":          func(r *http.Request) { r.Body = http.NoBody },
		"another time":          func(r *http.Request) { r.Header.Set(timestamp, "1925089201") },
		"no time":               func(r *http.Request) { r.Header.Del(timestamp) },
		"no signature":          func(r *http.Request) { r.Header.Del(signature) },
		"no base64":             func(r *http.Request) { r.Header.Set(signature, "!") },
		"no signature of ECDSA": func(r *http.Request) { r.Header.Set(signature, "AAAA") },
	} {
		r := signed()
		alter(r)
		if status, recorded := got.Call(p, r); status != 403 || len(recorded) != 0 {
			t.Errorf("%s: got %d %+v, want 403", name, status, recorded)
		}
	}
	old, err := s.Events("/r", httpfar.Epoch.Add(-6*time.Minute), mail.Event("delivered", httpfar.Epoch))
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := got.Call(p, old); status != 403 {
		t.Errorf("heard before: got %d, want 403", status)
	}
	p.publicKey = nil
	if status, _ := got.Call(p, signed()); status != 403 {
		t.Errorf("without public_key: got %d, want 403", status)
	}
	other := serve(t, newFar(t), &got)
	if status, _ := got.Call(other, signed()); status != 403 {
		t.Errorf("another's key: got %d, want 403", status)
	}
}

// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
func TestEventsAndTheirClasses(t *testing.T) {
	for body, want := range map[string]provider.Report{
		`{"event":"bounce","type":"bounce","status":"5.1.1"}`:       {State: provider.Failed, Class: provider.BadRecipient, Code: "5.1.1"},
		`{"event":"bounce","type":"bounce","status":"5.7.1"}`:       {State: provider.Failed, Class: provider.BadRequest, Code: "5.7.1"},
		`{"event":"bounce","type":"blocked","status":"4.7.0"}`:      {State: provider.Failed, Class: provider.Temporary, Code: "4.7.0"},
		`{"event":"bounce","type":"bounce","status":""}`:            {State: provider.Failed, Class: provider.BadRequest},
		`{"event":"bounce","type":"blocked"}`:                       {State: provider.Failed, Class: provider.Temporary},
		`{"event":"blocked"}`:                                       {State: provider.Failed, Class: provider.Temporary},
		`{"event":"dropped","reason":"Bounced Address"}`:            {State: provider.Failed, Class: provider.BadRecipient, Code: "dropped: Bounced Address"},
		`{"event":"dropped","reason":"Unsubscribed Address"}`:       {State: provider.Failed, Class: provider.BadRequest, Code: "dropped: Unsubscribed Address"},
		`{"event":"dropped","reason":"pat@example.com is no good"}`: {State: provider.Failed, Class: provider.BadRequest, Code: "dropped"},
		`{"event":"delivered"}`:                                     {State: provider.Delivered},
		`{"event":"deferred"}`:                                      {},
		`{"event":"spamreport"}`:                                    {},
	} {
		got, err := readEvents(nil, []byte(`[{"sg_message_id":"id1.filter",`+body[1:]+`]`))
		if want.State == 0 {
			if len(got) != 0 || err != nil {
				t.Errorf("%s: got %+v, %v", body, got, err)
			}
			continue
		}
		want.ID = "id1"
		if err != nil || !slices.Equal(got, []provider.Report{want}) {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
	if _, err := readEvents(nil, []byte("{")); err == nil {
		t.Error("a broken body was read")
	}
}

func TestRefusals(t *testing.T) {
	p, err := New(Config{APIKey: testKey, From: "codes@auth.example.com"}, provider.Deps{Now: func() time.Time { return httpfar.Epoch }})
	if err != nil {
		t.Fatal(err)
	}
	reset := http.Header{"X-Ratelimit-Reset": {"1925089207"}}
	for _, c := range []struct {
		answer httpsend.Answer
		want   provider.Error
	}{
		{httpsend.Answer{Status: 400, Body: []byte(`{"errors":[{"message":"words","field":"personalizations.0.to.0.email"}]}`)}, provider.Error{Class: provider.BadRecipient, Code: "400", Detail: "words"}},
		{httpsend.Answer{Status: 400, Body: []byte(`{"errors":[{"message":"words","field":null}]}`)}, provider.Error{Class: provider.BadRequest, Code: "400", Detail: "words"}},
		{httpsend.Answer{Status: 429, Header: reset}, provider.Error{Class: provider.Throttled, Code: "429", Detail: "HTTP 429 Too Many Requests", RetryAfter: 7 * time.Second}},
		{httpsend.Answer{Status: 413, Body: []byte(`<html>`)}, provider.Error{Class: provider.BadRequest, Code: "413", Detail: "HTTP 413 Request Entity Too Large"}},
	} {
		if got := p.refusal(c.answer); *got != c.want {
			t.Errorf("%d %s: got %+v, want %+v", c.answer.Status, c.answer.Body, *got, c.want)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newFar(t)
	var got httpfar.Reports
	p := serve(t, s, &got)
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("a good key: %v", err)
	}
	s.Scopes = []string{"stats.read"}
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "may not send mail") {
		t.Errorf("a key for something else: %v", err)
	}
	p.apiKey = "SG.another"
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "does not know the api_key") {
		t.Errorf("a wrong key: %v", err)
	}
	p.base.Path = "/elsewhere"
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "is not known there (404)") {
		t.Errorf("another server: %v", err)
	}
	if n := len(s.Inbox()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestConfigurations(t *testing.T) {
	const least = `"api_key":"hunter2","from":"codes@example.com"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"from_name":"Acme\nBcc: eve@example.com"`:                                                                 "from_name holds a line break",
		least + `,"from_name":"Acme","base_url":"https://api.eu.sendgrid.com","public_key":"` + newFar(t).PublicKey() + `"`: "",
		`"from":"codes@example.com"`:       "api_key is missing",
		`"api_key":"hunter2"`:              "from is missing",
		`"api_key":"hunter2","from":"x"`:   "is not a bare address",
		least + `,"public_key":"hunter2!"`: "public_key is not the base64",
		least + `,"public_key":"AAAA"`:     "public_key is not an ECDSA key",
		least + `,"base_url":"http://gw"`:  "base_url: plain http",
		least + `,"timeout":"10"`:          "timeout",
		least + `,"sender":"x"`:            "unknown field",
	})
}

func TestTheManualNamesEveryDrop(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers/sendgrid.md")
	if err != nil {
		t.Fatal(err)
	}
	for reason, class := range drops {
		found := false
		for line := range strings.Lines(string(text)) {
			found = found || strings.HasPrefix(line, "| `"+class.String()+"`") && strings.Contains(line, reason)
		}
		if !found {
			t.Errorf("sendgrid.md does not say that %s is %v", reason, class)
		}
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add(`[{"event":"bounce","status":"5.1.1","sg_message_id":"a.b","verifyd_key":"VL1:1"}]`)
	f.Add(`[{"event":"dropped","reason":1}]`)
	f.Add(`[{"event":"dropped","reason":"Bounced Address","sg_message_id":"a.b"},{"event":"delivered","sg_message_id":"c","timestamp":1925089200}]`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readEvents(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
