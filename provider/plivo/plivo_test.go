package plivo

import (
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
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testToken = "s3cr3t-t0ken"

var refusal = map[provider.Class]struct {
	status int
	about  string
}{
	provider.BadRecipient: {400, "dst"},
	provider.BadRequest:   {401, "auth"},
	provider.Temporary:    {503, ""},
	provider.Throttled:    {429, ""},
	provider.Unknown:      {500, ""},
}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"call"},
		Secrets:   []string{testToken},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Plivo(vendors.PlivoAccount{ID: "MA1", Token: testToken})))
			deps.HTTP = v.Client()
			p, err := New(Config{AuthID: "MA1", AuthToken: testToken, From: "Acme", CallFrom: "+15005550006", ReportURL: callReports,
				BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func exam(t *testing.T, never []provider.Class, channels ...string) {
	providertest.Run(t, providertest.Subject{
		Channels: channels,
		Never:    never,
		Secrets:  []string{testToken},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			var p *Provider
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					if r.URL.Path == "/v1/Account/MA1/Call/" {
						return hearCall(p, r)
					}
					var body request
					d := json.NewDecoder(r.Body)
					d.DisallowUnknownFields()
					if err := d.Decode(&body); err != nil {
						return providertest.Taken{}, err
					}
					id, token, _ := r.BasicAuth()
					if r.URL.Path != "/v1/Account/MA1/Message/" || id != "MA1" || token != testToken {
						return providertest.Taken{}, errors.New("the path or the token is wrong")
					}
					return providertest.Taken{To: "+" + body.Dst, Text: body.Text}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					w.WriteHeader(http.StatusAccepted)
					fmt.Fprintf(w, `{"message":"queued","message_uuid":[%q],"request_uuid":%q,"api_id":"x"}`, taken.ID, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					w.WriteHeader(refusal[b.Class].status)
					fmt.Fprintf(w, `{"api_id":"x","error":%q}`, refusal[b.Class].about+" "+b.Words)
				},
			})
			deps.HTTP = v.Client()
			var err error
			if p, err = New(Config{AuthID: "MA1", AuthToken: testToken, From: "Acme", CallFrom: "+15005550006", ReportURL: callReports,
				BaseURL: v.URL, Timeout: "2m"}, deps); err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{AuthID: "MA1", AuthToken: testToken, From: "Acme", BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("202 Accepted", `{"message_uuid":["a"]}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	m.From, config.ReportURL = "Other", "https://verify.example.com/reports/plivo/x"
	httpfar.Record(t, filepath.Join("testdata", "report.http"), taken, m, start)
	m.Country, m.Regulatory = "IN", &provider.Regulatory{DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}
	httpfar.Record(t, filepath.Join("testdata", "india.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"auth_id":"MA1","auth_token":"hunter2","from":"Acme"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"report_url":"https://v.example/r"`: "",
		`"auth_token":"hunter2","from":"Acme"`:        "auth_id is missing",
		`"auth_id":"MA1","from":"Acme"`:               "auth_token is missing",
		`"auth_id":"MA1","auth_token":"hunter2"`:      "from is missing",
		least + `,"report_url":"v.example"`:           "report_url is not",
		least + `,"base_url":"http://gw"`:             "base_url: plain http",
		least + `,"timeout":"10"`:                     "timeout",
		least + `,"src":"x"`:                          "unknown field",
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
		want   provider.Accepted
		class  provider.Class
	}{
		{202, `{"message":"message(s) queued","message_uuid":["db3ce55a-7f1d-11e1-8ea7-1231380bc196"],"api_id":"x"}`,
			provider.Accepted{ID: "db3ce55a-7f1d-11e1-8ea7-1231380bc196"}, 0},
		{202, `{"message_uuid":[]}`, provider.Accepted{}, 0},
		{202, `<html>`, provider.Accepted{}, 0},
		{400, `{"error":"invalid dst number"}`, provider.Accepted{}, provider.BadRecipient},
		{400, `{"error":{"dst":["is not a number"]}}`, provider.Accepted{}, provider.BadRecipient},
		{400, `{"error":"src is not allowed"}`, provider.Accepted{}, provider.BadRequest},
		{401, `{"error":"dst"}`, provider.Accepted{}, provider.BadRequest},
		{402, ``, provider.Accepted{}, provider.BadRequest},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, ``, provider.Accepted{}, provider.Temporary},
		{500, `{"error":"dst"}`, provider.Accepted{}, provider.Unknown},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func reporting(t testing.TB, got *httpfar.Reports, token, reportURL string) *Provider {
	t.Helper()
	p, err := New(Config{AuthID: "MA1", AuthToken: token, From: "Acme", ReportURL: reportURL}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The vector was made by the official Node library (tests/providers agrees).
func TestTheSignatureOfTheOfficialLibrary(t *testing.T) {
	const body = "MessageUUID=u1&Status=delivered&To=34612345678&MCC=214&MNC=07&TotalAmount=0.01"
	const signature = "PUHgltloeOyHM+hiwHC+8Xz7syWL/XOR4Qg4YRNuoos="
	var got httpfar.Reports
	p := reporting(t, &got, "tok", "https://verify.example.com/hooks/x")
	for _, c := range []struct {
		name, header, signature, nonce string
		status                         int
	}{
		{"right", "X-Plivo-Signature-V2", signature, "12345", 204},
		{"by the main account", "X-Plivo-Signature-Ma-V2", signature, "12345", 204},
		{"another nonce", "X-Plivo-Signature-V2", signature, "12346", 403},
		{"no nonce", "X-Plivo-Signature-V2", signature, "", 403},
		{"no signature", "X-Plivo-Signature-V2", "", "12345", 403},
	} {
		status, recorded := got.Call(p, httpfar.Post("/hooks/x?a=b", body, c.header, c.signature, "X-Plivo-Signature-V2-Nonce", c.nonce))
		if status != c.status {
			t.Errorf("%s: got %d, want %d", c.name, status, c.status)
		}
		want := []provider.Report{{ID: "u1", State: provider.Delivered, MCC: "214", MNC: "07", Price: provider.Price{Amount: "0.01", Currency: "USD"}}}
		if status == 204 && !slices.Equal(recorded, want) {
			t.Errorf("%s: got %+v, want %+v", c.name, recorded, want)
		}
	}
	if status, _ := got.Call(reporting(t, &got, "tok", ""), httpfar.Post("/hooks/x", body)); status != 403 {
		t.Errorf("without report_url: got %d", status)
	}
}

// https://www.plivo.com/docs/messaging/troubleshooting/error-codes
func TestErrorCodesAndTheirClasses(t *testing.T) {
	var kept httpfar.Reports
	p := reporting(t, &kept, "tok", "")
	for class, codes := range map[provider.Class][]string{
		provider.BadRecipient: {"50", "70", "200"},
		provider.BadRequest:   {"10", "30", "40", "60", "90", "100", "110"},
		provider.Temporary:    {"20", "80", "300", "420", "", "999"},
	} {
		for _, code := range codes {
			for _, state := range []string{"undelivered", "failed", "rejected"} {
				got, err := p.readReport(httpfar.Post("/r", ""), []byte("MessageUUID=p2&ParentMessageUUID=u1&Status="+state+"&ErrorCode="+code))
				want := []provider.Report{{ID: "u1", State: provider.Failed, Class: class, Code: code}}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s %s: got %+v, %v, want %+v", state, code, got, err, want)
				}
			}
		}
	}
	for _, form := range []string{"MessageUUID=u1&Status=sent", "MessageUUID=u1&Status=queued", "Status=delivered", ""} {
		if got, err := p.readReport(httpfar.Post("/r", ""), []byte(form)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", form, got, err)
		}
	}
	if _, err := p.readReport(httpfar.Post("/r", ""), []byte("%")); err == nil {
		t.Error("a broken form was read")
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/plivo.md", 2, len(failures), func(code string) provider.Class { return failures.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(202, `{"message_uuid":["a"]}`)
	f.Add(400, `{"error":"dst"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if (e == nil) != (status/100 == 2) || len(accepted.ID) > 255 {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}

func FuzzReports(f *testing.F) {
	var kept httpfar.Reports
	p := reporting(f, &kept, "tok", "")
	f.Add("MessageUUID=u1&Status=failed&ErrorCode=50")
	f.Add("CallUUID=u1&CallStatus=busy&TotalCost=0.1")
	f.Add("ParentMessageUUID=u0&MessageUUID=u1&Status=delivered&TotalAmount=0.00350&MCC=214&MNC=07")
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := p.readReport(httpfar.Post("/r", ""), []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
