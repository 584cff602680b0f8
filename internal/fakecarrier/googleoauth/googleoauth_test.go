package googleoauth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// What the endpoint refuses is told by the tests of package fcm, which stand at the wire.

func TestATokenThatNobodyGaveIsGoodForNothing(t *testing.T) {
	s, err := New("acme", "x", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, authorization := range []string{"", "Bearer ", "Bearer ya29.c.x", "Basic eA=="} {
		if g, ok := s.Bearer(authorization); ok || g.Has("scope") {
			t.Errorf("%q is the grant %+v", authorization, g)
		}
	}
}

func FuzzAssertion(f *testing.F) {
	s, err := New("acme", "x", nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.eA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, assertion string) {
		body := url.Values{"grant_type": {bearerGrant}, "assertion": {assertion}}.Encode()
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || s.Grants() != 0 {
			t.Errorf("%q was taken: %d %s", assertion, w.Code, w.Body)
		}
	})
}
