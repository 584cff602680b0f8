package infobip

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestExamOfCalls(t *testing.T) { exam(t, "call", "sms") }

// hearCall is a person who is called and listens to all of it.
func hearCall(r *http.Request) (providertest.Taken, error) {
	var body voiceRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || len(body.Messages) != 1 || len(body.Messages[0].Destinations) != 1 {
		return providertest.Taken{}, fmt.Errorf("%d messages, %w", len(body.Messages), err)
	}
	m := body.Messages[0]
	if r.Header.Get("Authorization") != "App "+testKey || m.From != "15005550006" || m.Language == "" || m.Destinations[0].MessageID == "" && m.Text != "" {
		return providertest.Taken{}, errors.New("the key or a field is wrong")
	}
	said := ""
	for line := range strings.Lines(m.Text) {
		said += twiml.Unspell(strings.TrimSpace(line)) + " "
	}
	return providertest.Taken{To: "+" + m.Destinations[0].To, Text: said}, nil
}

func TestRecordedCall(t *testing.T) {
	httpfar.Record(t, filepath.Join("testdata", "call.http"), httpfar.Answering("200 OK", `{"messages":[{"messageId":"a","status":{"groupName":"PENDING"}}]}`),
		providertest.Message("call", 0), func(d provider.Deps) (provider.Provider, error) {
			return New(Config{APIKey: testKey, From: "+15005550006", BaseURL: "http://localhost", ReportURL: "https://verify.example.com/reports/infobip/x"}, d)
		})
}

func TestWhatInfobipCannotCall(t *testing.T) {
	p, err := New(Config{APIKey: testKey, From: "+15005550006", BaseURL: "https://xxxxx.api.infobip.com"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*provider.Message){
		"waits for a key":           func(m *provider.Message) { m.Speech.PressKey, m.Speech.PressKeyPrompt = true, "Press any key." },
		"does not dial":             func(m *provider.Message) { m.Speech.SendDigits = "1" },
		"does not speak":            func(m *provider.Message) { m.Speech.Language = "zh-HK" },
		"is not a telephone number": func(m *provider.Message) { m.From = "Acme" },
	} {
		m := providertest.Message("call", 1)
		change(&m)
		if _, failed := p.voiceRequest(m); failed == nil || failed.Class != provider.BadRequest || !strings.Contains(failed.Detail, name) {
			t.Errorf("%s: got %v", name, failed)
		}
	}
	for _, language := range callscript.Languages() {
		if tag, ok := languages.Tag(language); ok && tag != strings.ToLower(tag) {
			t.Errorf("%s: got %s", language, tag)
		}
	}
}

// https://www.infobip.com/docs/essentials/response-status-and-error-codes, the errors of voice.
func TestHowCallsEnd(t *testing.T) {
	for text, want := range map[string]provider.Report{
		`{"messageId":"VL1:1","status":{"groupName":"DELIVERED","id":5},"error":{"id":5000}}`:     {State: provider.Delivered},
		`{"messageId":"VL1:1","status":{"groupName":"UNDELIVERABLE","id":9},"error":{"id":5002}}`: {State: provider.Failed, Class: provider.Temporary, Code: "5002"},
		`{"messageId":"VL1:1","status":{"groupName":"UNDELIVERABLE","id":9},"error":{"id":5003}}`: {State: provider.Failed, Class: provider.Temporary, Code: "5003"},
		`{"messageId":"VL1:1","status":{"groupName":"REJECTED","id":12},"error":{"id":0}}`:        {State: provider.Failed, Class: provider.BadRequest, Code: "12"},
	} {
		want.ID = "VL1:1"
		got, err := readReports(nil, []byte(`{"results":[`+text+`]}`))
		if err != nil || !slices.Equal(got, []provider.Report{want}) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}
