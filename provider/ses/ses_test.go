package ses

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	far "github.com/verifyd/verifyd/internal/fakecarrier/ses"
	"github.com/verifyd/verifyd/internal/fakecarrier/sns"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testKeyID  = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testDomain = "auth.example.com"
)

func testConfig(base string) Config {
	return Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, From: "codes@" + testDomain, BaseURL: base}
}

// refusal is an answer that means each class.
var refusal = map[provider.Class]far.Refusal{
	provider.BadRequest: {HTTP: 400, Name: "MessageRejected:http://internal.amazon.com/coral/"},
	provider.Temporary:  {HTTP: 503, Name: "ServiceUnavailable"},
	provider.Throttled:  {HTTP: 429, Name: "TooManyRequestsException"},
	provider.Unknown:    {HTTP: 500, Name: "InternalFailure"},
}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"email"},
		Secrets:  []string{testSecret},
		Never:    []provider.Class{provider.BadRecipient}, // SES takes every address, and learns later
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			s := far.New(testKeyID, testSecret, testDomain, time.Now)
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					m, refused := s.Read(r)
					if refused != nil {
						return providertest.Taken{}, errors.New(refused.Name + ": " + refused.Words)
					}
					return providertest.Taken{To: m.To, Text: m.Subject + m.Text + m.HTML}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) { fmt.Fprintf(w, `{"MessageId":%q}`, taken.ID) },
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					r := refusal[b.Class]
					r.Words = b.Words
					r.Write(w)
				},
			})
			deps.HTTP = v.Client()
			c := testConfig(v.URL)
			c.Timeout = "2m"
			p, err := New(c, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequest(t *testing.T) {
	c := testConfig("http://localhost")
	c.FromName, c.ConfigurationSet = "Ácme", "codes"
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), httpfar.Answering("200 OK", `{"MessageId":"a"}`), providertest.Message("email", 0),
		func(d provider.Deps) (provider.Provider, error) { return New(c, d) })
}

