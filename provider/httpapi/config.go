package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// defaultTimeout leaves two seconds beyond the eight in which a gateway has to answer.
const defaultTimeout = 10 * time.Second

// Config is the [providers.X] table of a provider of type "httpapi".
type Config struct {
	// URL is the base of the gateway's API; messages are posted to URL + "/v1/send".
	URL string `json:"url"`
	// Secret signs the requests: "whsec_" and base64, or a text of 16 characters or more.
	Secret string `json:"secret"`
	// Timeout is the limit for one message, from dialling to the end of the answer: "10s".
	Timeout string `json:"timeout"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// Headers are sent along, an Authorization for a proxy in between for instance.
	Headers map[string]string `json:"headers"`
	// AllowPlainHTTP permits http:// to hosts other than this one. Codes then cross the network
	// in the clear.
	AllowPlainHTTP bool `json:"allow_plain_http"`
}

// endpoint never repeats the URL in an error: people put passwords into it.
func (c Config) endpoint() (string, error) {
	if c.URL == "" {
		return "", errors.New("url is missing: the base of the gateway's API")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return "", errors.New("url is not an http or https URL")
	}
	switch {
	case u.User != nil:
		return "", errors.New("url must not hold a password: put an Authorization into headers")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("url must end with its path: a query or fragment has no place in it")
	case u.Scheme == "https":
	case u.Scheme != "http":
		return "", errors.New("url is not an http or https URL")
	case !c.AllowPlainHTTP && !loopback(u.Hostname()):
		return "", fmt.Errorf("url: plain http to %s would show the codes to the network: "+
			"use https, or set allow_plain_http", u.Hostname())
	}
	return u.JoinPath("v1", "send").String(), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c Config) timeout() (time.Duration, error) {
	if c.Timeout == "" {
		return defaultTimeout, nil
	}
	d, err := time.ParseDuration(c.Timeout)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf(`timeout %q is not a duration like "10s"`, c.Timeout)
	}
	return d, nil
}

// ours are the headers that the contract gives a meaning, or net/http a will of its own.
var ours = map[string]bool{
	"Accept": true, "Connection": true, "Content-Length": true, "Content-Type": true, "Host": true,
	"Idempotency-Key": true, "Trailer": true, "Transfer-Encoding": true, "User-Agent": true,
	HeaderID: true, HeaderTimestamp: true, HeaderSignature: true,
}

func (c Config) headers() (http.Header, error) {
	h := http.Header{}
	for name, value := range c.Headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !token(name):
			return nil, fmt.Errorf("headers: %q is not the name of a header", name)
		case ours[canonical]:
			return nil, fmt.Errorf("headers: %s is set by verifyd", canonical)
		case strings.ContainsFunc(value, control):
			return nil, fmt.Errorf("headers: the value of %s holds a line break or control character", canonical)
		case h[canonical] != nil:
			return nil, fmt.Errorf("headers: %s is there twice", canonical)
		}
		h.Set(canonical, value)
	}
	return h, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// token is the grammar of header names (RFC 9110, 5.6.2).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// printable says that s can be a header's value as it is.
func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
