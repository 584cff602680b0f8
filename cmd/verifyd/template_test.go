package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/message"
)

var templateSID = regexp.MustCompile(`HJ[0-9a-f]{32}`)

// text is the latest message in the inbox of a dev server to a number.
func (p *program) text(to string) string {
	p.t.Helper()
	resp, err := http.Get(p.base + "/dev/inbox?wait=30s&limit=1&to=" + url.QueryEscape(to))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var inbox struct{ Messages []struct{ Text string } }
	if err := json.NewDecoder(resp.Body).Decode(&inbox); err != nil || len(inbox.Messages) != 1 {
		p.t.Fatalf("inbox of %s: %+v, %v", to, inbox, err)
	}
	return inbox.Messages[0].Text
}

// post sends a form to the service that a dev server has from the start.
func (p *program) post(path string, form url.Values) (int, map[string]any) {
	p.t.Helper()
	status, body, _, err := post(p.t.Context(), p.base, p.said("account SID"), p.said("auth token"),
		"/v2/Services/"+p.said("service SID")+path, form)
	if err != nil {
		p.t.Fatal(err)
	}
	return status, body
}

func TestDevHasATemplateToTry(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	stdout, stderr, code := once(t, "template", "list", "--data", data)
	if code != 0 || !strings.HasSuffix(stdout, "  Order pickup  sms, voice  en, de, es\n") {
		t.Fatalf("template list: %d %s%s", code, stdout, stderr)
	}
	sid := templateSID.FindString(stdout)
	for _, c := range []struct{ to, channel, want string }{
		{"+34612345678", "sms", `^\d{6} es su clave de Acme para recoger su pedido en Sol\.$`},
		{"+4915112345678", "sms", `^\d{6} ist Ihr Code von Acme zum Abholen Ihrer Bestellung: Sol\.$`},
		{"+447911123456", "call", `^Hello from Acme\. Your code to collect your order at Sol is \d, \d, `},
	} {
		if status, body := p.post("/Verifications", url.Values{
			"To": {c.to}, "Channel": {c.channel}, "TemplateSid": {sid}, "TemplateCustomSubstitutions": {`{"store":"Sol"}`},
		}); status != 201 {
			t.Fatalf("start: %d %v", status, body)
		}
		if got := p.text(c.to); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s to %s says %q, want %s", c.channel, c.to, got, c.want)
		}
	}
}

