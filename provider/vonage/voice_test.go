package vonage

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const (
	testApplication = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
	callReports     = "https://verify.example.com/reports/vonage/x"
	sigSecret       = "sig-s3cr3t-0123456789"
)

var testRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func testPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(testRSA())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Nothing that an answer says of a call speaks of the number.
func TestExamOfCalls(t *testing.T) {
	exam(t, []provider.Class{provider.BadRecipient}, "call", "sms", "rcs")
}

// hearCall is Vonage, which knows who calls, and a person who listens to all of it.
func hearCall(r *http.Request) (providertest.Taken, error) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token, err := jwt.Parse(bearer)
	if err != nil || !token.SignedRS256(&testRSA().PublicKey) {
		return providertest.Taken{}, fmt.Errorf("the token: %w", err)
	}
	var claims struct {
		ApplicationID string `json:"application_id"`
		Iat, Exp      int64
		Jti           string
	}
	if err := json.Unmarshal(token.Claims, &claims); err != nil || claims.ApplicationID != testApplication || claims.Jti == "" || claims.Exp <= claims.Iat {
		return providertest.Taken{}, fmt.Errorf("the claims are wrong: %s", token.Claims)
	}
	var body callRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return providertest.Taken{}, err
	}
	if len(body.To) != 1 || body.To[0].Type != "phone" || strings.HasPrefix(body.To[0].Number, "+") || body.From.Number != "15005550006" {
		return providertest.Taken{}, errors.New("the numbers are wrong")
	}
	said, err := listen(body.NCCO)
	return providertest.Taken{To: "+" + body.To[0].Number, Text: said}, err
}

// listen is what is said until a key is waited for.
func listen(ncco []action) (said string, err error) {
	for _, a := range ncco {
		switch a.Action {
		case "talk":
			heard, err := twiml.ListenSSML(a.Text)
			if err != nil {
				return "", err
			}
			said += heard
		case "input":
			return said, nil
		}
	}
	return said, nil
}

func speech(pressKey bool) provider.Message {
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "de", PressKey: pressKey, SendDigits: "wW1", Parts: []provider.SpeechPart{
		{Say: "Ihr Code für A&B ist:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"}, {PauseMS: 1000}, {Say: "Noch einmal:"}, {Digits: "482913"},
	}}
	if pressKey {
		m.Speech.PressKeyPrompt = "Drücken Sie eine Taste."
	}
	return m
}

func calling(t testing.TB, got *httpfar.Reports) *Provider {
	t.Helper()
	return reporting(t, got, func(c *Config) {
		c.SignatureSecret, c.ReportURL, c.CallFrom = sigSecret, callReports, "+15005550006"
		c.ApplicationID, c.PrivateKey, c.Currency = testApplication, testPEM(), "EUR"
	})
}

// webhook is a call of Vonage's, signed.
func webhook(p *Provider, at, body, secret string) *httptest.ResponseRecorder {
	u, _ := url.Parse(at)
	enc := base64.RawURLEncoding.EncodeToString
	signed := enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		enc(fmt.Appendf(nil, `{"iss":"Vonage","api_key":%q,"iat":%d,"jti":"x","payload_hash":"%x"}`, p.apiKey, httpfar.Epoch.Unix(), sha256.Sum256([]byte(body))))
	r := httpfar.Post(u.RequestURI(), body, httpfar.JSON...)
	r.Header.Set("Authorization", "Bearer "+signed+"."+enc(httpreport.MAC(sha256.New, secret, signed)))
	w := httptest.NewRecorder()
	p.ServeReport(w, r)
	return w
}

