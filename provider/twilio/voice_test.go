package twilio

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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

func TestExamOfCalls(t *testing.T) { exam(t, "call", "sms", "rcs") }

const callReports = "https://verify.example.com/reports/twilio/x?a=1"

// spoken is a call as verifyd composes it: twice, and after a key where one is asked for.
func spoken(pressKey bool) provider.Message {
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "es", Repeat: 1, PressKey: pressKey, Parts: []provider.SpeechPart{
		{Say: "Su código de A&B es:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"}, {PauseMS: 1000},
		{Say: "Repetimos:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"},
	}}
	if pressKey {
		m.Speech.PressKeyPrompt = "Pulse una tecla."
	}
	return m
}

// telephone is a call at Twilio: it asks for pages, signed as Twilio does.
type telephone struct {
	t    *testing.T
	p    *Provider
	got  *httpfar.Reports
	page string
}

func dial(t *testing.T, m provider.Message, reportURL string) *telephone {
	t.Helper()
	tel := &telephone{t: t, got: &httpfar.Reports{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tel.page = r.PostFormValue("Twiml")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"sid":"CA1","status":"queued"}`)
	}))
	t.Cleanup(server.Close)
	var err error
	tel.p, err = New(Config{AccountSID: testAccount, AuthToken: testToken, CallFrom: "+15005550006", ReportURL: reportURL, BaseURL: server.URL}, tel.got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	if a, err := tel.p.Send(t.Context(), m); err != nil || a.ID != "CA1" {
		t.Fatalf("got %+v, %v", a, err)
	}
	return tel
}

// hear is what is said on the page that the call is at.
func (tel *telephone) hear() twiml.Heard {
	tel.t.Helper()
	h, err := twiml.Listen(tel.page)
	if err != nil {
		tel.t.Fatalf("%v\n%s", err, tel.page)
	}
	return h
}

// ask has Twilio call at, and goes to the page that it is answered.
func (tel *telephone) ask(at string, form url.Values) (status int, recorded []provider.Report) {
	tel.t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		tel.t.Fatal(err)
	}
	form.Set("CallSid", "CA1")
	r := httpfar.Post("http://10.0.0.7"+u.RequestURI(), form.Encode(), append(httpfar.Form, "X-Twilio-Signature", sign(testToken, at+sortedParams(form)))...)
	before := len(tel.got.All)
	w := httptest.NewRecorder()
	tel.p.ServeReport(w, r)
	tel.page = w.Body.String()
	return w.Code, tel.got.All[before:]
}

func TestACallThatWaitsForAKey(t *testing.T) {
	tel := dial(t, spoken(true), callReports)
	prompt := tel.hear()
	if strings.Contains(tel.page, "482") || strings.Contains(tel.page, "4, 8, 2") || prompt.Redirect != "" || strings.Count(prompt.Heard, "Pulse una tecla.") != 2 {
		t.Fatalf("before the key: %s", tel.page)
	}
	if !slices.Equal(prompt.Language, []string{"es-ES"}) || strings.Contains(prompt.Gather, "482913") {
		t.Errorf("got %+v", prompt)
	}
	status, recorded := tel.ask(prompt.Gather, url.Values{"Digits": {"5"}, "CallStatus": {"in-progress"}})
	code := tel.hear()
	if status != 200 || len(recorded) != 0 || code.Heard != "Su código de A&B es: 482 913 " || code.Redirect == "" || code.Gather != "" {
		t.Fatalf("after the key: %d %+v %s", status, recorded, tel.page)
	}
	// Twilio may ask twice, and ask for the page behind the code only when that was said.
	heard := []provider.Report{{ID: "CA1", State: provider.Delivered}}
	for range 2 {
		if status, recorded = tel.ask(code.Redirect, url.Values{"CallStatus": {"in-progress"}}); status != 200 || !slices.Equal(recorded, heard) {
			t.Fatalf("after the code: %d %+v", status, recorded)
		}
	}
	if again := tel.hear(); again.Heard != "Repetimos: 482 913 " || again.Redirect != "" || !strings.Contains(tel.page, "<Hangup/>") {
		t.Errorf("again: %s", tel.page)
	}
	if strings.Contains(prompt.Gather+code.Redirect, "482913") {
		t.Error("a URL shows the code")
	}
}

func TestACallWithoutAKey(t *testing.T) {
	tel := dial(t, spoken(false), callReports)
	code := tel.hear()
	if code.Heard != "Su código de A&B es: 482 913 " || code.Redirect == "" {
		t.Fatalf("got %s", tel.page)
	}
	if _, recorded := tel.ask(code.Redirect, url.Values{}); len(recorded) != 1 || recorded[0].State != provider.Delivered {
		t.Errorf("got %+v", recorded)
	}
}

func TestACallWithoutReportURLSaysItAllAtOnce(t *testing.T) {
	tel := dial(t, spoken(false), "")
	if all := tel.hear(); all.Heard != "Su código de A&B es: 482 913 Repetimos: 482 913 " || all.Redirect != "" {
		t.Errorf("got %s", tel.page)
	}
	if _, err := tel.p.Send(t.Context(), spoken(true)); err == nil || provider.AsError(err).Class != provider.BadRequest || !strings.Contains(err.Error(), "report_url is missing") {
		t.Errorf("one that waits for a key: got %v", err)
	}
}

func TestNobodyElseIsToldTheCode(t *testing.T) {
	tel := dial(t, spoken(true), callReports)
	at := tel.hear().Gather
	silent := func(name string, status, want int) {
		t.Helper()
		if status != want || strings.Contains(tel.page, "<Say") {
			t.Errorf("%s: got %d %s, want %d and silence", name, status, tel.page, want)
		}
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	tel.p.ServeReport(w, httpfar.Post(u.RequestURI(), "CallSid=CA1&Digits=5", append(httpfar.Form, "X-Twilio-Signature", "AAAA")...))
	tel.page = w.Body.String()
	silent("not signed", w.Code, 403)
	status, _ := tel.ask(at, url.Values{})
	silent("no key", status, 200)
	status, _ = tel.ask(at+"AAAA", url.Values{"Digits": {"5"}})
	silent("another page", status, 200)
	tel.p.now = func() time.Time { return spoken(true).Deadline.Add(time.Minute) }
	status, _ = tel.ask(at, url.Values{"Digits": {"5"}})
	silent("too late", status, 200)
}

// https://www.twilio.com/docs/voice/api/call-resource#call-status-values
func TestHowCallsEnd(t *testing.T) {
	tel := dial(t, spoken(true), callReports)
	for form, want := range map[string]provider.Report{
		"CallStatus=busy":                       {Class: provider.Temporary, Code: "busy"},
		"CallStatus=no-answer":                  {Class: provider.Temporary, Code: "no-answer"},
		"CallStatus=canceled":                   {Class: provider.Temporary, Code: "canceled"},
		"CallStatus=completed&CallDuration=7":   {Class: provider.Temporary, Code: "completed"},
		"CallStatus=failed":                     {Class: provider.Temporary, Code: "failed"},
		"CallStatus=failed&SipResponseCode=404": {Class: provider.BadRequest, Code: "failed 404"},
		"CallStatus=failed&SipResponseCode=603": {Class: provider.BadRecipient, Code: "failed 603"},
		"CallStatus=failed&SipResponseCode=503": {Class: provider.Temporary, Code: "failed 503"},
		"CallStatus=ringing":                    {},
		"CallStatus=in-progress":                {},
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		status, recorded := tel.ask(callReports, values)
		if want.Code == "" {
			if status != 204 || len(recorded) != 0 {
				t.Errorf("%s: got %d %+v", form, status, recorded)
			}
			continue
		}
		want.ID, want.State = "CA1", provider.Failed
		if status != 204 || !slices.Equal(recorded, []provider.Report{want}) {
			t.Errorf("%s: got %d %+v, want %+v", form, status, recorded, want)
		}
	}
}

func TestEveryLanguageOfCallsIsSpoken(t *testing.T) {
	for _, language := range callscript.Languages() {
		if v, ok := newVoice(callscript.Script{Language: language}); !ok || strings.Contains(v.Attributes, `""`) {
			t.Errorf("%s: got %+v, %v", language, v, ok)
		}
	}
	for name, want := range map[string]bool{"Polly.Lucia": true, "Google.es-ES-Standard-A": true, "Mia": false, `man" x="`: false, "": false} {
		if v, _ := newVoice(callscript.Script{Language: "es", Voice: name}); strings.Contains(v.Attributes, "voice=") != want {
			t.Errorf("%q: got %s", name, v.Attributes)
		}
	}
}

func TestRecordedCalls(t *testing.T) {
	for name, c := range map[string]struct {
		m      provider.Message
		config Config
	}{
		"call":     {spoken(false), Config{}},
		"call-key": {spoken(true), Config{ReportURL: callReports}},
	} {
		c.m.Speech.SendDigits, c.m.Speech.Voice = "ww12#", "Polly.Lucia"
		c.config.AccountSID, c.config.AuthToken, c.config.From, c.config.BaseURL = testAccount, testToken, "+15005550006", "http://localhost"
		httpfar.Record(t, filepath.Join("testdata", name+".http"), httpfar.Answering("201 Created", `{"sid":"CA1"}`), c.m,
			func(d provider.Deps) (provider.Provider, error) { return New(c.config, d) })
	}
}

func TestCodesOfCallsAndTheManual(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/twilio.md", 4, len(callRefusals), func(code string) provider.Class { return callRefusals.Of(code, 0) })
}

func FuzzCallsAreTold(f *testing.F) {
	var kept httpfar.Reports
	p := reporting(f, "tok", "https://v.example/r", &kept)
	f.Add("CallSid=CA1&Digits=5&CallStatus=completed", "AAAA")
	f.Fuzz(func(t *testing.T, body, sealed string) {
		r := httpfar.Post("/r?"+url.Values{callscript.Param: {sealed}}.Encode(), body)
		if _, text := p.answer(r, []byte(body)); strings.Contains(text, "<Say") {
			t.Errorf("%q %q: %s", body, sealed, text)
		}
		reports, _ := p.readReport(r, []byte(body))
		for _, one := range reports {
			if one.ID == "" || (one.State == provider.Failed) != (one.Class != 0) {
				t.Errorf("%q: %+v", body, one)
			}
		}
	})
}
