package telnyx

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const callReports = "https://verify.example.com/reports/telnyx/x"

func TestExamOfCalls(t *testing.T) { exam(t, "call", "sms") }

var callKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte("7"), ed25519.SeedSize))

func testPublicKey() string {
	return base64.StdEncoding.EncodeToString(callKey.Public().(ed25519.PublicKey))
}

// given is a command that Telnyx got for a call.
type given struct {
	call, name string
	body       command
}

// commander is the part of Telnyx that takes commands; what is none goes on to next.
type commander struct {
	next http.RoundTripper

	mu     sync.Mutex
	all    []given
	status int // of its answers, 200 where it is 0
}

func (c *commander) RoundTrip(r *http.Request) (*http.Response, error) {
	call, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/calls/"), "/actions/")
	if !ok {
		return c.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	one := given{call: call, name: name}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&one.body); err != nil || r.Header.Get("Authorization") != "Bearer "+testKey || one.body.CommandID == "" {
		return nil, fmt.Errorf("a bad command: %v %s", err, body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	status := c.status
	if status == 0 {
		status = http.StatusOK
		c.all = append(c.all, one)
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(`{"data":{"result":"ok"}}`)), Header: http.Header{}, Request: r}, nil
}

// of is the last command for a call.
func (c *commander) of(call string) (last given) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if one.call == call {
			last = one
		}
	}
	return last
}

// webhook is a call of Telnyx's, signed.
func webhook(p *Provider, at time.Time, body string) *httptest.ResponseRecorder {
	r := httpfar.Post("/r", body, httpfar.JSON...)
	timestamp := fmt.Sprint(at.Unix())
	r.Header.Set("Telnyx-Timestamp", timestamp)
	r.Header.Set("Telnyx-Signature-Ed25519", base64.StdEncoding.EncodeToString(ed25519.Sign(callKey, []byte(timestamp+"|"+body))))
	w := httptest.NewRecorder()
	p.ServeReport(w, r)
	return w
}

func callWebhook(id, kind, call, state, more string) string {
	return fmt.Sprintf(`{"data":{"id":%q,"event_type":%q,"payload":{"call_control_id":%q,"from":"+15005550006","to":"+34612345678","client_state":%q%s}}}`, id, kind, call, state, more)
}

// hear is a person who is called, answers, and listens to the first thing that is said.
func (c *commander) hear(p *Provider, r *http.Request) (providertest.Taken, error) {
	var body callRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return providertest.Taken{}, err
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey || body.ConnectionID == "" || body.WebhookURL != callReports || body.From != "+15005550006" {
		return providertest.Taken{}, errors.New("a field of the call, or the key, is wrong")
	}
	call := "v3:" + body.CommandID
	if w := webhook(p, time.Now(), callWebhook("e1", "call.answered", call, body.ClientState, "")); w.Code != 204 {
		return providertest.Taken{}, fmt.Errorf("answered: %d %s", w.Code, w.Body)
	}
	said, err := twiml.ListenSSML(c.of(call).body.Payload)
	return providertest.Taken{To: body.To, Text: said}, err
}