func TestACallThatWaitsForAKey(t *testing.T) {
	var got httpfar.Reports
	p := calling(t, &got)
	m := speech(true)
	call, failed := p.callRequest(m)
	if failed != nil {
		t.Fatal(failed)
	}
	said, err := listen(call.NCCO)
	if err != nil || !strings.Contains(said, "Taste") || strings.Contains(fmt.Sprint(call), "482") || strings.Contains(fmt.Sprint(call), "4, 8, 2") {
		t.Fatalf("before the key: %q, %v", said, err)
	}
	if call.To[0].DTMFAnswer != "ppp1" || call.NCCO[0].Language != "de-DE" || !call.NCCO[0].BargeIn || len(call.NCCO) != 4 {
		t.Errorf("got %+v", call)
	}
	at := call.NCCO[1].EventURL[0]
	for range 2 { // Vonage may call again
		w := webhook(p, at, `{"uuid":"u1","dtmf":{"digits":"5","timed_out":false},"timestamp":"2031-01-02T03:00:00.000Z"}`, sigSecret)
		var next []action
		if err := json.Unmarshal(w.Body.Bytes(), &next); err != nil || w.Code != 200 {
			t.Fatalf("after the key: %d %s", w.Code, w.Body)
		}
		if said, err = listen(next); err != nil || strings.Count(said, "482") != 2 || !strings.Contains(said, "A&B") || len(got.All) != 0 {
			t.Fatalf("after the key: %q, %v, %+v", said, err, got.All)
		}
		at = call.NCCO[1].EventURL[0]
		call.EventURL = next[1].EventURL
	}
	w := webhook(p, call.EventURL[0], `{"payload":{"call":"heard"},"conversation_uuid":"CON-1","timestamp":"2031-01-02T03:00:00.000Z"}`, sigSecret)
	if want := []provider.Report{{Key: m.Key, State: provider.Delivered, At: httpfar.Epoch}}; w.Code != 204 || !slices.Equal(got.All, want) {
		t.Errorf("heard: %d %+v, want %+v", w.Code, got.All, want)
	}

	silent := func(name string, w *httptest.ResponseRecorder, status int) {
		t.Helper()
		if w.Code != status || strings.Contains(w.Body.String(), "talk") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	const pressed = `{"uuid":"u1","dtmf":{"digits":"5"}}`
	silent("no key", webhook(p, at, `{"uuid":"u1","dtmf":{"digits":"","timed_out":true}}`, sigSecret), 204)
	silent("another page", webhook(p, at+"AAAA", pressed, sigSecret), 204)
	silent("another's signature", webhook(p, at, pressed, "guess"), 403)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := httptest.NewRecorder()
	p.ServeReport(unsigned, httpfar.Post(u.RequestURI(), pressed, httpfar.JSON...))
	silent("not signed", unsigned, 403)
	p.now = func() time.Time { return m.Deadline.Add(time.Minute) }
	silent("too late", webhook(p, at, pressed, sigSecret), 403) // the token is old as well
}

func TestACallWithoutReportURLSaysItAllAtOnce(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(c *Config) {
		c.ApplicationID, c.PrivateKey, c.CallFrom, c.ReportURL = testApplication, testPEM(), "+15005550006", ""
	})
	call, failed := p.callRequest(speech(false))
	if failed != nil {
		t.Fatal(failed)
	}
	if said, err := listen(call.NCCO); err != nil || strings.Count(said, "482") != 2 || call.EventURL != nil {
		t.Errorf("got %q, %v, %+v", said, err, call)
	}
	if _, failed := p.callRequest(speech(true)); failed == nil || !strings.Contains(failed.Detail, "report_url is missing") {
		t.Errorf("one that waits for a key: got %v", failed)
	}
	p.voice.key = nil
	if _, failed := p.callRequest(speech(false)); failed == nil || !strings.Contains(failed.Detail, "application_id is missing") {
		t.Errorf("without an application: got %v", failed)
	}
	text := `"api_key":"a","api_secret":"hunter2","from":"x","application_id":"a","report_url":"https://v.example/r","private_key":` + string(must(json.Marshal(testPEM())))
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		text: "signature_secret is missing", text + `,"signature_secret":"hunter2"`: "",
		text + `,"signature_secret":"hunter2","voice_base_url":"http://gw"`: "voice_base_url: plain http",
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// https://developer.vonage.com/en/voice/voice-api/webhook-reference
func TestHowCallsEnd(t *testing.T) {
	var got httpfar.Reports
	p := calling(t, &got)
	for status, class := range map[string]provider.Class{
		"busy": provider.Temporary, "timeout": provider.Temporary, "unanswered": provider.Temporary, "cancelled": provider.Temporary,
		"failed": provider.Temporary, "completed": provider.Temporary, "rejected": provider.BadRequest,
		"started": 0, "ringing": 0, "answered": 0, "disconnected": 0, "machine": 0,
	} {
		before := len(got.All)
		w := webhook(p, callReports, fmt.Sprintf(`{"uuid":"u1","status":%q,"price":"0.00450000","network":"21407","timestamp":"2031-01-02T03:00:00.000Z"}`, status), sigSecret)
		var want []provider.Report
		if class != 0 {
			want = []provider.Report{{ID: "u1", State: provider.Failed, Class: class, Code: status, At: httpfar.Epoch, MCC: "214", MNC: "07",
				Price: provider.Price{Amount: "0.00450000", Currency: "EUR"}}}
		}
		if w.Code != 204 || !slices.Equal(got.All[before:], want) {
			t.Errorf("%s: got %d %+v, want %+v", status, w.Code, got.All[before:], want)
		}
	}
}

func TestEveryLanguageOfCallsIsSpoken(t *testing.T) {
	for _, language := range callscript.Languages() {
		if _, ok := tags.Tag(language); !ok {
			t.Errorf("%s is not", language)
		}
	}
}

func TestTheManualsConfigurationWorks(t *testing.T) {
	page, err := os.ReadFile("../../docs/providers/vonage.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"application_id", "private_key_file", "call_from", "signature_secret"} {
		if !strings.Contains(string(page), key+" ") {
			t.Errorf("the manual's configuration lacks %s", key)
		}
	}
	path := filepath.Join(t.TempDir(), "private.key")
	if err := os.WriteFile(path, []byte(testPEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{APIKey: "abcd1234", APISecret: "x", From: "Acme", ApplicationID: testApplication, PrivateKeyFile: path}, provider.Deps{}); err != nil {
		t.Error(err)
	}
}

func FuzzCallsAreTold(f *testing.F) {
	var kept httpfar.Reports
	p := calling(f, &kept)
	f.Add(`{"uuid":"u1","dtmf":{"digits":"5"}}`, "AAAA")
	f.Add(`{"uuid":1,"status":"busy","price":"x"}`, "")
	f.Fuzz(func(t *testing.T, body, sealed string) {
		r := httpfar.Post("/r?"+url.Values{callscript.Param: {sealed}}.Encode(), body)
		if _, text := p.answer(r, []byte(body)); text != "" {
			t.Errorf("%q %q: %s", body, sealed, text)
		}
		p.readReport(r, []byte(body))
		p.readReport(httpfar.Post("/r", body), []byte(body))
	})
}
