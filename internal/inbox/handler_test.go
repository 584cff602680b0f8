package inbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// ask makes one request of the handler. Header is names and values in turn.
func ask(in *Inbox, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	in.Handler().ServeHTTP(w, r)
	return w
}

const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestBrowsersGetThePageAndProgramsGetJSON(t *testing.T) {
	in := New(Options{})
	for _, test := range []struct{ target, accept, want string }{
		{"/dev/inbox", browserAccept, "text/html; charset=utf-8"},
		{"/dev/inbox?to=%2B34612345678", browserAccept, "text/html; charset=utf-8"},
		{"/dev/inbox", "Text/HTML", "text/html; charset=utf-8"},
		{"/dev/inbox?format=json", browserAccept, "application/json"},
		{"/dev/inbox", "application/json", "application/json"},
		{"/dev/inbox", "*/*", "application/json"},
		{"/dev/inbox", "text/html-ish", "application/json"},
		{"/dev/inbox", "", "application/json"},
	} {
		w := ask(in, http.MethodGet, test.target, "Accept", test.accept)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != test.want {
			t.Errorf("%s for %q: got %d %s, want 200 %s", test.target, test.accept, w.Code, got, test.want)
		}
		if got := w.Header().Get("Vary"); got != "Accept" {
			t.Errorf("%s for %q: Vary is %q", test.target, test.accept, got)
		}
	}
}

func TestEmptyListIsAList(t *testing.T) {
	if got, want := ask(New(Options{}), http.MethodGet, "/dev/inbox").Body.String(), `{"messages":[]}`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorsAreInTheShapeOfTheAPI(t *testing.T) {
	in := New(Options{})
	text := send(t, in, sampleSMS())
	in.Close()
	for _, test := range []struct{ method, target, want string }{
		{"GET", "/dev/inbox?wait=soon", `{"code":60200,"message":"Invalid parameter: wait","more_info":"https://www.twilio.com/docs/errors/60200","status":400}`},
		{"GET", "/dev/inbox?to=%25zz%zz", `{"code":60200,"message":"Invalid parameter: to","more_info":"https://www.twilio.com/docs/errors/60200","status":400}`},
		{"GET", "/dev/inbox/events?channel=fax", `{"code":60200,"message":"Invalid parameter: channel","more_info":"https://www.twilio.com/docs/errors/60200","status":400}`},
		{"DELETE", "/dev/inbox?to=%2B34612345678", `{"code":60200,"message":"Invalid parameter: to","more_info":"https://www.twilio.com/docs/errors/60200","status":400}`},
		{"DELETE", "/dev/inbox?%zz", `{"code":60200,"message":"Invalid parameter: %zz","more_info":"https://www.twilio.com/docs/errors/60200","status":400}`},
		{"GET", "/dev/inbox/messages/SM1", `{"code":20404,"message":"The requested resource /dev/inbox/messages/SM1 was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`},
		{"GET", "/dev/inbox/messages/" + text + "/html", `{"code":20404,"message":"The requested resource /dev/inbox/messages/` + text + `/html was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`},
		{"GET", "/dev/inbox/nowhere", `{"code":20404,"message":"The requested resource /dev/inbox/nowhere was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`},
		{"GET", "/dev/inbox/assets/page.html", `{"code":20404,"message":"The requested resource /dev/inbox/assets/page.html was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`},
		{"GET", "/dev/inbox/assets/nothing.js", `{"code":20404,"message":"The requested resource /dev/inbox/assets/nothing.js was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`},
		{"POST", "/dev/inbox", `{"code":20004,"message":"Method not allowed","more_info":"https://www.twilio.com/docs/errors/20004","status":405}`},
		{"GET", "/dev/inbox?wait=1s&to=1", `{"code":20503,"message":"Service is unavailable. Please try again","more_info":"https://www.twilio.com/docs/errors/20503","status":503}`},
	} {
		w := ask(in, test.method, test.target)
		if got := strings.TrimSuffix(w.Body.String(), "\n"); got != test.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", test.method, test.target, got, test.want)
		}
		var body struct{ Status int }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Status != w.Code {
			t.Errorf("%s %s: status %d, and in the body %d", test.method, test.target, w.Code, body.Status)
		}
	}
}