func TestACallThatWaitsForAKey(t *testing.T) {
	var got httpfar.Reports
	commands := &commander{}
	deps := got.Deps()
	deps.HTTP = &http.Client{Transport: commands}
	p, err := New(Config{APIKey: testKey, CallFrom: "+15005550006", ConnectionID: "1", PublicKey: testPublicKey(), ReportURL: callReports}, deps)
	if err != nil {
		t.Fatal(err)
	}
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "fr", PressKey: true, PressKeyPrompt: "Appuyez sur une touche.", SendDigits: "w1",
		Parts: []provider.SpeechPart{{Say: "Votre code A&B :"}, {Digits: "482913"}, {PauseMS: 1000}, {Say: "Encore :"}, {Digits: "482913"}}}
	call, failed := p.callRequest(m)
	if failed != nil || call.SendDigitsOnAnswer != "w1" {
		t.Fatal(call, failed)
	}
	step := func(id, kind, state, more, command, heard string) given {
		t.Helper()
		if w := webhook(p, httpfar.Epoch, callWebhook(id, kind, "c1", state, more)); w.Code != 204 {
			t.Fatalf("%s: %d %s", kind, w.Code, w.Body)
		}
		last := commands.of("c1")
		said := ""
		if last.body.Payload != "" {
			if said, err = twiml.ListenSSML(last.body.Payload); err != nil {
				t.Fatal(err)
			}
		}
		if last.name != command || strings.Join(strings.Fields(said), " ") != heard || last.body.CommandID != id {
			t.Fatalf("%s: got %s %q by %s, want %s %q", kind, last.name, said, last.body.CommandID, command, heard)
		}
		return last
	}
	prompt := step("e1", "call.answered", call.ClientState, "", "gather_using_speak", "Appuyez sur une touche.")
	if prompt.body.Language != "fr-FR" || prompt.body.MaximumTries != 2 || strings.Contains(prompt.body.ClientState, "482913") {
		t.Errorf("got %+v", prompt)
	}
	const pressed = `,"digits":"5","status":"valid"`
	code := step("e2", "call.gather.ended", prompt.body.ClientState, pressed, "speak", "Votre code A&B 482913")
	step("e2", "call.gather.ended", prompt.body.ClientState, pressed, "speak", "Votre code A&B 482913") // twice, under one command_id
	if len(got.All) != 0 {
		t.Fatalf("before the code was said: %+v", got.All)
	}
	commands.status = http.StatusServiceUnavailable
	if w := webhook(p, httpfar.Epoch, callWebhook("e3", "call.speak.ended", "c1", code.body.ClientState, "")); w.Code != 503 || len(got.All) != 0 {
		t.Fatalf("no answer to a command: %d %+v", w.Code, got.All)
	}
	commands.status = 0
	again := step("e3", "call.speak.ended", code.body.ClientState, `,"status":"completed"`, "speak", "Encore 482913")
	if want := []provider.Report{{ID: "c1", State: provider.Delivered}}; !slices.Equal(got.All, want) {
		t.Fatalf("heard: got %+v", got.All)
	}
	step("e4", "call.speak.ended", again.body.ClientState, "", "hangup", "")

	// Who presses no key, comes with another's page, or too late, is hung up on.
	step("e5", "call.gather.ended", prompt.body.ClientState, `,"digits":"","status":"timeout"`, "hangup", "")
	step("e6", "call.answered", prompt.body.ClientState, "", "hangup", "")
	step("e7", "call.gather.ended", "AAAA", pressed, "hangup", "")
	p.now = func() time.Time { return m.Deadline.Add(time.Minute) }
	if w := webhook(p, m.Deadline.Add(time.Minute), callWebhook("e8", "call.gather.ended", "c1", prompt.body.ClientState, pressed)); w.Code != 204 || commands.of("c1").name != "hangup" {
		t.Errorf("too late: %d %+v", w.Code, commands.of("c1"))
	}
	before := len(commands.all)
	if w := webhook(p, httpfar.Epoch, callWebhook("e9", "call.gather.ended", "c1", prompt.body.ClientState, pressed)); w.Code != 403 || len(commands.all) != before {
		t.Errorf("heard before and played again: %d", w.Code)
	}
}

// https://developers.telnyx.com/api-reference/callbacks/call-hangup
func TestHowCallsEnd(t *testing.T) {
	for _, c := range []struct {
		cause, sip string
		class      provider.Class
		code       string
	}{
		{"user_busy", "486", provider.Temporary, "user_busy 486"},
		{"normal_clearing", "200", provider.Temporary, "normal_clearing 200"},
		{"call_rejected", "603", provider.BadRecipient, "call_rejected 603"},
		{"unallocated_number", "404", provider.BadRecipient, "unallocated_number 404"},
		{"not_found", "404", provider.BadRequest, "not_found 404"},
		{"unspecified", "603", provider.BadRecipient, "unspecified 603"},
		{"unspecified", "403", provider.BadRequest, "unspecified 403"},
		{"unspecified", "unspecified", provider.Temporary, "unspecified"},
		{"", "", provider.Temporary, ""},
	} {
		if class, code := ending(c.cause, c.sip); class != c.class || code != c.code {
			t.Errorf("%s %s: got %v %q", c.cause, c.sip, class, code)
		}
	}
}

func TestWhatTelnyxCannotCall(t *testing.T) {
	for name, change := range map[string]func(*Provider, *provider.Message){
		"connection_id is missing":    func(p *Provider, _ *provider.Message) { p.connectionID = "" },
		"report_url is missing":       func(p *Provider, _ *provider.Message) { p.reportURL = "" },
		"does not speak the language": func(_ *Provider, m *provider.Message) { m.Speech.Language = "ca" },
	} {
		p, err := New(Config{APIKey: testKey, From: "+15005550006", ConnectionID: "1", PublicKey: testPublicKey(), ReportURL: callReports}, provider.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		m := providertest.Message("call", 1)
		change(p, &m)
		if _, failed := p.callRequest(m); failed == nil || failed.Class != provider.BadRequest || !strings.Contains(failed.Detail, name) {
			t.Errorf("%s: got %v", name, failed)
		}
	}
	for _, language := range callscript.Languages() {
		if tag, ok := tags.Tag(language); ok && tag == "" {
			t.Errorf("%s has no name", language)
		}
	}
}

func TestRecordedCall(t *testing.T) {
	m := providertest.Message("call", 0)
	m.Speech.SendDigits = "ww1"
	httpfar.Record(t, filepath.Join("testdata", "call.http"), httpfar.Answering("200 OK", `{"data":{"call_control_id":"v3:a"}}`), m,
		func(d provider.Deps) (provider.Provider, error) {
			return New(Config{APIKey: testKey, From: "+15005550006", ConnectionID: "1494404757140276705", PublicKey: testPublicKey(),
				ReportURL: callReports, BaseURL: "http://localhost"}, d)
		})
}
