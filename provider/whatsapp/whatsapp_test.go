package whatsapp

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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

const (
	testToken  = "EAAs3cr3t-t0ken"
	testNumber = "106540352242922"
)

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"whatsapp"},
		Secrets:  []string{testToken},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.WhatsApp(vendors.WhatsAppAccount{NumberID: testNumber, Token: testToken})))
			deps.HTTP = v.Client()
			p, err := New(Config{PhoneNumberID: testNumber, AccessToken: testToken, BaseURL: v.URL + "/v23.0", Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{PhoneNumberID: testNumber, AccessToken: testToken, BaseURL: "http://localhost/v23.0"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"messages":[{"id":"wamid.x"}]}`)

	m := providertest.Message("whatsapp", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	m.Template, m.Locale = nil, "pt-BR"
	config.Template, config.Languages = "codigo", []string{"en", "pt_BR"}
	httpfar.Record(t, filepath.Join("testdata", "configured.http"), taken, m, start)
}

func TestLanguages(t *testing.T) {
	for _, c := range []struct{ have, locale, template, want string }{
		{"", "pt-BR", "", "pt_BR"},
		{"", "en", "ky_KG", "ky_KG"},
		{"en pt_BR", "pt-BR", "", "pt_BR"},
		{"en es", "es-MX", "", "es"},
		{"en es", "fr", "", "en"},
		{"es en", "", "", "es"},
	} {
		m := provider.Message{Locale: c.locale}
		if c.template != "" {
			m.Template = &provider.Template{Language: c.template}
		}
		p := &Provider{settings: settings{languages: strings.Fields(c.have)}}
		if got := p.language(m); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestACodeThatNoTemplateTakesIsRefused(t *testing.T) {
	p, err := New(Config{PhoneNumberID: testNumber, AccessToken: testToken}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", "1234567890123456"} {
		_, err := p.Send(t.Context(), provider.Message{Channel: "whatsapp", Code: code})
		if provider.AsError(err).Class != provider.BadRequest {
			t.Errorf("code %q: got %v, want class bad_request", code, err)
		}
	}
}

func TestASenderIsANumberOfMetas(t *testing.T) {
	const spain, france = "+34612345678", "+33612345678"
	for _, c := range []struct {
		name    string
		numbers map[string]string
		from    string
		want    string // the number in the path, "" for a refusal
	}{
		{"no sender", nil, "", testNumber},
		{"one number alone", nil, spain, testNumber},
		{"no sender, several numbers", map[string]string{spain: "20000"}, "", testNumber},
		{"a sender", map[string]string{spain: "20000", france: "30000"}, france, "30000"},
		{"somebody else's", map[string]string{spain: "20000"}, france, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var path string
			far := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path = r.URL.Path
				fmt.Fprint(w, `{"messages":[{"id":"wamid.1","message_status":"accepted"}]}`)
			}))
			defer far.Close()
			p, err := New(Config{PhoneNumberID: testNumber, PhoneNumbers: c.numbers, AccessToken: testToken, BaseURL: far.URL + "/v23.0"}, provider.Deps{HTTP: far.Client()})
			if err != nil {
				t.Fatal(err)
			}
			m := providertest.Message("whatsapp", 1)
			m.From = c.from
			_, err = p.Send(t.Context(), m)
			switch {
			case c.want == "" && provider.AsError(err).Class != provider.BadRequest:
				t.Errorf("got %v, want a refusal", err)
			case c.want != "" && (err != nil || path != "/v23.0/"+c.want+"/messages"):
				t.Errorf("sent to %q, %v; want the number %s", path, err, c.want)
			}
		})
	}
}

func TestConfigurations(t *testing.T) {
	const least = `"phone_number_id":"106540352242922","access_token":"hunter2"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"template":"otp","languages":["en","pt_BR","fil"],"app_secret":"hunter2","verify_token":"hunter2"`: "",
		least + `,"phone_numbers":{"+34612345678":"20000"}`:                                                          "",
		least + `,"phone_numbers":{"34612345678":"20000"}`:                                                           "phone_numbers",
		least + `,"phone_numbers":{"+34612345678":"+20000"}`:                                                         "phone_numbers",
		`"access_token":"hunter2"`:                                                                                   "phone_number_id is not a row of digits",
		`"phone_number_id":"+34612345678","access_token":"hunter2"`:                                                  "phone_number_id is not a row of digits",
		`"phone_number_id":"106540352242922"`:                                                                        "access_token is missing",
		least + `,"languages":["pt-BR"]`:                                                                             `languages: "pt-BR"`,
		least + `,"app_secret":"hunter2"`:                                                                            "app_secret and verify_token go together",
		least + `,"base_url":"http://gw"`:                                                                            "base_url: plain http",
		least + `,"timeout":"10"`:                                                                                    "timeout",
		least + `,"token":"x"`:                                                                                       "unknown field",
	})
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
func TestCodesAndTheirClasses(t *testing.T) {
	for class, list := range map[provider.Class][]int{
		provider.BadRecipient: {131021, 131026},
		provider.BadRequest: {0, 3, 10, 33, 100, 190, 200, 299, 368, 131005, 131008, 131009, 131030, 131031, 131042, 131045,
			131047, 131051, 131055, 132000, 132001, 132005, 132007, 132012, 132015, 132016, 133010, 999999},
		provider.Throttled: {4, 80007, 130429, 131048, 131056},
		provider.Temporary: {1, 2, 130472, 131016, 131049, 133004},
		provider.Unknown:   {131000},
	} {
		for _, code := range list {
			_, e := read(400, fmt.Sprintf(`{"error":{"message":"words","code":%d,"error_data":{"details":"more"}}}`, code))
			if e == nil || e.Class != class || e.Code != fmt.Sprint(code) || e.Detail != "words: more" {
				t.Errorf("%d: got %v, want %v", code, e, class)
			}
			if want := (code == 131056); want != (e.RetryAfter == 6*time.Second) {
				t.Errorf("%d: wait %v", code, e.RetryAfter)
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
		{200, `{"contacts":[{"input":"x","wa_id":"x"}],"messages":[{"id":"wamid.HBgL","message_status":"accepted"}]}`, provider.Accepted{ID: "wamid.HBgL"}, 0},
		{200, `{"messages":[]}`, provider.Accepted{}, 0},
		{200, `{"error":{"code":131026}}`, provider.Accepted{}, provider.BadRecipient},
		{200, `{"error":{}}`, provider.Accepted{}, provider.Unknown},
		{400, `{"error":{"message":"words"}}`, provider.Accepted{}, provider.BadRequest},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, `<html>`, provider.Accepted{}, provider.Temporary},
		{500, ``, provider.Accepted{}, provider.Unknown},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/whatsapp.md", 2, len(codes), func(code string) provider.Class { return codes.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"messages":[{"id":"wamid.x"}]}`)
	f.Add(400, `{"error":{"code":131056}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		_, e := read(status, body)
		if e == nil && status/100 != 2 || e != nil && e.Code == "" {
			t.Errorf("%d %q: %v", status, body, e)
		}
	})
}
