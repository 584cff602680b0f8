package vendors_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	"github.com/verifyd/verifyd/provider/africastalking"
	"github.com/verifyd/verifyd/provider/aws"
	"github.com/verifyd/verifyd/provider/httpapi"
	"github.com/verifyd/verifyd/provider/infobip"
	"github.com/verifyd/verifyd/provider/msg91"
	"github.com/verifyd/verifyd/provider/plivo"
	"github.com/verifyd/verifyd/provider/postmark"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/rcs"
	"github.com/verifyd/verifyd/provider/sendgrid"
	"github.com/verifyd/verifyd/provider/ses"
	"github.com/verifyd/verifyd/provider/sinch"
	"github.com/verifyd/verifyd/provider/telnyx"
	"github.com/verifyd/verifyd/provider/twilio"
	"github.com/verifyd/verifyd/provider/vonage"
	"github.com/verifyd/verifyd/provider/webapi"
	"github.com/verifyd/verifyd/provider/whatsapp"
)

var builders = map[string]provider.Builder{
	"africastalking": provider.Build(africastalking.New), "aws": provider.Build(aws.New), "http": provider.Build(webapi.New),
	"httpapi": provider.Build(httpapi.New), "infobip": provider.Build(infobip.New), "msg91": provider.Build(msg91.New),
	"plivo": provider.Build(plivo.New), "postmark": provider.Build(postmark.New), "rcs": provider.Build(rcs.New),
	"sendgrid": provider.Build(sendgrid.New), "ses": provider.Build(ses.New), "sinch": provider.Build(sinch.New), "telnyx": provider.Build(telnyx.New),
	"twilio": provider.Build(twilio.New), "vonage": provider.Build(vonage.New), "whatsapp": provider.Build(whatsapp.New),
}

// silentOnes do not report.
var silentOnes = []string{"aws", "httpapi", "ses"}

// unreasoned are those whose reports know no reasons.
var unreasoned = []string{"http", "rcs"}

// channels are what vendors carry, where it is not sms.
var channels = map[string]string{"whatsapp": "whatsapp", "rcs": "rcs", "postmark": "email", "sendgrid": "email", "ses": "email"}

// world is a provider, its vendor, and the address at which its reports arrive.
type world struct {
	*testing.T
	name     string
	desk     *desk.Desk
	provider provider.Provider
	reports  chan provider.Report
	channel  string
}

func newWorld(t *testing.T, api vendors.API) *world {
	t.Helper()
	w := &world{T: t, name: api.Name, desk: &desk.Desk{Seed: 1}, reports: make(chan provider.Report, 100), channel: cmp.Or(channels[api.Name], "sms")}
	s := vendors.New(w.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), api)
	far := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		far.Close()
	})
	near := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.provider.(provider.Reporter).ServeReport(rw, r)
	}))
	t.Cleanup(near.Close)

	config := map[string]any{}
	set := func(key string, value any) {
		table, name, nested := strings.Cut(key, ".")
		if !nested {
			config[key] = value
			return
		}
		if config[table] == nil {
			config[table] = map[string]any{}
		}
		config[table].(map[string]any)[name] = value
	}
	for _, pair := range api.Table(far.URL + "/" + api.Name) {
		set(pair[0], pair[1])
	}
	if !api.Webhook && !slices.Contains(silentOnes, api.Name) {
		set("report_url", near.URL+"/reports/it/secret")
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	w.provider, err = builders[api.Name](text, provider.Deps{HTTP: client, Report: func(_ context.Context, r provider.Report) error {
		w.reports <- r
		return nil
	}})
	if err != nil {
		t.Fatalf("%s: %v\n%s", api.Name, err, text)
	}
	if api.Webhook || api.Name == "sinch" { // for its calls
		if err := s.Webhook(t.Context(), api.Name, near.URL+"/reports/it/secret"); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) knobs(text string) {
	w.Helper()
	knobs, err := desk.Parse([]byte(`{"knobs":[`+text+`]}`), nil)
	if err != nil {
		w.Fatal(err)
	}
	w.desk.Set(knobs)
}

// eachVendor tells a story of every vendor.
func eachVendor(t *testing.T, story func(w *world, api vendors.API)) {
	apis := vendors.All(time.Now)
	if len(apis) != len(builders) {
		t.Errorf("there are %d vendors and %d providers of them", len(apis), len(builders))
	}
	for _, api := range apis {
		t.Run(api.Name, func(t *testing.T) { story(newWorld(t, api), api) })
	}
}

func TestAMessageArrivesAndIsReported(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		m := providertest.Message(w.channel, 1)
		accepted, err := w.provider.Send(w.Context(), m)
		if err != nil {
			w.Fatal(err)
		}
		got := w.desk.Messages(w.Context(), desk.Query{To: m.To})[0]
		if got.ID != accepted.ID || got.ID == "" || got.Provider != api.Name || !strings.Contains(got.Text, m.Code) || !got.Arrived {
			w.Errorf("accepted %+v, arrived %+v", accepted, got)
		}
		if slices.Contains(silentOnes, api.Name) {
			return
		}
		if r := <-w.reports; r.State != provider.Delivered || r.ID != accepted.ID && r.Key != m.Key {
			w.Errorf("reported %+v of %s", r, accepted.ID)
		}
	})
}

