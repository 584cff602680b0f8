package httpfar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// Desk is where a provider's Check asks by HTTP: the far end of a providertest.Checkup.
type Desk struct {
	// Asks is the one request that may come, its method and URL: "GET /v1/balance?type=4".
	Asks string
	// Shows are headers that it must have: the credentials.
	Shows map[string]string
	// Reads, if it is set, judges the rest of a request.
	Reads func(r *http.Request) error
	// Answer is the body of a 200.
	Answer string
	// Refuse answers a stranger and repeats words; nil is a 401 with the words as they are.
	Refuse func(w http.ResponseWriter, words string)
	// HTTP2 makes the desk speak it, with TLS.
	HTTP2 bool
}

// Start is that of a providertest.Checkup: build makes the provider with its right credentials, for a
// vendor at url.
func (d Desk) Start(build func(url string, deps provider.Deps) (provider.Provider, error)) func(testing.TB, provider.Deps, providertest.Situation) provider.Provider {
	return func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
		t.Helper()
		url, client := In(t, s, d.HTTP2, func(w http.ResponseWriter, r *http.Request) {
			if s == providertest.Stranger {
				d.refuse(w, d.careless(r))
				return
			}
			if err := d.judge(r); err != nil {
				t.Errorf("asked %s %s: %v", r.Method, r.URL, err)
			}
			fmt.Fprint(w, d.Answer)
		})
		deps.HTTP = client
		p, err := build(url, deps)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// In serves a vendor in a situation until the test ends: where nobody listens, where the certificate is
// for another name, or where nothing is ever said, vendor is not called. The client trusts the
// certificate. HTTP/2 comes with TLS.
func In(t testing.TB, s providertest.Situation, http2 bool, vendor http.HandlerFunc) (url string, client *http.Client) {
	t.Helper()
	stopped := make(chan struct{})
	if s == providertest.Silence {
		vendor = func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-stopped:
			}
		}
	}
	server := httptest.NewUnstartedServer(vendor)
	if server.EnableHTTP2 = http2; http2 || s == providertest.OtherName {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		close(stopped)
		server.Close()
	})
	url, transport := server.URL, server.Client().Transport.(*http.Transport).Clone()
	switch s {
	case providertest.OtherName:
		url = "https://vendor.test" // the certificate is for example.com
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		}
	case providertest.Nobody:
		server.Listener.Close()
	}
	t.Cleanup(transport.CloseIdleConnections)
	return url, &http.Client{Transport: transport}
}

func (d Desk) judge(r *http.Request) error {
	if got := r.Method + " " + r.URL.RequestURI(); got != d.Asks {
		return fmt.Errorf("want %s", d.Asks)
	}
	for name, value := range d.Shows {
		if r.Header.Get(name) != value {
			return fmt.Errorf("the header %s is not right", name)
		}
	}
	if d.Reads != nil {
		return d.Reads(r)
	}
	return nil
}

func (d Desk) refuse(w http.ResponseWriter, words string) {
	if d.Refuse != nil {
		d.Refuse(w, words)
		return
	}
	http.Error(w, words, http.StatusUnauthorized)
}

// careless repeats what a request shows of whoever sent it, as the worst of vendors would.
func (d Desk) careless(r *http.Request) string {
	words := []string{"no", r.URL.RequestURI(), r.Header.Get("Authorization")}
	if user, password, ok := r.BasicAuth(); ok {
		words = append(words, user, password)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Shows)) {
		words = append(words, r.Header.Get(name))
	}
	return strings.Join(words, " ")
}

// Said is an answer to a check, and what Check must make of it.
type Said struct {
	Status int
	Body   string
	// Want is a piece of the error's words, "" where there must be none.
	Want string
	// Unproven is whether the error is a provider.ErrUnproven.
	Unproven bool
}

// CheckWords has a vendor at url give each of the answers, to whatever it is asked.
func CheckWords(t *testing.T, build func(url string, deps provider.Deps) (provider.Provider, error), answers []Said) {
	t.Helper()
	for _, a := range answers {
		t.Run(fmt.Sprint(a.Status, " ", a.Body), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(a.Status)
				fmt.Fprint(w, a.Body)
			}))
			defer server.Close()
			p, err := build(server.URL, provider.Deps{HTTP: server.Client()})
			if err != nil {
				t.Fatal(err)
			}
			err = p.(provider.Checker).Check(t.Context())
			if (err == nil) != (a.Want == "") || err != nil && !strings.Contains(err.Error(), a.Want) || errors.Is(err, provider.ErrUnproven) != a.Unproven {
				t.Errorf("got %v, want %q, unproven %v", err, a.Want, a.Unproven)
			}
		})
	}
}
