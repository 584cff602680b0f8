package sinch

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testToken = "s3cr3t-t0ken"

var statusOf = map[provider.Class]int{
	provider.BadRequest: 403, provider.Temporary: 503, provider.Throttled: 429, provider.Unknown: 500,
}

// reader is a provider that reads reports.
func reader(t testing.TB) *Provider {
	t.Helper()
	p, err := New(Config{ServicePlanID: "p", APIToken: testToken}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"call"},
		Secrets:   []string{testToken, testAppSecret},
		Never:     []provider.Class{provider.BadRecipient}, // reports alone say so
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Sinch(vendors.SinchAccount{Plan: "plan", Token: testToken})))
			deps.HTTP = v.Client()
			p, err := New(Config{ServicePlanID: "plan", APIToken: testToken, ApplicationKey: testAppKey, ApplicationSecret: testAppSecret,
				CallFrom: "+15005550006", BaseURL: v.URL, VoiceBaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func exam(t *testing.T, channels ...string) {
	providertest.Run(t, providertest.Subject{
		Channels: channels,
		Secrets:  []string{testToken, testAppSecret},
		Never:    []provider.Class{provider.BadRecipient}, // reports alone say so
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					if r.URL.Path == "/calling/v1/callouts" {
						return hearCall(r)
					}
					var body request
					d := json.NewDecoder(r.Body)
					d.DisallowUnknownFields()
					if err := d.Decode(&body); err != nil || len(body.To) != 1 {
						return providertest.Taken{}, fmt.Errorf("to %d people: %w", len(body.To), err)
					}
					if r.URL.Path != "/xms/v1/plan/batches" || r.Header.Get("Authorization") != "Bearer "+testToken {
						return providertest.Taken{}, errors.New("the path or the token is wrong")
					}
					return providertest.Taken{To: "+" + body.To[0], Text: body.Body}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					w.WriteHeader(http.StatusCreated)
					fmt.Fprintf(w, `{"id":%q,"callId":%q,"to":["x"],"canceled":false}`, taken.ID, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					w.WriteHeader(statusOf[b.Class])
					fmt.Fprintf(w, `{"code":"some_words","text":%q,"errorCode":40001,"message":%q}`, b.Words, b.Words)
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{ServicePlanID: "plan", APIToken: testToken, ApplicationKey: testAppKey, ApplicationSecret: testAppSecret,
				CallFrom: "+15005550006", BaseURL: v.URL, VoiceBaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{ServicePlanID: "plan", APIToken: testToken, BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("201 Created", `{"id":"a"}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	config.From, config.ReportURL = "Acme", "https://verify.example.com/reports/sinch/x"
	httpfar.Record(t, filepath.Join("testdata", "report.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"service_plan_id":"p","api_token":"hunter2"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"region":"eu","from":"Acme","report_url":"https://v.example/r","webhook_secret":"hunter2","allow_from":["192.0.2.7"]`: "",
		`"api_token":"hunter2"`:             "service_plan_id is missing",
		`"service_plan_id":"p"`:             "api_token is missing",
		least + `,"region":"eu.evil.com/"`:  "region",
		least + `,"report_url":"v.example"`: "report_url is not",
		least + `,"allow_from":["x"]`:       "allow_from",
		least + `,"base_url":"http://gw"`:   "base_url: plain http",
		least + `,"timeout":"10"`:           "timeout",
		least + `,"token":"x"`:              "unknown field",
	})
	if s, err := (Config{ServicePlanID: "p/../q", APIToken: "x", Region: "eu"}).settings(); err != nil ||
		s.endpoint != "https://eu.sms.api.sinch.com/xms/v1/p%2F..%2Fq/batches" {
		t.Errorf("got %s, %v", s.endpoint, err)
	}
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		id     string
		class  provider.Class
		code   string
	}{
		{201, `{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["34612345678"]}`, "01FC66621XXXXX119Z8PMV1QPQ", 0, ""},
		{201, `<html>`, "", 0, ""},
		{400, `{"code":"syntax_invalid_parameter_format","text":"words"}`, "", provider.BadRequest, "syntax_invalid_parameter_format"},
		{401, ``, "", provider.BadRequest, "401"},
		{429, ``, "", provider.Throttled, "429"},
		{503, ``, "", provider.Temporary, "503"},
		{500, ``, "", provider.Unknown, "500"},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got.ID != c.id) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code) {
			t.Errorf("%d %s: got %+v, %v, want %+v", c.status, c.body, got, e, c)
		}
	}
}

const reportBody = `{"type":"recipient_delivery_report_sms","batch_id":"01F","recipient":"34612345678","code":%d,"status":%q,"at":"2031-01-02T03:00:00.000Z","operator":"21407","client_reference":"VL1:1"}`

// https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports
func TestReports(t *testing.T) {
	for _, c := range []struct {
		code   int
		status string
		state  provider.ReportState
		class  provider.Class
	}{
		{0, "Delivered", provider.Delivered, 0},
		{402, "Aborted", provider.Failed, provider.BadRecipient},
		{405, "Aborted", provider.Failed, provider.BadRequest},
		{408, "Aborted", provider.Failed, provider.BadRequest},
		{413, "Aborted", provider.Failed, provider.BadRequest},
		{403, "Aborted", provider.Failed, provider.Temporary},
		{406, "Expired", provider.Failed, provider.Temporary},
		{9, "Deleted", provider.Failed, provider.BadRecipient},
		{9, "Failed", provider.Failed, provider.Temporary},
		{9, "Rejected", provider.Failed, provider.Temporary},
		{400, "Queued", 0, 0},
		{401, "Dispatched", 0, 0},
		{0, "Unknown", 0, 0},
	} {
		got, err := reader(t).readReport(nil, fmt.Appendf(nil, reportBody, c.code, c.status))
		var want []provider.Report
		if c.state != 0 {
			want = []provider.Report{{ID: "01F", State: c.state, Class: c.class, At: httpfar.Epoch, MCC: "214", MNC: "07"}}
		}
		if c.class != 0 {
			want[0].Code = fmt.Sprint(c.code)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: got %+v, %v, want %+v", c, got, err, want)
		}
	}
	if got, err := reader(t).readReport(nil, []byte(`{"type":"mo_text","batch_id":"1","status":"Delivered"}`)); err != nil || got != nil {
		t.Errorf("a text of a person: got %+v, %v", got, err)
	}
	if _, err := reader(t).readReport(nil, []byte("{")); err == nil {
		t.Error("half a body was read")
	}
}

func TestTheSignatureIsChecked(t *testing.T) {
	var got httpfar.Reports
	body := fmt.Sprintf(reportBody, 0, "Delivered")
	sign := func(body, nonce, timestamp string) string {
		return base64.StdEncoding.EncodeToString(httpreport.MAC(sha256.New, "secret", body+"."+nonce+"."+timestamp))
	}
	now, old := fmt.Sprint(httpfar.Epoch.Unix()), fmt.Sprint(httpfar.Epoch.Unix()-301)
	p, err := New(Config{ServicePlanID: "p", APIToken: testToken, WebhookSecret: "secret", AllowFrom: []string{"192.0.2.1"}}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, signature, nonce, timestamp string
		status                            int
	}{
		{"right", sign(body, "n", now), "n", now, 204},
		{"another body", sign(body+" ", "n", now), "n", now, 403},
		{"another nonce", sign(body, "n", now), "m", now, 403},
		{"long ago", sign(body, "n", old), "n", old, 403},
		{"no time", sign(body, "n", ""), "n", "", 403},
		{"none", "", "", "", 403},
	} {
		call := httpfar.Post("/r", body, "x-sinch-webhook-signature", c.signature, "x-sinch-webhook-signature-nonce", c.nonce,
			"x-sinch-webhook-signature-timestamp", c.timestamp)
		if status, _ := got.Call(p, call); status != c.status {
			t.Errorf("%s: got %d, want %d", c.name, status, c.status)
		}
		call = httpfar.Post("/r", body)
		call.RemoteAddr = "203.0.113.7:1"
		if status, _ := got.Call(p, call); status != 403 {
			t.Errorf("from elsewhere: got %d", status)
		}
	}
	open, err := New(Config{ServicePlanID: "p", APIToken: testToken}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := got.Call(open, httpfar.Post("/r", body)); status != 204 {
		t.Errorf("a plan that does not sign: got %d", status)
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/sinch.md", 2, len(failures), func(code string) provider.Class { return failures.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(201, `{"id":"a"}`)
	f.Add(400, `{"code":"x","text":"y"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if (e == nil) != (status/100 == 2) || len(accepted.ID) > 255 {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}

func FuzzReports(f *testing.F) {
	f.Add(fmt.Sprintf(reportBody, 402, "Aborted"))
	f.Add(fmt.Sprintf(reportBody, 0, "Delivered"))
	f.Add(`{"type":"recipient_delivery_report_sms","batch_id":7,"code":"x","status":"Deleted","operator":21407,"at":"now"}`)
	f.Fuzz(func(t *testing.T, body string) {
		if _, ok := ofCall([]byte(body)); ok {
			return // FuzzCallsAreTold; without a key for calls none is proved
		}
		reports, _ := reader(t).readReport(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
