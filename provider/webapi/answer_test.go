package webapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

func TestAnswersByTheirRules(t *testing.T) {
	p := mustBuild(t, `{"url":"https://gw","request":{"form":{"to":"{{to}}"}},
		"accepted":{"status":[200,202],"from":"json:/status","in":["ok"],"id":"json:/data/0/id","parts":"header:X-Parts",
			"price":"json:/price","currency":"text:EUR","code":"json:/code","detail":"json:/words"},
		"errors":[
			{"status":[400],"from":"json:/code","in":["7"],"class":"bad_recipient"},
			{"status":[400],"class":"temporary"},
			{"from":"regex:^(busy)","class":"throttled"}]}`, provider.Deps{})
	for _, c := range []struct {
		status   int
		body     string
		accepted provider.Accepted
		class    provider.Class
		code     string
		detail   string
	}{
		{status: 200, body: `{"status":"ok","data":[{"id":123456789012345678901}],"price":0.04}`,
			accepted: provider.Accepted{ID: "123456789012345678901", Parts: 2, Price: provider.Price{Amount: "0.04", Currency: "EUR"}}},
		{status: 202, body: `{"status":"ok"}`, accepted: provider.Accepted{Parts: 2}},
		{status: 201, body: `{"status":"ok"}`, class: provider.Unknown, code: "201", detail: "HTTP 201 Created: {"},
		{status: 200, body: `{"status":"no","code":9,"words":"nope"}`, class: provider.Unknown, code: "9", detail: "HTTP 200 OK: nope"},
		{status: 200, body: `{"status":["ok"]}`, class: provider.Unknown, code: "200"},
		{status: 200, body: ``, class: provider.Unknown, code: "200", detail: "HTTP 200 OK"},
		{status: 400, body: `{"code":7}`, class: provider.BadRecipient, code: "7"},
		{status: 400, body: `{"code":8}`, class: provider.Temporary, code: "8"},
		{status: 500, body: `busy, come again`, class: provider.Throttled, code: "500", detail: "busy, come again"},
		{status: 500, body: `not busy`, class: provider.Unknown, code: "500"},
		{status: 503, body: ``, class: provider.Temporary, code: "503"},
		{status: 404, body: `nowhere`, class: provider.BadRequest, code: "404"},
	} {
		got, e := p.read(httpsend.Answer{Status: c.status, Header: http.Header{"X-Parts": {"2"}}, Body: []byte(c.body)})
		if c.class == 0 {
			if e != nil || got != c.accepted {
				t.Errorf("%d %s: got %+v, %v, want %+v", c.status, c.body, got, e, c.accepted)
			}
			continue
		}
		if e == nil || e.Class != c.class || e.Code != c.code || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%d %s: got %+v, want %v %s %s", c.status, c.body, e, c.class, c.code, c.detail)
		}
	}
}

