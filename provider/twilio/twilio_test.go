package twilio

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	far "github.com/verifyd/verifyd/internal/fakecarrier/twiml"
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

// refusal is an answer that means each class.
var refusal = map[provider.Class]struct{ status, code int }{
	provider.BadRecipient: {400, 21211},
	provider.BadRequest:   {400, 21606},
	provider.Temporary:    {503, 0},
	provider.Throttled:    {429, 20429},
	provider.Unknown:      {500, 20500},
}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"rcs", "call"},
		Secrets:   []string{testToken, testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Twilio(vendors.TwilioAccount{SID: testAccount, Token: testToken, KeySID: "SK1", KeySecret: testKey})))
			deps.HTTP = v.Client()
			p, err := New(Config{AccountSID: testAccount, AuthToken: testToken, APIKeySID: "SK1", APIKeySecret: testKey,
				From: "+15005550006", RCSFrom: "rcs:acme_agent", BaseURL: v.URL, Timeout: "2m"}, deps)
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
		Secrets:  []string{testToken, testKey},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					user, password, _ := r.BasicAuth()
					if user != "SK1" || password != testKey {
						return providertest.Taken{}, fmt.Errorf("user %s", user)
					}
					if r.URL.Path == "/2010-04-01/Accounts/"+testAccount+"/Calls.json" {
						said, err := far.Listen(r.PostFormValue("Twiml"))
						return providertest.Taken{To: r.PostFormValue("To"), Text: said.Heard}, err
					}
					if r.URL.Path != "/2010-04-01/Accounts/"+testAccount+"/Messages.json" {
						return providertest.Taken{}, fmt.Errorf("the path is %s", r.URL.Path)
					}
					return providertest.Taken{To: strings.TrimPrefix(r.PostFormValue("To"), "rcs:"), Text: r.PostFormValue("Body")}, nil
				},
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					w.WriteHeader(http.StatusCreated)
					fmt.Fprintf(w, `{"sid":%q,"status":"queued","num_segments":"1"}`, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					w.WriteHeader(refusal[b.Class].status)
					fmt.Fprintf(w, `{"code":%d,"message":%q,"status":400}`, refusal[b.Class].code, b.Words)
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{AccountSID: testAccount, AuthToken: testToken, APIKeySID: "SK1", APIKeySecret: testKey,
				From: "+15005550006", RCSFrom: "rcs:acme_agent", BaseURL: v.URL, Timeout: "2m"}, deps)
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
		by     string // the channel, sms if it is empty
	}{
		"from":    {Config{AuthToken: testToken, From: "+15005550006", ReportURL: "https://verify.example.com/reports/twilio/x"}, "", ""},
		"service": {Config{APIKeySID: "SK1", APIKeySecret: testKey, MessagingServiceSID: "MG1"}, "", ""},
		"route":   {Config{AuthToken: testToken, MessagingServiceSID: "MG1"}, "Acme", ""},
		"rcs":     {Config{AuthToken: testToken, From: "+15005550006", RCSFrom: "rcs:acme_agent"}, "", "rcs"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.AccountSID, c.config.BaseURL = testAccount, "http://localhost"
			m := providertest.Message(cmp.Or(c.by, "sms"), 0)
			m.From = c.from
			httpfar.Record(t, filepath.Join("testdata", name+".http"), httpfar.Answering("201 Created", `{"sid":"SM1"}`), m,
				func(d provider.Deps) (provider.Provider, error) { return New(c.config, d) })
		})
	}
}

// Without a sender for RCS a message of it goes nowhere; the sender of SMS is none.
func TestRCSWantsASenderOfItsOwn(t *testing.T) {
	p, err := New(Config{AccountSID: testAccount, AuthToken: testToken, From: "+15005550006", BaseURL: "http://127.0.0.1:1"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Send(t.Context(), providertest.Message("rcs", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "rcs_from") {
		t.Errorf("got %v, want bad_request", err)
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
		account + `"auth_token":"hunter2","call_from":"+15005550006"`:                                        "",
		account + `"auth_token":"hunter2","from":"x","base_url":"http://gw"`:                                 "base_url: plain http",
		account + `"auth_token":"hunter2","from":"x","report_url":"verify.example.com"`:                      "report_url is not an http",
		account + `"api_key_sid":"S","api_key_secret":"hunter2","from":"x","report_url":"https://v.example"`: "auth_token is missing: it signs",
		account + `"auth_token":"hunter2","from":"x","timeout":"10"`:                                         "timeout",
		account + `"auth_token":"hunter2","from":"x","rcs_from":"acme_agent"`:                                "rcs_from is not of the form",
		account + `"auth_token":"hunter2","from":"x","sender":"y"`:                                           "unknown field",
	})
}
