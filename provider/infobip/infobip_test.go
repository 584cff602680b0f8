package infobip

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testKey = "s3cr3t-api-k3y"

// statusOf is the id of a rejected message's status that means each class.
var statusOf = map[provider.Class]int{provider.BadRecipient: 14, provider.BadRequest: 12, provider.Throttled: 20}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"call"},
		Secrets:   []string{testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Infobip(vendors.InfobipAccount{Key: testKey})))
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: testKey, From: "Acme", CallFrom: "+15005550006", BaseURL: v.URL, Timeout: "2m"}, deps)
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
		Secrets:  []string{testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: readMessage,
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					fmt.Fprintf(w, `{"bulkId":"b","messages":[{"messageId":%q,"status":{"groupId":1,"groupName":"PENDING","id":26}}]}`, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					switch b.Class {
					case provider.Unknown:
						w.WriteHeader(http.StatusInternalServerError)
					case provider.Temporary:
						w.WriteHeader(http.StatusServiceUnavailable)
						fmt.Fprintf(w, `{"errorCode":"E503","description":%q}`, b.Words)
					default:
						fmt.Fprintf(w, `{"messages":[{"status":{"groupName":"REJECTED","id":%d,"description":%q}}]}`, statusOf[b.Class], b.Words)
					}
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: testKey, From: "Acme", CallFrom: "+15005550006", BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func readMessage(r *http.Request) (providertest.Taken, error) {
	if r.URL.Path == "/tts/3/advanced" {
		return hearCall(r)
	}
	var body request
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || len(body.Messages) != 1 || len(body.Messages[0].Destinations) != 1 {
		return providertest.Taken{}, fmt.Errorf("%d messages, %w", len(body.Messages), err)
	}
	if r.URL.Path != "/sms/3/messages" || r.Header.Get("Authorization") != "App "+testKey {
		return providertest.Taken{}, errors.New("the path or the key is wrong")
	}
	m := body.Messages[0]
	return providertest.Taken{To: "+" + m.Destinations[0].To, Text: m.Content.Text}, nil
}

func TestRecordedRequests(t *testing.T) {
	config := Config{APIKey: testKey, From: "Acme", BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"messages":[{"messageId":"a","status":{"groupName":"PENDING"}}]}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	m.From, config.ReportURL = "Other", "https://verify.example.com/reports/infobip/x"
	httpfar.Record(t, filepath.Join("testdata", "report.http"), taken, m, start)
	m.Country, m.Regulatory = "IN", &provider.Regulatory{DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}
	httpfar.Record(t, filepath.Join("testdata", "india.http"), taken, m, start)
}

func TestAMessageMayBeHandedOverTwice(t *testing.T) {
	var p provider.Provider = new(Provider)
	if _, ok := p.(provider.Repeatable); !ok {
		t.Error("not Repeatable, but Infobip knows a message by its messageId")
	}
	got, e := read(200, `{"messages":[{"messageId":"x","status":{"groupName":"REJECTED","id":23}}]}`)
	if e != nil || got.ID != "VL1:1" {
		t.Errorf("the second hand-over: got %+v, %v", got, e)
	}
}

func TestConfigurations(t *testing.T) {
	const least = `"base_url":"https://x.api.infobip.com","api_key":"hunter2","from":"Acme"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"report_url":"https://v.example/r","report_username":"u","report_password":"hunter2","allow_from":["192.0.2.7"]`: "",
		`"api_key":"hunter2","from":"Acme"`:          "base_url is missing",
		`"base_url":"https://x","from":"Acme"`:       "api_key is missing",
		`"base_url":"https://x","api_key":"hunter2"`: "from is missing",
		least + `,"report_username":"u"`:             "report_username and report_password go together",
		least + `,"report_url":"v.example"`:          "report_url is not",
		least + `,"allow_from":["x"]`:                "allow_from",
		least + `,"timeout":"10"`:                    "timeout",
		least + `,"sender":"x"`:                      "unknown field",
	})
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, "VL1:1", httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://www.infobip.com/docs/essentials/response-status-and-error-codes
func TestStatusesAndTheirClasses(t *testing.T) {
	for class, ids := range map[provider.Class][]int{
		provider.BadRecipient: {8, 14, 18, 52},
		provider.BadRequest:   {6, 10, 11, 12, 13, 17, 19, 24, 25, 999},
		provider.Throttled:    {20},
	} {
		for _, id := range ids {
			_, e := read(200, fmt.Sprintf(`{"messages":[{"status":{"groupName":"REJECTED","id":%d,"description":"words"}}]}`, id))
			if e == nil || e.Class != class || e.Code != fmt.Sprint(id) || e.Detail != "words" {
				t.Errorf("%d: got %v, want %v", id, e, class)
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
		code   string
	}{
		{200, `{"bulkId":"b","messages":[{"messageId":"a","status":{"groupId":1,"groupName":"PENDING","id":26},"destination":"34612345678","details":{"messageCount":2}}]}`,
			provider.Accepted{ID: "a", Parts: 2}, 0, ""},
		{200, `{"messages":[{"status":{"groupName":"EXPIRED","id":15}}]}`, provider.Accepted{}, provider.Temporary, "15"},
		{200, `{"messages":[{"status":{"groupName":"SOMETHING"}}]}`, provider.Accepted{}, provider.Unknown, "200"},
		{200, `{"messages":[]}`, provider.Accepted{}, provider.Unknown, "200"},
		{200, `<html>`, provider.Accepted{}, provider.Unknown, "200"},
		{400, `{"errorCode":"E400","description":"words"}`, provider.Accepted{}, provider.BadRequest, "E400"},
		{401, `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED"}}}`, provider.Accepted{}, provider.BadRequest, "401"},
		{429, ``, provider.Accepted{}, provider.Throttled, "429"},
		{500, `{"errorCode":"E500"}`, provider.Accepted{}, provider.Unknown, "E500"},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/infobip.md", 2, len(statuses), func(code string) provider.Class { return statuses.Of(code, 0) })
	httpfar.CheckManual(t, "../../docs/providers/infobip.md", 3, len(handset), func(code string) provider.Class { return handset.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"messages":[{"messageId":"a","status":{"groupName":"PENDING","id":26}}]}`)
	f.Add(400, `{"errorCode":"E400"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if e == nil && (status/100 != 2 || accepted.Parts < 0) || e != nil && e.Code == "" {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
