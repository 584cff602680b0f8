package webapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

const (
	testKey      = "s3cr3t-k3y"
	testPassword = "hunter2-hunter2"
)

// jsonVendor is described in each of the forms that a description has room for.
const jsonVendor = `{
  "url": %q, "timeout": "2m", "channels": ["sms", "call"], "from": "Acme",
  "vars": {"key": "s3cr3t-k3y", "user": "u", "password": "hunter2-hunter2"},
  "request": {
    "path": "/accounts/{{vars.user}}/messages",
    "headers": {"X-Key": "{{vars.key}}"},
    "basic": ["{{vars.user}}", "{{vars.password}}"],
    "json": {"messages": [{"to": "{{to | digits}}", "text": "{{text}}", "from": "{{from}}", "ttl": "{{ttl_seconds | number}}", "flash": false}]}
  },
  "accepted": {"from": "json:/messages/0/status", "in": ["0"], "id": "json:/messages/0/id",
    "code": "json:/messages/0/status", "detail": "json:/messages/0/words"},
  "errors": [
    {"status": [429], "class": "throttled"},
    {"from": "json:/messages/0/status", "in": ["6", "7"], "class": "bad_recipient"},
    {"from": "json:/messages/0/status", "in": ["2"], "class": "bad_request"},
    {"from": "json:/messages/0/status", "in": ["5"], "class": "temporary"}
  ]
}`

var jsonStatus = map[provider.Class]int{provider.BadRecipient: 6, provider.BadRequest: 2, provider.Temporary: 5, provider.Unknown: 99}

func TestExam(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Channels: []string{"sms", "call"},
		Secrets:  []string{testKey, testPassword},
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			v := httpfar.NewVendor(t, httpfar.Manners{
				Read: readJSON,
				Accept: func(w http.ResponseWriter, taken providertest.Taken) {
					fmt.Fprintf(w, `{"messages":[{"status":"0","id":%q}]}`, taken.ID)
				},
				Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
					if b.Class == provider.Throttled {
						http.Error(w, b.Words, http.StatusTooManyRequests)
						return
					}
					fmt.Fprintf(w, `{"messages":[{"status":%d,"words":%q}]}`, jsonStatus[b.Class], b.Words)
				},
			})
			deps.HTTP = v.Client()
			return mustBuild(t, fmt.Sprintf(jsonVendor, v.URL), deps), v
		},
	})
}

