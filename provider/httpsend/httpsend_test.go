package httpsend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const secret = "s3cr3t-t0ken"

func sender(wire *httpfar.Wire) *httpsend.Sender {
	return httpsend.New(provider.Deps{HTTP: wire.Client()}, time.Minute, secret)
}

var requests = map[string]httpsend.Request{
	"POST": {URL: "http://vendor.test/send", Body: []byte("text=1234")},
	"GET":  {Method: http.MethodGet, URL: "http://vendor.test/send?text=1234"},
	"POST with a key": {URL: "http://vendor.test/send", Body: []byte("text=1234"),
		Header: http.Header{"Idempotency-Key": {"VL1:1"}}},
	"GET with a key": {Method: http.MethodGet, URL: "http://vendor.test/send",
		Header: http.Header{"Idempotency-Key": {"VL1:1"}}},
}

// net/http sends a GET, or anything with an Idempotency-Key, again by itself when a reused
// connection ends before the answer (channels, "HTTP: where it broke").
func TestAReusedConnectionThatDiesSendsOnce(t *testing.T) {
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			ok := httpfar.Answering("202 Accepted", "id-1")
			wire := httpfar.NewWire(t, func(n int, c net.Conn) bool { return n != 2 && ok(n, c) })
			s := sender(wire)
			if a, err := s.Do(t.Context(), r, provider.Message{}); err != nil || !a.OK() || string(a.Body) != "id-1" {
				t.Fatalf("the first: %+v, %v", a, err)
			}
			_, err := s.Do(t.Context(), r, provider.Message{})
			if e := provider.AsError(err); err == nil || e.Class != provider.Unknown {
				t.Errorf("got %v, want class unknown", err)
			}
			if n := len(wire.Requests()); n != 2 {
				t.Errorf("%d requests were sent, want 2: one for each message", n)
			}
		})
	}
}

func TestAGetHasNoBody(t *testing.T) {
	wire := httpfar.NewWire(t, httpfar.Answering("200 OK", ""))
	if _, err := sender(wire).Do(t.Context(), requests["GET"], provider.Message{}); err != nil {
		t.Fatal(err)
	}
	want := "GET /send?text=1234 HTTP/1.1\r\nHost: vendor.test\r\nUser-Agent: verifyd\r\nAccept-Encoding: gzip\r\n\r\n"
	if got := string(wire.Requests()[0]); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSilenceBeforeAndAfterTheLastByte(t *testing.T) {
	for name, r := range requests {
		t.Run(name+", and an end without an answer", func(t *testing.T) {
			wire := httpfar.NewWire(t, httpfar.Bytes(""))
			_, err := sender(wire).Do(t.Context(), r, provider.Message{})
			if e := provider.AsError(err); e.Class != provider.Unknown || !strings.Contains(e.Detail, "did not answer: EOF") {
				t.Errorf("got %v, want class unknown", err)
			}
		})
		t.Run(name+", and nobody there", func(t *testing.T) {
			s := httpsend.New(provider.Deps{HTTP: &http.Client{Transport: &http.Transport{
				DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") },
			}}}, time.Minute)
			_, err := s.Do(t.Context(), r, provider.Message{})
			if e := provider.AsError(err); e.Class != provider.Temporary || !strings.Contains(e.Detail, "not reached: no route to host") {
				t.Errorf("got %v, want class temporary", err)
			}
		})
		t.Run(name+", and a context that is over", func(t *testing.T) {
			wire := httpfar.NewWire(t, httpfar.Answering("200 OK", ""))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := sender(wire).Do(ctx, r, provider.Message{})
			if e := provider.AsError(err); e.Class != provider.Temporary || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want class temporary", err)
			}
			if n := len(wire.Requests()); n != 0 {
				t.Errorf("%d requests were sent, want none", n)
			}
		})
	}
}

func TestARequestThatIsNoneIsBad(t *testing.T) {
	s := httpsend.New(provider.Deps{}, time.Minute)
	for _, r := range []httpsend.Request{
		{URL: "http://vendor.test/\x7f" + secret},
		{Method: "A B", URL: "http://vendor.test"},
	} {
		_, err := s.Do(t.Context(), r, provider.Message{})
		if e := provider.AsError(err); e.Class != provider.BadRequest || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v, want class bad_request and no secret", err)
		}
	}
}

func TestAnswersAreReadAsFarAsTheyGo(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer httpfar.Answer
		status int
		body   string
	}{
		{"whole", httpfar.Answering("202 Accepted", "abc"), 202, "abc"},
		{"broken off", httpfar.Bytes("HTTP/1.1 429 Slow\r\nContent-Length: 99\r\n\r\n{\"err"), 429, `{"err`},
		{"a redirect is not followed", httpfar.Bytes("HTTP/1.1 307 Elsewhere\r\nLocation: http://vendor.test/v2\r\nContent-Length: 0\r\n\r\n"), 307, ""},
		{"a redirect to nonsense", httpfar.Bytes("HTTP/1.1 302 Found\r\nLocation: ::\r\nContent-Length: 0\r\n\r\n"), 302, ""},
		{"without an end", func(_ int, c net.Conn) bool {
			io.WriteString(c, "HTTP/1.1 202 Accepted\r\n\r\n")
			for {
				if _, err := io.WriteString(c, strings.Repeat("x", 1<<16)); err != nil {
					return false
				}
			}
		}, 202, strings.Repeat("x", httpsend.MaxAnswer)},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire := httpfar.NewWire(t, c.answer)
			a, err := sender(wire).Do(t.Context(), requests["POST"], provider.Message{})
			if err != nil || a.Status != c.status || string(a.Body) != c.body {
				t.Errorf("got %d, %.20q, %v, want %d, %.20q", a.Status, a.Body, err, c.status, c.body)
			}
			if n := len(wire.Requests()); n != 1 {
				t.Errorf("%d requests were sent, want 1", n)
			}
		})
	}
}

