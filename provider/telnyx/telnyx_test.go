package telnyx

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testKey = "KEY0s3cr3t"

// refusal is an answer that means each class.
var refusal = map[provider.Class]struct {
	status int
	code   string
}{
	provider.BadRecipient: {400, "40310"},
	provider.BadRequest:   {401, "10009"},
	provider.Temporary:    {503, ""},
	provider.Throttled:    {429, "10011"},
	provider.Unknown:      {500, "10007"},
}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"call"},
		Secrets:   []string{testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Telnyx(vendors.TelnyxAccount{Key: testKey})))
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: testKey, From: "+15005550006", ConnectionID: "1494404757140276705", PublicKey: testPublicKey(),
				ReportURL: callReports, BaseURL: v.URL, Timeout: "2m"}, deps)
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
			var p *Provider
			var commands *commander
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					if r.URL.Path == "/v2/calls" {
						return commands.hear(p, r)
					}
					var body request
					d := json.NewDecoder(r.Body)
					d.DisallowUnknownFields()
					if err := d.Decode(&body); err != nil {
						return providertest.Taken{}, err
					}
					if r.URL.Path != "/v2/messages" || r.Header.Get("Authorization") != "Bearer "+testKey {
						return providertest.Taken{}, errors.New("the path or the key is wrong")
					}
					return providertest.Taken{To: body.To, Text: body.Text}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					fmt.Fprintf(w, `{"data":{"id":%q,"call_control_id":%q,"to":[{"status":"queued"}],"parts":1}}`, taken.ID, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					w.WriteHeader(refusal[b.Class].status)
					fmt.Fprintf(w, `{"errors":[{"code":%q,"title":"No","detail":%q}]}`, refusal[b.Class].code, b.Words)
				},
			})
			commands = &commander{next: v.Client().Transport}
			deps.HTTP = &http.Client{Transport: commands}
			var err error
			if p, err = New(Config{APIKey: testKey, From: "+15005550006", ConnectionID: "1494404757140276705", PublicKey: testPublicKey(),
				ReportURL: callReports, BaseURL: v.URL, Timeout: "2m"}, deps); err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{APIKey: testKey, From: "+15005550006", BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"data":{"id":"a"}}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	m.From, config.MessagingProfileID = "Acme", "16fd2706-8baf-433b-82eb-8c7fada847da"
	config.ReportURL, config.PublicKey = "https://verify.example.com/reports/telnyx/x", publicKey
	httpfar.Record(t, filepath.Join("testdata", "profile.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"api_key":"hunter2","from":"+15005550006"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		`"api_key":"hunter2","messaging_profile_id":"x"`:                               "",
		least + `,"report_url":"https://v.example/r","public_key":"` + publicKey + `"`: "",
		`"from":"x"`:          "api_key is missing",
		`"api_key":"hunter2"`: "from is missing",
		least + `,"report_url":"https://v.example/r"`:                        "public_key is missing",
		least + `,"report_url":"v.example","public_key":"` + publicKey + `"`: "report_url is not",
		least + `,"public_key":"AAAA"`:                                       "public_key is not 32 bytes",
		least + `,"public_key":"!"`:                                          "public_key is not 32 bytes",
		least + `,"base_url":"http://gw"`:                                    "base_url: plain http",
		least + `,"timeout":"10"`:                                            "timeout",
		least + `,"profile":"x"`:                                             "unknown field",
	})
}

func TestATextWantsASenderOfItsOwn(t *testing.T) {
	p, err := New(Config{APIKey: testKey, CallFrom: "+15005550006", BaseURL: "https://127.0.0.1:1"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Send(t.Context(), providertest.Message("sms", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "from is missing") {
		t.Errorf("with call_from alone: got %v, want a BadRequest that names from", err)
	}
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://developers.telnyx.com/docs/messaging/messages/error-codes
func TestCodesAndTheirClasses(t *testing.T) {
	for class, list := range map[provider.Class][]string{
		provider.BadRecipient: {"40001", "40300", "40310"},
		provider.BadRequest:   {"10009", "40003", "40009", "40305", "40312", "40331", "99999"},
		provider.Throttled:    {"10011", "40011"},
		provider.Temporary:    {"40002", "40004", "40005", "40006", "40008"},
	} {
		for _, code := range list {
			_, e := read(400, fmt.Sprintf(`{"errors":[{"code":%q,"title":"title","detail":"detail"}]}`, code))
			if e == nil || e.Class != class || e.Code != code || e.Detail != "title: detail" {
				t.Errorf("%s: got %v, want %v", code, e, class)
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
		{200, `{"data":{"id":"4031","to":[{"status":"queued"}],"parts":2,"cost":{"amount":"0.0051","currency":"USD"}}}`,
			provider.Accepted{ID: "4031", Parts: 2, Price: provider.Price{Amount: "0.0051", Currency: "USD"}}, 0},
		{200, `{"data":{"id":"4031","cost":null,"parts":-1}}`, provider.Accepted{ID: "4031"}, 0},
		{200, `<html>`, provider.Accepted{}, 0},
		{422, `{"errors":[{"code":"10005","title":"t"}]}`, provider.Accepted{}, provider.BadRequest},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, ``, provider.Accepted{}, provider.Temporary},
		{504, `{"errors":[]}`, provider.Accepted{}, provider.Unknown},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/telnyx.md", 2, len(codes), func(code string) provider.Class { return codes.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"data":{"id":"a","parts":1,"cost":{"amount":"0.1","currency":"USD"}}}`)
	f.Add(400, `{"errors":[{"code":40310,"title":"t"}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if (e == nil) != (status/100 == 2) || accepted.Parts < 0 || e != nil && e.Code == "" {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
