package vendors_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
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
		if api.Voice != nil {
			story(w, api)
		}
	})
}

// call has one made, and is what the carrier noted of it.
func (w *world) call(m provider.Message) (provider.Accepted, desk.Message) {
	w.Helper()
	accepted, err := w.provider.Send(w.Context(), m)
	if err != nil {
		w.Fatal(err)
	}
	return accepted, w.desk.Messages(w.Context(), desk.Query{To: m.To, All: true})[0]
}

// deaf are vendors that cannot wait for a key.
var deaf = map[string]bool{"infobip": true}

func TestAPersonWhoIsCalledHearsTheCode(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		for n, pressKey := range []bool{false, true} {
			if pressKey && deaf[api.Name] {
				continue
			}
			m := spoken(n+1, pressKey)
			accepted, got := w.call(m)
			if got.Provider != api.Name || !got.Arrived || got.ID == "" || strings.Count(got.Text, "482 913")+strings.Count(got.Text, "482913") != 2 {
				w.Errorf("arrived %+v", got)
			}
			if strings.Contains(got.Text, "(pressed 1)") != pressKey || strings.Contains(got.Text, "Press a key.") != pressKey {
				w.Errorf("with a key %v: %s", pressKey, got.Text)
			}
			if r := <-w.reports; r.State != provider.Delivered || r.ID != accepted.ID && r.Key != m.Key {
				w.Errorf("reported %+v of %+v", r, accepted)
			}
			if !deaf[api.Name] {
				w.ended() // a call that was heard ends too, which changes nothing
			}
		}
	})
}

// ended takes the reports up to one of a call that has ended.
func (w *world) ended() (last provider.Report) {
	w.Helper()
	for last.State != provider.Failed {
		last = <-w.reports
	}
	return last
}

func TestAnAnsweringMachineIsToldNoCode(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		if deaf[api.Name] {
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
				w.ended()
			}
		}
	})
}

func TestACallIsRefused(t *testing.T) {
	eachCaller(t, func(w *world, api vendors.API) {
		for i, class := range []provider.Class{provider.BadRequest, provider.Temporary, provider.Throttled, provider.Unknown, provider.BadRecipient} {
			w.knobs(fmt.Sprintf(`{"answer":%q}`, class))
			_, err := w.provider.Send(w.Context(), spoken(i+1, false))
			if _, has := api.Voice.Refusals[desk.Answer(class.String())]; !has {
				w.ended() // it says it later
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
		"twilio stranger": {"twilio", "/2010-04-01/Accounts/AC00000000000000000000000000000fac/Calls.json", "To=x", nil, "20003"},
		"twilio no page":  {"twilio", "/2010-04-01/Accounts/AC00000000000000000000000000000fac/Calls.json", "To=%2B34612345678&From=%2B15005550006", basic("AC00000000000000000000000000000fac", "twilio-token"), "21205"},
		"vonage stranger": {"vonage", "/v1/calls", "{}", nil, "token"},
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
