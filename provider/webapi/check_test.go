package webapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// described builds jsonVendor with more in it.
func described(more string) func(string, provider.Deps) (provider.Provider, error) {
	return func(url string, deps provider.Deps) (provider.Provider, error) {
		text := strings.TrimSuffix(strings.TrimSpace(fmt.Sprintf(jsonVendor, url)), "}") + more + "}"
		return provider.Build(New)(json.RawMessage(text), deps)
	}
}

const checkOfBalance = `, "check": {"path": "/balance", "query": {"user": "{{vars.user}}"}, "headers": {"X-Key": "{{vars.key}}"},
	"from": "json:/state", "in": ["ok"]}`

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testKey, testPassword},
		Start: httpfar.Desk{
			Asks: "GET /balance?user=u", Shows: map[string]string{"X-Key": testKey}, Answer: `{"state":"ok"}`,
			Refuse: func(w http.ResponseWriter, words string) { fmt.Fprintf(w, `{"state":"denied","words":%q}`, words) },
		}.Start(described(checkOfBalance)),
	})
}

func TestCheckExamWithoutARequest(t *testing.T) {
	start := httpfar.Desk{Asks: "HEAD /"}.Start(described(""))
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testKey, testPassword}, Unproven: true,
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			if s == providertest.Stranger {
				return nil // no credentials are shown
			}
			return start(t, deps, s)
		},
	})
}

func TestWhatTheAnswersToACheckMean(t *testing.T) {
	httpfar.CheckWords(t, described(checkOfBalance), []httpfar.Said{
		{Status: 200, Body: `{"state":"ok"}`},
		{Status: 200, Body: `{"state":"` + testKey + `"}`, Want: `not that to right credentials (200): {"state":"[secret]"}`},
		{Status: 200, Body: `{}`, Want: "not that to right credentials"},
		{Status: 401, Body: `{"state":"ok"}`, Want: "the credentials are refused (401)"},
	})
	httpfar.CheckWords(t, described(`, "check": {"method": "POST", "form": {"probe": "1"}, "status": [400]}`), []httpfar.Said{
		{Status: 400, Body: `no recipient`},
		{Status: 403, Body: `no`, Want: "may not read what check describes (403)"},
		{Status: 200, Body: `OK`, Want: "not that to right credentials (200): OK"},
	})
}

func TestThePresetsChecks(t *testing.T) {
	for preset, want := range map[string]string{
		"jasmin":      "GET /base/balance?password=hunter2-hunter2&username=verifyd",
		"messagebird": "GET /base/balance",
	} {
		wire := httpfar.NewWire(t, httpfar.Answering("200 OK", `{"balance":10}`))
		p := mustBuild(t, fmt.Sprintf(`{"preset":%q,"vars":%s,"url":"http://vendor.test/base","allow_plain_http":true}`, preset, presetVars[preset]),
			provider.Deps{HTTP: wire.Client()})
		if err := p.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", preset, err)
		}
		if got := string(wire.Requests()[0]); !strings.HasPrefix(got, want+" HTTP/1.1\r\n") {
			t.Errorf("%s asked %s", preset, got)
		}
	}
}

func TestChecksThatCannotBe(t *testing.T) {
	const least = `"url":"https://gw","request":{"form":{"a":"{{to}}"}},"check":`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least + `{}`: "",
		least + `{"url":"https://gw/balance","status":[200,204]}`: "",
		least + `{"in":["x"]}`:                       "check.in: there is no from",
		least + `{"from":"json:balance"}`:            "check.from",
		least + `{"url":"http://elsewhere"}`:         "check: url: plain http",
		least + `{"form":{"a":"b"}}`:                 "check: request: a GET has no body",
		least + `{"path":"/{{vars.none}}"}`:          "check: request.path",
		least + `{"method":"DELETE"}`:                "check: request.method",
		least + `{"adress":"https://gw/balance"}`:    "unknown field",
		`"url":"https://gw","request":{},"check":{}`: "request: says nothing of the message",
	})
}

func TestAPresetsCheckGoesWithItsRequest(t *testing.T) {
	text := `{"preset":"jasmin","url":"https://gw","vars":{"username":"u","password":"p"},"request":{"form":{"to":"{{to}}"}}}`
	if p := mustBuild(t, text, provider.Deps{}); p.check != nil {
		r, _ := p.check.request.write(provider.Message{})
		u, _ := url.Parse(r.URL)
		t.Errorf("another request is checked by %s", u.Path)
	}
}

func TestNoSecretOfARequestIsSaid(t *testing.T) {
	for _, more := range []string{
		`,"vars":{"k":"p@ss word/1"},"check":{"query":{"p":"{{vars.k}}"}}`,
		`,"vars":{"k":"p@ss word/1"},"check":{"headers":{"X":"{{vars.k}}"}}`,
		`,"check":{"headers":{"X-Api-Key":"p@ss word/1"}}`,
		`,"check":{"query":{"password":"p@ss word/1"}}`,
		`,"check":{"basic":["u","p@ss word/1"]}`,
	} {
		var said []string
		wire := httpfar.NewWire(t, httpfar.Answering("200 OK", ""))
		p := mustBuild(t, `{"url":"http://localhost","request":{"form":{"to":"{{to}}"}}`+more+`}`, provider.Deps{HTTP: wire.Client()})
		if err := p.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(wire.Requests()[0])) {
			said = append(said, p.sender.Excerpt(line, provider.Message{}))
		}
		for _, form := range []string{"p@ss word/1", "p%40ss+word%2F1"} {
			if strings.Contains(strings.Join(said, "\n"), form) {
				t.Errorf("%s: %q would be said", more, said)
			}
		}
	}
}
