package sinch

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// The application and the callback are those of Sinch's page about signed callbacks.
const (
	testAppKey    = "669E367E-6BBA-48AB-AF15-266871C28135"
	testAppSecret = "BeIukql3pTKJ8RGL5zo0DA=="
	callReports   = "https://verify.example.com/reports/sinch/x"
)

func TestExamOfCalls(t *testing.T) { exam(t, "call", "sms") }

// hearCall is a person who is called and listens to what is said at once.
func hearCall(r *http.Request) (providertest.Taken, error) {
	var body callout
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return providertest.Taken{}, err
	}
	key, secret, _ := r.BasicAuth()
	if key != testAppKey || secret != testAppSecret || body.Method != "ttsCallout" || body.TTS == nil || body.TTS.CLI != "+15005550006" ||
		body.TTS.Destination.Type != "number" || body.TTS.Domain != "pstn" {
		return providertest.Taken{}, errors.New("the application or a field is wrong")
	}
	said, err := hear(body.TTS.Prompts)
	return providertest.Taken{To: body.TTS.Destination.Endpoint, Text: said}, err
}

func hear(prompt string) (string, error) {
	text, ok := strings.CutPrefix(prompt, "#ssml[")
	if !ok || strings.Index(text, "]") != len(text)-1 {
		return "", fmt.Errorf("%q is no prompt", prompt)
	}
	return twiml.ListenSSML(strings.TrimSuffix(text, "]"))
}

func TestTheSignatureOfSinchsPage(t *testing.T) {
	body := []byte(`{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257","timestamp":"2014-09-24T10:59:41Z","version":1}`)
	sum := md5.Sum(body)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != "REWF+X220L4/Gw1spXOU7g==" {
		t.Fatalf("the body is not that of the page: %s", got)
	}
	secret, err := base64.StdEncoding.DecodeString(testAppSecret)
	if err != nil {
		t.Fatal(err)
	}
	v := voice{signing: secret, path: "/sinch/callback/ace"}
	got := base64.StdEncoding.EncodeToString(v.sign("POST", body, "application/json", "2014-09-24T10:59:41Z"))
	if !strings.HasPrefix(got, "Tg6fMyo8mj9pYfWQ9") {
		t.Errorf("got %s", got)
	}
}