func TestAMailAndWhatBecameOfIt(t *testing.T) {
	s := far.New(testKeyID, testSecret, testDomain, func() time.Time { return httpfar.Epoch })
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var got httpfar.Reports
	c := testConfig(server.URL)
	c.ConfigurationSet, c.TopicARN = "codes", sns.Topic
	p, err := New(c, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	m := providertest.Message("email", 1)
	accepted, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	sent := s.Inbox()[0]
	if accepted.ID != sent.ID || sent.ConfigurationSet != "codes" || sent.Headers["Auto-Submitted"] != "auto-generated" {
		t.Errorf("got %+v, and the mail %+v", accepted, sent)
	}

	region, err := sns.New(httpfar.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	deps := got.Deps()
	deps.HTTP = &http.Client{Transport: region}
	if p, err = New(c, deps); err != nil {
		t.Fatal(err)
	}
	call := func(e sns.Envelope) string {
		body, err := region.Sign(e)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	delivered := call(sns.Notification(fmt.Sprintf(`{"eventType":"Delivery","mail":{"messageId":%q},"delivery":{"timestamp":"2031-01-02T03:00:00.000Z"}}`, accepted.ID)))
	want := []provider.Report{{ID: accepted.ID, State: provider.Delivered, At: httpfar.Epoch}}
	for range 2 { // SNS may call again
		if status, recorded := got.Call(p, httpfar.Post("/r", delivered)); status != 204 || !slices.Equal(recorded, want) {
			t.Errorf("got %d %+v, want %+v", status, recorded, want)
		}
	}
	if status, recorded := got.Call(p, httpfar.Post("/r", strings.Replace(delivered, "Delivery", "Bounce", 1))); status != 403 || len(recorded) != 0 {
		t.Errorf("another message: got %d %+v", status, recorded)
	}
	if status, _ := got.Call(p, httpfar.Post("/r", call(sns.Confirmation()))); status != 204 {
		t.Errorf("a confirmation: got %d", status)
	}
}

// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
func TestEventsAndTheirClasses(t *testing.T) {
	bounce := func(kind, sub, status string) string {
		return fmt.Sprintf(`{"eventType":"Bounce","bounce":{"bounceType":%q,"bounceSubType":%q,"bouncedRecipients":[{"status":%q}]},`, kind, sub, status)
	}
	for text, want := range map[string]provider.Report{
		bounce("Permanent", "General", "5.1.1"):                                                               {State: provider.Failed, Class: provider.BadRecipient, Code: "Permanent/General 5.1.1"},
		bounce("Permanent", "General", "5.7.1"):                                                               {State: provider.Failed, Class: provider.BadRequest, Code: "Permanent/General 5.7.1"},
		bounce("Permanent", "General", ""):                                                                    {State: provider.Failed, Class: provider.Temporary, Code: "Permanent/General"},
		bounce("Permanent", "NoEmail", "5.0.0"):                                                               {State: provider.Failed, Class: provider.BadRecipient, Code: "Permanent/NoEmail 5.0.0"},
		bounce("Permanent", "Suppressed", ""):                                                                 {State: provider.Failed, Class: provider.BadRecipient, Code: "Permanent/Suppressed"},
		bounce("Permanent", "OnAccountSuppressionList", "5.1.1"):                                              {State: provider.Failed, Class: provider.BadRequest, Code: "Permanent/OnAccountSuppressionList 5.1.1"},
		bounce("Transient", "MailboxFull", "5.2.2"):                                                           {State: provider.Failed, Class: provider.Temporary, Code: "Transient/MailboxFull 5.2.2"},
		bounce("Transient", "ContentRejected", ""):                                                            {State: provider.Failed, Class: provider.BadRequest, Code: "Transient/ContentRejected"},
		`{"notificationType":"Bounce","bounce":{"bounceType":"Undetermined","bounceSubType":"Undetermined"},`: {State: provider.Failed, Class: provider.Temporary, Code: "Undetermined/Undetermined"},
		`{"eventType":"Reject",`:                                                                              {State: provider.Failed, Class: provider.BadRequest, Code: "Reject"},
		`{"eventType":"Delivery",`:                                                                            {State: provider.Delivered},
		`{"eventType":"DeliveryDelay",`:                                                                       {},
		`{"eventType":"Complaint",`:                                                                           {},
		`{"eventType":"Send",`:                                                                                {},
	} {
		got, err := readEvent([]byte(text + `"mail":{"messageId":"a"}}`))
		var all []provider.Report
		if want.State != 0 {
			want.ID = "a"
			all = []provider.Report{want}
		}
		if err != nil || !slices.Equal(got, all) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, all)
		}
	}
	if got, err := readEvent([]byte(`{"eventType":"Delivery"}`)); err != nil || got != nil {
		t.Errorf("of no mail: got %+v, %v", got, err)
	}
	if _, err := readEvent([]byte("words")); err == nil {
		t.Error("words were read")
	}
}

func read(status int, name, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Header: http.Header{}, Body: []byte(body)}
	if name != "" {
		a.Header.Set("X-Amzn-ErrorType", name)
	}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status     int
		name, body string
		id         string
		class      provider.Class
		code       string
	}{
		{200, "", `{"MessageId":"a"}`, "a", 0, ""},
		{200, "", ``, "", 0, ""},
		{400, "MessageRejected:http://internal.amazon.com/coral/", `{"message":"words"}`, "", provider.BadRequest, "MessageRejected"},
		{400, "", `{"__type":"com.amazonaws.sesv2#SendingPausedException"}`, "", provider.BadRequest, "SendingPausedException"},
		{400, "LimitExceededException", ``, "", provider.Throttled, "LimitExceededException"},
		{429, "TooManyRequestsException", ``, "", provider.Throttled, "TooManyRequestsException"},
		{403, "InvalidSignatureException", ``, "", provider.BadRequest, "InvalidSignatureException"},
		{500, "InternalFailure", ``, "", provider.Unknown, "InternalFailure"},
		{503, "", ``, "", provider.Temporary, "503"},
	} {
		got, e := read(c.status, c.name, c.body)
		if c.class == 0 && (e != nil || got.ID != c.id) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code) {
			t.Errorf("%d %s %s: got %+v, %+v, want %+v", c.status, c.name, c.body, got, e, c)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := far.New(testKeyID, testSecret, testDomain, func() time.Time { return httpfar.Epoch })
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	check := func(change func(*Config), at time.Time) error {
		c := testConfig(server.URL)
		if change != nil {
			change(&c)
		}
		p, err := New(c, provider.Deps{Now: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		return p.Check(t.Context())
	}
	expect := func(name string, err error, words string) {
		t.Helper()
		if words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
			t.Errorf("%s: got %v, want %q", name, err, words)
		}
		if err != nil && strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: the secret is told: %v", name, err)
		}
	}
	expect("all is well", check(nil, httpfar.Epoch), "")
	expect("a wrong secret", check(func(c *Config) { c.SecretAccessKey = "another" }, httpfar.Epoch), "refuses our signature")
	expect("a wrong clock", check(nil, httpfar.Epoch.Add(time.Hour)), "refuses our signature")
	expect("a wrong key", check(func(c *Config) { c.AccessKeyID = "AKIDOTHER" }, httpfar.Epoch), "does not know the access_key_id")
	s.Sandbox = true
	expect("the sandbox", check(nil, httpfar.Epoch), "in the sandbox")
	s.Paused = true
	expect("paused", check(nil, httpfar.Epoch), "has paused sending")
	if n := len(s.Inbox()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		far.Refusal{HTTP: 403, Name: "AccessDeniedException", Words: "User is not authorized to perform: ses:GetAccount"}.Write(w)
	}))
	t.Cleanup(denied.Close)
	if err := check(func(c *Config) { c.BaseURL = denied.URL }, httpfar.Epoch); !errors.Is(err, provider.ErrUnproven) {
		t.Errorf("a key that may send alone: got %v, want ErrUnproven", err)
	}
}

