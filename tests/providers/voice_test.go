//go:build full

package providers

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/plivo"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
	"github.com/verifyd/verifyd/provider/telnyx"
	"github.com/verifyd/verifyd/provider/twilio"
	"github.com/verifyd/verifyd/provider/vonage"
)

const (
	application = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
	twilioCalls = "/2010-04-01/Accounts/" + account + "/Calls.json"
	vonageCalls = "/v1/calls"
	telnyxCalls = "/v2/calls"
	caller      = "+15005550006"
)

// deadline is one for all, so that a call that is made twice is one.
var deadline = time.Now().Add(time.Hour)

// theCall waits for a key, so that most of what a vendor can be told is in it.
func theCall() provider.Message {
	return provider.Message{
		Key: "VL1:1", Channel: "call", To: "+34612345678", Code: "482913", Deadline: deadline,
		Speech: &provider.Speech{Language: "en", PressKey: true, PressKeyPrompt: `To hear your "A&B" code, press any key.`, SendDigits: "w1",
			Parts: []provider.SpeechPart{{Say: "Your code is:"}, {Digits: "482913"}, {PauseMS: 1000}, {Digits: "482913"}}},
	}
}

var makeKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
})

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// callOurs makes the call by each of our providers whose library makes calls, and returns the paths.
func callOurs(t *testing.T, f *far) []string {
	t.Helper()
	for kind, build := range map[string]func() (provider.Provider, error){
		"twilio": func() (provider.Provider, error) {
			return twilio.New(twilio.Config{AccountSID: account, AuthToken: secret, From: caller, ReportURL: reportURL, BaseURL: f.URL}, provider.Deps{})
		},
		"vonage": func() (provider.Provider, error) {
			return vonage.New(vonage.Config{APIKey: apiKey, APISecret: secret, From: caller, ReportURL: reportURL, SignatureSecret: secret,
				ApplicationID: application, PrivateKey: privateKey(t), VoiceBaseURL: f.URL}, provider.Deps{})
		},
		"telnyx": func() (provider.Provider, error) {
			return telnyx.New(telnyx.Config{APIKey: secret, From: caller, ConnectionID: "1", ReportURL: reportURL, PublicKey: publicKey(), BaseURL: f.URL}, provider.Deps{})
		},
	} {
		p, err := build()
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if _, err := p.Send(t.Context(), theCall()); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	return []string{twilioCalls, vonageCalls, telnyxCalls}
}

// twilioQuestion is the call for Twilio's client, and where its key goes.
func twilioQuestion(t *testing.T, f *far) map[string]any {
	t.Helper()
	q := map[string]any{}
	for name, value := range f.seen[twilioCalls][0].params {
		q[name] = value
	}
	said, err := twiml.Listen(fmt.Sprint(q["Twiml"]))
	if err != nil {
		t.Fatal(err)
	}
	q["action"] = said.Gather
	return q
}

// plivoCall is a call of Plivo's at a URL, signed as it signs those of calls.
func plivoCall(t *testing.T, at, body string) call {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	text := "https://verify.example.com/reports/x/y?" + sorted(u.Query(), "=", "&") + "." + sorted(form, "", "")
	mac := httpreport.MAC(sha256.New, secret, text, ".", "12345")
	return call{Vendor: "plivo-call", URL: at, Key: secret, Body: body, Headers: map[string]string{
		"X-Plivo-Signature-V3-Nonce": "12345", "X-Plivo-Signature-V3": base64.StdEncoding.EncodeToString(mac),
	}}
}

func sorted(values url.Values, equals, and string) string {
	var all []string
	for name := range values {
		all = append(all, name+equals+values.Get(name))
	}
	slices.Sort(all)
	return strings.Join(all, and)
}

// askPlivo calls somebody by Plivo and listens to the first page, which must be theirs where that is set.
func askPlivo(t *testing.T, theirs string) twiml.Heard {
	t.Helper()
	var at string
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			AnswerURL string `json:"answer_url"`
		}
		text, _ := io.ReadAll(r.Body)
		json.Unmarshal(text, &body)
		at = body.AnswerURL
		io.WriteString(w, `{"request_uuid":"r1"}`)
	}))
	defer vendor.Close()
	p, err := plivo.New(plivo.Config{AuthID: apiKey, AuthToken: secret, From: caller, ReportURL: reportURL, BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Send(t.Context(), theCall()); err != nil {
		t.Fatal(err)
	}
	c := plivoCall(t, at, "CallUUID=c1&CallStatus=in-progress")
	r := httpfar.Post(at, c.Body, httpfar.Form...)
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.ServeReport(w, r)
	said, err := twiml.Listen(w.Body.String())
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("plivo: %d %s: %v", w.Code, w.Body, err)
	}
	if got, want := canonical(t, w.Body.String()), canonical(t, theirs); theirs != "" && got != want {
		t.Errorf("plivo:\n  ours %s\ntheirs %s", got, want)
	}
	return said
}

// canonical writes a document with its attributes in one order.
func canonical(t *testing.T, document string) string {
	t.Helper()
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		switch token := token.(type) {
		case xml.StartElement:
			slices.SortFunc(token.Attr, func(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) })
			fmt.Fprintf(&b, "<%s", token.Name.Local)
			for _, a := range token.Attr {
				fmt.Fprintf(&b, " %s=%q", a.Name.Local, a.Value)
			}
			b.WriteString(">")
		case xml.EndElement:
			fmt.Fprintf(&b, "</%s>", token.Name.Local)
		case xml.CharData:
			b.WriteString(strings.TrimSpace(string(token)))
		}
	}
}
