package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

// TestRecordedRequests compares every byte that goes to a gateway with what was recorded, once
// per channel. A change of these files is a change of the contract.
func TestRecordedRequests(t *testing.T) {
	for _, channel := range providertest.Channels {
		t.Run(channel, func(t *testing.T) {
			wire := httpfar.NewWire(t, httpfar.Answering("202 Accepted", `{"id":"abc"}`))
			p := mustNew(t, Config{
				URL: "http://gateway.test/base/", AllowPlainHTTP: true, Secret: testSecret, From: "Acme",
				Headers: map[string]string{"x-tenant": "acme"},
			}, at(wire))
			m := providertest.Message(channel, 0)
			if channel == "rcs" {
				m.From, m.Deadline = "route-sender", time.Time{}
			}
			if _, err := p.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			wire.Compare(t, filepath.Join("testdata", channel+".http"))
		})
	}
}

// TestAReusedConnectionThatDiesSendsOnce is the trap of net/http: with an Idempotency-Key it
// repeats a POST on its own when a reused connection ends before the answer.
func TestAReusedConnectionThatDiesSendsOnce(t *testing.T) {
	ok := httpfar.Answering("202 Accepted", `{"id":"abc"}`)
	wire := httpfar.NewWire(t, func(n int, c net.Conn) bool { return n != 2 && ok(n, c) })
	p := mustNew(t, Config{URL: "http://gateway.test", AllowPlainHTTP: true, Secret: testSecret}, at(wire))

	if _, err := p.Send(t.Context(), providertest.Message("sms", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := p.Send(t.Context(), providertest.Message("sms", 2))
	if e := provider.AsError(err); err == nil || e.Class != provider.Unknown {
		t.Errorf("got %v, want class unknown", err)
	}
	if got := len(wire.Requests()); got != 2 {
		t.Errorf("%d requests were sent, want 2: one for each message", got)
	}
}

func TestAnswersOnTheWire(t *testing.T) {
	m := providertest.Message("sms", 1)
	for _, c := range []struct {
		name   string
		answer httpfar.Answer
		want   provider.Accepted
		class  provider.Class // 0: accepted
		detail string
	}{
		{name: "accepted", answer: httpfar.Answering("202 Accepted", `{"id":"abc","parts":2,"price":{"amount":"0.04","currency":"EUR"}}`),
			want: provider.Accepted{ID: "abc", Parts: 2, Price: provider.Price{Amount: "0.04", Currency: "EUR"}}},
		{name: "accepted without a body", answer: httpfar.Bytes("HTTP/1.1 204 No Content\r\n\r\n")},
		{name: "accepted, and the body breaks off", answer: httpfar.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":\"a")},
		{name: "a refusal that breaks off", answer: httpfar.Bytes("HTTP/1.1 429 Slow\r\nContent-Length: 99\r\n\r\n{\"err"),
			class: provider.Throttled, detail: "HTTP 429"},
		{name: "a redirect is not followed", class: provider.BadRequest, detail: "HTTP 307 Temporary Redirect",
			answer: httpfar.Bytes("HTTP/1.1 307 Elsewhere\r\nLocation: http://gateway.test/v2\r\nContent-Length: 0\r\n\r\n")},
		{name: "a redirect to nonsense", class: provider.BadRequest, detail: "HTTP 302 Found",
			answer: httpfar.Bytes("HTTP/1.1 302 Found\r\nLocation: ::\r\nContent-Length: 0\r\n\r\n")},
		{name: "an end without an answer", answer: httpfar.Bytes(""), class: provider.Unknown, detail: "did not answer: EOF"},
		{name: "not HTTP, and it repeats what it heard", class: provider.Unknown, detail: "malformed HTTP",
			answer: httpfar.Bytes("ERR " + m.To + " " + m.Code + " " + testSecret + "\r\n\r\n")},
		{name: "headers without an end", class: provider.Unknown, detail: "did not answer",
			answer: httpfar.Bytes("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 2*httpsend.MaxAnswer))},
		{name: "a body without an end", answer: func(_ int, c net.Conn) bool {
			io.WriteString(c, "HTTP/1.1 202 Accepted\r\n\r\n")
			for {
				if _, err := io.WriteString(c, strings.Repeat(" ", 1<<16)); err != nil {
					return false
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire := httpfar.NewWire(t, c.answer)
			p := mustNew(t, Config{URL: "http://gateway.test", AllowPlainHTTP: true, Secret: testSecret}, at(wire))
			got, err := p.Send(t.Context(), m)
			if c.class == 0 {
				if err != nil || got != c.want {
					t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
				}
				return
			}
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Class != c.class || !strings.Contains(e.Detail, c.detail) {
				t.Errorf("got %+v, %v\nwant class %v and a detail with %q", got, err, c.class, c.detail)
			}
			for _, never := range []string{m.To, m.Code, testSecret} {
				if strings.Contains(fmt.Sprint(err), never) {
					t.Errorf("the error repeats %q: %v", never, err)
				}
			}
			if len(wire.Requests()) != 1 {
				t.Errorf("%d requests were sent, want 1", len(wire.Requests()))
			}
		})
	}
}

func TestTheTimeoutIsTheProvidersOwn(t *testing.T) {
	g := newGateway(t, false, nil)
	g.Behave(providertest.Behaviour{Act: providertest.Hang})
	p := mustNew(t, Config{
		URL: g.URL, Secret: testSecret, Timeout: "50ms",
		Headers: map[string]string{"Authorization": testToken},
	}, provider.Deps{HTTP: g.Client()})
	_, err := p.Send(t.Context(), providertest.Message("sms", 1))
	e := provider.AsError(err)
	if !errors.Is(err, context.DeadlineExceeded) || e.Class != provider.Unknown && e.Class != provider.Temporary {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
}

func TestTheContractAllowsRepeating(t *testing.T) {
	var p provider.Provider = mustNew(t, Config{URL: "https://gw", Secret: testSecret}, provider.Deps{})
	if _, ok := p.(provider.Repeatable); !ok {
		t.Error("an httpapi provider is not Repeatable, but its gateway must know the Idempotency-Key")
	}
}

func TestWithoutATransportItMakesItsOwn(t *testing.T) {
	g := newGateway(t, false, nil)
	p := mustNew(t, Config{
		URL: g.URL, Secret: testSecret, Headers: map[string]string{"Authorization": testToken},
	}, provider.Deps{})
	if _, err := p.Send(t.Context(), providertest.Message("sms", 1)); err != nil {
		t.Error(err)
	}
}

func TestAKeyThatFitsNoHeaderIsRefused(t *testing.T) {
	g := newGateway(t, false, nil)
	p := mustNew(t, Config{URL: g.URL, Secret: testSecret}, provider.Deps{HTTP: g.Client()})
	for _, key := range []string{"", "VL1:1\r\nX-Evil: 1", "VL 1", "VLñ"} {
		m := providertest.Message("sms", 1)
		m.Key = key
		if _, err := p.Send(t.Context(), m); provider.AsError(err).Class != provider.BadRequest {
			t.Errorf("key %q: got %v, want class bad_request", key, err)
		}
	}
	if n := len(g.Taken()); n != 0 {
		t.Errorf("%d messages arrived, want none", n)
	}
}

func mustNew(t *testing.T, c Config, deps provider.Deps) *Provider {
	t.Helper()
	p, err := New(c, deps)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// at is a fixed time and the wire as the far end.
func at(wire *httpfar.Wire) provider.Deps {
	return provider.Deps{Now: func() time.Time { return epoch }, HTTP: wire.Client()}
}

// A gateway in Go: it checks the signature over the raw body, and answers with its identifier.
func ExampleSecret_Verify() {
	const shared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secret, err := ParseSecret(shared)
	if err != nil {
		panic(err)
	}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || secret.Verify(r.Header, body, time.Now()) != nil {
			http.Error(w, `{"error":{"class":"bad_request","code":"signature"}}`, http.StatusUnauthorized)
			return
		}
		var m Request
		if err := json.Unmarshal(body, &m); err != nil {
			http.Error(w, `{"error":{"class":"bad_request","code":"json"}}`, http.StatusBadRequest)
			return
		}
		fmt.Println(m.Channel, m.To, m.Text)
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"id":"abc","parts":1}`)
	}))
	defer gateway.Close()

	p, err := New(Config{URL: gateway.URL, Secret: shared}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{
		Key: "VL1:1", Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code",
	})
	fmt.Println(accepted.ID, err)
	// Output:
	// sms +34612345678 482913 is your Acme code
	// abc <nil>
}
