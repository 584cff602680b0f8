package postmark

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	far "github.com/verifyd/verifyd/internal/fakecarrier/postmark"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testToken    = "s3cr3t-server-t0ken"
	testPassword = "s3cr3t-r3port-password"
)

// refusal is an answer that means each class.
var refusal = map[provider.Class]far.Refusal{
	provider.BadRecipient: {HTTP: 422, Code: 406},
	provider.BadRequest:   {HTTP: 422, Code: 405},
	provider.Temporary:    {HTTP: 503, Code: 100},
	provider.Throttled:    {HTTP: 429, Code: 429},
	provider.Unknown:      {HTTP: 500},
}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"email"},
		Secrets:  []string{testToken, testPassword},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			s := far.New(testToken)
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					m, refused := s.Read(r)
					if refused != nil {
						return providertest.Taken{}, errors.New(refused.Words)
					}
					return providertest.Taken{To: m.To, Text: m.Subject + m.Text + m.HTML}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					fmt.Fprintf(w, `{"ErrorCode":0,"Message":"OK","MessageID":%q}`, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					r := refusal[b.Class]
					r.Words = b.Words
					r.Write(w)
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{ServerToken: testToken, From: "codes@auth.example.com", ReportUsername: "verifyd", ReportPassword: testPassword,
				BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	for name, c := range map[string]Config{
		"plain": {},
		"named": {FromName: `Ácme "Codes"`, MessageStream: "codes"},
	} {
		c.ServerToken, c.From, c.BaseURL = testToken, "codes@auth.example.com", "http://localhost"
		httpfar.Record(t, filepath.Join("testdata", name+".http"), httpfar.Answering("200 OK", `{"ErrorCode":0,"MessageID":"a"}`),
			providertest.Message("email", 0), func(d provider.Deps) (provider.Provider, error) { return New(c, d) })
	}
}

// serve lets a provider talk to s.
func serve(t testing.TB, s *far.Server, got *httpfar.Reports) *Provider {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	p, err := New(Config{ServerToken: testToken, From: "codes@auth.example.com", FromName: "Ácme, Inc.", ReportUsername: "verifyd",
		ReportPassword: testPassword, BaseURL: server.URL}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// webhook is a call of Postmark's.
func webhook(user, password, body string) *http.Request {
	r := httpfar.Post("/r", body, httpfar.JSON...)
	r.SetBasicAuth(user, password)
	return r
}

func TestAMailAndWhatBecameOfIt(t *testing.T) {
	s := far.New(testToken)
	var got httpfar.Reports
	p := serve(t, s, &got)
	m := providertest.Message("email", 1)
	accepted, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	sent := s.Inbox()[0]
	if accepted.ID != sent.ID || sent.Headers["X-Entity-Ref-ID"] != m.Attempt || sent.Stream != "outbound" || !strings.HasSuffix(sent.From, "<codes@auth.example.com>") {
		t.Errorf("got %+v, and the mail %+v", accepted, sent)
	}
	body := fmt.Sprintf(`{"RecordType":"Delivery","MessageID":%q,"Recipient":%q,"DeliveredAt":"2031-01-01T22:00:00-05:00"}`, accepted.ID, m.To)
	want := []provider.Report{{ID: accepted.ID, State: provider.Delivered, At: httpfar.Epoch}}
	for range 2 { // Postmark may call again
		if status, recorded := got.Call(p, webhook("verifyd", testPassword, body)); status != 204 || !slices.Equal(recorded, want) {
			t.Errorf("got %d %+v, want %+v", status, recorded, want)
		}
	}
	for name, r := range map[string]*http.Request{
		"a wrong password": webhook("verifyd", "guess", body),
		"a wrong name":     webhook("guess", testPassword, body),
		"no password":      httpfar.Post("/r", body),
	} {
		if status, recorded := got.Call(p, r); status != 403 || len(recorded) != 0 {
			t.Errorf("%s: got %d %+v", name, status, recorded)
		}
	}
	p.password = ""
	if status, _ := got.Call(p, webhook("verifyd", "", body)); status != 403 {
		t.Errorf("without report_password: got %d", status)
	}
}

// https://postmarkapp.com/developer/api/bounce-api#bounce-types
func TestBouncesAndTheirClasses(t *testing.T) {
	for class, codes := range map[provider.Class]string{
		provider.BadRecipient: "1 100000",
		provider.BadRequest:   "512 8192 100002 100003 100006 100007 100009",
		provider.Temporary:    "2 256 2048 4096 77",
		0:                     "16 32 64 128 16384 100001",
	} {
		for code := range strings.FieldsSeq(codes) {
			got, err := readEvent(nil, []byte(`{"RecordType":"Bounce","MessageID":"a","TypeCode":`+code+`}`))
			var want []provider.Report
			if class != 0 {
				want = []provider.Report{{ID: "a", State: provider.Failed, Class: class, Code: code}}
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, %v, want %+v", code, got, err, want)
			}
		}
	}
	for _, body := range []string{`{"RecordType":"Open","MessageID":"a"}`, `{"RecordType":"SpamComplaint","MessageID":"a"}`, `{"RecordType":"Delivery"}`} {
		if got, err := readEvent(nil, []byte(body)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	if _, err := readEvent(nil, []byte("words")); err == nil {
		t.Error("words were read")
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
		{200, `{"ErrorCode":0,"Message":"OK","MessageID":"a"}`, "a", 0, ""},
		{200, `<html>`, "", 0, ""},
		{200, `{"ErrorCode":406,"Message":"words"}`, "", provider.BadRecipient, "406"},
		{422, `{"ErrorCode":300,"Message":"Invalid 'To' address: 'x'."}`, "", provider.BadRecipient, "300"},
		{422, `{"ErrorCode":300,"Message":"Invalid 'From' address: 'x'."}`, "", provider.BadRequest, "300"},
		{401, `{"ErrorCode":10,"Message":"words"}`, "", provider.BadRequest, "10"},
		{422, `{"ErrorCode":1235,"Message":"no such stream"}`, "", provider.BadRequest, "1235"},
		{503, ``, "", provider.Temporary, "503"},
		{500, `{"ErrorCode":0}`, "", provider.Unknown, "0"},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got.ID != c.id) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code) {
			t.Errorf("%d %s: got %+v, %+v, want %+v", c.status, c.body, got, e, c)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := far.New(testToken)
	var got httpfar.Reports
	p := serve(t, s, &got)
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("a good token: %v", err)
	}
	p.token = "another"
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not one that Postmark knows") {
		t.Errorf("a wrong token: %v", err)
	}
	if n := len(s.Inbox()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	sandbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/server" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"DeliveryType":"Sandbox"}`)
	}))
	t.Cleanup(sandbox.Close)
	var err error
	if p.base, err = httpsend.ParseBase("base_url", sandbox.URL, false); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "sandbox") {
		t.Errorf("a sandbox: %v", err)
	}
	p.base.Path = "/elsewhere"
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "is not known there (404)") {
		t.Errorf("another server: %v", err)
	}
}

