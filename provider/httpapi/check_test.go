package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		secret string // of the gateway
		answer http.HandlerFunc
		want   string // of the error; "" for none
		is     error
	}{
		{name: "well", secret: testSecret},
		{name: "another secret", secret: "another secret, long enough", want: "refuses our signature (401)"},
		{name: "a gateway without it", answer: http.NotFound, want: "no /v1/check", is: provider.ErrUnproven},
		{name: "a gateway that knows one method", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(405) }, want: "reached", is: provider.ErrUnproven},
		{name: "a gateway that is broken", answer: func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no database for "+strings.TrimPrefix(testSecret, "whsec_"), 500)
		}, want: "answers 500 to /v1/check: no database for [secret]"},
		{name: "a gateway that sends elsewhere", answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, want: "answers 302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.URL.Path != "/base/v1/check" || r.Header.Get("X-Tenant") != "acme" {
					t.Errorf("asked %s %s", r.Method, r.URL.Path)
				}
				if c.answer != nil {
					c.answer(w, r)
				} else if err := mustSecret(t, c.secret).Verify(r.Header, nil, time.Now()); err != nil {
					http.Error(w, err.Error(), http.StatusUnauthorized)
				}
			}))
			defer gateway.Close()
			p, err := New(Config{URL: gateway.URL + "/base", Secret: testSecret, Headers: map[string]string{"X-Tenant": "acme"}}, provider.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			var checker provider.Checker = p
			err = checker.Check(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestCheckOfAGatewayThatIsNotThere(t *testing.T) {
	gateway := httptest.NewServer(http.NotFoundHandler())
	gateway.Close()
	p, err := New(Config{URL: gateway.URL, Secret: testSecret}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "was not reached") {
		t.Errorf("%v", err)
	}
}
