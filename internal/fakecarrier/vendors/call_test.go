package vendors_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// spoken is a call as verifyd composes it: twice, and after a key where one is asked for.
func spoken(n int, pressKey bool) provider.Message {
	m := providertest.Message("call", n)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "en", PressKey: pressKey, Parts: []provider.SpeechPart{
		{Say: "Your code is:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"}, {PauseMS: 1000},
		{Say: "Once again:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"},
	}}
	if pressKey {
		m.Speech.PressKeyPrompt = "Press a key."
	}
	return m
}

// eachCaller tells a story of every vendor that makes calls.
func eachCaller(t *testing.T, story func(w *world, api vendors.API)) {
	eachVendor(t, func(w *world, api vendors.API) {
		if i := slices.IndexFunc(api.Also, calls); i >= 0 {
			story(w, api.Also[i])
		}
	})
}

// calls says that an API is one of calls.
func calls(api vendors.API) bool { return api.Talk != nil }

// call has one made, and is what the carrier noted of it.
func (w *world) call(m provider.Message) (provider.Accepted, desk.Message) {
	w.Helper()
	accepted, err := w.provider.Send(w.Context(), m)
	if err != nil {
		w.Fatal(err)
	}
	return accepted, w.desk.Messages(w.Context(), desk.Query{To: m.To, All: true})[0]
}

// deaf says that a vendor cannot wait for a key.
func (w *world) deaf() bool { return w.name == "infobip" }

func TestAPersonWhoIsCalledHearsTheCode(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		for n, pressKey := range []bool{false, true} {
			if pressKey && w.deaf() {
				continue
			}
			m := spoken(n+1, pressKey)
			accepted, got := w.call(m)
			if got.Provider != w.name || !got.Arrived || got.ID == "" || strings.Count(got.Text, "482 913") != 2 {
				w.Errorf("arrived %+v", got)
			}
			if strings.Contains(got.Text, "(pressed 1)") != pressKey || strings.Contains(got.Text, "Press a key.") != pressKey {
				w.Errorf("with a key %v: %s", pressKey, got.Text)
			}
			if r := w.until(provider.Delivered); r.ID != accepted.ID && r.Key != m.Key {
				w.Errorf("reported %+v of %+v", r, accepted)
			}
		}
	})
}

// until takes the reports up to one of a state. A call that was heard ends too, which is reported as a failure
// behind its delivery and changes nothing then.
func (w *world) until(state provider.ReportState) (last provider.Report) {
	w.Helper()
	for last.State != state {
		last = <-w.reports
	}
	return last
}

func TestAnAnsweringMachineIsToldNoCode(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		if w.deaf() {
			return
		}
		w.knobs(`{"keys":"none"}`)
		_, got := w.call(spoken(1, true))
		if !strings.Contains(got.Text, "Press a key.") || strings.Contains(got.Text, "482") {
			w.Errorf("heard %s", got.Text)
		}
		if r := <-w.reports; r.State != provider.Failed || r.Class != provider.Temporary {
			w.Errorf("reported %+v", r)
		}
	})
}

func TestATelephoneThatNobodyAnswers(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		for i, c := range []struct{ report, text string }{
			{`["failed"]`, "busy"}, {`["bad_recipient"]`, "no such number"}, {`[]`, "nobody answered"},
		} {
			w.knobs(`{"report":` + c.report + `,"report_after":"1ms"}`)
			_, got := w.call(spoken(i+1, false))
			if got.Arrived || got.Text != c.text {
				w.Errorf("%s: %+v", c.report, got)
			}
			if c.report != "[]" {
				w.until(provider.Failed)
			}
		}
	})
}

func TestACallIsRefused(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		for i, class := range []provider.Class{provider.BadRequest, provider.Temporary, provider.Throttled, provider.Unknown, provider.BadRecipient} {
			w.knobs(fmt.Sprintf(`{"answer":%q}`, class))
			_, err := w.provider.Send(w.Context(), spoken(i+1, false))
			if _, has := api.Refusals[desk.Answer(class.String())]; !has {
				w.until(provider.Failed) // it says it later
				continue
			}
			if err == nil || provider.AsError(err).Class != class {
				w.Errorf("got %v, want class %v", err, class)
			}
		}
		w.knobs(`{"answer":"dropped"}`)
		if _, err := w.provider.Send(w.Context(), spoken(7, false)); err == nil || provider.AsError(err).Class != provider.Unknown {
			w.Errorf("dropped: %v", err)
		}
	})
}

func TestACallIsHeardBeforeTheAnswer(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		w.knobs(`{"report_first":true,"arrives":false,"report":["delivered"]}`) // a machine that listens
		m := spoken(1, false)
		if _, err := w.provider.Send(w.Context(), m); err != nil {
			w.Fatal(err)
		}
		if r := <-w.reports; r.State != provider.Delivered {
			w.Errorf("reported %+v", r)
		}
		if got := w.desk.Messages(over(t), desk.Query{To: m.To, All: true}); len(got) != 1 || got[0].Arrived || !strings.Contains(got[0].Text, "482") {
			w.Errorf("noted %+v", got)
		}
	})
}