func TestOtherVerbsAreRefused(t *testing.T) {
	in := New(Options{})
	for target, want := range map[string]string{
		"/dev/inbox":                   "DELETE, GET, HEAD",
		"/dev/inbox/events":            "GET, HEAD",
		"/dev/inbox/messages/SM1":      "GET, HEAD",
		"/dev/inbox/messages/SM1/html": "GET, HEAD",
		"/dev/inbox/assets/inbox.css":  "GET, HEAD",
	} {
		for _, method := range []string{"POST", "PUT", "PATCH", "OPTIONS", "DELETE", "BREW"} {
			if strings.Contains(want, method) {
				continue
			}
			w := ask(in, method, target)
			if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != want {
				t.Errorf("%s %s: got %d, Allow %q; want 405, %q", method, target, w.Code, got, want)
			}
		}
	}
}

func TestDeleteEmptiesTheInbox(t *testing.T) {
	in := New(Options{})
	send(t, in, sampleSMS())
	w := ask(in, http.MethodDelete, "/dev/inbox")
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("got %d %s, want 204 without a body", w.Code, w.Body)
	}
	if got := len(in.Messages(t.Context(), Query{})); got != 0 {
		t.Errorf("%d messages are left", got)
	}
}

func TestOneMessageAndItsHTML(t *testing.T) {
	in := New(Options{})
	sid := send(t, in, sampleEmail())
	var m Message
	if err := json.Unmarshal(ask(in, http.MethodGet, "/dev/inbox/messages/"+sid).Body.Bytes(), &m); err != nil || m.SID != sid {
		t.Errorf("message: got %s, %v; want %s", m.SID, err, sid)
	}
	w := ask(in, http.MethodGet, "/dev/inbox/messages/"+sid+"/html")
	if got, want := w.Body.String(), sampleEmail().Email.HTML; got != want {
		t.Errorf("HTML:\ngot  %s\nwant %s", got, want)
	}
}

func TestAddressWithATrailingSlashIsForgiven(t *testing.T) {
	in := New(Options{})
	w := ask(in, http.MethodGet, "/dev/inbox/?to=%2B34612345678")
	if got, want := w.Header().Get("Location"), "/dev/inbox?to=%2B34612345678"; w.Code != http.StatusTemporaryRedirect || got != want {
		t.Errorf("got %d to %q, want 307 to %q", w.Code, got, want)
	}
	// A request that changes something is not sent on.
	if w := ask(in, http.MethodDelete, "/dev/inbox/"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: got %d, want 405", w.Code)
	}
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	in := New(Options{})
	sid := send(t, in, sampleEmail())
	for _, test := range []struct{ method, target, policy string }{
		{"GET", "/dev/inbox", pagePolicy},
		{"DELETE", "/dev/inbox?to=1", pagePolicy},
		{"POST", "/dev/inbox", pagePolicy},
		{"HEAD", "/dev/inbox/events", pagePolicy},
		{"GET", "/dev/inbox/messages/" + sid, pagePolicy},
		{"GET", "/dev/inbox/messages/" + sid + "/html", mailPolicy},
		{"GET", "/dev/inbox/messages/SM1/html", pagePolicy},
		{"GET", "/dev/inbox/assets/inbox.js", pagePolicy},
		{"GET", "/nowhere", pagePolicy},
	} {
		h := ask(in, test.method, test.target, "Accept", browserAccept, "Origin", "http://example.com").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy":      test.policy,
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
			"Access-Control-Allow-Origin":  "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s %s: %s: got %q, want %q", test.method, test.target, name, got, want)
			}
		}
	}
}

