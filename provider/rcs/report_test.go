package rcs

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// A vector of our own: printf '{"eventType":"DELIVERED","messageId":"m-1","agentId":"acme_agent"}' |
// openssl dgst -sha512 -hmac SJENCPGJESMGUFPY -binary | base64
const (
	vectorBody = `{"message":{"data":"eyJldmVudFR5cGUiOiJERUxJVkVSRUQiLCJtZXNzYWdlSWQiOiJtLTEiLCJhZ2VudElkIjoiYWNtZV9hZ2VudCJ9"}}`
	vector     = "0NkgdG8d3JVnKgxOExNGw0QShRY1iCvO4yakWPt46JzyS7oZSlZoG/jU3tbvSMy6zMrOocW5ja40rcCiQl3Unw=="
)

func call(p *Provider, got *httpfar.Reports, body, signature string) (int, []provider.Report) {
	return got.Call(p, httpfar.Post("/r", body, "X-Goog-Signature", signature))
}

func TestTheSignatureIsOfTheData(t *testing.T) {
	var got httpfar.Reports
	f := newFar(t)
	p := f.provider(got.Deps())
	for _, c := range []struct {
		name, body, signature string
		status                int
	}{
		{"right", vectorBody, vector, 204},
		{"something around it", strings.Replace(vectorBody, `{"message":{`, `{"message":{"attributes":{"type":"event"},`, 1), vector, 204},
		{"another event", strings.Replace(vectorBody, "IifQ", "IiB9", 1), vector, 403},
		{"in other letters", vectorBody, strings.ToLower(vector), 403},
		{"none", vectorBody, "", 403},
		{"no data", `{"message":{}}`, vector, 403},
		{"no JSON", `hunter2`, vector, 403},
	} {
		if c.name == "another event" {
			body, _ := fake.Sign("x", []byte(`{"eventType":"READ","messageId":"m-1","agentId":"acme_agent"}`))
			c.body = string(body)
		}
		status, recorded := call(p, &got, c.body, c.signature)
		if status != c.status || len(recorded) != map[int]int{204: 1, 403: 0}[c.status] {
			t.Errorf("%s: got %d %+v, want %d", c.name, status, recorded, c.status)
		}
	}
	unset := f.provider(got.Deps(), func(c *Config) { c.ClientToken = "" })
	body, signature := fake.Sign("", []byte(`{}`))
	if status, _ := call(unset, &got, string(body), signature); status != 403 {
		t.Errorf("without a token: got %d", status)
	}
}

func TestWhatEventsSay(t *testing.T) {
	var got httpfar.Reports
	p := newFar(t).provider(got.Deps())
	for _, c := range []struct {
		event string
		want  []provider.Report
	}{
		{`{"senderPhoneNumber":"+34612345678","eventType":"DELIVERED","eventId":"e","messageId":"m","agentId":"acme_agent","sendTime":"2031-01-02T03:00:00.5Z"}`,
			[]provider.Report{{ID: "m", State: provider.Delivered, At: epoch.Add(5e8)}}},
		{`{"eventType":"READ","messageId":"m","agentId":"acme_agent@rbm.goog"}`, []provider.Report{{ID: "m", State: provider.Read}}},
		{`{"phoneNumber":"+34612345678","eventType":"TTL_EXPIRATION_REVOKED","messageId":"m","agentId":"acme_agent"}`,
			[]provider.Report{{ID: "m", State: provider.Failed, Class: provider.Temporary, Code: "TTL_EXPIRATION_REVOKED"}}},
		{`{"eventType":"TTL_EXPIRATION_REVOKE_FAILED","messageId":"m","agentId":"acme_agent"}`,
			[]provider.Report{{ID: "m", State: provider.NotRevoked, Code: "TTL_EXPIRATION_REVOKE_FAILED"}}},
		{`{"eventType":"DELIVERED","messageId":"m","agentId":"another_agent"}`, nil},
		{`{"eventType":"DELIVERED","messageId":"m"}`, nil},
		{`{"eventType":"IS_TYPING","eventId":"e","agentId":"acme_agent"}`, nil},
		{`{"senderPhoneNumber":"+34612345678","messageId":"m","agentId":"acme_agent","text":"stop"}`, nil},
		{`{"eventType":"DELIVERED","messageId":["m"],"agentId":"acme_agent"}`, nil},
	} {
		body, signature := fake.Sign(clientToken, []byte(c.event))
		status, recorded := call(p, &got, string(body), signature)
		if status != 204 || !slices.Equal(recorded, c.want) {
			t.Errorf("%s: got %d %+v, want %+v", c.event, status, recorded, c.want)
		}
	}
	body, signature := fake.Sign(clientToken, []byte(`text`))
	if status, _ := call(p, &got, string(body), signature); status != 400 {
		t.Errorf("data that is no event: got %d", status)
	}
}