func readJSON(r *http.Request) (providertest.Taken, error) {
	user, password, _ := r.BasicAuth()
	if r.URL.Path != "/accounts/u/messages" || r.Header.Get("X-Key") != testKey || user != "u" || password != testPassword {
		return providertest.Taken{}, fmt.Errorf("headers %v", r.Header)
	}
	var body struct {
		Messages []struct {
			To, Text string
			TTL      int
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 1 {
		return providertest.Taken{}, fmt.Errorf("%d messages, %w", len(body.Messages), err)
	}
	return providertest.Taken{To: "+" + body.Messages[0].To, Text: body.Messages[0].Text}, nil
}

func mustBuild(t testing.TB, config string, deps provider.Deps) *Provider {
	t.Helper()
	p, err := provider.Build(New)(json.RawMessage(config), deps)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*Provider)
}

// presetVars are what each preset wants to know of an account.
var presetVars = map[string]string{
	"gupshup":     `{"userid":"2000012345","password":"hunter2-hunter2"}`,
	"jasmin":      `{"username":"verifyd","password":"hunter2-hunter2"}`,
	"kaleyra":     `{"sid":"HX0123","api_key":"s3cr3t-k3y"}`,
	"kannel":      `{"username":"verifyd","password":"hunter2-hunter2"}`,
	"messagebird": `{"access_key":"s3cr3t-k3y"}`,
}

// TestRecordedRequestsOfThePresets compares every byte that goes to a vendor, for a text in GSM 7
// and for one in UCS-2.
func TestRecordedRequestsOfThePresets(t *testing.T) {
	for _, preset := range Presets() {
		for _, encoding := range []string{"gsm7", "ucs2"} {
			t.Run(preset+"/"+encoding, func(t *testing.T) {
				wire := httpfar.NewWire(t, httpfar.Answering("500 Oops", ""))
				p := mustBuild(t, fmt.Sprintf(`{"preset":%q,"vars":%s,"url":"http://vendor.test/base","allow_plain_http":true,
					"from":"Acme","report_url":"https://verify.example.com/reports/x/y"}`, preset, presetVars[preset]),
					provider.Deps{HTTP: wire.Client(), Now: func() time.Time { return epoch }})
				m := providertest.Message("sms", 0)
				if encoding == "ucs2" {
					m.Text, m.Encoding = m.Code+" є вашим кодом & більше", encoding
				}
				if _, err := p.Send(t.Context(), m); provider.AsError(err).Class != provider.Unknown {
					t.Fatalf("got %v, want class unknown", err)
				}
				wire.Compare(t, filepath.Join("testdata", preset+"-"+encoding+".http"))
			})
		}
	}
}

func TestEveryPresetHasExamplesAndSaysWhatIsMissing(t *testing.T) {
	for _, preset := range Presets() {
		c, err := Config{Preset: preset, URL: "https://gw"}.withPreset()
		if err != nil {
			t.Fatal(err)
		}
		wants := map[string]bool{}
		for _, e := range c.Examples {
			wants[e.Want] = true
		}
		if !wants["accepted"] || len(wants) < 2 {
			t.Errorf("%s has examples of %v, want an acceptance and a refusal", preset, wants)
		}
		if _, err := New(Config{Preset: preset, URL: "https://gw"}, provider.Deps{}); err == nil || !strings.Contains(err.Error(), "vars.") {
			t.Errorf("%s without vars: got %v", preset, err)
		}
	}
}

// hostile are values that would be other fields, parameters, headers or elements if they were not
// escaped for the place where they stand.
var hostile = []string{
	`x","to":"+999`, `x&to=+999`, "x\r\nX-Evil: 1", `</text><to>+999</to>`, `../../other`, `..`, `a/b?c#d`, `{{vars.key}}`, "x\x00y", `%2e%2e`, "ñ€😀", `\`,
}

func TestAMessageCannotBecomeAnotherField(t *testing.T) {
	for place, request := range map[string]string{
		"json":   `{"json":{"to":"{{to}}","text":"{{brand}}"}}`,
		"form":   `{"form":{"to":"{{to}}","text":"{{brand}}"}}`,
		"query":  `{"query":{"to":"{{to}}","text":"{{brand}}"}}`,
		"path":   `{"path":"/send/{{to}}/{{brand}}"}`,
		"xml":    `{"xml":"<sms><to>{{to}}</to><text>{{brand}}</text></sms>"}`,
		"header": `{"headers":{"X-Text":"{{brand}}"},"form":{"to":"{{to}}"}}`,
	} {
		p := mustBuild(t, `{"url":"https://gw/api","vars":{"key":"s3cr3t"},"request":`+request+`}`, provider.Deps{})
		for _, evil := range hostile {
			r, err := p.request.write(provider.Message{Channel: "sms", To: "+34612345678", Brand: evil})
			if err != nil {
				continue // refused is safe
			}
			got, to := "", ""
			switch u, _ := url.Parse(r.URL); place {
			case "json":
				var body map[string]string
				if err := json.Unmarshal(r.Body, &body); err != nil || len(body) != 2 {
					t.Errorf("%s %q: %s", place, evil, r.Body)
				}
				got, to = body["text"], body["to"]
			case "form", "query":
				values := u.Query()
				if place == "form" {
					values, _ = url.ParseQuery(string(r.Body))
				}
				if len(values) != 2 || len(values["to"]) != 1 {
					t.Errorf("%s %q: %v", place, evil, values)
				}
				got, to = values.Get("text"), values.Get("to")
			case "path":
				parts := strings.Split(u.EscapedPath(), "/")
				if len(parts) != 5 {
					t.Fatalf("%s %q: %s", place, evil, r.URL)
				}
				got, _ = url.PathUnescape(parts[4])
				to, _ = url.PathUnescape(parts[3])
			case "xml":
				if n := strings.Count(string(r.Body), "<"); n != 6 {
					t.Errorf("%s %q: %s", place, evil, r.Body)
				}
				continue
			case "header":
				got, to = r.Header.Get("X-Text"), "+34612345678"
			}
			if got != evil && !strings.Contains(evil, "\x00") || to != "+34612345678" {
				t.Errorf("%s %q: arrived as %q for %q", place, evil, got, to)
			}
		}
	}
}

func TestAFieldWithAnEmptyPlaceIsLeftOut(t *testing.T) {
	for request, want := range map[string]string{
		`{"form":{"to":"{{to}}","from":"{{from}}","note":""}}`:                                         "note=&to=%2B34612345678",
		`{"json":{"to":"{{to}}","from":"{{from}}","n":"{{segments|number}}","deep":{"x":"{{from}}"}}}`: `{"deep":{},"n":0,"to":"+34612345678"}`,
		`{"json":["{{to}}",1,null,true,1.50]}`:                                                         `["+34612345678",1,null,true,1.50]`,
	} {
		p := mustBuild(t, `{"url":"https://gw","request":`+request+`}`, provider.Deps{})
		r, err := p.request.write(provider.Message{To: "+34612345678"})
		if err != nil || string(r.Body) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", request, r.Body, err, want)
		}
	}
	for _, request := range []string{`{"path":"/{{from}}","form":{"a":"b"}}`, `{"json":["{{from}}"]}`, `{"json":{"n":"{{to|number}}"}}`} {
		p := mustBuild(t, `{"url":"https://gw","request":`+request+`}`, provider.Deps{})
		if _, err := p.Send(t.Context(), provider.Message{Channel: "sms", To: "+34612345678"}); provider.AsError(err).Class != provider.BadRequest {
			t.Errorf("%s: got %v, want class bad_request", request, err)
		}
	}
}

func TestFiltersAndValues(t *testing.T) {
	m := providertest.Message("email", 0)
	m.Template = &provider.Template{Name: "otp", Language: "pt_BR"}
	x := moment{m: m, now: m.Deadline.Add(-90 * time.Second)}
	for text, want := range map[string]string{
		"{{ttl_seconds}}":                    "90",
		"{{ttl_minutes}}":                    "2",
		"{{deadline}}":                       "2031-01-02T03:04:05Z",
		"{{subject}}":                        m.Email.Subject,
		"{{html}}":                           m.Email.HTML,
		"{{plain}}":                          m.Email.Text,
		"{{template}}/{{template_language}}": "otp/pt_BR",
		"{{channel|upper}} {{ channel | lower }}": "EMAIL email",
		"{{vars.a|base64}}":                       "YcOxYg==",
		"{{vars.a|hexutf16be}}":                   "006100f10062",
		"{{vars.a|urlquery}}":                     "a%C3%B1b",
		"{{vars.plus|digits}}":                    "34",
		"{{vars.plus|pick +34=es +44=gb}}":        "es",
		"{{channel|pick sms=1}}":                  "",
		"no place":                                "no place",
		"":                                        "",
	} {
		parsed, err := parseTemplate(text, map[string]string{"a": "añb", "plus": "+34"})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, _ := parsed.render(x, asIs); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if x.m.Deadline = (time.Time{}); x.ttl() != 10*time.Minute {
		t.Errorf("without a deadline the life is %v", x.ttl())
	}
	if x.m.Deadline = x.now.Add(-time.Hour); x.ttl() != time.Second {
		t.Errorf("after the deadline the life is %v", x.ttl())
	}
	var none moment
	for name := range maps.Keys(values) {
		values[name](none) // a message without anything
	}
}

func FuzzTemplates(f *testing.F) {
	for _, s := range []string{"{{to}}", "{{to|digits}} x", "{{encoding|pick gsm7=0 ucs2=8}}", "{{", "}}{{a}}", "{{vars.a | base64 | number}}"} {
		f.Add(s, "x&y")
	}
	f.Fuzz(func(t *testing.T, text, brand string) {
		parsed, err := parseTemplate(text, map[string]string{"a": "secret"})
		if err != nil {
			return
		}
		parsed.render(moment{m: provider.Message{Brand: brand}}, url.QueryEscape)
	})
}

func FuzzRequestsStayWhatTheyAre(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	p := mustBuild(f, `{"url":"https://gw/api","request":{"path":"/{{brand}}","query":{"a":"{{brand}}"},"headers":{"X-A":"{{brand}}"},
		"json":{"a":"{{brand}}","b":[{"c":"{{brand}}"}]}}}`, provider.Deps{})
	f.Fuzz(func(t *testing.T, brand string) {
		r, err := p.request.write(provider.Message{Brand: brand})
		if err != nil {
			return
		}
		u, err := url.Parse(r.URL)
		if err != nil || u.Host != "gw" || !strings.HasPrefix(u.EscapedPath(), "/api/") || strings.Count(u.EscapedPath(), "/") != 2 || len(u.Query()) > 1 {
			t.Errorf("%q: the URL is %s", brand, r.URL)
		}
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil || len(body) > 2 {
			t.Errorf("%q: the body is %s", brand, r.Body)
		}
		if strings.ContainsAny(r.Header.Get("X-A"), "\r\n") {
			t.Errorf("%q: the header breaks", brand)
		}
	})
}

// A vendor that takes a form, and answers "OK id" or "ERROR code".
func ExampleNew() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.PostFormValue("number"), r.PostFormValue("message"))
		fmt.Fprint(w, "OK 4711")
	}))
	defer vendor.Close()
	p, err := provider.Build(New)(json.RawMessage(`{
		"url": "`+vendor.URL+`",
		"request":  {"form": {"number": "{{to | digits}}", "message": "{{text}}"}},
		"accepted": {"from": "regex:^(OK) ", "id": "regex:^OK ([0-9]+)$"},
		"errors":   [{"from": "regex:^ERROR ([0-9]+)$", "in": ["7"], "class": "bad_recipient"}],
		"examples": [{"status": 200, "body": "ERROR 7", "want": "bad_recipient"}]
	}`), provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// 34612345678 482913 is your Acme code
	// 4711 <nil>
}
