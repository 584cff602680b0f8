package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// callTimeout is longer than a server takes for any answer.
	callTimeout = 30 * time.Second
	// maxAnswer is many times a page of a thousand attempts.
	maxAnswer = 16 << 20
)

// Client calls the REST API of one server.
type Client struct {
	base           string // without a slash at its end
	account, token string
	source         string // where the credentials were found, for people
	hint           string // what to do if nobody answers
	http           *http.Client
}

// newClient makes the client of a server. The address is http or https, and a host.
func newClient(base, account, token, source, hint string) (*Client, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is no address of a server; want one as https://verify.example.com", base)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the address of the server %s has more than scheme, host and path", u.Redacted())
	}
	return &Client{
		base: strings.TrimSuffix(base, "/"), account: account, token: token, source: source, hint: hint,
		// A redirected POST would lose its body, and credentials must not follow a redirect.
		http: &http.Client{Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// reply is an answer that is no refusal. body is JSON, or empty after a 204.
type reply struct {
	header http.Header
	body   []byte
}

// Refusal is an error that the server answered with.
type Refusal struct {
	Code       int // Twilio's
	Status     int // of HTTP
	Message    string
	Reason     string // Verifyd-Reason: why there is no such verification
	RetryAfter string // seconds
	RateLimit  string // the unique name of the rate limit that was reached
	hint       string
}

func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d: %s (HTTP %d)", r.Code, printable(r.Message), r.Status)
	for _, more := range [][2]string{{"reason: ", r.Reason}, {"rate limit: ", r.RateLimit}, {"seconds to wait: ", r.RetryAfter}, {"", r.hint}} {
		if more[1] != "" {
			b.WriteString("; " + more[0] + printable(more[1]))
		}
	}
	return b.String()
}

// call calls the API. values go into the query of a GET and into the form of a POST.
func (c *Client) call(ctx context.Context, method, path string, values url.Values) (*reply, error) {
	address, body := c.base+path, io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(values.Encode())
	} else if len(values) > 0 {
		address += "?" + values.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(c.account, c.token)
	r.Header.Set("User-Agent", "verifyd")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreached(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.unreached(err)
	case len(got) > maxAnswer:
		return nil, fmt.Errorf("the answer of %s has more than %d MB", c.base, maxAnswer>>20)
	case resp.StatusCode >= 300:
		return nil, c.refusal(resp, got)
	case resp.StatusCode != http.StatusNoContent && !json.Valid(got):
		return nil, c.stranger(resp.Status)
	}
	return &reply{resp.Header, bytes.TrimSpace(got)}, nil
}

// refusal reads the API's error. What has no code was not answered by a verifyd.
func (c *Client) refusal(resp *http.Response, body []byte) error {
	var e struct {
		Code    int
		Message string
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Code == 0 {
		return c.stranger(resp.Status)
	}
	r := &Refusal{
		Code: e.Code, Status: resp.StatusCode, Message: e.Message, Reason: resp.Header.Get("Verifyd-Reason"),
		RetryAfter: resp.Header.Get("Retry-After"), RateLimit: resp.Header.Get("Twilio-Reached-Rate-Limit"),
	}
	if r.Status == http.StatusUnauthorized && r.Code == codeUnauthorized {
		r.hint = fmt.Sprintf("%s does not know the credentials %s", c.base, c.source)
	}
	return r
}

// codeUnauthorized is the code for wrong credentials, and not for a channel that answers 401 as well.
const codeUnauthorized = 20003

func (c *Client) stranger(status string) error {
	return fmt.Errorf("%s answers %s, and not as a verifyd does; is that its address?", c.base, printable(status))
}

// unreached says of a call without an answer what failed, without the URL, which may hold a number.
func (c *Client) unreached(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		err = e.Err
	}
	return fmt.Errorf("%s does not answer: %w; %s", c.base, err, c.hint)
}