func TestAMalformedAnswerRepeatsNothing(t *testing.T) {
	m := providertest.Message("sms", 1)
	wire := httpfar.NewWire(t, httpfar.Bytes("ERR "+m.To+" "+m.Code+" "+secret+" fr3sh-t0ken\r\n\r\n"))
	r := requests["POST"]
	r.Header = http.Header{"Authorization": {"Bearer fr3sh-t0ken"}}
	_, err := sender(wire).Do(t.Context(), r, m)
	if e := provider.AsError(err); e.Class != provider.Unknown || !strings.Contains(e.Detail, "malformed HTTP") {
		t.Fatalf("got %v, want class unknown", err)
	}
	for _, never := range []string{m.To, m.Code, secret, "fr3sh-t0ken"} {
		if strings.Contains(fmt.Sprint(err), never) {
			t.Errorf("the error repeats %q: %v", never, err)
		}
	}
}

func TestTheTimeoutEndsIt(t *testing.T) {
	stop := make(chan struct{})
	wire := httpfar.NewWire(t, func(int, net.Conn) bool { <-stop; return false })
	defer close(stop)
	s := httpsend.New(provider.Deps{HTTP: wire.Client()}, 50*time.Millisecond)
	_, err := s.Do(t.Context(), requests["POST"], provider.Message{})
	e := provider.AsError(err)
	if !errors.Is(err, context.DeadlineExceeded) || e.Class != provider.Unknown && e.Class != provider.Temporary {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
}

func TestTheHeaderOfTheRequestIsNotChanged(t *testing.T) {
	wire := httpfar.NewWire(t, httpfar.Answering("200 OK", ""))
	r := requests["POST"]
	r.Header = http.Header{"X-Tenant": {"acme"}}
	if _, err := sender(wire).Do(t.Context(), r, provider.Message{}); err != nil {
		t.Fatal(err)
	}
	if len(r.Header) != 1 {
		t.Errorf("the header is now %v", r.Header)
	}
}

func TestWithoutATransportItMakesItsOwn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	a, err := httpsend.New(provider.Deps{}, time.Minute).Do(t.Context(), httpsend.Request{URL: server.URL}, provider.Message{})
	if err != nil || a.Status != 204 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestRefusals(t *testing.T) {
	now := time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)
	s := httpsend.New(provider.Deps{Now: func() time.Time { return now }}, time.Minute, secret)
	got := s.Refusal(httpsend.Answer{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
	want := provider.Error{Class: provider.Throttled, Code: "429", Detail: "HTTP 429 Too Many Requests", RetryAfter: 7 * time.Second}
	if *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := s.Refusal(httpsend.Answer{Status: 599}); got.Detail != "HTTP 599" || got.Class != provider.Unknown {
		t.Errorf("got %+v", got)
	}
	m := providertest.Message("sms", 1)
	e := s.Unsaid(&provider.Error{Code: "58 " + m.To, Detail: "no " + m.Code + " " + secret}, m)
	if e.Code != "58 [to]" || e.Detail != "no [code] [secret]" {
		t.Errorf("got %+v", e)
	}
}

func TestSendReadsTheAnswerAndRepeatsNoSecretOfIt(t *testing.T) {
	status := http.StatusCreated
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, secret)
	}))
	defer server.Close()
	s, m := httpsend.New(provider.Deps{}, time.Minute, secret), providertest.Message("sms", 1)
	read := func(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
		if a.OK() {
			return provider.Accepted{ID: "abc"}, nil
		}
		refusal.Detail = "no " + string(a.Body)
		return provider.Accepted{}, refusal
	}
	got, err := s.Send(t.Context(), httpsend.Request{URL: server.URL}, m, read)
	if got.ID != "abc" || err != nil {
		t.Errorf("201: got %+v, %v; want abc", got, err)
	}
	status = http.StatusForbidden
	_, err = s.Send(t.Context(), httpsend.Request{URL: server.URL}, m, read)
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Class != provider.BadRequest || e.Code != "403" || e.Detail != "no [secret]" {
		t.Errorf("403: got %#v, want a BadRequest 403 without the secret", err)
	}
	server.Close()
	if _, err = s.Send(t.Context(), httpsend.Request{URL: server.URL}, m, read); err == nil {
		t.Error("nobody there: got no error")
	}
}

// A vendor that takes JSON, and answers 201 with an identifier.
func ExampleSender() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"abc"}`)
	}))
	defer vendor.Close()

	m := provider.Message{To: "+34612345678", Text: "482913 is your Acme code"}
	body, _ := json.Marshal(map[string]string{"to": m.To, "text": m.Text})
	s := httpsend.New(provider.Deps{}, 10*time.Second, "the API key")
	a, err := s.Do(context.Background(), httpsend.Request{URL: vendor.URL, Body: body}, m)
	if err == nil && !a.OK() {
		err = s.Refusal(a)
	}
	fmt.Println(a.Status, string(a.Body), err)
	// Output: 201 {"id":"abc"} <nil>
}