func TestReportsSayWhatTheyAreToldTo(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		if slices.Contains(silentOnes, api.Name) {
			return
		}
		w.knobs(`{"to":"*","report":["sent","failed","bad_recipient","delivered","delivered"],"report_after":"1ms"}`)
		if _, err := w.provider.Send(w.Context(), providertest.Message(w.channel, 1)); err != nil {
			w.Fatal(err)
		}
		for _, want := range []provider.Report{
			{State: provider.Failed, Class: provider.Temporary}, {State: provider.Failed, Class: provider.BadRecipient},
			{State: provider.Delivered}, {State: provider.Delivered},
		} {
			if slices.Contains(unreasoned, api.Name) && want.State == provider.Failed {
				want.Class = provider.Temporary
			}
			if r := <-w.reports; r.State != want.State || r.Class != want.Class {
				w.Errorf("reported %+v, want %+v", r, want)
			}
		}
	})
}

func TestAReportMayComeBeforeTheAnswer(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		if slices.Contains(silentOnes, api.Name) {
			return
		}
		w.knobs(`{"report_first":true}`)
		if _, err := w.provider.Send(w.Context(), providertest.Message(w.channel, 1)); err != nil {
			w.Fatal(err)
		}
		select {
		case r := <-w.reports:
			if r.State != provider.Delivered {
				w.Errorf("reported %+v", r)
			}
		default:
			w.Error("the answer came first")
		}
	})
}

func TestRefusalsMeanTheirClass(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		for i, class := range []provider.Class{
			provider.BadRecipient, provider.BadRequest, provider.Temporary, provider.Throttled, provider.Unknown,
		} {
			w.knobs(fmt.Sprintf(`{"answer":%q}`, class))
			_, err := w.provider.Send(w.Context(), providertest.Message(w.channel, i))
			if _, has := api.Refusals[desk.Answer(class.String())]; !has {
				if slices.Contains(silentOnes, api.Name) {
					continue // it has no way to say it
				}
				if r := <-w.reports; err != nil || r.State != provider.Failed || r.Class != class && api.Name != "http" {
					w.Errorf("%v: %v, and reported %+v", class, err, r)
				}
				continue
			}
			if err == nil || provider.AsError(err).Class != class {
				w.Errorf("got %v, want class %v", err, class)
			}
		}
		if got := w.desk.Messages(w.Context(), desk.Query{All: true}); len(got) != 5 || got[4].Arrived {
			w.Errorf("the carrier noted %+v", got)
		}
	})
}

func TestConnectionsAreDroppedAndFallSilent(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		w.knobs(`{"answer":"dropped","arrives":true}`)
		_, err := w.provider.Send(w.Context(), providertest.Message(w.channel, 1))
		if err == nil || provider.AsError(err).Class != provider.Unknown {
			w.Errorf("dropped: %v, want class unknown", err)
		}
		w.knobs(`{"answer":"silent"}`)
		ctx, cancel := context.WithCancel(w.Context())
		done := make(chan error)
		go func() {
			_, err := w.provider.Send(ctx, providertest.Message(w.channel, 2))
			done <- err
		}()
		w.desk.Messages(w.Context(), desk.Query{All: true, After: 1}) // it is there
		cancel()
		if err := <-done; err == nil || provider.AsError(err).Class != provider.Unknown {
			w.Errorf("silent: %v, want class unknown", err)
		}
	})
}