func TestWhatACarrierOfCallsRefuses(t *testing.T) {
	apis := map[string]vendors.API{}
	for _, api := range vendors.All(time.Now) {
		apis[api.Name] = api
	}
	for name, c := range map[string]struct {
		vendor, path, body string
		header             map[string][]string
		want               string
	}{
		"twilio stranger":  {"twilio", "/2010-04-01/Accounts/AC00000000000000000000000000000fac/Calls.json", "To=x", nil, "20003"},
		"twilio no page":   {"twilio", "/2010-04-01/Accounts/AC00000000000000000000000000000fac/Calls.json", "To=%2B34612345678&From=%2B15005550006", basic("AC00000000000000000000000000000fac", "twilio-token"), "21205"},
		"vonage stranger":  {"vonage", "/v1/calls", "{}", nil, "token"},
		"plivo stranger":   {"plivo", "/v1/Account/MAFAKECARRIER/Call/", "{}", nil, "401"},
		"plivo no page":    {"plivo", "/v1/Account/MAFAKECARRIER/Call/", `{"from":"15005550006","to":"34612345678"}`, basic("MAFAKECARRIER", "plivo-token"), "answer_url"},
		"infobip stranger": {"infobip", "/tts/3/advanced", "{}", nil, "E401"},
		"infobip no words": {"infobip", "/tts/3/advanced", `{"messages":[{"from":"15005550006","language":"en","destinations":[{"to":"34612345678"}]}]}`, bearer("App infobip-key"), "text is missing"},
		"sinch stranger":   {"sinch", "/calling/v1/callouts", "{}", nil, "40100"},
		"sinch no method":  {"sinch", "/calling/v1/callouts", `{"method":"shout"}`, basic("11111111-2222-3333-4444-00000000fake", "c2luY2gtdm9pY2U="), "method"},
		"telnyx stranger":  {"telnyx", "/v2/calls", "{}", nil, "10009"},
		"telnyx elsewhere": {"telnyx", "/v2/calls", `{"connection_id":"1"}`, bearer("Bearer telnyx-key"), "connection_id"},
		"telnyx no call":   {"telnyx", "/v2/calls/v3:1/actions/hangup", `{"command_id":"1"}`, bearer("Bearer telnyx-key"), "90018"},
		"telnyx no voice":  {"telnyx", "/v2/calls/v3:1/actions/speak", `{"payload":"x","payload_type":"ssml"}`, bearer("Bearer telnyx-key"), "422"},
		"telnyx dance":     {"telnyx", "/v2/calls/v3:1/actions/dance", `{}`, bearer("Bearer telnyx-key"), "404"},
	} {
		if got := ask(apis[c.vendor], "/"+c.vendor+c.path, c.body, c.header); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// ask has a vendor answer a form.
func ask(api vendors.API, path, body string, header map[string][]string) string {
	s := vendors.New(&desk.Desk{}, slog.New(slog.DiscardHandler), api)
	defer s.Close()
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return fmt.Sprint(rec.Code, " ", rec.Body)
}

func TestACallThatIsNotToldWhatToSayHasNotArrived(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	var d desk.Desk
	s := vendors.New(&d, slog.New(slog.DiscardHandler), vendors.All(time.Now)...)
	defer s.Close()
	r := httptest.NewRequest("POST", "/plivo/v1/Account/MAFAKECARRIER/Call/",
		strings.NewReader(`{"from":"15005550006","to":"34612345678","answer_url":"`+gone.URL+`","answer_method":"POST"}`))
	r.Header = basic("MAFAKECARRIER", "plivo-token")
	s.ServeHTTP(httptest.NewRecorder(), r)
	if got := d.Messages(t.Context(), desk.Query{All: true})[0]; got.Arrived || got.Text != "(the call ended early: HTTP 404)" {
		t.Errorf("noted %+v", got)
	}
}

// FuzzCalls gives every vendor's API of calls whatever comes: it reads a number that is one, or refuses.
func FuzzCalls(f *testing.F) {
	f.Add(0, `{"messages":[{"from":"15005550006","language":"en","text":"4, 8.","destinations":[{"to":"34612345678"}]}]}`)
	f.Add(2, `{"method":"ttsCallout","ttsCallout":{"cli":"+15005550006","domain":"pstn","locale":"en","prompts":"#ssml[<speak>x</speak>]","destination":{"type":"number","endpoint":"+34612345678"}}}`)
	f.Add(3, `{"connection_id":"1494404757140276705","to":"+34612345678","from":"+15005550006"}`)
	f.Add(4, `To=%2B34612345678&From=%2B15005550006&Twiml=<Response><Say>x</Say></Response>`)
	var apis []vendors.API
	for _, api := range vendors.All(time.Now) {
		for _, other := range api.Also {
			if calls(other) {
				apis = append(apis, other)
			}
		}
	}
	headers := []map[string][]string{ // in the order of the names; Vonage's token is of a moment
		bearer("App infobip-key"), basic("MAFAKECARRIER", "plivo-token"), basic("11111111-2222-3333-4444-00000000fake", "c2luY2gtdm9pY2U="),
		bearer("Bearer telnyx-key"), basic("AC00000000000000000000000000000fac", "twilio-token"), nil,
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		n = (n%len(apis) + len(apis)) % len(apis)
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		for name, values := range headers[n] {
			r.Header[name] = values
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sent, refusal := apis[n].Read(r, []byte(body))
		if refusal == nil && !strings.HasPrefix(sent.To, "+") {
			t.Errorf("%d took %+v", n, sent)
		}
		if refusal != nil {
			apis[n].Refuse(httptest.NewRecorder(), *refusal)
		}
	})
}
