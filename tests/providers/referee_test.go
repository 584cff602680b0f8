//go:build full

package providers

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/aws"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/plivo"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
	"github.com/verifyd/verifyd/provider/sendgrid"
	"github.com/verifyd/verifyd/provider/ses"
	"github.com/verifyd/verifyd/provider/telnyx"
	"github.com/verifyd/verifyd/provider/twilio"
	"github.com/verifyd/verifyd/provider/vonage"
)

const (
	reportURL = "https://verify.example.com/reports/x/y?a=1&b=2"
	account   = "AC00000000000000000000000000000001"
	apiKey    = "abcd1234"
	secret    = "0123456789abcdef0123456789abcdef"
	topic     = "arn:aws:sns:eu-west-1:123456789012:events"
)

// call is a report as a vendor would send it, for the vendor's library and for our provider.
type call struct {
	Vendor  string            `json:"vendor"`
	URL     string            `json:"url"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	Key     string            `json:"key"`
	valid   bool
}

// question is what referee.mjs reads.
type question struct {
	Base        string         `json:"base"`
	Certificate string         `json:"certificate"`
	Calls       []call         `json:"calls"`
	Message     map[string]any `json:"message"`
	AWS         map[string]any `json:"aws"`
	Mail        map[string]any `json:"mail"`
	TwilioCall  map[string]any `json:"twilioCall"`
	PlivoCall   map[string]any `json:"plivoCall"`
	VonageCall  map[string]any `json:"vonageCall"`
	TelnyxCall  map[string]any `json:"telnyxCall"`
}

type verdict struct {
	Verdicts      []bool `json:"verdicts"`
	Authorization string `json:"authorization"`
	Twilio        string `json:"twilio"`
	Plivo         string `json:"plivo"`
}

// far keeps the requests that came, of the libraries' clients and of our providers alike.
type far struct {
	*httptest.Server
	fakes map[string]http.Handler // by path; what they refuse fails the sender

	mu   sync.Mutex
	seen map[string][]sent // by path
}

// sent is a request, with its body read whatever form it has.
type sent struct {
	method, authorization, target string
	host, contentType, date       string
	params                        map[string]any
	body                          string
}

func newFar(t *testing.T) *far {
	f := &far{seen: map[string][]sent{}, fakes: mailFakes(t)}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s := sent{method: r.Method, authorization: r.Header.Get("Authorization"), target: r.Header.Get("X-Amz-Target"),
		host: r.Host, contentType: r.Header.Get("Content-Type"), date: r.Header.Get("X-Amz-Date"), params: map[string]any{}, body: string(body)}
	if json.Unmarshal(body, &s.params) != nil {
		form, _ := url.ParseQuery(string(body))
		for name := range form {
			s.params[name] = form.Get(name)
		}
	}
	f.mu.Lock()
	f.seen[r.URL.Path] = append(f.seen[r.URL.Path], s)
	f.mu.Unlock()
	if fake := f.fakes[r.URL.Path]; fake != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		fake.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/Messages.json"), strings.HasSuffix(r.URL.Path, "/Calls.json"):
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"sid":"SM1"}`)
	case r.URL.Path == "/sms/json":
		io.WriteString(w, `{"message-count":"1","messages":[{"message-id":"a","status":"0"}]}`)
	default:
		io.WriteString(w, `{"data":{"id":"a","call_control_id":"a"},"MessageId":"a","MessageID":"a","ErrorCode":0,"uuid":"a"}`)
	}
}

// referee asks the libraries once for all tests of one run.
func referee(t *testing.T, q question) verdict {
	t.Helper()
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "referee.mjs")
	cmd.Dir = "node"
	cmd.Stdin = bytes.NewReader(text)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		t.Fatalf("the libraries are not installed (`make tools` does it), or one failed: %v\n%s", err, &words)
	}
	var v verdict
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return v
}