func TestConfigurations(t *testing.T) {
	const least = `"region":"eu-west-1","access_key_id":"A","secret_access_key":"hunter2","from":"codes@example.com"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"from_name":"Acme\nBcc: eve@example.com"`:                                                             "from_name holds a line break",
		least + `,"from_name":"Acme","configuration_set":"c","topic_arn":"` + sns.Topic + `","session_token":"hunter2"`: "",
		`"access_key_id":"A","secret_access_key":"hunter2","from":"codes@example.com"`:                                  "region",
		`"region":"eu-west-1","secret_access_key":"hunter2","from":"codes@example.com"`:                                 "access_key_id is missing",
		`"region":"eu-west-1","access_key_id":"A","secret_access_key":"hunter2"`:                                        "from is missing",
		`"region":"eu-west-1","access_key_id":"A","secret_access_key":"hunter2","from":"x"`:                             "is not a bare address",
		least + `,"topic_arn":"events"`:                                                                                 "topic_arn is not of the form",
		least + `,"base_url":"http://gw"`:                                                                               "base_url: plain http",
		least + `,"timeout":"10"`:                                                                                       "timeout",
		least + `,"key":"x"`:                                                                                            "unknown field",
	})
}

func TestTheManualNamesEveryCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/providers/ses.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []httpsend.Codes{refusals, bounces} {
		for code, class := range table {
			found := false
			for line := range strings.Lines(string(page)) {
				found = found || strings.HasPrefix(line, "| `"+class.String()+"`") && strings.Contains(line, code)
			}
			if !found {
				t.Errorf("ses.md does not say that %s is %v", code, class)
			}
		}
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add(`{"eventType":"Bounce","mail":{"messageId":"a"},"bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[{"status":"5.1.1"}]}}`)
	f.Add(`{"notificationType":"Bounce","mail":{"messageId":"a"},"bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[]}}`)
	f.Add(`{"eventType":"Delivery","mail":{"messageId":7},"delivery":{"timestamp":"2031-01-02T03:00:00.000Z"}}`)
	f.Add(`{"eventType":"Reject","mail":{"messageId":"a"},"bounce":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		reports, _ := readEvent([]byte(text))
		httpfar.CheckReports(t, text, reports)
	})
}
