package api

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// Only a browser sends Origin, and only a browser looks at the answer's Access-Control headers.
func TestABrowserIsAllowedIn(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a := New(verify.NewEngine(store, nil, time.Now, rand.Reader, nil), "", log)
	for _, c := range []struct {
		method, origin string
		status         int
		allow          string
	}{
		{http.MethodOptions, "https://shop.example.com", http.StatusNoContent, "*"},
		{http.MethodGet, "https://shop.example.com", http.StatusUnauthorized, "*"},
		{http.MethodGet, "", http.StatusUnauthorized, ""},
	} {
		r := httptest.NewRequest(c.method, "/v2/Services", nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != c.status || got != c.allow {
			t.Errorf("%s from %q: %d, allowed %q, want %d, %q", c.method, c.origin, w.Code, got, c.status, c.allow)
		}
	}
}
