package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLogsHaveNoCodeNoNumberNoToken(t *testing.T) {
	w := newWorld(t)
	play := "POST /v2/Services FriendlyName=Acme\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=sms"
	w.play(play)
	code := w.code(w.names["VE1"])
	w.play("POST /v2/Services/$VA1/VerificationCheck To=+34612345678 Code=" + code +
		"\nGET /v2/Services/$VA1/Verifications/+34612345678\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=fax")
	log := w.log.String()
	if n := strings.Count(log, "\n"); n != 5 {
		t.Errorf("%d lines for 5 requests", n)
	}
	for _, secret := range []string{code, "612345678", w.token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s in it:\n%s", secret, log)
		}
	}
}

func TestRefusedCredentials(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ user, password, text string }{
		{"", "", "Authentication Error - No credentials provided"},
		{w.account, "wrong", "Authentication Error - invalid username"},
		{"AC00000000000000000000000000000000", w.token, "Authentication Error - invalid username"},
	} {
		rec := w.as(c.user, c.password, "GET", "/v2/Services", "")
		var body struct {
			Code, Status int
			Message      string
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		if rec.Code != 401 || body.Code != 20003 || body.Status != 401 || body.Message != c.text || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", c.user, rec.Code, rec.Body)
		}
	}
}

// Bodies that are no form are refused whole.
func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	for name, body := range map[string]string{
		"bad escape":          "FriendlyName=%zz",
		"invalid UTF-8":       "FriendlyName=%ff",
		"NUL":                 "FriendlyName=a%00b",
		"too many parameters": strings.Repeat("a=b&", 101),
		"too large":           "FriendlyName=" + strings.Repeat("x", 70_000),
	} {
		rec := w.do("POST", "/v2/Services", body)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), `"code":60200`) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	r := httptest.NewRequest("POST", "/v2/Services", strings.NewReader(`{"FriendlyName":"Acme"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(w.account, w.token)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != 400 {
		t.Errorf("a JSON body: %d", rec.Code)
	}
	if rec := w.do("GET", "/v2/Services", ""); strings.Contains(rec.Body.String(), `"sid"`) {
		t.Errorf("a refused body has made a service: %s", rec.Body)
	}
}

func TestPathsAreTakenAsTheyAreSent(t *testing.T) {
	w := newWorld(t)
	w.play("POST /v2/Services FriendlyName=Acme\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=sms")
	at := "/v2/Services/" + w.names["VA1"] + "/Verifications/"
	for path, status := range map[string]int{
		at + "%2B34612345678":                  200,
		at + "+34612345678":                    200,
		at + "34612345678":                     400, // no plus sign: no number
		at:                                     404,
		"//v2/Services":                        404,
		"/v2/Services/":                        404,
		"/v2/../v2/Services":                   404,
		"/v2/Services/" + w.names["VA1"] + "/": 404,
	} {
		if rec := w.do("GET", path, ""); rec.Code != status {
			t.Errorf("GET %s: %d, want %d, %s", path, rec.Code, status, rec.Body)
		}
	}
}

// Every page of a list leads to the next, and together they hold every service once.
func TestPages(t *testing.T) {
	w := newWorld(t)
	const n = 7
	for range n {
		w.now = w.now.Add(time.Second)
		w.do("POST", "/v2/Services", "FriendlyName=Acme")
	}
	seen := map[string]bool{}
	next := "https://verify.example.com/v2/Services?PageSize=3&Page=0"
	for pages := 0; next != ""; pages++ {
		if pages > n {
			t.Fatal("the pages do not end")
		}
		rec := w.do("GET", strings.TrimPrefix(next, "https://verify.example.com"), "")
		var body struct {
			Services []struct{ SID string }
			Meta     struct {
				Next     *string `json:"next_page_url"`
				Previous *string `json:"previous_page_url"`
				Key      string
			}
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != 200 || body.Meta.Key != "services" {
			t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
		}
		if (body.Meta.Previous == nil) != (pages == 0) {
			t.Errorf("page %d: previous is %v", pages, body.Meta.Previous)
		}
		for _, s := range body.Services {
			if seen[s.SID] {
				t.Errorf("%s is listed twice", s.SID)
			}
			seen[s.SID] = true
		}
		next = ""
		if body.Meta.Next != nil {
			next = *body.Meta.Next
		}
	}
	if len(seen) != n {
		t.Errorf("%d services are listed, want %d", len(seen), n)
	}
}