// The whole way: Google makes sure of the webhook, and calls it with what the telephone did.
func TestTheWebhookOfAnAgent(t *testing.T) {
	var got httpfar.Reports
	f := newFar(t)
	p := f.provider(got.Deps())
	hook := httptest.NewServer(http.HandlerFunc(p.ServeReport))
	defer hook.Close()
	if err := f.SetUp(t.Context(), hook.Client(), hook.URL); err != nil {
		t.Fatal(err)
	}
	m := providertest.Message("rcs", 1)
	a, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	f.Read(m.To)
	if err := f.Deliver(t.Context(), hook.Client(), hook.URL); err != nil {
		t.Fatal(err)
	}
	if len(got.All) != 2 || got.All[0].ID != a.ID || got.All[0].State != provider.Delivered || got.All[1].State != provider.Read {
		t.Errorf("%+v", got.All)
	}
}

func TestOnlyGoogleSetsTheWebhookUp(t *testing.T) {
	var got httpfar.Reports
	f := newFar(t)
	for _, c := range []struct {
		token, body string
		status      int
		says        string
	}{
		{clientToken, `{"clientToken":"SJENCPGJESMGUFPY","secret":"1234567890"}`, 200, "1234567890"},
		{clientToken, `{"clientToken":"SJENCPGJESMGUFPY","secret":"<script>"}`, 200, "<script>"},
		{clientToken, `{"clientToken":"other","secret":"1234567890"}`, 403, "not proved\n"},
		{"", `{"clientToken":"other","secret":"1234567890"}`, 403, "not proved\n"},
		{"", `{"clientToken":"","secret":"1234567890"}`, 403, "not proved\n"},
	} {
		p := f.provider(got.Deps(), func(config *Config) { config.ClientToken = c.token })
		w := httptest.NewRecorder()
		p.ServeReport(w, httpfar.Post("/r", c.body))
		if w.Code != c.status || w.Body.String() != c.says {
			t.Errorf("%s: got %d %q, want %d %q", c.body, w.Code, w.Body, c.status, c.says)
		}
		if h := w.Header(); h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser might take it for a page: %v", c.body, h)
		}
	}
}

// A call that is longer than a set-up is read whole.
func TestALongCallIsReadWhole(t *testing.T) {
	var got httpfar.Reports
	p := newFar(t).provider(got.Deps())
	body, signature := fake.Sign(clientToken, []byte(`{"eventType":"READ","messageId":"m","agentId":"acme_agent","text":"`+strings.Repeat("x", 8<<10)+`"}`))
	if status, recorded := call(p, &got, string(body), signature); status != 204 || len(recorded) != 1 {
		t.Errorf("got %d %+v", status, recorded)
	}
}

func FuzzReports(f *testing.F) {
	p := newFar(f).provider(provider.Deps{})
	f.Add([]byte(`{"eventType":"DELIVERED","messageId":"m","agentId":"acme_agent"}`))
	f.Add([]byte(`{"eventType":"TTL_EXPIRATION_REVOKED","messageId":7,"agentId":"acme_agent","sendTime":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		body, _ := fake.Sign(clientToken, data)
		reports, _ := p.readReports(nil, body)
		httpfar.CheckReports(t, string(data), reports)
	})
}
