package plivo

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const callReports = "https://verify.example.com/reports/plivo/x?a=1"

// Nothing that an answer says of a call speaks of the number.
func TestExamOfCalls(t *testing.T) { exam(t, []provider.Class{provider.BadRecipient}, "call", "sms") }

// signV3 signs a call as Plivo does.
func signV3(token, at, form string) []string {
	u, _ := url.Parse(at)
	values, _ := url.ParseQuery(form)
	mac := httpreport.MAC(sha256.New, token, signedCall(u, values), ".", "12345")
	return append(slices.Clone(httpfar.Form), "X-Plivo-Signature-V3-Nonce", "12345", "X-Plivo-Signature-V3", base64.StdEncoding.EncodeToString(mac))
}

// ask has Plivo call at.
func ask(p *Provider, at, form string) *httptest.ResponseRecorder {
	u, _ := url.Parse(at)
	w := httptest.NewRecorder()
	p.ServeReport(w, httpfar.Post("http://10.0.0.7"+u.RequestURI(), form, signV3(testToken, at, form)...))
	return w
}

// hearCall is a person who is called, answers, and listens to the first page.
func hearCall(p *Provider, r *http.Request) (providertest.Taken, error) {
	var body callRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return providertest.Taken{}, err
	}
	if body.From != "15005550006" || strings.HasPrefix(body.To, "+") || body.AnswerMethod != "POST" || body.HangupMethod != "POST" {
		return providertest.Taken{}, errors.New("a field of the call is wrong")
	}
	w := ask(p, body.AnswerURL, "CallUUID=c1&CallStatus=in-progress&Event=StartApp")
	said, err := twiml.Listen(w.Body.String())
	return providertest.Taken{To: "+" + body.To, Text: said.Heard}, err
}

