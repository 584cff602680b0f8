package aws

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testTopic = "arn:aws:sns:eu-west-1:123456789012:events"
	certURL   = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)

// region plays SNS in one region: it signs, and serves its certificate and confirmations without a
// network.
type snsRegion struct {
	key  *rsa.PrivateKey
	cert []byte

	mu    sync.Mutex
	asked []string
}

var newRegion = sync.OnceValue(func() *snsRegion {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: httpfar.Epoch.Add(-time.Hour), NotAfter: httpfar.Epoch.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &snsRegion{key: key, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
})

func (s *snsRegion) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.String())
	answer := &http.Response{StatusCode: 404, Body: io.NopCloser(strings.NewReader(""))}
	switch {
	case r.URL.String() == certURL:
		answer.StatusCode, answer.Body = 200, io.NopCloser(strings.NewReader(string(s.cert)))
	case r.URL.Query().Get("Action") == "ConfirmSubscription":
		answer.StatusCode = 200
	}
	return answer, nil
}

func (s *snsRegion) sign(t testing.TB, e envelope) string {
	t.Helper()
	sum1, sum2 := sha1.Sum([]byte(e.canonical())), sha256.Sum256([]byte(e.canonical()))
	sum, by := sum1[:], crypto.SHA1
	if e.SignatureVersion == "2" {
		sum, by = sum2[:], crypto.SHA256
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, by, sum)
	if err != nil {
		t.Fatal(err)
	}
	e.Signature = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func notification(message string) envelope {
	return envelope{Type: "Notification", MessageID: "m1", TopicARN: testTopic, Message: message, Timestamp: "2031-01-02T03:00:00.000Z",
		SignatureVersion: "1", SigningCertURL: certURL}
}

func reporting(t testing.TB, got *httpfar.Reports, sns *snsRegion, topic string) *Provider {
	t.Helper()
	deps := got.Deps()
	deps.HTTP = &http.Client{Transport: sns}
	p, err := New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, TopicARN: topic}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const delivered = `{"eventType":"TEXT_DELIVERED","eventTimestamp":1925089200000,"messageId":"a","mcc":"214","mnc":"07","totalMessagePrice":0.00645,"totalCarrierFee":0.00256}`

func TestNotificationsAreProvedAndRead(t *testing.T) {
	sns := newRegion()
	var got httpfar.Reports
	p := reporting(t, &got, sns, testTopic)
	want := []provider.Report{{ID: "a", State: provider.Delivered, At: httpfar.Epoch, MCC: "214", MNC: "07", Price: provider.Price{Amount: "0.00901000", Currency: "USD"}}}
	subject := "Event"
	before := len(sns.asked)
	for _, change := range []func(*envelope){
		func(*envelope) {}, func(e *envelope) { e.SignatureVersion = "2" }, func(e *envelope) { e.Subject = &subject },
	} {
		e := notification(delivered)
		change(&e)
		if status, recorded := got.Call(p, httpfar.Post("/r", sns.sign(t, e))); status != 204 || !slices.Equal(recorded, want) {
			t.Errorf("%+v: got %d %+v, want %+v", e, status, recorded, want)
		}
	}
	if n := len(sns.asked) - before; n != 1 {
		t.Errorf("the certificate was fetched %d times, want once", n)
	}
}

func TestWhatIsNotProvedIsRefused(t *testing.T) {
	sns := newRegion()
	var got httpfar.Reports
	p := reporting(t, &got, sns, testTopic)
	signed := sns.sign(t, notification(delivered))
	other := notification(delivered)
	other.TopicARN = "arn:aws:sns:eu-west-1:999999999999:evil"
	elsewhere := func(at string) string {
		e := notification(delivered)
		e.SigningCertURL = at
		return sns.sign(t, e)
	}
	unversioned := notification(delivered)
	unversioned.SignatureVersion = "3"
	before := len(sns.asked)
	for name, body := range map[string]string{
		"another message":         strings.Replace(signed, "TEXT_DELIVERED", "TEXT_INVALID", 1),
		"another's topic":         sns.sign(t, other),
		"another version":         sns.sign(t, unversioned),
		"no signature":            `{"Type":"Notification","TopicArn":"` + testTopic + `"}`,
		"no base64":               `{"Type":"Notification","TopicArn":"` + testTopic + `","Signature":"!"}`,
		"no JSON":                 `{`,
		"a certificate elsewhere": elsewhere("https://evil.example/SimpleNotificationService-0.pem"),
		"a host that begins so":   elsewhere("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem"),
		"a bucket":                elsewhere("https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
		"plain http":              elsewhere("http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
		"another path":            elsewhere("https://sns.eu-west-1.amazonaws.com/evil.pem"),
		"a user":                  elsewhere("https://x@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
	} {
		if status, recorded := got.Call(p, httpfar.Post("/r", body)); status != 403 || len(recorded) != 0 {
			t.Errorf("%s: got %d %+v, want 403", name, status, recorded)
		}
	}
	for _, asked := range sns.asked[before:] {
		if asked != certURL {
			t.Errorf("a caller made us ask for %s", asked)
		}
	}
	if status, _ := got.Call(p, httpfar.Post("/r", elsewhere("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-404.pem"))); status != 503 {
		t.Errorf("a certificate that is not there: got %d", status)
	}
	if status, _ := got.Call(reporting(t, &got, sns, ""), httpfar.Post("/r", signed)); status != 403 {
		t.Errorf("without topic_arn: got %d", status)
	}
	p.keys.now = func() time.Time { return httpfar.Epoch.Add(2 * time.Hour) }
	if status, _ := got.Call(p, httpfar.Post("/r", signed)); status != 403 {
		t.Errorf("a certificate of the past: got %d", status)
	}
}

func TestASubscriptionIsConfirmedForTheTopicAlone(t *testing.T) {
	sns := newRegion()
	var got httpfar.Reports
	p := reporting(t, &got, sns, testTopic)
	e := envelope{Type: "SubscriptionConfirmation", MessageID: "m", Token: "tok", TopicARN: testTopic, Message: "You have chosen…",
		SubscribeURL: "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=tok", Timestamp: "2031-01-02T03:00:00.000Z",
		SignatureVersion: "1", SigningCertURL: certURL}
	if status, _ := got.Call(p, httpfar.Post("/r", sns.sign(t, e))); status != 204 || !slices.Contains(sns.asked, e.SubscribeURL) {
		t.Errorf("got %d, and %v was asked for", status, sns.asked)
	}
	e.SubscribeURL = "https://evil.example/?Action=ConfirmSubscription"
	if status, _ := got.Call(p, httpfar.Post("/r", sns.sign(t, e))); status != 400 || slices.Contains(sns.asked, e.SubscribeURL) {
		t.Errorf("elsewhere: got %d, and %v was asked for", status, sns.asked)
	}
	e.SubscribeURL = "https://sns.eu-west-1.amazonaws.com/?Action=Other"
	if status, _ := got.Call(p, httpfar.Post("/r", sns.sign(t, e))); status != 503 {
		t.Errorf("not confirmed: got %d", status)
	}
	e.Type = "UnsubscribeConfirmation"
	if status, _ := got.Call(p, httpfar.Post("/r", sns.sign(t, e))); status != 204 {
		t.Errorf("the end of a subscription: got %d", status)
	}
}

// https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
func TestEventsAndTheirClasses(t *testing.T) {
	for class, events := range map[provider.Class][]string{
		provider.BadRecipient: {"TEXT_INVALID"},
		provider.BadRequest:   {"TEXT_BLOCKED", "TEXT_SPAM", "TEXT_CARRIER_BLOCKED", "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED"},
		provider.Temporary:    {"TEXT_UNREACHABLE", "TEXT_CARRIER_UNREACHABLE", "TEXT_TTL_EXPIRED", "TEXT_UNKNOWN"},
	} {
		for _, event := range events {
			got, err := readEvent([]byte(`{"eventType":"` + event + `","messageId":"a"}`))
			want := []provider.Report{{ID: "a", State: provider.Failed, Class: class, Code: event}}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, %v", event, got, err)
			}
		}
	}
	for _, text := range []string{`{"eventType":"TEXT_SUCCESSFUL","messageId":"a"}`, `{"eventType":"TEXT_QUEUED","messageId":"a"}`, `{"eventType":"TEXT_DELIVERED"}`, `{}`} {
		if got, err := readEvent([]byte(text)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	if _, err := readEvent([]byte("words")); err == nil {
		t.Error("words were read")
	}
}

func FuzzReports(f *testing.F) {
	f.Add(delivered)
	f.Add(`{"Type":"Notification","Message":"{}","Subject":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readEvent([]byte(body))
		for _, r := range reports {
			if r.ID == "" || (r.State == provider.Failed) != (r.Class != 0) {
				t.Errorf("%q: %+v", body, r)
			}
		}
		var e envelope
		if json.Unmarshal([]byte(body), &e) == nil {
			e.canonical()
		}
	})
}
