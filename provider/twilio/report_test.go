package twilio

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func reporting(t testing.TB, token, reportURL string, got *httpfar.Reports) *Provider {
	t.Helper()
	p, err := New(Config{AccountSID: testAccount, AuthToken: token, From: "x", ReportURL: reportURL}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func call(p *Provider, target, signature, body string) int {
	w := httptest.NewRecorder()
	p.ServeReport(w, httpfar.Post(target, body, append(httpfar.Form, "X-Twilio-Signature", signature)...))
	return w.Code
}

// The vector was made by the official Node library (validateRequest agrees with it in
// tests/providers).
func TestTheSignatureOfTheOfficialLibrary(t *testing.T) {
	const signature = "lDstATUNNn3DD3wOrwkP7Q0VomA="
	const body = "MessageStatus=delivered&To=%2B34612345678&MessageSid=SM1"
	var got httpfar.Reports
	p := reporting(t, "tok", "https://verify.example.com/hooks/x?a=1&b=2", &got)
	if status := call(p, "http://10.0.0.7/hooks/x?a=1&b=2", signature, body); status != 204 {
		t.Fatalf("got %d, want 204", status)
	}
	if want := []provider.Report{{ID: "SM1", State: provider.Delivered}}; !slices.Equal(got.All, want) {
		t.Errorf("got %+v, want %+v", got.All, want)
	}
	for name, c := range map[string][3]string{
		"another body":      {"/hooks/x?a=1&b=2", signature, body + "&x=y"},
		"another query":     {"/hooks/x?a=1&b=3", signature, body},
		"another signature": {"/hooks/x?a=1&b=2", "lDstATUNNn3DD3wOrwkP7Q0VomB=", body},
		"no signature":      {"/hooks/x?a=1&b=2", "", body},
		"a broken body":     {"/hooks/x?a=1&b=2", signature, "%"},
	} {
		if status := call(p, c[0], c[1], c[2]); status != 403 {
			t.Errorf("%s: got %d, want 403", name, status)
		}
	}
}

func sign(token, signed string) string {
	return base64.StdEncoding.EncodeToString(httpreport.MAC(sha1.New, token, signed))
}

func TestVariantsOfSignatures(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, "tok", "https://v.example/r", &got)
	const body = "MessageSid=SM1&MessageStatus=delivered&A=2&A=1&A=2"
	const params = "A1A2MessageSidSM1MessageStatusdelivered"
	for name, signature := range map[string]string{
		"without a port": sign("tok", "https://v.example/r"+params),
		"with the port":  sign("tok", "https://v.example:443/r"+params),
	} {
		if status := call(p, "/r", signature, body); status != 204 {
			t.Errorf("%s: got %d", name, status)
		}
	}
	ported := reporting(t, "tok", "https://v.example:8443/r", &got)
	for _, host := range []string{"v.example:8443", "v.example"} {
		if status := call(ported, "/r", sign("tok", "https://"+host+"/r"+params), body); status != 204 {
			t.Errorf("signed for %s: got %d", host, status)
		}
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(`{"a":1}`)))
	if status := call(p, "/r?bodySHA256="+sum, sign("tok", "https://v.example/r?bodySHA256="+sum), `{"a":1}`); status != 204 {
		t.Errorf("a JSON body: got %d", status)
	}
	if status := call(p, "/r?bodySHA256="+sum, sign("tok", "https://v.example/r?bodySHA256="+sum), `{"a":2}`); status != 403 {
		t.Errorf("another JSON body: got %d", status)
	}
	unset := reporting(t, "tok", "", &got)
	if status := call(unset, "/r", sign("tok", ""), ""); status != 403 {
		t.Errorf("without report_url: got %d", status)
	}
}

func TestStatusCallbacks(t *testing.T) {
	var kept httpfar.Reports
	p := reporting(t, "tok", "https://v.example/r", &kept)
	for form, want := range map[string][]provider.Report{
		"MessageSid=SM1&MessageStatus=delivered":                   {{ID: "SM1", State: provider.Delivered}},
		"MessageSid=SM1&MessageStatus=read":                        {{ID: "SM1", State: provider.Read}},
		"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005": {{ID: "SM1", State: provider.Failed, Class: provider.BadRecipient, Code: "30005"}},
		"MessageSid=SM1&MessageStatus=failed&ErrorCode=30007":      {{ID: "SM1", State: provider.Failed, Class: provider.BadRequest, Code: "30007"}},
		"MessageSid=SM1&MessageStatus=failed&ErrorCode=30001":      {{ID: "SM1", State: provider.Failed, Class: provider.Throttled, Code: "30001"}},
		"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003": {{ID: "SM1", State: provider.Failed, Class: provider.Temporary, Code: "30003"}},
		"MessageSid=SM1&MessageStatus=failed":                      {{ID: "SM1", State: provider.Failed, Class: provider.Temporary}},
		"MessageSid=SM1&MessageStatus=sent":                        nil,
		"MessageSid=SM1&MessageStatus=queued":                      nil,
		"MessageStatus=delivered":                                  nil,
		"":                                                         nil,
	} {
		got, err := p.readReport(nil, []byte(form))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", form, got, err, want)
		}
	}
	if _, err := p.readReport(nil, []byte("%")); err == nil {
		t.Error("a broken form was read")
	}
}

func FuzzReports(f *testing.F) {
	f.Add("MessageSid=SM1&MessageStatus=failed&ErrorCode=30005", "lDstATUNNn3DD3wOrwkP7Q0VomA=")
	f.Add("A=1&A=2&%", "")
	var kept httpfar.Reports
	p := reporting(f, "tok", "https://v.example/r", &kept)
	f.Fuzz(func(t *testing.T, body, signature string) {
		reports, _ := p.readReport(httpfar.Post("/r", body), []byte(body))
		httpfar.CheckReports(t, body, reports)
		form, err := url.ParseQuery(body)
		if err == nil && call(p, "/r", sign("tok", "https://v.example/r"+sortedParams(form)), body) == 403 {
			t.Errorf("%q: its signature was refused", body)
		}
		call(p, "/r", signature, body)
	})
}
