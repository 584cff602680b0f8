package msg91

import (
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testKey = "s3cr3t-auth-k3y"

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testKey},
		Never:    []provider.Class{provider.BadRecipient}, // reports alone say so
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.MSG91(vendors.MSG91Account{Key: testKey, Template: "T1"})))
			deps.HTTP = v.Client()
			p, err := New(Config{AuthKey: testKey, TemplateID: "T1", BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{AuthKey: testKey, TemplateID: "T1", BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"type":"success","message":"a"}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	config.CodeVariable, config.BrandVariable = "VAR1", "VAR2"
	httpfar.Record(t, filepath.Join("testdata", "variables.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"auth_key":"hunter2","template_id":"T1"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"code_variable":"VAR1","brand_variable":"VAR2","allow_from":["192.0.2.7"]`: "",
		`"template_id":"T1"`:                 "auth_key is missing",
		`"auth_key":"hunter2"`:               "template_id is missing",
		least + `,"code_variable":"mobiles"`: "code_variable",
		least + `,"brand_variable":"##x##"`:  "brand_variable",
		least + `,"brand_variable":"otp"`:    "brand_variable is the code_variable too",
		least + `,"allow_from":["x"]`:        "allow_from",
		least + `,"base_url":"http://gw"`:    "base_url: plain http",
		least + `,"timeout":"10"`:            "timeout",
		least + `,"from":"x"`:                "unknown field",
	})
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
		{200, `{"type":"success","message":"336163736f643738313036393133"}`, "336163736f643738313036393133", 0, ""},
		{200, `{"type":"error","message":"template id missing"}`, "", provider.BadRequest, "200"},
		{200, `{"type":"error","message":"invalid","code":"201"}`, "", provider.BadRequest, "201"},
		{200, `{"type":"something"}`, "", provider.Unknown, "200"},
		{200, `<html>`, "", provider.Unknown, "200"},
		{401, `{"type":"error","message":"Authentication failure"}`, "", provider.BadRequest, "401"},
		{429, ``, "", provider.Throttled, "429"},
		{503, `{"type":"error"}`, "", provider.Temporary, "503"},
		{500, `{"type":"success","message":"a"}`, "", provider.Unknown, "500"},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got.ID != c.id) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code) {
			t.Errorf("%d %s: got %+v, %v, want %+v", c.status, c.body, got, e, c)
		}
	}
}

func TestReports(t *testing.T) {
	const text = `[{"senderId":"ACME","requestId":"a","report":[{"date":"2031-01-02 03:00:00","number":"919812345678","status":"1","desc":"DELIVERED"}]},
		{"requestId":"b","report":[{"status":"17"}]},{"requestId":"c","report":[{"status":16}]},{"requestId":"d","report":[{"status":"2"}]},
		{"requestId":"e","report":[{"status":"77"}]},{"requestId":"f","report":[]},{"report":[{"status":"1"}]}]`
	want := []provider.Report{
		{ID: "a", State: provider.Delivered},
		{ID: "b", State: provider.Failed, Class: provider.BadRecipient, Code: "17"},
		{ID: "c", State: provider.Failed, Class: provider.BadRequest, Code: "16"},
		{ID: "d", State: provider.Failed, Class: provider.Temporary, Code: "2"},
	}
	var got httpfar.Reports
	p, err := New(Config{AuthKey: testKey, TemplateID: "T1", AllowFrom: []string{"192.0.2.1"}}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]*http.Request{
		"JSON":   httpfar.Post("/r", text, httpfar.JSON...),
		"a form": httpfar.Post("/r", "data="+url.QueryEscape(text), httpfar.Form...),
	} {
		if status, recorded := got.Call(p, call); status != 204 || !slices.Equal(recorded, want) {
			t.Errorf("%s: got %d %+v, want %+v", name, status, recorded, want)
		}
	}
	for _, call := range []*http.Request{httpfar.Post("/r", "{}"), httpfar.Post("/r", "%", httpfar.Form...), httpfar.Post("/r", "data=x", httpfar.Form...)} {
		if status, _ := got.Call(p, call); status != 400 {
			t.Errorf("unreadable: got %d", status)
		}
	}
	call := httpfar.Post("/r", text)
	call.RemoteAddr = "203.0.113.7:1"
	if status, _ := got.Call(p, call); status != 403 {
		t.Errorf("from elsewhere: got %d", status)
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/msg91.md", 2, len(failures), func(code string) provider.Class { return failures.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"type":"success","message":"a"}`)
	f.Add(200, `{"type":"error","message":5}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if e == nil && status/100 != 2 || len(accepted.ID) > 255 || e != nil && e.Code == "" {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}

func FuzzReports(f *testing.F) {
	f.Add(`[{"requestId":"a","report":[{"status":"1"}]}]`)
	f.Add(`[{"requestId":7,"report":[{"status":16},{"status":"\u0000"}]},{"report":null}]`)
	f.Add("data=%5B%5D")
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readReports(httpfar.Post("/r", body), []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