// None of these comes from a provider of ours; a carrier refuses them all.
func TestWhatACarrierRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		header             http.Header
		want               string
	}{
		"nobody":              {"POST", "/pigeon/send", "", nil, "404 no vendor"},
		"twilio stranger":     {"POST", "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000fac/Messages.json", "To=%2B34612345678&From=x&Body=x", basic("AC1", "x"), `401 {"code":20003`},
		"twilio no body":      {"POST", "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000fac/Messages.json", "To=%2B34612345678&From=x", basic("AC00000000000000000000000000000fac", "twilio-token"), `400 {"code":21602`},
		"twilio long life":    {"POST", "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000fac/Messages.json", "To=%2B34612345678&From=x&Body=x&ValidityPeriod=40000", basic("AC00000000000000000000000000000fac", "twilio-token"), `400 {"code":21621`},
		"vonage stranger":     {"POST", "/vonage/sms/json", "to=34612345678&from=x&text=x", basic("x", "y"), `200 {"message-count":"1","messages":[{"error-text":"Bad Credentials","status":"4"}]}`},
		"vonage short life":   {"POST", "/vonage/sms/json", "to=34612345678&from=x&text=x&ttl=1", basic("fakecarrier", "vonage-secret"), `"status":"3"`},
		"vonage RCS stranger": {"POST", "/vonage/v1/messages", `{}`, basic("x", "y"), `401 {`},
		"vonage short RCS":    {"POST", "/vonage/v1/messages", `{"message_type":"text","channel":"rcs","to":"34612345678","from":"x","text":"x","ttl":1}`, basic("fakecarrier", "vonage-secret"), `422 {`},
		"infobip stranger":    {"POST", "/infobip/sms/3/messages", "{}", nil, `401 {"description"`},
		"infobip another key": {"POST", "/infobip/sms/3/messages", `{"messages":[{"form":"x"}]}`, bearer("App infobip-key"), `400 {"description"`},
		"telnyx no sender":    {"POST", "/telnyx/v2/messages", `{"to":"+34612345678","text":"x"}`, bearer("Bearer telnyx-key"), `"code":"40305"`},
		"telnyx no number":    {"POST", "/telnyx/v2/messages", `{"to":"612345678","from":"x","text":"x"}`, bearer("Bearer telnyx-key"), `"code":"40310"`},
		"plivo GET":           {"GET", "/plivo/v1/Account/MAFAKECARRIER/Message/", ``, basic("MAFAKECARRIER", "plivo-token"), `404 {`},
		"plivo expiry":        {"POST", "/plivo/v1/Account/MAFAKECARRIER/Message/", `{"src":"x","dst":"34612345678","text":"x","message_expiry":1}`, basic("MAFAKECARRIER", "plivo-token"), `400 {"api_id":"x","error":"message_expiry`},
		"sinch two people":    {"POST", "/sinch/xms/v1/fakecarrier/batches", `{"to":["34612345678","34612345679"],"body":"x","delivery_report":"none"}`, bearer("Bearer sinch-token"), `400 {"code":"syntax_invalid_json"`},
		"aws unsigned":        {"POST", "/aws/", `{}`, http.Header{"X-Amz-Target": {"PinpointSMSVoiceV2.SendTextMessage"}}, `403 {`},
		"aws another call":    {"POST", "/aws/", `{}`, nil, `404 {`},
		"africa in XML":       {"POST", "/africastalking/version1/messaging", "username=verifyd&to=%2B34612345678&message=x", http.Header{"Apikey": {"africastalking-key"}}, `400 `},
		"msg91 template":      {"POST", "/msg91/api/v5/flow", `{"template_id":"x","recipients":[{"mobiles":"34612345678"}]}`, http.Header{"Authkey": {"msg91-key"}}, `200 {"message":"template`},
		"whatsapp text":       {"POST", "/whatsapp/v23.0/106540352242922/messages", `{"messaging_product":"whatsapp","to":"34612345678","type":"text"}`, bearer("Bearer whatsapp-token"), `"code":131009`},
		"whatsapp stranger":   {"POST", "/whatsapp/v23.0/106540352242922/messages", `{}`, bearer("Bearer x"), `"code":190`},
		"jasmin stranger":     {"POST", "/http/send", `username=x&password=y`, nil, `403 Error "Authentication failure`},
		"jasmin no text":      {"POST", "/http/send", `username=verifyd&password=jasmin-password&to=34612345678`, nil, `400 Error "Mandatory`},
		"postmark stranger":   {"POST", "/postmark/email", `{}`, nil, `401 {"ErrorCode":10`},
		"postmark elsewhere":  {"POST", "/postmark/emails", `{}`, nil, `404 {"ErrorCode":501`},
		"rcs stranger":        {"POST", "/rcs/v1/phones/+34612345678/agentMessages?agentId=acme_agent", `{}`, bearer("Bearer x"), `"status":"UNAUTHENTICATED"`},
		"rcs elsewhere":       {"POST", "/rcs/v1/phones/+34612345678/files", `{}`, nil, `404`},
		"sendgrid stranger":   {"POST", "/sendgrid/v3/mail/send", `{}`, bearer("Bearer x"), `401 {"errors":[{`},
		"sendgrid nobody":     {"POST", "/sendgrid/v3/mail/send", `{}`, bearer("Bearer SG.fakecarrier"), `"field":"personalizations"`},
		"ses unsigned":        {"POST", "/ses/v2/email/outbound-emails", `{}`, nil, `403 {`},
		"ses elsewhere":       {"POST", "/ses/v2/email/other", `{}`, nil, `404 {`},
		"gateway unsigned":    {"POST", "/httpapi/v1/send", `{"to":"+34612345678"}`, nil, `401 {`},
	} {
		var d desk.Desk
		s := vendors.New(&d, slog.New(slog.DiscardHandler), vendors.All(nil)...)
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		for name, values := range c.header {
			r.Header[name] = values
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if got := fmt.Sprint(rec.Code, " ", rec.Body.String()); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		s.Close()
		if n := len(d.Messages(over(t), desk.Query{All: true})); n != 0 {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// over is a context that has ended.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func basic(user, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header
}

func bearer(value string) http.Header { return http.Header{"Authorization": {value}} }

func TestTheTemplateStoreIsAsked(t *testing.T) {
	account := vendors.WhatsAppAccount{NumberID: "106540352242922", Token: "t", AppSecret: "a", VerifyToken: "v",
		Templates: map[string][]string{"otp": {"en"}}}
	w := newWorld(t, vendors.WhatsApp(account))
	m := providertest.Message("whatsapp", 1)
	if _, err := w.provider.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	m.Template.Language = "ky"
	if _, err := w.provider.Send(t.Context(), m); err == nil || provider.AsError(err).Code != "132001" {
		t.Errorf("a language that is not approved: %v, want 132001", err)
	}
}

func TestAMessageByRCSIsTakenBackUntilItArrives(t *testing.T) {
	for _, api := range vendors.All(time.Now) {
		if api.Name != "rcs" {
			continue
		}
		w := newWorld(t, api)
		p := w.provider.(provider.Revoker)
		w.knobs(`{"arrives":false}`)
		waits, arrives := providertest.Message("rcs", 1), providertest.Message("rcs", 2)
		for range 2 { // an identifier that was used is ignored
			if _, err := w.provider.Send(t.Context(), waits); err != nil {
				t.Fatal(err)
			}
		}
		w.knobs("")
		if _, err := w.provider.Send(t.Context(), arrives); err != nil {
			t.Fatal(err)
		}
		if got := w.desk.Messages(t.Context(), desk.Query{All: true}); len(got) != 2 || got[0].Arrived || !got[1].Arrived {
			t.Errorf("the carrier noted %+v", got)
		}
		if err := p.Revoke(t.Context(), provider.Sent{To: waits.To, Key: waits.Key}); err != nil {
			t.Errorf("one that waits: %v", err)
		}
		if err := p.Revoke(t.Context(), provider.Sent{To: arrives.To, Key: arrives.Key}); err == nil {
			t.Error("one that arrived was taken back")
		}
	}
}

// TestTextsByRCSOfOthers: Twilio carries them as it does texts, and Vonage by an API of its own.
func TestTextsByRCSOfOthers(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		if api.Name != "twilio" && api.Name != "vonage" {
			return
		}
		m := providertest.Message("rcs", 1)
		w.knobs(`{"report":["sent","delivered"]}`)
		accepted, err := w.provider.Send(w.Context(), m)
		if err != nil {
			w.Fatal(err)
		}
		if got := w.desk.Messages(w.Context(), desk.Query{To: m.To}); len(got) != 1 || got[0].ID != accepted.ID || !strings.Contains(got[0].Text, m.Code) {
			w.Errorf("arrived %+v", got)
		}
		if r := <-w.reports; r.State != provider.Delivered || r.ID != accepted.ID {
			w.Errorf("reported %+v", r)
		}
		w.knobs(`{"report":["failed"]}`)
		if _, err := w.provider.Send(w.Context(), providertest.Message("rcs", 2)); err != nil {
			w.Fatal(err)
		}
		if r := <-w.reports; r.State != provider.Failed || r.Class != provider.Temporary {
			w.Errorf("reported %+v", r)
		}
		w.knobs(`{"answer":"bad_request"}`)
		if _, err := w.provider.Send(w.Context(), providertest.Message("rcs", 3)); err == nil || provider.AsError(err).Class != provider.BadRequest {
			w.Errorf("got %v", err)
		}
	})
}