func calling(t testing.TB, got *httpfar.Reports) *Provider {
	t.Helper()
	p, err := New(Config{ServicePlanID: "plan", APIToken: testToken, ApplicationKey: testAppKey, ApplicationSecret: testAppSecret,
		CallFrom: "+15005550006", ReportURL: callReports}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// callback is a call of Sinch's, signed.
func callback(p *Provider, body string, alter func(*http.Request)) *httptest.ResponseRecorder {
	r := httpfar.Post("/reports/sinch/x", body, httpfar.JSON...)
	at := httpfar.Epoch.Format(time.RFC3339)
	r.Header.Set("X-Timestamp", at)
	r.Header.Set("Authorization", "application "+testAppKey+":"+base64.StdEncoding.EncodeToString(p.voice.sign("POST", []byte(body), "application/json", at)))
	if alter != nil {
		alter(r)
	}
	w := httptest.NewRecorder()
	p.ServeReport(w, r)
	return w
}

func speech(pressKey bool) provider.Message {
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "sv", PressKey: pressKey, SendDigits: "wW1", Parts: []provider.SpeechPart{
		{Say: "Koden för A&B [x] är:"}, {Digits: "482913"}, {PauseMS: 1000}, {Say: "Igen:"}, {Digits: "482913"}}}
	if pressKey {
		m.Speech.PressKeyPrompt = "Tryck på en knapp."
	}
	return m
}

func TestACallThatWaitsForAKey(t *testing.T) {
	var got httpfar.Reports
	p := calling(t, &got)
	m := speech(true)
	call, failed := p.callout(m)
	if failed != nil {
		t.Fatal(failed)
	}
	var ace svaml
	if err := json.Unmarshal([]byte(call.Custom.ACE), &ace); err != nil {
		t.Fatal(err)
	}
	if shown := string(must(json.Marshal(call))); strings.Contains(shown, "482913") || strings.Contains(shown, "4, 8, 2") {
		t.Fatalf("before the key: %s", shown)
	}
	asked, err := hear(ace.Action.Menus[0].MainPrompt)
	if err != nil || strings.TrimSpace(asked) != "Tryck på en knapp." || len(ace.Action.Menus[0].Options) != 10 || call.Custom.DTMF != "www1" || ace.Action.Locale != "sv-SE" {
		t.Fatalf("got %q, %v, %+v", asked, err, call.Custom)
	}
	pie := func(result, custom string) string {
		return fmt.Sprintf(`{"event":"pie","callid":"c1","menuResult":%s,"custom":%q,"version":1}`, result, custom)
	}
	const key = `{"menuId":"main","type":"return","value":"pressed","inputMethod":"dtmf"}`
	for range 2 { // Sinch may call again
		w := callback(p, pie(key, call.Custom.Custom), nil)
		var next svaml
		if err := json.Unmarshal(w.Body.Bytes(), &next); err != nil || w.Code != 200 || len(next.Instructions) != 1 || next.Action.Name != "hangup" {
			t.Fatalf("after the key: %d %s", w.Code, w.Body)
		}
		said, err := hear(next.Instructions[0].IDs[0])
		if err != nil || strings.Count(said, "482913") != 2 || !strings.Contains(said, "A&B (x)") {
			t.Errorf("after the key: %q, %v", said, err)
		}
	}
	heard := provider.Report{ID: "c1", State: provider.Delivered}
	if !slices.Equal(got.All, []provider.Report{heard, heard}) {
		t.Errorf("got %+v", got.All)
	}

	silent := func(name string, w *httptest.ResponseRecorder, status int) {
		t.Helper()
		if w.Code != status || strings.Contains(w.Body.String(), "playFiles") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	silent("no key", callback(p, pie(`{"type":"timeout"}`, call.Custom.Custom), nil), 200)
	silent("another page", callback(p, pie(key, "AAAA"), nil), 200)
	body := pie(key, call.Custom.Custom)
	silent("not signed", callback(p, body, func(r *http.Request) { r.Header.Del("Authorization") }), 403)
	silent("another's key", callback(p, body, func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), testAppKey, "x", 1))
	}), 403)
	silent("another type", callback(p, body, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 403)
	silent("another time", callback(p, body, func(r *http.Request) { r.Header.Set("X-Timestamp", "2031-01-02T03:00:01Z") }), 403)
	silent("no time", callback(p, body, func(r *http.Request) { r.Header.Del("X-Timestamp") }), 403)
	p.now = func() time.Time { return m.Deadline.Add(time.Minute) }
	silent("heard before", callback(p, body, nil), 403)
}

