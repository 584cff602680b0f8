package africastalking

import (
	"fmt"
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

const testKey = "s3cr3t-api-k3y"

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.AfricasTalking(vendors.AfricasTalkingAccount{Username: "verifyd", Key: testKey})))
			deps.HTTP = v.Client()
			p, err := New(Config{Username: "verifyd", APIKey: testKey, BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{Username: "verifyd", APIKey: testKey, BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("201 Created", `{"SMSMessageData":{"Recipients":[{"statusCode":101}]}}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	config.From = "Acme"
	httpfar.Record(t, filepath.Join("testdata", "from.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"username":"verifyd","api_key":"hunter2"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"from":"Acme","allow_from":["192.0.2.0/24"]`: "",
		`"api_key":"hunter2"`:             "username is missing",
		`"username":"verifyd"`:            "api_key is missing",
		least + `,"allow_from":["x"]`:     "allow_from",
		least + `,"base_url":"http://gw"`: "base_url: plain http",
		least + `,"timeout":"10"`:         "timeout",
		least + `,"key":"x"`:              "unknown field",
	})
	for username, want := range map[string]string{
		"sandbox": "https://api.sandbox.africastalking.com/version1/messaging", "verifyd": "https://api.africastalking.com/version1/messaging",
	} {
		if s, err := (Config{Username: username, APIKey: "x"}).settings(); err != nil || s.endpoint != want {
			t.Errorf("%s: got %s, %v", username, s.endpoint, err)
		}
	}
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://developers.africastalking.com/docs/sms/sending/bulk
func TestCodesAndTheirClasses(t *testing.T) {
	for class, codes := range map[provider.Class][]int{
		provider.BadRecipient: {403, 404, 406},
		provider.BadRequest:   {401, 402, 405, 407, 409, 502},
		provider.Throttled:    {429},
		provider.Temporary:    {500, 501},
		provider.Unknown:      {0, 999},
	} {
		for _, code := range codes {
			_, e := read(201, fmt.Sprintf(`{"SMSMessageData":{"Recipients":[{"statusCode":%d,"status":"words"}]}}`, code))
			if e == nil || e.Class != class || e.Code != fmt.Sprint(code) || e.Detail != "words" {
				t.Errorf("%d: got %v, want %v", code, e, class)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   provider.Accepted
		class  provider.Class
	}{
		{201, `{"SMSMessageData":{"Message":"Sent to 1/1 Total Cost: KES 0.8000","Recipients":[{"statusCode":101,"number":"+254711000000","cost":"KES 0.8000","status":"Success","messageId":"ATPid_1","messageParts":1}]}}`,
			provider.Accepted{ID: "ATPid_1", Parts: 1, Price: provider.Price{Amount: "0.8000", Currency: "KES"}}, 0},
		{201, `{"SMSMessageData":{"Recipients":[{"statusCode":"102","cost":"0"}]}}`, provider.Accepted{}, 0},
		{201, `{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}`, provider.Accepted{}, provider.BadRequest},
		{201, `<AfricasTalkingResponse>`, provider.Accepted{}, provider.Unknown},
		{201, ``, provider.Accepted{}, provider.Unknown},
		{401, `The supplied authentication is invalid`, provider.Accepted{}, provider.BadRequest},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, ``, provider.Accepted{}, provider.Temporary},
		{500, ``, provider.Accepted{}, provider.Unknown},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestReports(t *testing.T) {
	for form, want := range map[string][]provider.Report{
		"id=A&status=Success&networkCode=63902&phoneNumber=%2B254711000000": {{ID: "A", State: provider.Delivered, MCC: "639", MNC: "02"}},
		"id=A&status=Failed&failureReason=UserInBlackList":                  {{ID: "A", State: provider.Failed, Class: provider.BadRecipient, Code: "UserInBlackList"}},
		"id=A&status=Rejected&failureReason=InsufficientCredit":             {{ID: "A", State: provider.Failed, Class: provider.BadRequest, Code: "InsufficientCredit"}},
		"id=A&status=Failed&failureReason=DeliveryFailure":                  {{ID: "A", State: provider.Failed, Class: provider.Temporary, Code: "DeliveryFailure"}},
		"id=A&status=Failed&failureReason=SomethingNew":                     {{ID: "A", State: provider.Failed, Class: provider.Temporary, Code: "SomethingNew"}},
		"id=A&status=Buffered":                                              nil,
		"status=Success":                                                    nil,
		"":                                                                  nil,
	} {
		var got httpfar.Reports
		p, err := New(Config{Username: "u", APIKey: testKey, AllowFrom: []string{"192.0.2.1"}}, got.Deps())
		if err != nil {
			t.Fatal(err)
		}
		call := httpfar.Post("/r", form, httpfar.Form...)
		if status, recorded := got.Call(p, call); status != 204 || !slices.Equal(recorded, want) {
			t.Errorf("%s: got %d %+v, want %+v", form, status, recorded, want)
		}
		call.RemoteAddr = "203.0.113.7:1"
		if status, _ := got.Call(p, call); status != 403 {
			t.Errorf("from elsewhere: got %d", status)
		}
	}
	if _, err := readReport(nil, []byte("%")); err == nil {
		t.Error("a broken form was read")
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/africastalking.md", 2, len(refusals), func(code string) provider.Class { return refusals.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(201, `{"SMSMessageData":{"Recipients":[{"statusCode":101,"cost":"KES 0.8"}]}}`)
	f.Add(201, `{"SMSMessageData":{"Message":"InvalidSenderId"}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if e == nil && (status/100 != 2 || accepted.Parts < 0) || e != nil && e.Code == "" {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}

func FuzzReports(f *testing.F) {
	f.Add("id=A&status=Failed&failureReason=UserInBlackList")
	f.Add("id=A&status=Success&networkCode=63902&phoneNumber=%2B254711000000")
	f.Add("id=%00&status=Rejected&failureReason=a%0Ab&networkCode=1;2")
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readReport(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
