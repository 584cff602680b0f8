package twilio

import (
	"path/filepath"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testAccount = "AC00000000000000000000000000000001"
	testToken   = "s3cr3t-auth-t0ken"
	testKey     = "s3cr3t-k3y-secret"
)

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testToken, testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Twilio(vendors.TwilioAccount{SID: testAccount, Token: testToken, KeySID: "SK1", KeySecret: testKey})))
			deps.HTTP = v.Client()
			p, err := New(Config{AccountSID: testAccount, AuthToken: testToken, APIKeySID: "SK1", APIKeySecret: testKey,
				From: "+15005550006", BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		from   string
	}{
		"from":    {Config{AuthToken: testToken, From: "+15005550006", ReportURL: "https://verify.example.com/reports/twilio/x"}, ""},
		"service": {Config{APIKeySID: "SK1", APIKeySecret: testKey, MessagingServiceSID: "MG1"}, ""},
		"route":   {Config{AuthToken: testToken, MessagingServiceSID: "MG1"}, "Acme"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.AccountSID, c.config.BaseURL = testAccount, "http://localhost"
			m := providertest.Message("sms", 0)
			m.From = c.from
			httpfar.Record(t, filepath.Join("testdata", name+".http"), httpfar.Answering("201 Created", `{"sid":"SM1"}`), m,
				func(d provider.Deps) (provider.Provider, error) { return New(c.config, d) })
		})
	}
}

func TestConfigurations(t *testing.T) {
	const account = `"account_sid":"AC00000000000000000000000000000001",`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		account + `"auth_token":"hunter2","from":"+15005550006"`:                                     "",
		account + `"api_key_sid":"SK1","api_key_secret":"hunter2","messaging_service_sid":"MG1"`:     "",
		account + `"auth_token":"hunter2","from":"x","base_url":"https://api.dublin.ie1.twilio.com"`: "",
		`"auth_token":"hunter2","from":"x"`:                                                          "account_sid is not AC",
		`"account_sid":"AC1","auth_token":"hunter2"`:                                                 "account_sid is not AC",
		account + `"from":"x"`:                                                                               "auth_token is missing",
		account + `"api_key_sid":"SK1","from":"x"`:                                                           "api_key_sid and api_key_secret go together",
		account + `"auth_token":"hunter2"`:                                                                   "from is missing",
		account + `"auth_token":"hunter2","from":"x","base_url":"http://gw"`:                                 "base_url: plain http",
		account + `"auth_token":"hunter2","from":"x","report_url":"verify.example.com"`:                      "report_url is not an http",
		account + `"api_key_sid":"S","api_key_secret":"hunter2","from":"x","report_url":"https://v.example"`: "auth_token is missing: it signs",
		account + `"auth_token":"hunter2","from":"x","timeout":"10"`:                                         "timeout",
		account + `"auth_token":"hunter2","from":"x","sender":"y"`:                                           "unknown field",
	})
}