func TestACallThatWaitsForAKey(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, testToken, callReports)
	p.callFrom = "+15005550006"
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "nb", PressKey: true, PressKeyPrompt: "Trykk på en tast.", SendDigits: "ww1",
		Parts: []provider.SpeechPart{{Say: "Koden for A&B er:"}, {Digits: "482913"}, {PauseMS: 1000}, {Say: "Igjen:"}, {Digits: "482913"}}}
	call, failed := p.callRequest(m)
	if failed != nil {
		t.Fatal(failed)
	}
	hear := func(w *httptest.ResponseRecorder) twiml.Heard {
		t.Helper()
		h, err := twiml.Listen(w.Body.String())
		if err != nil || w.Code != 200 {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return h
	}
	const here = "CallUUID=c1&CallStatus=in-progress"
	prompt := hear(ask(p, call.AnswerURL, here))
	if prompt.Heard != "Trykk på en tast. " || prompt.Redirect != "" || !slices.Equal(prompt.Language, []string{"nb-NO"}) || call.SendDigits != "ww1" {
		t.Fatalf("got %+v", prompt)
	}
	code := hear(ask(p, prompt.Gather, here+"&Digits=5"))
	if code.Heard != "Koden for A&B er: 482913 " || len(got.All) != 0 {
		t.Fatalf("got %+v, %+v", code, got.All)
	}
	again := hear(ask(p, code.Redirect, here))
	heard := provider.Report{Key: m.Key, State: provider.Delivered}
	if again.Heard != "Igjen: 482913 " || !slices.Equal(got.All, []provider.Report{heard}) {
		t.Fatalf("got %+v, %+v", again, got.All)
	}
	w := ask(p, call.HangupURL, "CallUUID=c1&CallStatus=completed&HangupCauseCode=4000&TotalCost=0.00500")
	end := provider.Report{Key: m.Key, State: provider.Failed, Class: provider.Temporary, Code: "completed 4000", Price: provider.Price{Amount: "0.00500", Currency: "USD"}}
	if w.Code != 204 || got.All[len(got.All)-1] != end {
		t.Errorf("got %d %+v, want %+v", w.Code, got.All, end)
	}

	for name, w := range map[string]*httptest.ResponseRecorder{
		"no key":       ask(p, prompt.Gather, here),
		"another page": ask(p, prompt.Gather+"AAAA", here+"&Digits=5"),
	} {
		if w.Code != 200 || w.Body.String() != "<Response><Hangup/></Response>" {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	u, err := url.Parse(prompt.Gather)
	if err != nil {
		t.Fatal(err)
	}
	v2 := base64.StdEncoding.EncodeToString(httpreport.MAC(sha256.New, testToken, "https://verify.example.com/reports/plivo/x", "12345"))
	for name, headers := range map[string][]string{
		"no signature":         httpfar.Form,
		"another body's":       signV3(testToken, prompt.Gather, here),
		"another URL's":        signV3(testToken, call.AnswerURL, here+"&Digits=5"),
		"another's":            signV3("guess", prompt.Gather, here+"&Digits=5"),
		"one that covers less": append(slices.Clone(httpfar.Form), "X-Plivo-Signature-V2", v2, "X-Plivo-Signature-V2-Nonce", "12345"),
	} {
		w := httptest.NewRecorder()
		p.ServeReport(w, httpfar.Post(u.RequestURI(), here+"&Digits=5", headers...))
		if w.Code != 403 || strings.Contains(w.Body.String(), "Speak") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	p.now = func() time.Time { return m.Deadline.Add(time.Minute) }
	if w := ask(p, prompt.Gather, here+"&Digits=5"); strings.Contains(w.Body.String(), "Speak") {
		t.Errorf("too late: got %s", w.Body)
	}
	if w := ask(p, call.HangupURL, "ALegRequestUUID=r1&CallUUID=c1&CallStatus=busy"); w.Code != 204 || got.All[len(got.All)-1] != (provider.Report{ID: "r1", State: provider.Failed, Class: provider.Temporary, Code: "busy"}) {
		t.Errorf("an end after the code's life: got %d %+v", w.Code, got.All[len(got.All)-1])
	}
}

// The vector was made by the official Node library.
func TestTheSignatureOfCallsOfTheOfficialLibrary(t *testing.T) {
	u, err := url.Parse("https://verify.example.com/hooks/x?a=1&b=2")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"MessageUUID": {"u1"}, "Status": {"delivered"}, "To": {"34612345678"}}
	mac := httpreport.MAC(sha256.New, "tok", signedCall(u, form), ".", "12345")
	if got, want := base64.StdEncoding.EncodeToString(mac), "HUDCT+Jq9slIykA+LjzgmT3mPEIZAq/y2cUP3dEt2zE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatPlivoCannotCall(t *testing.T) {
	var got httpfar.Reports
	for name, change := range map[string]func(*Provider, *provider.Message){
		"report_url is missing":       func(p *Provider, _ *provider.Message) { p.reportURL = nil },
		"does not speak the language": func(_ *Provider, m *provider.Message) { m.Speech.Language = "fi" },
		"not a telephone number":      func(p *Provider, _ *provider.Message) { p.callFrom = "" },
	} {
		p := reporting(t, &got, testToken, callReports)
		p.callFrom = "+15005550006"
		m := providertest.Message("call", 1)
		change(p, &m)
		if _, failed := p.callRequest(m); failed == nil || failed.Class != provider.BadRequest || !strings.Contains(failed.Detail, name) {
			t.Errorf("%s: got %v", name, failed)
		}
	}
	for _, language := range callscript.Languages() {
		tag, ok := tags.Tag(language)
		if _, spoken := newVoice(callscript.Script{Language: language}); spoken != ok {
			t.Errorf("%s: %s, %v", language, tag, spoken)
		}
	}
}

func TestRecordedCall(t *testing.T) {
	m := providertest.Message("call", 0)
	m.Speech.SendDigits = "ww1"
	httpfar.Record(t, filepath.Join("testdata", "call.http"), httpfar.Answering("201 Created", `{"message":"call fired","request_uuid":"r1"}`), m,
		func(d provider.Deps) (provider.Provider, error) {
			return New(Config{AuthID: "MA1", AuthToken: testToken, From: "+15005550006", BaseURL: "http://localhost", ReportURL: callReports}, d)
		})
}

func FuzzSignedCall(f *testing.F) {
	f.Add("a=1&b=2", "x=y&x=a&%zz")
	f.Fuzz(func(t *testing.T, query, body string) {
		form, _ := url.ParseQuery(body)
		signedCall(&url.URL{Scheme: "https", Host: "v.example", Path: "/r", RawQuery: query}, form)
	})
}
