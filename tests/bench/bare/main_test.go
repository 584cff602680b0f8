package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswersAreThoseOfAVerification(t *testing.T) {
	for _, c := range []struct {
		path, form string
		status     int
		says       string
	}{
		{"/v2/Services/VA0/Verifications", "To=%2B34600000000", 201, `"status":"pending"`},
		{"/v2/Services/VA0/VerificationCheck", "To=%2B34600000000&Code=1", 200, `"status":"approved"`},
		{"/v2/Services/VA0/VerificationCheck", "Code=1", 400, ""},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("AC0", "token")
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: got %d %s, want %d with %s", c.path, c.form, w.Code, w.Body, c.status, c.says)
		}
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest("GET", "/livez", nil))
	if w.Code != http.StatusOK {
		t.Errorf("GET /livez: got %d, want 200", w.Code)
	}
}
