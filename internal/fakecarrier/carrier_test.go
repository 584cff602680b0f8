package fakecarrier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/internal/fakecarrier"
	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/apns"
	"github.com/verifyd/verifyd/provider/fcm"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/smpp"
)

// anywhere has every port be chosen by the system.
var anywhere = fakecarrier.Options{
	API: "127.0.0.1:0", HTTP: "127.0.0.1:0", SMPP: "127.0.0.1:0", SIP: "127.0.0.1:0", SMTP: "127.0.0.1:0", APNs: "127.0.0.1:0",
}

func start(t testing.TB, o fakecarrier.Options) *fakecarrier.Carrier {
	t.Helper()
	c, err := fakecarrier.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// call is a call of the API, and its answer as "200 body".
func call(t testing.TB, c *fakecarrier.Carrier, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	text, err := io.ReadAll(answered.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(answered.StatusCode, " ", strings.TrimSpace(string(text)))
}

// build makes the provider of a table.
func build[C any, P provider.Provider](t testing.TB, c *fakecarrier.Carrier, name string, deps provider.Deps, construct func(C, provider.Deps) (P, error)) provider.Provider {
	t.Helper()
	for _, table := range c.Tables() {
		if table.Type != name {
			continue
		}
		config := map[string]any{}
		for _, pair := range table.Keys {
			config[pair[0].(string)] = pair[1]
		}
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		p, err := provider.Build(construct)(text, deps)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Fatalf("there is no table of %s", name)
	return nil
}

// bind is a provider of SMPP that is bound, and its reports.
func bind(t testing.TB, c *fakecarrier.Carrier) (provider.Provider, chan provider.Report) {
	t.Helper()
	reports := make(chan provider.Report, 10)
	p := build(t, c, "smpp", provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		reports <- r
		return nil
	}}, smpp.New)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- p.(provider.Runner).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return p, reports
}

// send waits for the bind: until then the provider says that there is none, at once.
func send(t testing.TB, p provider.Provider, m provider.Message) (provider.Accepted, error) {
	t.Helper()
	for {
		accepted, err := p.Send(t.Context(), m)
		if err == nil || provider.AsError(err).Class != provider.Temporary {
			return accepted, err
		}
		runtime.Gosched()
	}
}

func TestKnobsReachTheSMSC(t *testing.T) {
	c := start(t, anywhere)
	p, reports := bind(t, c)
	m := providertest.Message("sms", 1)
	m.Text = strings.Repeat(m.Text+" ", 10) // two parts
	accepted, err := send(t, p, m)
	if err != nil {
		t.Fatal(err)
	}
	one := c.Messages(t.Context(), desk.Query{Provider: "smpp"})[0]
	if one.To != m.To || one.Text != m.Text || one.From != "Acme" || one.ID == "" || accepted.Parts != 2 {
		t.Errorf("accepted %+v, arrived %+v", accepted, one)
	}
	if r := <-reports; r.State != provider.Delivered {
		t.Errorf("reported %+v", r)
	}
	// The provider records reports side by side, so that their order may change on its way.
	call(t, c, "PUT", "/knobs", `{"knobs":[{"arrives":false,"report":["sent","failed","bad_recipient"],"report_first":true}]}`)
	if _, err := p.Send(t.Context(), providertest.Message("sms", 3)); err != nil {
		t.Fatal(err)
	}
	got := map[provider.Class]bool{}
	for range 2 {
		r := <-reports
		got[r.Class] = r.State == provider.Failed
	}
	if !got[provider.Temporary] || !got[provider.BadRecipient] {
		t.Errorf("reported %v", got)
	}
	if all := c.Messages(t.Context(), desk.Query{All: true}); len(all) != 2 || all[1].Arrived || all[1].Answer != desk.Accepted {
		t.Errorf("the carrier noted %+v", all)
	}
}

func TestTheSMSCRefusesAndHangsUp(t *testing.T) {
	c := start(t, anywhere)
	p, _ := bind(t, c)
	if _, err := send(t, p, providertest.Message("sms", 1)); err != nil {
		t.Fatal(err)
	}
	// The provider is slower for a while after it was throttled, so that this comes last.
	for _, class := range []provider.Class{provider.BadRecipient, provider.BadRequest, provider.Temporary, provider.Throttled} {
		call(t, c, "PUT", "/knobs", fmt.Sprintf(`{"knobs":[{"provider":"smpp","answer":%q}]}`, class))
		if _, err := p.Send(t.Context(), providertest.Message("sms", 2)); err == nil || provider.AsError(err).Class != class {
			t.Errorf("%v, want class %v", err, class)
		}
	}
	call(t, c, "PUT", "/knobs", `{"knobs":[{"answer":"dropped","arrives":true}]}`)
	again, _ := bind(t, c)
	if _, err := send(t, again, providertest.Message("sms", 3)); err == nil || provider.AsError(err).Class != provider.Unknown {
		t.Errorf("dropped: %v", err)
	}
	if all := c.Messages(t.Context(), desk.Query{All: true}); len(all) != 6 || !all[5].Arrived || all[5].Answer != desk.Dropped {
		t.Errorf("the carrier noted %+v", all)
	}
}

func TestAPortIsClosedAndOpenedAgain(t *testing.T) {
	c := start(t, anywhere)
	p, _ := bind(t, c)
	if _, err := send(t, p, providertest.Message("sms", 1)); err != nil {
		t.Fatal(err)
	}
	if got := call(t, c, "PUT", "/knobs", `{"knobs":[{"answer":"closed"}]}`); got != `200 {"knobs":[{"answer":"closed"}]}` {
		t.Error(got)
	}
	_, err := p.Send(t.Context(), providertest.Message("sms", 2))
	if provider.AsError(err).Class == provider.Unknown { // it has not learned yet that the connection is gone
		_, err = p.Send(t.Context(), providertest.Message("sms", 2))
	}
	if err == nil || provider.AsError(err).Class != provider.Temporary {
		t.Errorf("closed: %v", err)
	}
	if got := call(t, c, "DELETE", "/knobs", ""); got != `200 {"knobs":[]}` {
		t.Error(got)
	}
	// It binds again by itself.
	again, _ := bind(t, c)
	if _, err := send(t, again, providertest.Message("sms", 3)); err != nil {
		t.Error(err)
	}
}

func TestACarrierThatIsClosedOpensNoPortAgain(t *testing.T) {
	c, err := fakecarrier.Start(anywhere)
	if err != nil {
		t.Fatal(err)
	}
	var vendors string
	for _, table := range c.Tables() {
		if table.Type == "httpapi" {
			vendors = table.Keys[0][1].(string)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c.Set(nil)
	if answered, err := http.Get(vendors); err == nil {
		answered.Body.Close()
		t.Errorf("somebody is at %s", vendors)
	}
}

func TestPushArrivesAndIsRefused(t *testing.T) {
	c := start(t, anywhere)
	client := trusting(t, c)
	for name, p := range map[string]provider.Provider{
		"fcm":  build(t, c, "fcm", provider.Deps{HTTP: client}, fcm.New),
		"apns": build(t, c, "apns", provider.Deps{HTTP: client}, apns.New),
	} {
		m := providertest.Message("push", 1)
		m.Push.Platform = "fcm"
		m.To = "fcm-token-of-a-handset-1:" + strings.Repeat("a", 140)
		if name == "apns" {
			m.Push.Platform, m.To = "apn", strings.Repeat("0123456789abcdef", 4)
		}
		c.Set(nil)
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := c.Messages(t.Context(), desk.Query{Provider: name}); len(got) != 1 || got[0].To != m.To || !strings.Contains(got[0].Text, m.Push.Data["challenge_sid"]) {
			t.Errorf("%s: %+v", name, got)
		}
		lost := false
		c.Set([]desk.Knob{{Provider: name, Arrives: &lost}})
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Errorf("%s, lost: %v", name, err)
		}
		arrived, all := c.Messages(t.Context(), desk.Query{Provider: name}), c.Messages(t.Context(), desk.Query{Provider: name, All: true})
		if len(arrived) != 1 || len(all) != 2 || all[1].Arrived || all[1].Answer != desk.Accepted {
			t.Errorf("%s, lost: %d arrived, of %+v", name, len(arrived), all)
		}
		for answer, want := range map[desk.Answer]provider.Class{
			desk.BadRecipient: provider.BadRecipient, desk.Throttled: provider.Throttled, desk.Temporary: provider.Temporary, desk.Dropped: provider.Unknown,
		} {
			c.Set([]desk.Knob{{Provider: name, Answer: answer}})
			if _, err := p.Send(t.Context(), m); err == nil || provider.AsError(err).Class != want {
				t.Errorf("%s, %s: %v, want class %v", name, answer, err, want)
			}
		}
	}
}

func TestTheAPI(t *testing.T) {
	c := start(t, anywhere)
	for _, step := range []struct{ method, path, body, want string }{
		{"GET", "/messages", "", `200 {"messages":[]}`},
		{"GET", "/messages?wait=1ms&to=+34*", "", `200 {"messages":[]}`},
		{"GET", "/messages?wait=2h", "", `400 {"error":"wait=2h is none`},
		{"GET", "/messages?from=x", "", `400 {"error":"\"from\" means nothing`},
		{"GET", "/messages?after=x", "", `400 {"error":"after=x is none`},
		{"GET", "/messages/1/recording", "", `404 {"error":"no message`},
		{"GET", "/messages/x/recording", "", `404 {"error":"no message`},
		{"DELETE", "/messages", "", `204`},
		{"GET", "/knobs", "", `200 {"knobs":[]}`},
		{"PUT", "/knobs", `{"knobs":[{"provider":"sipp"}]}`, `400 {"error":"knob 1: provider \"sipp\" is none of africastalking apns aws fcm http httpapi infobip`},
		{"PUT", "/knobs", `{"knobs":[{"provider":"sip","latency":"1s","arrives":false}]}`, `200 {"knobs":[{"provider":"sip","latency":"1s","arrives":false}]}`},
		{"PUT", "/webhooks", `{"smtp":"127.0.0.1:1"}`, `204`},
		{"PUT", "/webhooks", `{"twilio":"http://127.0.0.1:1"}`, `400 {"error":"twilio has no webhook`},
		{"PUT", "/webhooks", `x`, `400 {"error":"want an object`},
		{"POST", "/knobs", "", `405`},
		{"GET", "/verifyd.toml", "", `200 [providers.africastalking]`},
	} {
		if got := call(t, c, step.method, step.path, step.body); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %s: %s, want %s", step.method, step.path, got, step.want)
		}
	}
}

func TestTheConfigurationIsOneThatCanBeRead(t *testing.T) {
	var file struct {
		Providers map[string]map[string]any
		Routes    map[string][]string
	}
	if err := toml.Unmarshal([]byte(start(t, anywhere).TOML()), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Providers) != 21 || fmt.Sprint(file.Routes["sms"], file.Routes["email"], file.Routes["rcs"]) != "[smpp twilio] [smtp postmark] [rcs]" || file.Providers["http"]["vars"] == nil {
		t.Errorf("%d providers, %v", len(file.Providers), file.Routes)
	}
	few := anywhere
	few.SMPP, few.APNs, few.SIP, few.SMTP = "", "", "", ""
	file.Providers, file.Routes = nil, nil
	if err := toml.Unmarshal([]byte(start(t, few).TOML()), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Providers) != 17 || fmt.Sprint(file.Routes["sms"]) != "[twilio]" || file.Routes["call"] != nil {
		t.Errorf("%d providers, %v", len(file.Providers), file.Routes)
	}
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	c := start(t, anywhere)
	o := anywhere
	o.SMTP = strings.TrimPrefix(c.URL(), "http://")
	if _, err := fakecarrier.Start(o); err == nil || !strings.HasPrefix(err.Error(), "--smtp: cannot listen") {
		t.Errorf("got %v", err)
	}
}

func TestThePageNamesEveryProvider(t *testing.T) {
	page, err := os.ReadFile("../../docs/fakecarrier.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| channel | providers |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, name := range start(t, anywhere).Providers() {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("its table of channels lacks %s", name)
		}
	}
}

func TestPagesOfStrangersDoNotReachTheAPI(t *testing.T) {
	o := anywhere
	o.Hosts = []string{"carrier.acme.example"}
	c := start(t, o)
	for _, test := range []struct {
		method, host, origin string
		want                 int
	}{
		{"GET", "carrier:8700", "", 200},
		{"GET", "carrier.acme.example", "", 200},
		{"GET", "rebound.example:8700", "http://rebound.example:8700", 403},
		{"DELETE", "localhost:8700", "http://evil.example", 403},
		{"DELETE", "localhost:8700", "http://localhost:8700", 204},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, c.URL()+"/messages", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		answered, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answered.Body)
		answered.Body.Close()
		if err != nil || answered.StatusCode != test.want || test.want == 403 && !strings.HasPrefix(string(text), `{"error":`) {
			t.Errorf("%+v: %d %s", test, answered.StatusCode, text)
		}
	}
}