// The doctor asks them what a key may do.
func TestVendorsOfMailAreAskedByTheDoctor(t *testing.T) {
	eachVendor(t, func(w *world, api vendors.API) {
		if w.channel != "email" && w.channel != "rcs" {
			return
		}
		if err := w.provider.(provider.Checker).Check(w.Context()); err != nil {
			w.Error(err)
		}
	})
}

func TestAWebhookIsAskedBeforeItIsUsed(t *testing.T) {
	s := vendors.New(&desk.Desk{}, slog.New(slog.DiscardHandler), vendors.All(time.Now)...)
	defer s.Close()
	deaf := httptest.NewServer(http.NotFoundHandler())
	defer deaf.Close()
	for name, want := range map[string]string{
		"whatsapp": "HTTP 404", "rcs": "HTTP 404", "twilio": "has no webhook", "pigeon": "has no webhook", "msg91": "",
	} {
		if err := s.Webhook(t.Context(), name, deaf.URL); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// FuzzRead gives every vendor whatever comes: it reads a number that is one, or refuses.
func FuzzRead(f *testing.F) {
	f.Add(0, "To=%2B34612345678&From=x&Body=x", "application/x-www-form-urlencoded")
	f.Add(15, `{"messaging_product":"whatsapp","type":"template","template":{"components":[{}]}}`, "application/json")
	f.Add(2, `coding=8&hex-content=0041&to=34612345678`, "application/x-www-form-urlencoded")
	apis := vendors.All(time.Now)
	paths := map[string]string{
		"africastalking": "/version1/messaging", "aws": "/", "http": "/send", "httpapi": "/v1/send", "postmark": "/email",
		"rcs": "/v1/phones/+34612345678/agentMessages", "sendgrid": "/v3/mail/send", "ses": "/v2/email/outbound-emails", "infobip": "/sms/3/messages",
		"msg91": "/api/v5/flow", "plivo": "/v1/Account/MAFAKECARRIER/Message/", "sinch": "/xms/v1/fakecarrier/batches", "telnyx": "/v2/messages",
		"twilio": "/2010-04-01/Accounts/AC00000000000000000000000000000fac/Messages.json", "vonage": "/sms/json",
		"whatsapp": "/v23.0/106540352242922/messages",
	}
	authorizations := map[string]http.Header{
		"africastalking": {"Apikey": {"africastalking-key"}, "Accept": {"application/json"}}, "infobip": bearer("App infobip-key"),
		"msg91": {"Authkey": {"msg91-key"}}, "plivo": basic("MAFAKECARRIER", "plivo-token"), "sinch": bearer("Bearer sinch-token"),
		"postmark": {"X-Postmark-Server-Token": {"postmark-token"}, "Accept": {"application/json"}}, "sendgrid": bearer("Bearer SG.fakecarrier"),
		"telnyx": bearer("Bearer telnyx-key"), "twilio": basic("AC00000000000000000000000000000fac", "twilio-token"),
		"vonage": basic("fakecarrier", "vonage-secret"), "whatsapp": bearer("Bearer whatsapp-token"),
	}
	f.Fuzz(func(t *testing.T, n int, body, contentType string) {
		api := apis[(n%len(apis)+len(apis))%len(apis)]
		r := httptest.NewRequest("POST", cmp.Or(paths[api.Name], "/"), strings.NewReader(body))
		for name, values := range authorizations[api.Name] {
			r.Header[name] = values
		}
		r.Header.Set("Content-Type", contentType)
		sent, refusal := api.Read(r, []byte(body))
		if refusal == nil && (sent.To == "" || sent.Text == "" && api.Name != "httpapi") {
			t.Errorf("%s took %+v", api.Name, sent)
		}
		if refusal != nil {
			rec := httptest.NewRecorder()
			api.Refuse(rec, *refusal)
			_, _ = io.Copy(io.Discard, rec.Body)
		}
	})
}