func TestPoliciesAllowNothingInlineAndNothingForeign(t *testing.T) {
	for _, forbidden := range []string{"unsafe", "http", "*", "blob:", "data:"} {
		if strings.Contains(pagePolicy, forbidden) {
			t.Errorf("the page's policy contains %s", forbidden)
		}
	}
	for _, demanded := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(pagePolicy, demanded) {
			t.Errorf("the page's policy lacks %s", demanded)
		}
	}
	for _, demanded := range []string{"sandbox;", "default-src 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(mailPolicy, demanded) {
			t.Errorf("the e-mail's policy lacks %s", demanded)
		}
	}
	for _, forbidden := range []string{"allow-", "script-src", "http"} {
		if strings.Contains(mailPolicy, forbidden) {
			t.Errorf("the e-mail's policy contains %s", forbidden)
		}
	}
}

const hostile = `</code></script><script>alert(1)</script><img src=x onerror=alert(1)>"'&`

func TestHostileTextCannotLeaveItsPlace(t *testing.T) {
	in := New(Options{Hint: hostile, State: func(context.Context, string) (string, error) { return hostile, nil }})
	m := provider.Message{
		Attempt: hostile, Verification: hostile, Channel: hostile, To: hostile, From: hostile, Locale: hostile,
		Code: hostile, Brand: hostile, Text: hostile, Encoding: hostile,
		Speech:   &provider.Speech{Language: hostile, Parts: []provider.SpeechPart{{Say: hostile}}},
		Template: &provider.Template{Name: hostile},
		Email:    &provider.Email{Subject: hostile, Text: hostile, HTML: hostile, From: hostile, FromName: hostile},
	}
	sid := send(t, in, m)

	// The page has the hint, escaped, and nothing else of anybody's.
	page := ask(in, http.MethodGet, "/dev/inbox?to="+`%3Cscript%3Ealert(1)%3C/script%3E`, "Accept", browserAccept).Body.String()
	if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") {
		t.Errorf("the page contains hostile elements:\n%s", page)
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Errorf("the page lacks the hint as text:\n%s", page)
	}
	// JSON has no angle bracket at all, so no browser takes it for a document.
	for _, target := range []string{"/dev/inbox", "/dev/inbox/messages/" + sid} {
		body := ask(in, http.MethodGet, target).Body.String()
		if strings.ContainsAny(body, "<>") {
			t.Errorf("%s contains angle brackets: %s", target, body)
		}
	}
	if body := ask(in, http.MethodGet, "/dev/inbox/messages/%3Cscript%3E").Body.String(); strings.ContainsAny(body, "<>") {
		t.Errorf("the error contains angle brackets: %s", body)
	}
}

func TestNoModuleWritesMarkup(t *testing.T) {
	for _, name := range assetNames(t) {
		b, err := assets.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc", "eval(", "new Function", "http://", "https://"} {
			if strings.Contains(strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", ""), forbidden) {
				t.Errorf("%s contains %s", name, forbidden)
			}
		}
	}
}

func TestPageHasNothingInline(t *testing.T) {
	page := ask(New(Options{Hint: "curl"}), http.MethodGet, "/dev/inbox", "Accept", browserAccept).Body.String()
	for _, forbidden := range []string{"<style", " style=", " onclick=", " onload=", "javascript:"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page contains %s", forbidden)
		}
	}
	for part := range strings.SplitSeq(page, "<script") {
		if head, body, _ := strings.Cut(part, ">"); strings.Contains(head, "src=") && !strings.HasPrefix(body, "</script>") {
			t.Errorf("a script has a body: %.80s", part)
		}
	}
	if !strings.Contains(page, `<code id="hint">curl</code>`) {
		t.Error("the page lacks the hint")
	}
	if page := ask(New(Options{}), http.MethodGet, "/dev/inbox", "Accept", browserAccept).Body.String(); strings.Contains(page, `id="hint"`) {
		t.Error("the page has an empty hint")
	}
}

func TestAssets(t *testing.T) {
	in := New(Options{})
	for _, name := range assetNames(t) {
		w := ask(in, http.MethodGet, "/dev/inbox/assets/"+name)
		want := map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}[name[strings.LastIndex(name, ".")+1:]]
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: got %d %s, want 200 %s", name, w.Code, got, want)
		}
	}
}

// assetNames are the files that the page asks for.
func assetNames(t *testing.T) []string {
	t.Helper()
	entries, err := assets.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".html") {
			names = append(names, e.Name())
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %d assets are embedded", len(names))
	}
	return names
}
