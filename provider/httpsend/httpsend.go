// Package httpsend carries one message by one HTTP request, and says where it broke. It is for
// providers whose vendor has an HTTP API: they write the request and read the answer, and this
// package decides what silence means.
//
// The idea is that a request leaves once. No redirect is followed, because a message with a code
// in it goes nowhere else; net/http is kept from repeating a request when a connection dies; and
// whether the last byte had left when it broke is the difference between Temporary and Unknown.
//
// It knows no vendor: what a status or a field of a body means beyond RFC 9110 is the provider's.
package httpsend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// MaxAnswer is how many bytes of an answer's body are read, and how many its header may have. It
// is more than any vendor needs to take a message over.
const MaxAnswer = 64 << 10

// Sender sends requests for one provider. It is safe for concurrent use.
type Sender struct {
	transport http.RoundTripper
	timeout   time.Duration
	now       func() time.Time
	secrets   []string
}

// New makes a Sender that gives every request up after timeout, and that repeats none of secrets
// in an error. Of deps it uses HTTP, where nil means a transport of its own, and Now.
func New(deps provider.Deps, timeout time.Duration, secrets ...string) *Sender {
	s := &Sender{transport: transport(deps.HTTP), timeout: timeout, now: deps.Now, secrets: secrets}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// transport is lent by the server, or made. The client around it is not used: a RoundTripper
// follows no redirects.
func transport(lent *http.Client) http.RoundTripper {
	if lent != nil && lent.Transport != nil {
		return lent.Transport
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,

		MaxResponseHeaderBytes: MaxAnswer,
	}
}

// Request is what one message becomes.
type Request struct {
	Method string // "POST" where it is empty
	URL    string
	Header http.Header // may be nil; it is not changed
	Body   []byte
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	// Body is as much of the body as arrived, MaxAnswer bytes at most: the status has been read,
	// so a body that breaks off is judged by what there is of it.
	Body []byte
}

// OK says that the status is a 2xx.
func (a Answer) OK() bool { return a.Status/100 == 2 }

// Do sends r, once, and reads the answer. The error is a *provider.Error: Temporary if the other
// side cannot have read the last byte, Unknown if it may have, BadRequest if r is no request at
// all. Its words hold nothing of m, of the secrets, nor of the request's Authorization.
func (s *Sender) Do(ctx context.Context, r Request, m provider.Message) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	content := &content{rest: bytes.NewReader(r.Body)}
	if len(r.Body) == 0 {
		// The header alone is the message, and its last byte leaves unseen.
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteHeaderField: func(string, []string) { content.taken.Store(true) },
		})
	}
	req, err := newRequest(ctx, r, content)
	if err != nil {
		// The error repeats the URL, in which some vendors want the password.
		return Answer{}, &provider.Error{Class: provider.BadRequest, Detail: "the URL or the method of the request is not valid"}
	}
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		return Answer{}, s.noAnswer(ctx, err, content.taken.Load(), req.Header, m)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer)) // see Answer.Body
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func newRequest(ctx context.Context, r Request, content *content) (*http.Request, error) {
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, nil)
	if err != nil {
		return nil, err
	}
	// net/http quietly sends again when a reused connection dies before the answer, if the request
	// is a GET or carries an Idempotency-Key, and if it can have the body a second time. So there
	// is always a body, be it empty, and never a GetBody: a second text is worse than an Unknown,
	// which routing understands.
	req.Body, req.ContentLength, req.GetBody = content, int64(len(r.Body)), nil

	req.Header = r.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "verifyd")
	}
	return req, nil
}

// content is the body of a request. It remembers that its last byte was taken, after which nobody
// can say that it did not arrive: httptrace reports a written request only when the other side may
// have long begun to work on it.
type content struct {
	rest  *bytes.Reader
	taken atomic.Bool
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.rest.Read(p)
	if c.rest.Len() == 0 {
		c.taken.Store(true)
	}
	return n, err
}

func (c *content) Close() error { return nil }

// noAnswer is the class of silence: a far end that cannot have read the last byte has sent nothing.
func (s *Sender) noAnswer(ctx context.Context, err error, taken bool, h http.Header, m provider.Message) *provider.Error {
	e := &provider.Error{Class: provider.Temporary, Detail: "was not reached"}
	if taken && !untouched(err) {
		e.Class, e.Detail = provider.Unknown, "did not answer"
	}
	if ctx.Err() != nil {
		e.Err = ctx.Err()
		return e
	}
	// The text alone is kept: net/http quotes a malformed answer, which may repeat the request.
	_, credentials, _ := strings.Cut(h.Get("Authorization"), " ")
	e.Detail += ": " + s.Excerpt(err.Error(), m, credentials)
	return e
}

// untouched says that the other side of an HTTP/2 connection has declared that it did not look at
// the stream: it refused it, or went away with an earlier one as its last (RFC 9113, 6.8 and 8.7).
// net/http tells it in words alone, to which a test holds it.
func untouched(err error) bool {
	return strings.HasPrefix(err.Error(), "http2: Transport: cannot retry err [") ||
		strings.HasPrefix(err.Error(), "http2: Transport received GOAWAY from server")
}

// Excerpt is provider.Excerpt with the Sender's secrets, and more of them that only this request
// knows.
func (s *Sender) Excerpt(words string, m provider.Message, more ...string) string {
	return provider.Excerpt(words, m, slices.Concat(s.secrets, more)...)
}

// Refusal is the error that an answer means by its status alone, with the status as its code and
// the Retry-After that came along. A provider that finds more in the body writes it over.
func (s *Sender) Refusal(a Answer) *provider.Error {
	return &provider.Error{
		Class:      Class(a.Status),
		Code:       strconv.Itoa(a.Status),
		Detail:     strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.Status, http.StatusText(a.Status))),
		RetryAfter: RetryAfter(a.Header, s.now()),
	}
}

// Unsaid blanks in a failure what must not be repeated: Code and Detail may be the vendor's words.
func (s *Sender) Unsaid(e *provider.Error, m provider.Message) *provider.Error {
	e.Code = s.Excerpt(e.Code, m)
	e.Detail = s.Excerpt(e.Detail, m)
	return e
}

// Send is Do for a message: read gives the acceptance or the error that an answer means, of which it is
// given what the status says (Refusal). The error is a *provider.Error that repeats nothing of m and of
// the secrets (Unsaid).
func (s *Sender) Send(
	ctx context.Context, r Request, m provider.Message, read func(Answer, *provider.Error) (provider.Accepted, *provider.Error),
) (provider.Accepted, error) {
	answer, err := s.Do(ctx, r, m)
	if err != nil {
		return provider.Accepted{}, err
	}
	accepted, failure := read(answer, s.Refusal(answer))
	if failure != nil {
		return provider.Accepted{}, s.Unsaid(failure, m)
	}
	return accepted, nil
}

// Life is what is left of the code's life in whole seconds, but no less than lo and no more than hi:
// a message that arrives later is useless. It is hi where m has no deadline.
func (s *Sender) Life(m provider.Message, lo, hi time.Duration) time.Duration {
	if m.Deadline.IsZero() {
		return hi
	}
	return min(max(m.Deadline.Sub(s.now()).Truncate(time.Second), lo), hi)
}
