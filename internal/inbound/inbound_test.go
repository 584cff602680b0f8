package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/inbound"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/provider"
)

// postman is a provider whose carrier calls.
type postman struct{ got []string }

func (*postman) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}

func (p *postman) ServeReport(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	p.got = append(p.got, r.URL.RawQuery+string(body))
	w.WriteHeader(http.StatusNoContent)
}

// deaf is a provider whose carrier does not.
type deaf struct{}

func (deaf) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}

func ring(t testing.TB, digits string) *keyring.Ring {
	t.Helper()
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat(digits, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestOnlyWhoKnowsTheURLReachesTheProvider(t *testing.T) {
	keys, p := ring(t, "42"), &postman{}
	h := inbound.Reports{Keys: keys, Log: slog.New(slog.DiscardHandler), Providers: map[string]provider.Provider{
		"gateway": p, "a/b c": p, "deaf": deaf{},
	}}
	path := inbound.Path(keys, "gateway")
	_, secret, _ := strings.Cut(path, "/gateway/")
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{path, "delivered", 204},
		{path + "?id=7", "", 204},
		{path + "/status", "more", 204},
		{inbound.Path(keys, "a/b c"), "", 204},
		{inbound.Path(keys, "deaf"), "", 404},
		{inbound.Path(keys, "nobody"), "", 404},
		{inbound.Path(ring(t, "43"), "gateway"), "", 404},
		{path[:len(path)-1] + "A", "", 404},
		{"/reports/gateway/", "", 404},
		{"/reports/gateway", "", 404},
		{"/reports/", "", 404},
		{"/reports/%zz/" + secret, "", 404},
		{"/reports/deaf/" + secret, "", 404},
		{path, strings.Repeat("x", 1<<20+1), 413},
	} {
		r := httptest.NewRequest("POST", "http://x/", strings.NewReader(c.body))
		raw, query, _ := strings.Cut(c.path, "?")
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = raw, raw, query
		if strings.Contains(raw, "%2F") {
			r = httptest.NewRequest("POST", "http://x"+raw, strings.NewReader(c.body))
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != c.want {
			t.Errorf("%s: %d, want %d", c.path, rec.Code, c.want)
		}
	}
	if got := fmt.Sprint(p.got); got != "[delivered id=7 more ]" {
		t.Errorf("the provider got %s", got)
	}
}

func TestSecretsAreLongAndDifferByProvider(t *testing.T) {
	keys := ring(t, "42")
	a, b := inbound.Path(keys, "a"), inbound.Path(keys, "b")
	if a[len("/reports/a/"):] == b[len("/reports/b/"):] || len(a) < len("/reports/a/")+22 {
		t.Errorf("%s and %s", a, b)
	}
	if a != inbound.Path(keys, "a") {
		t.Error("the URL changes from one call to the next")
	}
}

func FuzzPaths(f *testing.F) {
	keys := ring(f, "42")
	h := inbound.Reports{Keys: keys, Log: slog.New(slog.DiscardHandler), Providers: map[string]provider.Provider{"gateway": &postman{}}}
	f.Add(inbound.Path(keys, "gateway"))
	f.Add("/reports/gateway/AQ")
	f.Add("//reports///")
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest("POST", "http://x/", nil)
		r.URL.Path, r.URL.RawPath = path, ""
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 404 && !strings.HasPrefix(path, inbound.Path(keys, "gateway")) {
			t.Errorf("%q reached the provider", path)
		}
	})
}

func ExamplePath() {
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		fmt.Println(err)
	}
	path := inbound.Path(keys, "gateway")
	fmt.Println(path[:len("/reports/gateway/")], len(path))
	// Output: /reports/gateway/ 61
}
