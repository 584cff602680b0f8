package httpsend

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout leaves two seconds beyond the eight in which a far end has to begin its answer.
const DefaultTimeout = 10 * time.Second

// ParseTimeout reads the setting "timeout", which has the default where it is empty.
func ParseTimeout(setting string) (time.Duration, error) {
	if setting == "" {
		return DefaultTimeout, nil
	}
	d, err := time.ParseDuration(setting)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf(`timeout %q is not a duration like "10s"`, setting)
	}
	return d, nil
}

// ParseURL reads a setting that is an https URL, or an http URL to this host, or to any host if
// plain HTTP was allowed. It may have a query and no fragment. An error names the key and never
// repeats the URL: people put passwords into it.
func ParseURL(key, setting string, allowPlainHTTP bool) (*url.URL, error) {
	if setting == "" {
		return nil, fmt.Errorf("%s is missing", key)
	}
	u, err := url.Parse(setting)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("%s is not an http or https URL", key)
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("%s must not hold a password: put an Authorization into headers", key)
	case u.Fragment != "":
		return nil, fmt.Errorf("%s must not hold a fragment: nothing after # is ever sent", key)
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fmt.Errorf("%s is not an http or https URL", key)
	case !allowPlainHTTP && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%s: plain http to %s would show the codes to the network: "+
			"use https, or set allow_plain_http", key, u.Hostname())
	}
	return u, nil
}

// ParseBase is ParseURL for the base of an API, below which paths are put: it has no query.
func ParseBase(key, setting string, allowPlainHTTP bool) (*url.URL, error) {
	u, err := ParseURL(key, setting, allowPlainHTTP)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, fmt.Errorf("%s must end with its path: a query has no place in it", key)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hopByHop are the headers over which net/http has a will of its own.
var hopByHop = []string{"Connection", "Content-Length", "Host", "Trailer", "Transfer-Encoding"}

// ParseHeaders reads a setting "headers". Names of ours, in their canonical form, are refused, and
// so is what net/http decides by itself. An error never repeats a value.
func ParseHeaders(setting map[string]string, ours ...string) (http.Header, error) {
	taken := map[string]bool{}
	for _, name := range append(ours, hopByHop...) {
		taken[name] = true
	}
	h := http.Header{}
	for name, value := range setting {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !token(name):
			return nil, fmt.Errorf("headers: %q is not the name of a header", name)
		case taken[canonical]:
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

// Require gives an error for the first of the settings that is empty; they come as key and value.
func Require(settings ...string) error {
	for i := 0; i+1 < len(settings); i += 2 {
		if settings[i+1] == "" {
			return fmt.Errorf("%s is missing", settings[i])
		}
	}
	return nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// token is the grammar of header names (RFC 9110, 5.6.2).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// Printable says that s can be a header's value as it is.
func Printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