func TestJSONPointers(t *testing.T) {
	value := decode([]byte(`{"a":[{"b/c":{"~":"x"}},2],"n":1.50,"t":true,"z":null,"":"empty"}`))
	for p, want := range map[string]string{
		"/a/0/b~1c/~0": "x", "/a/1": "2", "/n": "1.50", "/t": "true", "/": "empty",
		"/z": "", "/a": "", "/a/2": "", "/a/-1": "", "/a/x": "", "/n/1": "", "/missing/deep": "",
	} {
		if got := scalarText(find(value, p)); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}

func TestConfigurations(t *testing.T) {
	const request = `"request":{"form":{"to":"{{to}}"}}`
	const report = `"report":{"id":"form:id","state":"form:state","delivered":["D"],"failed":["F"],"proof":`
	for _, c := range []struct{ name, config, problem string }{
		{"the least", `"url":"https://gw",` + request, ""},
		{"a report", `"url":"https://gw",` + request + `,` + report + `{"kind":"none"}}`, ""},
		{"no url", request, "url is missing"},
		{"plain http", `"url":"http://gw",` + request, "url: plain http to gw"},
		{"nothing of the message", `"url":"https://gw"`, "request: says nothing of the message"},
		{"two bodies", `"url":"https://gw","request":{"form":{"a":"b"},"xml":"<a/>"}`, "request: has more than one of"},
		{"a GET with a body", `"url":"https://gw","request":{"method":"GET","form":{"a":"b"}}`, "request: a GET has no body"},
		{"a method", `"url":"https://gw","request":{"method":"DELETE","path":"/x"}`, `request.method: "DELETE" is none of`},
		{"an unknown name", `"url":"https://gw","request":{"form":{"to":"{{number}}"}}`, "request.form.to: {{number}} is none of vars.NAME, attempt"},
		{"a missing var", `"url":"https://gw","request":{"form":{"to":"{{vars.key}}"}}`, "request.form.to: vars.key is missing"},
		{"an unknown filter", `"url":"https://gw","request":{"form":{"to":"{{to|reverse}}"}}`, `{{to}}: "reverse" is none of the filters`},
		{"a bad pick", `"url":"https://gw","request":{"form":{"to":"{{to|pick a}}"}}`, `pick: "a" is not of the form`},
		{"an open place", `"url":"https://gw","request":{"json":{"a":["{{to"]}}`, "request.json: a: a {{ has no }}"},
		{"a header of ours", `"url":"https://gw","request":{"headers":{"content-type":"x"},"form":{"a":"b"}}`, "request.headers: Content-Type is set"},
		{"one half of basic", `"url":"https://gw","request":{"basic":["u"],"form":{"a":"b"}}`, "request.basic: want a user"},
		{"a channel", `"url":"https://gw","channels":["fax"],` + request, `channels: "fax" is none of`},
		{"a class", `"url":"https://gw",` + request + `,"errors":[{"status":[400],"class":"bad"}]`, `errors[0].class: "bad" is none of`},
		{"a rule for everything", `"url":"https://gw",` + request + `,"errors":[{"class":"temporary"}]`, "errors[0]: fits everything"},
		{"in without from", `"url":"https://gw",` + request + `,"errors":[{"in":["1"],"class":"temporary"}]`, "errors[0].in: there is no from"},
		{"accepted in without from", `"url":"https://gw",` + request + `,"accepted":{"in":["1"]}`, "accepted.in: there is no from"},
		{"a source", `"url":"https://gw",` + request + `,"accepted":{"id":"xpath:/a"}`, `accepted.id: "xpath:/a" does not begin with`},
		{"a source of reports", `"url":"https://gw",` + request + `,"accepted":{"id":"query:id"}`, "accepted.id:"},
		{"a source of nothing", `"url":"https://gw",` + request + `,"accepted":{"id":"json:"}`, "names nothing after the colon"},
		{"a pointer", `"url":"https://gw",` + request + `,"accepted":{"id":"json:id"}`, `the JSON pointer "id" does not begin`},
		{"an expression", `"url":"https://gw",` + request + `,"accepted":{"id":"regex:("}`, "accepted.id: error parsing"},
		{"an expression without a group", `"url":"https://gw",` + request + `,"accepted":{"id":"regex:abc"}`, "wants exactly one group"},
		{"an example that is read otherwise", `"url":"https://gw",` + request + `,"examples":[{"status":400,"want":"throttled"}]`,
			"examples[0]: status 400 is read as bad_request, the example says throttled"},
		{"an example of nothing", `"url":"https://gw",` + request + `,"examples":[{"status":400,"want":"x"}]`, "examples[0].want"},
		{"an example with another id", `"url":"https://gw",` + request + `,"examples":[{"status":200,"want":"accepted","id":"7"}]`, "examples[0].id"},
		{"a report of nobody", `"url":"https://gw",` + request + `,"report":{"state":"form:s","delivered":["D"],"proof":{"kind":"none"}}`, "report: has neither id nor key"},
		{"a report without a state", `"url":"https://gw",` + request + `,"report":{"id":"form:id"}`, "report.state is missing"},
		{"a report without words", `"url":"https://gw",` + request + `,"report":{"id":"form:id","state":"form:s"}`, "report: no word means anything"},
		{"a word twice", `"url":"https://gw",` + request + `,"report":{"id":"form:id","state":"form:s","delivered":["D"],"failed":["D"]}`, `report.failed: "D" has two meanings`},
		{"a method of reports", `"url":"https://gw",` + request + `,"report":{"methods":["HEAD"],"id":"form:id","state":"form:s","delivered":["D"]}`, "report.methods"},
		{"a list", `"url":"https://gw",` + request + `,"report":{"list":"form:x","id":"form:id","state":"form:s","delivered":["D"]}`, "report.list"},
		{"no proof", `"url":"https://gw",` + request + `,` + report + `{}}`, `report.proof.kind: "" is none of`},
		{"a proof without its secret", `"url":"https://gw",` + request + `,` + report + `{"kind":"hmac","header":"X"}}`, "report.proof.secret is missing"},
		{"a hash", `"url":"https://gw",` + request + `,` + report + `{"kind":"hmac","header":"X","secret":"s","hash":"md5"}}`, "report.proof.hash"},
		{"an encoding", `"url":"https://gw",` + request + `,` + report + `{"kind":"hmac","header":"X","secret":"s","encoding":"hex64"}}`, "report.proof.encoding"},
		{"a network", `"url":"https://gw",` + request + `,` + report + `{"kind":"none","allow_from":["gw"]}}`, "report.proof.allow_from"},
		{"a preset", `"preset":"nobody"`, `preset: "nobody" is none of gupshup, jasmin`},
		{"a path out of presets", `"preset":"../webapi"`, "preset: "},
		{"a preset without its vars", `"preset":"kannel","url":"https://gw"`, "vars."},
		{"half a report over a preset", `"preset":"messagebird","vars":{"access_key":"x"},"report":{"reply":"OK"}`, "report: of a preset only the proof"},
		{"a proof over a preset", `"preset":"messagebird","vars":{"access_key":"x"},"report":{"proof":{"kind":"header","header":"X","secret":"s"}}`, ""},
		{"a timeout", `"url":"https://gw","timeout":"10",` + request, "timeout"},
		{"a misspelt key", `"url":"https://gw","requests":{}`, `unknown field "requests"`},
		{"a misspelt key within", `"url":"https://gw","request":{"forms":{}}`, `unknown field "forms"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provider.Build(New)(json.RawMessage("{"+c.config+"}"), provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

func TestWhatATableSetsIsOverItsPreset(t *testing.T) {
	c, err := Config{Preset: "messagebird", URL: "https://eu.example.com", Channels: []string{"sms", "call"},
		Accepted: AnswerConfig{Status: []int{200}}, Report: &ReportConfig{Proof: ProofConfig{Kind: "none", AllowFrom: []string{"192.0.2.0/24"}}},
	}.withPreset()
	if err != nil || c.URL != "https://eu.example.com" || len(c.Channels) != 2 || c.Errors != nil || c.Examples != nil ||
		c.Request.JSON == nil || c.Report.ID != "query:id" || len(c.Report.Proof.AllowFrom) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	own := ReportConfig{ID: "form:id", State: "form:s"}
	if c, _ = (Config{Preset: "messagebird", Report: &own}).withPreset(); c.Report.ID != "form:id" || c.Report.MCCMNC != "" {
		t.Errorf("a report of its own was mixed with the preset's: %+v", c.Report)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"messages":[{"status":"0","id":"abc"}]}`)
	f.Add(400, `{"messages":[{"status":6}]}`)
	f.Add(200, `[]`)
	f.Add(500, `<html>`)
	var c Config
	if err := json.Unmarshal([]byte(strings.Replace(jsonVendor, "%q", `"https://gw"`, 1)), &c); err != nil {
		f.Fatal(err)
	}
	p, err := New(c, provider.Deps{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := p.read(httpsend.Answer{Status: status, Body: []byte(body)})
		if e == nil && (status/100 != 2 || len(accepted.ID) > 255) {
			t.Errorf("%d %q is an acceptance: %+v", status, body, accepted)
		}
		if e != nil && (e.Code == "" || accepted != (provider.Accepted{})) {
			t.Errorf("%d %q: %+v and %+v", status, body, accepted, e)
		}
	})
}
