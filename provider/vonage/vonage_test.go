package vonage

import (
	"path/filepath"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testSecret = "s3cr3t-api-secret"

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testSecret},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Vonage(vendors.VonageAccount{Key: "abcd1234", Secret: testSecret})))
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"messages":[{"status":"0"}]}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "gsm7.http"), taken, m, start)
	m.Encoding, m.Text, m.From = "ucs2", m.Code+" є вашим кодом", "+34600000000"
	config.ReportURL = "https://verify.example.com/reports/vonage/x"
	httpfar.Record(t, filepath.Join("testdata", "ucs2.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"api_key":"a","api_secret":"hunter2","from":"Acme"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"currency":"EUR","report_url":"https://v.example/r","signature_secret":"hunter2","signature_method":"sha512","allow_from":["192.0.2.0/24"]`: "",
		`"api_secret":"hunter2","from":"Acme"`:     "api_key is missing",
		`"api_key":"a","from":"Acme"`:              "api_secret is missing",
		`"api_key":"a","api_secret":"hunter2"`:     "from is missing",
		least + `,"currency":"euro"`:               `currency "euro"`,
		least + `,"signature_method":"rot13"`:      `signature_method: "rot13"`,
		least + `,"base_url":"http://gw"`:          "base_url: plain http",
		least + `,"report_url":"http://hunter2:x"`: "report_url is not",
		least + `,"allow_from":["vonage.com"]`:     "allow_from",
		least + `,"timeout":"10"`:                  "timeout",
		least + `,"key":"x"`:                       "unknown field",
	})
}