// A template is made, approved, changed and removed beside the server, which knows it soon.
func TestTemplatesAreMadeBesideTheServer(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	path := filepath.Join(t.TempDir(), "x.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want string, args ...string) string {
		t.Helper()
		stdout, stderr, code := once(t, append(append([]string{"template"}, args...), "--data", data)...)
		if got := templateSID.ReplaceAllString(stdout+stderr, "HJ"); got != want {
			t.Errorf("verifyd template %s: %d\ngot  %swant %s", strings.Join(args, " "), code, got, want)
		}
		return templateSID.FindString(stdout)
	}
	const first = `{"name":"x","default":"es","translations":{"es":{"sms":"Uno: {{code}}"},"fr":{"sms":"Un : {{code}}"}}}`
	write(first)
	sid := run("HJ  x: es (pending), fr (pending)\n", "add", path)
	start := func() (int, map[string]any) {
		return p.post("/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}, "TemplateSid": {sid}})
	}
	if status, body := start(); status != 400 || body["code"] != 60201.0 {
		t.Errorf("a start with a template that waits: %d %v", status, body)
	}
	run("HJ  x: es, fr (pending)\n", "approve", sid, "--locale", "es")
	waitFor(t, "the server to know that the template is approved", func() bool {
		status, _ := start()
		return status == 201
	})
	if got := p.text("+34612345678"); !strings.HasPrefix(got, "Uno: ") {
		t.Errorf("the message says %q", got)
	}
	write(strings.Replace(first, "Uno", "Dos", 1))
	run("verifyd template add: x: es is in use, and the new text would wait for approval; add --approve, or give the file another name\n", "add", path)
	run("HJ  x: es, fr\n", "add", "--approve", path)
	shown, _, _ := once(t, "template", "export", "--data", data, sid)
	if file, err := message.ReadFile([]byte(shown)); err != nil || file.Translations["es"].SMS != "Dos: {{code}}" {
		t.Errorf("template export: %v\n%s", err, shown)
	}
	if status, body := p.post("", url.Values{"DefaultTemplateSid": {sid}}); status != 200 {
		t.Fatalf("default template: %d %v", status, body)
	}
	run("verifyd template remove: template HJ is the default template of service "+p.said("service SID")+"; clear its DefaultTemplateSid first\n", "remove", sid)
	if status, body := p.post("", url.Values{"DefaultTemplateSid": {""}}); status != 200 {
		t.Fatalf("clear the default template: %d %v", status, body)
	}
	run("removed HJ\n", "remove", sid)
	run("verifyd template export: template HJ: not found; verifyd template list shows what there is\n", "export", sid)
}

func TestMistakesWithTemplates(t *testing.T) {
	dir := t.TempDir()
	bad, config := filepath.Join(dir, "bad.json"), filepath.Join(dir, "verifyd.toml")
	good := filepath.Join(dir, "good.json")
	for path, text := range map[string]string{
		bad:    `{"name":"x","default":"es","translations":{"es":{"sms":"{{kode}}"}}}`,
		good:   `{"name":"x","default":"es","translations":{"es":{"sms":"{{code}}"}}}`,
		config: "store = \"sqlite:" + dir + "/x.db\"\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"add"}, 2, "the template's file (- is standard input) is missing"},
		{[]string{"add", "a", "b"}, 2, `unexpected argument "b"`},
		{[]string{"add", "--aprove", "a"}, 2, "--help"},
		{[]string{"add", "/nowhere.json"}, 1, "/nowhere.json"},
		{[]string{"add", bad, "--config", config}, 1, "translations.es.sms: it must have {{code}} once"},
		{[]string{"add", good, "--config", config}, 1, "there are 0 accounts"},
		{[]string{"export", "HJ0", "--config", config, "--account", "AC0"}, 1, "there is no account AC0; verifyd account list shows them"},
		{[]string{"export", "HJ0", "--data", dir + "/none"}, 1, "is no data folder of verifyd dev"},
		{[]string{"list", "x"}, 2, `unexpected argument "x"`},
	} {
		_, stderr, code := once(t, append([]string{"template"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("verifyd template %s: exit code %d, want %d with %q in one line:\n%s", strings.Join(c.args, " "), code, c.code, c.says, stderr)
		}
	}
}

// What a messaging configuration names is a table of verifyd.toml, and its providers carry.
func TestAMessagingServiceIsATableOfTheConfiguration(t *testing.T) {
	const sid = "MG0123456789abcdef0123456789abcdef"
	usual, local := newGateway(t), newGateway(t)
	in := install(t, usual.URL)
	text, err := os.ReadFile(in.config)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, "[providers.local]\ntype = \"httpapi\"\nurl = %q\nsecret = \"another secret of the tests\"\n[messaging_services.%s]\nsms = [\"local\"]\n", local.URL, sid)
	if err := os.WriteFile(in.config, append([]byte("brandless_countries = [\"CA\"]\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	p := in.serve()
	status, body, _, err := in.post(t.Context(), p.base, "/MessagingConfigurations", url.Values{"Country": {"CA"}, "MessagingServiceSid": {strings.Replace(sid, "f", "e", 1)}})
	if err != nil || status != 400 || body["message"] != "Invalid parameter: MessagingServiceSid" {
		t.Errorf("one that is not in the table: %d %v, %v", status, body, err)
	}
	if status, body, _, err = in.post(t.Context(), p.base, "/MessagingConfigurations", url.Values{"Country": {"CA"}, "MessagingServiceSid": {sid}}); err != nil || status != 201 {
		t.Fatalf("configure Canada: %d %v, %v", status, body, err)
	}
	for to, carrier := range map[string]*gateway{"+14165550123": local, "+34612345678": usual} {
		status, body, _, err := in.post(t.Context(), p.base, "/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
		if err != nil || status != 201 {
			t.Fatalf("start: %d %v, %v", status, body, err)
		}
		attempt := attemptOf(body)
		waitFor(t, "the message", func() bool { return usual.count(attempt)+local.count(attempt) > 0 })
		if carrier.count(attempt) != 1 {
			t.Errorf("the message to %s went to the other gateway", to)
		}
		if got := strings.Contains(carrier.textFor(to), "Acme"); got != (carrier == usual) {
			t.Errorf("the message to %s says %q", to, carrier.textFor(to))
		}
	}
}
