package vonage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testSecret = "s3cr3t-api-secret"

// statusOf is the status of a part that means each class.
var statusOf = map[provider.Class]int{
	provider.BadRecipient: 7, provider.BadRequest: 15, provider.Temporary: 5, provider.Throttled: 1,
}

// The texts go to the fake carrier; calls, and what else there is, to a far end that listens (exam).
func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels:  []string{"sms"},
		Elsewhere: []string{"rcs", "call"},
		Secrets:   []string{testSecret},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.Vonage(vendors.VonageAccount{Key: "abcd1234", Secret: testSecret})))
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", CallFrom: "+15005550006", RCSFrom: "Acme", BaseURL: v.URL,
				ApplicationID: testApplication, PrivateKey: testPEM(), VoiceBaseURL: v.URL, MessagesURL: v.URL, Timeout: "2m"}, deps)
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
		Secrets:  []string{testSecret},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: func(r *http.Request) (providertest.Taken, error) {
					if r.URL.Path == "/v1/calls" {
						return hearCall(r)
					}
					key, secret, _ := r.BasicAuth()
					if r.URL.Path == "/v1/messages" && key == "abcd1234" && secret == testSecret {
						var body text
						d := json.NewDecoder(r.Body)
						d.DisallowUnknownFields()
						err := d.Decode(&body)
						return providertest.Taken{To: "+" + body.To, Text: body.Text}, err
					}
					if key != "abcd1234" || secret != testSecret || r.URL.Path != "/sms/json" || r.PostFormValue("client-ref") == "" && r.PostFormValue("to") != "" {
						return providertest.Taken{}, fmt.Errorf("key %s", key)
					}
					return providertest.Taken{To: "+" + r.PostFormValue("to"), Text: r.PostFormValue("text")}, nil
				},
				// In one answer what either API looks for.
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					fmt.Fprintf(w, `{"message_uuid":%[1]q,"uuid":%[1]q,"message-count":"1","messages":[{"message-id":%[1]q,"status":"0"}]}`, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					if channels[0] == "call" {
						w.WriteHeader(map[provider.Class]int{provider.BadRequest: 400, provider.Temporary: 503, provider.Throttled: 429, provider.Unknown: 500}[b.Class])
						fmt.Fprintf(w, `{"type":"https://developer.vonage.com/api-errors","title":"Refused","detail":%q}`, b.Words)
						return
					}
					if b.Class == provider.Unknown {
						w.WriteHeader(http.StatusBadGateway)
						return
					}
					fmt.Fprintf(w, `{"message-count":"1","messages":[{"status":"%d","error-text":%q}]}`, statusOf[b.Class], b.Words)
				},
			})
			deps.HTTP = v.Client()
			p, err := New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", CallFrom: "+15005550006", RCSFrom: "Acme", BaseURL: v.URL,
				ApplicationID: testApplication, PrivateKey: testPEM(), VoiceBaseURL: v.URL, MessagesURL: v.URL, Timeout: "2m"}, deps)
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
	m.Country, m.Regulatory = "IN", &provider.Regulatory{DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}
	httpfar.Record(t, filepath.Join("testdata", "india.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"api_key":"a","api_secret":"hunter2","from":"Acme"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"currency":"EUR","report_url":"https://v.example/r","signature_secret":"hunter2","signature_method":"sha512","allow_from":["192.0.2.0/24"]`: "",
		least + `,"application_id":"a"`:                                                 "private_key_file is missing",
		least + `,"private_key":"hunter2"`:                                              "application_id is missing",
		least + `,"application_id":"a","private_key":"hunter2"`:                         "is no PEM",
		least + `,"application_id":"a","private_key_file":"/nowhere"`:                   "private_key_file: ",
		least + `,"application_id":"a","private_key":"x","private_key_file":"/nowhere"`: "are both set",
		`"api_secret":"hunter2","from":"Acme"`:                                          "api_key is missing",
		`"api_key":"a","from":"Acme"`:                                                   "api_secret is missing",
		`"api_key":"a","api_secret":"hunter2"`:                                          "from is missing",
		least + `,"currency":"euro"`:                                                    `currency "euro"`,
		least + `,"signature_method":"rot13"`:                                           `signature_method: "rot13"`,
		least + `,"base_url":"http://gw"`:                                               "base_url: plain http",
		least + `,"messages_url":"http://gw"`:                                           "messages_url: plain http",
		least + `,"report_url":"http://hunter2:x"`:                                      "report_url is not",
		least + `,"allow_from":["vonage.com"]`:                                          "allow_from",
		least + `,"timeout":"10"`:                                                       "timeout",
		least + `,"key":"x"`:                                                            "unknown field",
	})
}