func TestConfigurations(t *testing.T) {
	const least = `"server_token":"hunter2","from":"codes@example.com"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"from_name":"Acme\nBcc: eve@example.com"`:                                                      "from_name holds a line break",
		least + `,"from_name":"Acme","message_stream":"codes","report_username":"u","report_password":"hunter2"`: "",
		`"from":"codes@example.com"`:              "server_token is missing",
		`"server_token":"hunter2\n","from":"x@y"`: "server_token holds a blank",
		`"server_token":"hunter2"`:                "from is missing",
		`"server_token":"hunter2","from":"x"`:     "is not a bare address",
		least + `,"report_password":"hunter2"`:    "report_username and report_password go together",
		least + `,"base_url":"http://gw"`:         "base_url: plain http",
		least + `,"timeout":"10"`:                 "timeout",
		least + `,"sender":"x"`:                   "unknown field",
	})
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/postmark.md", 2, len(refusals), func(code string) provider.Class { return refusals.Of(code, 0) })
	httpfar.CheckManual(t, "../../docs/providers/postmark.md", 3, len(bounces), func(code string) provider.Class { return bounces.Of(code, 0) })
}

func FuzzReadEvent(f *testing.F) {
	f.Add(`{"RecordType":"Bounce","MessageID":"a","TypeCode":1,"BouncedAt":"2031-01-02T03:00:00Z"}`)
	f.Add(`{"RecordType":"Delivery","MessageID":"a","DeliveredAt":"2031-01-01T22:00:00-05:00","Metadata":{"verifyd_key":"VL1:1"}}`)
	f.Add(`{"RecordType":"Bounce","MessageID":7,"TypeCode":"x","Metadata":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readEvent(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"ErrorCode":0,"MessageID":"a"}`)
	f.Add(422, `{"ErrorCode":300,"Message":"Invalid 'To' address"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if len(accepted.ID) > 255 || e != nil && e.Code == "" || e == nil && status/100 != 2 {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