// https://developers.sinch.com/docs/voice/api-reference/voice/tag/Callbacks
func TestHowCallsEnd(t *testing.T) {
	var got httpfar.Reports
	p := calling(t, &got)
	all, failed := p.callout(speech(false))
	if failed != nil {
		t.Fatal(failed)
	}
	keyed, failed := p.callout(speech(true))
	if failed != nil {
		t.Fatal(failed)
	}
	price := provider.Price{Amount: "0.0095", Currency: "USD"}
	for _, c := range []struct {
		custom, result, reason string
		want                   provider.Report
	}{
		{all.TTS.Custom, "ANSWERED", "MANAGERHANGUP", provider.Report{State: provider.Delivered}},
		{all.TTS.Custom, "BUSY", "CALLEEHANGUP", provider.Report{State: provider.Failed, Class: provider.Temporary, Code: "BUSY CALLEEHANGUP"}},
		{all.TTS.Custom, "NOANSWER", "TIMEOUT", provider.Report{State: provider.Failed, Class: provider.Temporary, Code: "NOANSWER TIMEOUT"}},
		{all.TTS.Custom, "FAILED", "NOCREDITPARTNER", provider.Report{State: provider.Failed, Class: provider.BadRequest, Code: "FAILED NOCREDITPARTNER"}},
		{keyed.Custom.Custom, "ANSWERED", "CALLEEHANGUP", provider.Report{State: provider.Failed, Class: provider.Temporary, Code: "ANSWERED CALLEEHANGUP"}},
		{"", "ANSWERED", "", provider.Report{State: provider.Failed, Class: provider.Temporary, Code: "ANSWERED"}},
	} {
		before := len(got.All)
		w := callback(p, fmt.Sprintf(`{"event":"dice","callid":"c1","result":%q,"reason":%q,"custom":%q,"debit":{"currencyId":"USD","amount":0.0095}}`, c.result, c.reason, c.custom), nil)
		c.want.ID, c.want.Price = "c1", price
		if w.Code != 204 || !slices.Equal(got.All[before:], []provider.Report{c.want}) {
			t.Errorf("%s %s: got %d %+v, want %+v", c.result, c.reason, w.Code, got.All[before:], c.want)
		}
	}
	if w := callback(p, `{"event":"ace","callid":"c1"}`, nil); w.Code != 204 {
		t.Errorf("answered: got %d", w.Code)
	}
}

func TestWhatSinchCannotCall(t *testing.T) {
	for name, change := range map[string]func(*Provider, *provider.Message){
		"application_key is missing": func(p *Provider, _ *provider.Message) { p.voice.key = "" },
		"report_url is missing":      func(p *Provider, _ *provider.Message) { p.voice.path = "" },
		"does not dial a star":       func(_ *Provider, m *provider.Message) { m.Speech.SendDigits = "*1" },
		"does not speak":             func(_ *Provider, m *provider.Message) { m.Speech.Language = "xx" },
	} {
		var got httpfar.Reports
		p, m := calling(t, &got), speech(true)
		change(p, &m)
		if _, failed := p.callout(m); failed == nil || failed.Class != provider.BadRequest || !strings.Contains(failed.Detail, name) {
			t.Errorf("%s: got %v", name, failed)
		}
	}
	for _, language := range callscript.Languages() {
		if _, ok := tags.Tag(language); !ok {
			t.Errorf("%s is not spoken", language)
		}
	}
	const least = `"service_plan_id":"p","api_token":"hunter2"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least + `,"application_key":"k","application_secret":"aHVudGVyMg=="`:                              "",
		least + `,"application_key":"k"`:                                                                  "go together",
		least + `,"application_key":"k","application_secret":"hunter2!"`:                                  "application_secret is not the base64",
		least + `,"application_key":"k","application_secret":"aHVudGVyMg==","voice_base_url":"http://gw"`: "voice_base_url: plain http",
	})
}

func TestRecordedCalls(t *testing.T) {
	for name, m := range map[string]provider.Message{"call": speech(false), "call-key": speech(true)} {
		httpfar.Record(t, filepath.Join("testdata", name+".http"), httpfar.Answering("200 OK", `{"callId":"c1"}`), m,
			func(d provider.Deps) (provider.Provider, error) {
				return New(Config{ServicePlanID: "plan", APIToken: testToken, ApplicationKey: testAppKey, ApplicationSecret: testAppSecret,
					CallFrom: "+15005550006", ReportURL: callReports, VoiceBaseURL: "http://localhost"}, d)
			})
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func FuzzCallsAreTold(f *testing.F) {
	var kept httpfar.Reports
	p := calling(f, &kept)
	f.Add(`{"event":"pie","callid":"c1","menuResult":{"type":"return","value":"pressed"},"custom":"AAAA"}`)
	f.Add(`{"event":"dice","callid":"c1","result":"BUSY","reason":"NOCREDITPARTNER","debit":{"amount":0.0035,"currencyId":"EUR"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if _, text := p.answer(nil, []byte(body)); strings.Contains(text, "playFiles") {
			t.Errorf("%q: %s", body, text)
		}
		reports, _ := p.readReport(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