func TestTheVendorsLibrariesAgree(t *testing.T) {
	f := newFar(t)
	now := time.Now()
	message := provider.Message{Key: "VL1:1", Channel: "sms", To: "+34612345678", From: "Acme", Text: "482913 is your Acme code & more",
		Encoding: "gsm7", Deadline: now.Add(24 * time.Hour)}
	ours := append(append(sendOurs(t, f, message), mailOurs(t, f)...), callOurs(t, f)...)

	signed := calls(t, now)
	awsSent := f.seen["/"][0]
	v := referee(t, question{
		Base: f.URL, Certificate: sns(t).certificate, Calls: signed,
		Message: map[string]any{"account": account, "key": apiKey, "secret": secret, "to": message.To, "from": message.From,
			"text": message.Text, "report": reportURL, "seconds": 600, "ref": message.Key, "prompt": theCall().Speech.PressKeyPrompt},
		AWS: map[string]any{"body": awsSent.body, "date": isoTime(t, awsSent.date), "headers": map[string]string{
			"host": awsSent.host, "content-type": awsSent.contentType, "x-amz-target": awsSent.target}},
		Mail:       mailQuestion(),
		TwilioCall: twilioQuestion(t, f), PlivoCall: map[string]any{"action": askPlivo(t, "").Gather},
		VonageCall: map[string]any{"request": f.seen[vonageCalls][0].params, "application": application, "privateKey": privateKey(t)},
		TelnyxCall: f.seen[telnyxCalls][0].params,
	})

	t.Run("on signatures", func(t *testing.T) {
		if len(v.Verdicts) != len(signed) {
			t.Fatalf("%d verdicts of %d calls", len(v.Verdicts), len(signed))
		}
		for i, c := range signed {
			if v.Verdicts[i] != c.valid {
				t.Errorf("%s: the library says %v, want %v: %+v", c.Vendor, v.Verdicts[i], c.valid, c)
			}
			r := httpfar.Post(c.URL, c.Body, httpfar.Form...)
			for name, value := range c.Headers {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			reporters(t)[c.Vendor].ServeReport(w, r)
			if (w.Code == http.StatusNoContent) != c.valid || (w.Code == http.StatusForbidden) == c.valid {
				t.Errorf("%s: verifyd answers %d, want valid %v: %+v", c.Vendor, w.Code, c.valid, c)
			}
		}
	})
	t.Run("on requests", func(t *testing.T) {
		for _, path := range ours {
			requests := f.seen[path]
			if len(requests) != 2 {
				t.Errorf("%s: %d requests came, want ours and the library's", path, len(requests))
				continue
			}
			mine, theirs := requests[0], requests[1]
			if mine.method != theirs.method || mine.target != theirs.target {
				t.Errorf("%s: ours is %s %s, the library's %s %s", path, mine.method, mine.target, theirs.method, theirs.target)
			}
			if !signedAnew[path] && mine.authorization != theirs.authorization {
				t.Errorf("%s: we authenticate as %q, the library as %q", path, mine.authorization, theirs.authorization)
			}
			if got, want := texts(mine.params), texts(theirs.params); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n   ours %v\ntheirs %v", path, got, want)
			}
		}
	})
	t.Run("on what is said in calls", func(t *testing.T) {
		if got, want := canonical(t, fmt.Sprint(f.seen[twilioCalls][0].params["Twiml"])), canonical(t, v.Twilio); got != want {
			t.Errorf("twilio:\n  ours %s\ntheirs %s", got, want)
		}
		askPlivo(t, v.Plivo)
	})
	t.Run("on AWS's signature", func(t *testing.T) {
		if v.Authorization != awsSent.authorization {
			t.Errorf("  ours %s\ntheirs %s", awsSent.authorization, v.Authorization)
		}
	})
}

// texts makes 600 and "600" one.
func texts(params map[string]any) map[string]string {
	all := map[string]string{}
	for name, value := range params {
		all[name] = fmt.Sprint(value)
	}
	return all
}

func isoTime(t *testing.T, amz string) string {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", amz)
	if err != nil {
		t.Fatal(err)
	}
	return at.Format(time.RFC3339)
}

