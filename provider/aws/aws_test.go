package aws

import (
	"os"
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
	testKeyID  = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms"},
		Secrets:  []string{testSecret},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Of(vendors.AWS(vendors.AWSAccount{Region: "eu-west-1", KeyID: testKeyID, Secret: testSecret})))
			deps.HTTP = v.Client()
			p, err := New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, BaseURL: v.URL, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p, v
		},
	})
}

func TestRecordedRequests(t *testing.T) {
	config := Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, BaseURL: "http://localhost"}
	start := func(d provider.Deps) (provider.Provider, error) { return New(config, d) }
	taken := httpfar.Answering("200 OK", `{"MessageId":"a"}`)

	m := providertest.Message("sms", 0)
	httpfar.Record(t, filepath.Join("testdata", "plain.http"), taken, m, start)
	config.From, config.ConfigurationSet, config.SessionToken = "Acme", "events", "session"
	httpfar.Record(t, filepath.Join("testdata", "events.http"), taken, m, start)
	m.Country, m.Regulatory = "IN", &provider.Regulatory{DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}
	httpfar.Record(t, filepath.Join("testdata", "india.http"), taken, m, start)
}

func TestConfigurations(t *testing.T) {
	const least = `"region":"eu-west-1","access_key_id":"A","secret_access_key":"hunter2"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"from":"Acme","configuration_set":"c","topic_arn":"arn:aws:sns:eu-west-1:123456789012:events","session_token":"hunter2"`: "",
		`"access_key_id":"A","secret_access_key":"hunter2"`:                      "region",
		`"region":"evil.com/","access_key_id":"A","secret_access_key":"hunter2"`: "region",
		`"region":"eu-west-1","secret_access_key":"hunter2"`:                     "access_key_id is missing",
		`"region":"eu-west-1","access_key_id":"A"`:                               "secret_access_key is missing",
		least + `,"topic_arn":"events"`:                                          "topic_arn is not of the form",
		least + `,"base_url":"http://gw"`:                                        "base_url: plain http",
		least + `,"timeout":"10"`:                                                "timeout",
		least + `,"key":"x"`:                                                     "unknown field",
	})
	if s, err := (Config{Region: "us-gov-west-1", AccessKeyID: "A", SecretAccessKey: "B"}).settings(); err != nil ||
		s.endpoint.String() != "https://sms-voice.us-gov-west-1.amazonaws.com/" {
		t.Errorf("got %s, %v", s.endpoint, err)
	}
}

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	return readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		id     string
		class  provider.Class
		code   string
		wait   time.Duration
	}{
		{200, `{"MessageId":"message-1"}`, "message-1", 0, "", 0},
		{200, ``, "", 0, "", 0},
		{400, `{"__type":"com.amazonaws.x#ConflictException","Reason":"DESTINATION_PHONE_NUMBER_OPTED_OUT","Message":"words"}`, "", provider.BadRecipient, "DESTINATION_PHONE_NUMBER_OPTED_OUT", 0},
		{400, `{"__type":"ConflictException","Reason":"DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"}`, "", provider.BadRecipient, "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE", 0},
		{400, `{"__type":"ConflictException","Reason":"DESTINATION_PHONE_NUMBER_NOT_VERIFIED"}`, "", provider.BadRequest, "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", 0},
		{400, `{"__type":"ValidationException","Reason":"SENDER_ID_NOT_REGISTERED"}`, "", provider.BadRequest, "SENDER_ID_NOT_REGISTERED", 0},
		{400, `{"__type":"AccessDeniedException"}`, "", provider.BadRequest, "AccessDeniedException", 0},
		{400, `{"__type":"ServiceQuotaExceededException","Reason":"MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}`, "", provider.BadRequest, "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", 0},
		{400, `{"__type":"x#ThrottlingException","RetryAfterSeconds":3,"message":"words"}`, "", provider.Throttled, "ThrottlingException", 3 * time.Second},
		{500, `{"__type":"InternalServerException","RequestId":"x"}`, "", provider.Unknown, "InternalServerException", 0},
		{403, ``, "", provider.BadRequest, "403", 0},
		{503, ``, "", provider.Temporary, "503", 0},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got.ID != c.id) || c.class != 0 && (e == nil || e.Class != c.class || e.Code != c.code || e.RetryAfter != c.wait) {
			t.Errorf("%d %s: got %+v, %+v, want %+v", c.status, c.body, got, e, c)
		}
	}
}

func TestTheManualNamesEveryCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []httpsend.Codes{refusals, failures} {
		for code, class := range table {
			found := false
			for line := range strings.Lines(string(text)) {
				found = found || strings.HasPrefix(line, "| `"+class.String()+"`") && strings.Contains(line, code)
			}
			if !found {
				t.Errorf("aws.md does not say that %s is %v", code, class)
			}
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"MessageId":"a"}`)
	f.Add(400, `{"__type":"#x","RetryAfterSeconds":1e300}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if (e == nil) != (status/100 == 2) || len(accepted.ID) > 255 || e != nil && (e.Code == "" || e.RetryAfter < 0) {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
