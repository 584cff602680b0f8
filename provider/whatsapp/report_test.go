package whatsapp

import (
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func reporting(t testing.TB, got *httpfar.Reports) *Provider {
	t.Helper()
	p, err := New(Config{PhoneNumberID: testNumber, AccessToken: testToken, AppSecret: "app-secret", VerifyToken: "our-word"}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sign(body string) string {
	return fmt.Sprintf("sha256=%x", httpreport.MAC(sha256.New, "app-secret", body))
}

// A vector of our own: openssl dgst -sha256 -hmac app-secret, over a body with an escape in it.
func TestTheSignatureIsOfTheBytes(t *testing.T) {
	const body = `{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.x","status":"delivered","timestamp":"1925089200","name":"Jos\u00e9"}]}}]}]}`
	const signature = "sha256=477f39137e4413386696afb8524f17cf4fd221688e7675eb92fb16febe52b50f"
	var got httpfar.Reports
	p := reporting(t, &got)
	for _, c := range []struct {
		name, body, signature string
		status                int
	}{
		{"right", body, signature, 204},
		{"the escape resolved", strings.Replace(body, `\u00e9`, "é", 1), signature, 403},
		{"without its prefix", body, strings.TrimPrefix(signature, "sha256="), 403},
		{"by SHA-1", body, "sha1=" + strings.Repeat("0", 40), 403},
		{"none", body, "", 403},
	} {
		status, recorded := got.Call(p, httpfar.Post("/r", c.body, "X-Hub-Signature-256", c.signature))
		if status != c.status || len(recorded) != map[int]int{204: 1, 403: 0}[c.status] {
			t.Errorf("%s: got %d %+v, want %d", c.name, status, recorded, c.status)
		}
	}
	unset, err := New(Config{PhoneNumberID: testNumber, AccessToken: testToken}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := got.Call(unset, httpfar.Post("/r", body, "X-Hub-Signature-256", fmt.Sprintf("sha256=%x", httpreport.MAC(sha256.New, "", body)))); status != 403 {
		t.Errorf("without a secret: got %d", status)
	}
}

func TestABatchOfUpdates(t *testing.T) {
	const body = `{"object":"whatsapp_business_account","entry":[
		{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"106540352242922"},"statuses":[
			{"id":"wamid.a","status":"sent","timestamp":"1925089200","recipient_id":"34612345678"},
			{"id":"wamid.a","status":"delivered","timestamp":"1925089200","biz_opaque_callback_data":"VL1:1","pricing":{"billable":true}},
			{"id":"wamid.b","status":"read","timestamp":"soon"},
			{"id":"wamid.c","status":"failed","timestamp":1925089200,"errors":[{"code":131026,"title":"Message undeliverable"}]}]}}]},
		{"id":"2","changes":[{"value":{"messages":[{"from":"34612345678","text":{"body":"stop"}}]}},{"value":{"statuses":[
			{"id":"wamid.d","status":"failed","errors":[{"code":131049}]},
			{"id":"wamid.e","status":"failed","errors":[{"code":131056}]},
			{"id":"wamid.f","status":"failed"},
			{"status":"delivered"}]}}]}]}`
	var got httpfar.Reports
	status, recorded := got.Call(reporting(t, &got), httpfar.Post("/r", body, "X-Hub-Signature-256", sign(body)))
	want := []provider.Report{
		{ID: "wamid.a", State: provider.Delivered, At: httpfar.Epoch},
		{ID: "wamid.b", State: provider.Read},
		{ID: "wamid.c", State: provider.Failed, Class: provider.BadRecipient, Code: "131026", At: httpfar.Epoch},
		{ID: "wamid.d", State: provider.Failed, Class: provider.Temporary, Code: "131049"},
		{ID: "wamid.e", State: provider.Failed, Class: provider.Throttled, Code: "131056"},
		{ID: "wamid.f", State: provider.Failed, Class: provider.Temporary},
	}
	if status != 204 || !slices.Equal(recorded, want) {
		t.Errorf("got %d\n%+v\nwant\n%+v", status, recorded, want)
	}
	if status, _ := got.Call(reporting(t, &got), httpfar.Post("/r", "{", "X-Hub-Signature-256", sign("{"))); status != 400 {
		t.Errorf("half a body: got %d", status)
	}
}

func TestMetaMakesSureOfTheURL(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got)
	for query, want := range map[string]string{
		"hub.mode=subscribe&hub.verify_token=our-word&hub.challenge=1158201444":     "200 1158201444",
		"hub.mode=subscribe&hub.verify_token=our-word&hub.challenge=%3Cscript%3E":   "200 <script>",
		"hub.mode=subscribe&hub.verify_token=another-word&hub.challenge=1158201444": "403 not proved\n",
		"hub.mode=unsubscribe&hub.verify_token=our-word&hub.challenge=1158201444":   "403 not proved\n",
		"":                                    "403 not proved\n",
		"hub.mode=subscribe&hub.verify_token": "403 not proved\n",
	} {
		w := httptest.NewRecorder()
		p.ServeReport(w, httptest.NewRequest("GET", "/r?"+query, nil))
		if got := fmt.Sprintf("%d %s", w.Code, w.Body); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
		if h := w.Header(); h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser might take it for a page: %v", query, h)
		}
	}
}

func FuzzReports(f *testing.F) {
	f.Add(`{"entry":[{"changes":[{"value":{"statuses":[{"id":"a","status":"failed","errors":[{"code":1}]}]}}]}]}`)
	f.Add(`{"entry":[{"changes":null}]}`)
	f.Add(`{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.x","status":"read","timestamp":"1925089200"},{"id":7,"status":"delivered","timestamp":-1}]}}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readReports(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