// sendOurs sends m by each of our providers, and returns the paths.
func sendOurs(t *testing.T, f *far, m provider.Message) []string {
	t.Helper()
	for name, build := range map[string]func(provider.Deps) (provider.Provider, error){
		"twilio": func(d provider.Deps) (provider.Provider, error) {
			return twilio.New(twilio.Config{AccountSID: account, AuthToken: secret, From: "x", ReportURL: reportURL, BaseURL: f.URL}, d)
		},
		"vonage": func(d provider.Deps) (provider.Provider, error) {
			return vonage.New(vonage.Config{APIKey: apiKey, APISecret: secret, From: "x", ReportURL: reportURL, BaseURL: f.URL}, d)
		},
		"telnyx": func(d provider.Deps) (provider.Provider, error) {
			return telnyx.New(telnyx.Config{APIKey: secret, From: "x", ReportURL: reportURL, BaseURL: f.URL, PublicKey: publicKey()}, d)
		},
		"aws": func(d provider.Deps) (provider.Provider, error) {
			return aws.New(aws.Config{Region: "eu-west-1", AccessKeyID: apiKey, SecretAccessKey: secret, BaseURL: f.URL}, d)
		},
	} {
		p, err := build(provider.Deps{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return []string{"/2010-04-01/Accounts/" + account + "/Messages.json", "/sms/json", "/v2/messages", "/"}
}

// reporters are the providers that the calls are for.
func reporters(t *testing.T) map[string]provider.Reporter {
	t.Helper()
	var kept httpfar.Reports
	deps := kept.Deps()
	deps.Now = time.Now
	must := func(p provider.Provider, err error) provider.Reporter {
		if err != nil {
			t.Fatal(err)
		}
		return p.(provider.Reporter)
	}
	v := must(vonage.New(vonage.Config{APIKey: apiKey, APISecret: secret, From: "x", SignatureSecret: secret}, deps))
	ofSNS := deps
	ofSNS.HTTP = &http.Client{Transport: sns(t)}
	return map[string]provider.Reporter{
		"twilio":     must(twilio.New(twilio.Config{AccountSID: account, AuthToken: secret, From: "x", ReportURL: reportURL}, deps)),
		"vonage":     v,
		"vonage-jwt": v,
		"plivo":      must(plivo.New(plivo.Config{AuthID: apiKey, AuthToken: secret, From: "x", ReportURL: reportURL}, deps)),
		"telnyx":     must(telnyx.New(telnyx.Config{APIKey: secret, From: "x", PublicKey: publicKey()}, deps)),
		"plivo-call": must(plivo.New(plivo.Config{AuthID: apiKey, AuthToken: secret, From: "x", ReportURL: reportURL}, deps)),
		"sendgrid":   must(sendgrid.New(sendgrid.Config{APIKey: secret, From: "codes@auth.example.com", PublicKey: eventKey(t)}, deps)),
		"ses":        must(ses.New(ses.Config{Region: "eu-west-1", AccessKeyID: apiKey, SecretAccessKey: secret, From: "codes@auth.example.com", TopicARN: topic}, ofSNS)),
		"aws":        must(aws.New(aws.Config{Region: "eu-west-1", AccessKeyID: apiKey, SecretAccessKey: secret, TopicARN: topic}, ofSNS)),
	}
}

// calls are one true report of each vendor, and one that somebody has altered.
func calls(t *testing.T, now time.Time) []call {
	t.Helper()
	var all []call
	add := func(c call, alter func(*call)) {
		c.valid = true
		all = append(all, c)
		c.Headers = maps.Clone(c.Headers)
		c.valid = false
		alter(&c)
		all = append(all, c)
	}
	otherBody := func(c *call) { c.Body = strings.Replace(c.Body, "delivered", "undelivered", 1) }

	body := "MessageSid=SM1&MessageStatus=delivered&To=%2B34612345678&Empty=&A=x+y%26z"
	add(call{Vendor: "twilio", URL: reportURL, Body: body, Key: secret, Headers: map[string]string{
		"X-Twilio-Signature": base64.StdEncoding.EncodeToString(httpreport.MAC(sha1.New, secret,
			reportURL+"Ax y&zEmptyMessageSidSM1MessageStatusdeliveredTo+34612345678")),
	}}, otherBody)

	signedParams := fmt.Sprintf("&messageId=0A1&status=delivered&text=a_b_c&timestamp=%d", now.Unix())
	add(call{Vendor: "vonage", URL: reportURL, Key: secret, Body: fmt.Sprintf("messageId=0A1&status=delivered&text=a%%26b%%3Dc&timestamp=%d&sig=%s",
		now.Unix(), hex.EncodeToString(httpreport.MAC(sha256.New, secret, signedParams)))}, otherBody)

	enc := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256([]byte("messageId=0A1&status=delivered"))
	head := enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		enc(fmt.Appendf(nil, `{"iss":"Vonage","api_key":%q,"iat":%d,"jti":"x","payload_hash":"%x"}`, apiKey, now.Unix(), sum))
	add(call{Vendor: "vonage-jwt", URL: reportURL, Key: secret, Body: "messageId=0A1&status=delivered", Headers: map[string]string{
		"Authorization": "Bearer " + head + "." + enc(httpreport.MAC(sha256.New, secret, head)),
	}}, func(c *call) {
		c.Headers["Authorization"] = strings.Replace(c.Headers["Authorization"], "Bearer ey", "Bearer ex", 1)
	})

	add(call{Vendor: "plivo", URL: reportURL, Key: secret, Body: "MessageUUID=u1&Status=delivered", Headers: map[string]string{
		"X-Plivo-Signature-V2-Nonce": "12345",
		"X-Plivo-Signature-V2": base64.StdEncoding.EncodeToString(
			httpreport.MAC(sha256.New, secret, "https://verify.example.com/reports/x/y", "12345")),
	}}, func(c *call) { c.Headers["X-Plivo-Signature-V2-Nonce"] = "12346" })

	event := `{"data":{"event_type":"message.finalized","payload":{"id":"a","to":[{"status":"delivered"}]}}}`
	add(call{Vendor: "telnyx", URL: reportURL, Key: publicKey(), Body: event, Headers: map[string]string{
		"telnyx-timestamp": fmt.Sprint(now.Unix()),
		"telnyx-signature-ed25519": base64.StdEncoding.EncodeToString(
			ed25519.Sign(telnyxKey, fmt.Appendf(nil, "%d|%s", now.Unix(), event))),
	}}, otherBody)

	for _, version := range []string{"1", "2"} {
		add(call{Vendor: "aws", URL: reportURL, Body: sns(t).notification(t, version, `{"eventType":"TEXT_DELIVERED","messageId":"a"}`)}, func(c *call) {
			c.Body = strings.Replace(c.Body, "TEXT_DELIVERED", "TEXT_INVALID", 1)
		})
	}
	add(call{Vendor: "ses", URL: reportURL, Body: sns(t).notification(t, "2", `{"eventType":"Delivery","mail":{"messageId":"a"}}`)}, func(c *call) {
		c.Body = strings.Replace(c.Body, "Delivery", "Bounce", 1)
	})
	add(plivoCall(t, reportURL, "CallUUID=c1&CallStatus=busy&To=34612345678&A=x+y%26z"), func(c *call) {
		c.Body = strings.Replace(c.Body, "busy", "failed", 1)
	})
	add(eventOf(t, now), otherBody)
	return all
}

var telnyxKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte("7"), ed25519.SeedSize))

func publicKey() string {
	return base64.StdEncoding.EncodeToString(telnyxKey.Public().(ed25519.PublicKey))
}

// topicOf signs as SNS does, with a certificate of our own, which it serves to our provider.
type topicOf struct {
	key         *rsa.PrivateKey
	certificate string
}

var makeSNS = sync.OnceValues(func() (*topicOf, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &topicOf{key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, nil
})

func sns(t *testing.T) *topicOf {
	t.Helper()
	s, err := makeSNS()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *topicOf) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(s.certificate))}, nil
}

func (s *topicOf) notification(t *testing.T, version, event string) string {
	t.Helper()
	text := "Message\n" + event + "\nMessageId\nm1\nTimestamp\n2031-01-02T03:00:00.000Z\nTopicArn\n" + topic + "\nType\nNotification\n"
	sum1, sum2 := sha1.Sum([]byte(text)), sha256.Sum256([]byte(text))
	sum, by := sum1[:], crypto.SHA1
	if version == "2" {
		sum, by = sum2[:], crypto.SHA256
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, by, sum)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{
		"Type": "Notification", "MessageId": "m1", "TopicArn": topic, "Message": event, "Timestamp": "2031-01-02T03:00:00.000Z",
		"SignatureVersion": version, "Signature": base64.StdEncoding.EncodeToString(signature),
		"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
