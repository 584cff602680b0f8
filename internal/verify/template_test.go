package verify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
)

// The templates of the tests.
const (
	plainTemplate = `{"name": "plain", "default": "en", "translations": {
		"en": {"sms": "{{code}} from {{friendly_name}}", "sms_brandless": "{{code}} from us", "voice": "Your code: {{code}}."},
		"es": {"sms": "{{code}} de {{friendly_name}}"},
		"eu": {"sms": "{{code}} {{friendly_name}}"}}}`
	variableTemplate = `{"name": "variables", "default": "en", "variables": {"store": "", "order": ""}, "translations": {
		"en": {"sms": "{{code}} for {{order}} at {{store}} by {{friendly_name}}"},
		"es": {"sms": "{{code}} en {{store}} de {{friendly_name}}"}}}`
	namelessTemplate = `{"name": "nameless", "default": "en", "translations": {"en": {"sms": "Your code is {{code}}"}}}`
	spokenTemplate   = `{"name": "spoken", "default": "en", "translations": {"en": {"voice": "Your code: {{code}}."}}}`
	paymentTemplate  = `{"name": "payment", "default": "en", "translations": {
		"en": {"sms": "{{code}} to pay {{amount}} to {{payee}} by {{friendly_name}}"}}}`
)

func templateFile(t *testing.T, text string) *message.File {
	t.Helper()
	f, err := message.ReadFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// template makes a template and returns its SID.
func (w *world) template(text string, approve bool) string {
	w.t.Helper()
	p, err := w.PutTemplate(w.t.Context(), w.account, templateFile(w.t, text), approve)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.SID
}

// sent is the attempt of a start, whose parameters may lack To and Channel.
func (w *world) sent(p verify.StartParams) (*verify.Attempt, error) {
	w.t.Helper()
	to, sms := ana, "sms"
	if p.To == nil {
		p.To = &to
	}
	if p.Channel == nil {
		p.Channel = &sms
	}
	v, err := w.StartVerification(w.t.Context(), w.account, w.service, p)
	if err != nil {
		return nil, err
	}
	d, ok, err := w.Delivery(w.t.Context(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		w.t.Fatalf("delivery: %v, %v", ok, err)
	}
	cancel := "canceled"
	if _, err := w.UpdateVerification(w.t.Context(), w.account, w.service, v.SID, &cancel); err != nil {
		w.t.Fatal(err)
	}
	return d.Attempt, nil
}

func TestATemplateIsChosenOrRefused(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.Brandless = func(country string) bool { return country == "CA" || country == "SG" }
	sids := map[string]string{"unknown": "HJ" + strings.Repeat("0", 32)}
	for name, text := range map[string]string{"plain": plainTemplate, "variables": variableTemplate, "nameless": namelessTemplate,
		"spoken": spokenTemplate, "payment": paymentTemplate} {
		sids[name] = w.template(text, true)
	}
	sids["pending"] = w.template(strings.Replace(plainTemplate, "plain", "pending", 1), false)
	if _, err := w.ApproveTemplate(t.Context(), w.account, sids["pending"], "eu"); err != nil {
		t.Fatal(err)
	}
	stranger, _, err := w.CreateAccount(t.Context(), "stranger", "", "")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := w.PutTemplate(t.Context(), stranger.SID, templateFile(t, plainTemplate), true)
	if err != nil {
		t.Fatal(err)
	}
	sids["foreign"] = foreign.SID

	long := fmt.Sprintf(`{"store":%q,"order":"1"}`, strings.Repeat("x", 500))
	for _, c := range []struct {
		what              string
		to, channel       string
		template, locale  string
		values, templates string
		want              string // locale and text
		code              verify.Code
	}{
		{what: "by the number's country", template: "plain", want: "es {{code}} de {{friendly_name}}"},
		{what: "by the wish", template: "plain", locale: "en", want: "en {{code}} from {{friendly_name}}"},
		{what: "the wish in any spelling", template: "plain", locale: "ES_mx", want: "es {{code}} de {{friendly_name}}"},
		{what: "a language that no catalogue has", template: "plain", locale: "eu", want: "eu {{code}} {{friendly_name}}"},
		{what: "a language that the template lacks", template: "plain", locale: "fr", want: "en {{code}} from {{friendly_name}}"},
		{what: "one that nobody has but a template may", template: "plain", locale: "gl", want: "en {{code}} from {{friendly_name}}"},
		{what: "what is no language", template: "plain", locale: "x-klingon", code: verify.CodeInvalidParameter},
		{what: "a language of templates without one", locale: "eu", code: verify.CodeInvalidParameter},
		{what: "spoken, in the default language", channel: "call", template: "plain", want: "en Your code: {{code}}."},
		{what: "spoken in a language without a voice", channel: "call", template: "plain", locale: "eu", code: verify.CodeNoSpeechLocale},
		{what: "rcs has the words of sms", channel: "rcs", template: "plain", want: "es {{code}} de {{friendly_name}}"},
		{what: "no words for sms", template: "spoken", code: verify.CodeTemplateChannel},
		{what: "no words for calls", channel: "call", template: "nameless", code: verify.CodeTemplateChannel},
		{what: "whatsapp has its own", channel: "whatsapp", template: "plain", code: verify.CodeTemplateChannel},
		{what: "unknown", template: "unknown", code: verify.CodeTemplateNotFound},
		{what: "of another account", template: "foreign", code: verify.CodeTemplateNotFound},

		{what: "asked for and pending", template: "pending", locale: "es", code: verify.CodeTemplateNotApproved},
		{what: "pending, and so is the default", template: "pending", code: verify.CodeTemplateNotApproved},
		{what: "approved beside pending ones", template: "pending", locale: "eu", want: "eu {{code}} {{friendly_name}}"},

		{what: "no values", template: "variables", locale: "en", code: verify.CodeMissingSubstitutions},
		{what: "one value of two", template: "variables", locale: "en", values: `{"store":"Sol"}`, code: verify.CodeMissingSubstitutions},
		{what: "an empty value", template: "variables", locale: "en", values: `{"store":"Sol","order":""}`, code: verify.CodeMissingSubstitutions},
		{what: "all values", template: "variables", locale: "en", values: `{"store":"Sol","order":7,"more":"x"}`,
			want: "en {{code}} for {{order}} at {{store}} by {{friendly_name}} map[order:7 store:Sol]"},
		{what: "a translation that needs fewer", template: "variables", values: `{"store":"Sol"}`,
			want: "es {{code}} en {{store}} de {{friendly_name}} map[store:Sol]"},
		{what: "a value too long", template: "variables", values: long, code: verify.CodeMessageTooLong},

		{what: "a country without brands", to: "+14165550123", template: "plain", want: "en {{code}} from us"},
		{what: "no version for it", to: "+14165550123", template: "plain", locale: "es", code: verify.CodeTemplateBrand},
		{what: "no brand to leave out", to: "+14165550123", template: "nameless", want: "en Your code is {{code}}"},
		{what: "a brand is no matter for calls", to: "+14165550123", channel: "call", template: "spoken", want: "en Your code: {{code}}."},
		{what: "China wants a name", to: "+8613800138000", template: "nameless", code: verify.CodeChinaNeedsName},
		{what: "and has one", to: "+8613800138000", template: "plain", want: "en {{code}} from {{friendly_name}}"},
		{what: "words for a payment, and none", template: "payment", code: verify.CodeMissingSubstitutions},

		{what: "the first that can be sent", templates: `[{"sid":"$unknown"},{"sid":"$pending"},{"sid":"$variables"},{"sid":"$plain"},{"sid":"$nameless"}]`,
			want: "es {{code}} de {{friendly_name}}"},
		{what: "each with its own values", values: `{"store":"Sol"}`, templates: `[{"sid":"$variables","substitutions":{}},{"sid":"$variables"}]`,
			want: "es {{code}} en {{store}} de {{friendly_name}} map[store:Sol]"},
		{what: "none can be sent", templates: `[{"sid":"$unknown"},{"sid":"$spoken"}]`, code: verify.CodeTemplatesInvalid},
		{what: "a list for whatsapp", channel: "whatsapp", templates: `[{"sid":"$plain"}]`, code: verify.CodeTemplatesInvalid},
		{what: "no list", templates: `{"sid":"$plain"}`, code: verify.CodeInvalidTemplates},
		{what: "no SID in it", templates: `[{"sid":"plain"}]`, code: verify.CodeInvalidTemplates},
		{what: "values that are none", templates: `[{"sid":"$plain","substitutions":"x"}]`, code: verify.CodeInvalidTemplates},
		{what: "a value that is none", templates: `[{"sid":"$plain","substitutions":{"a":[]}}]`, code: verify.CodeInvalidTemplates},
		{what: "too many", templates: `[` + strings.Repeat(`{"sid":"$plain"},`, 10) + `{"sid":"$plain"}]`, code: verify.CodeInvalidTemplates},
		{what: "one named beside a list wins", template: "nameless", templates: `[{"sid":"$plain"}]`, want: "en Your code is {{code}}"},
		{what: "none", want: "es <nil>"},
	} {
		p := verify.StartParams{TemplateSID: sids[c.template], Locale: c.locale, Substitutions: c.values, Templates: c.templates}
		for name, sid := range sids {
			p.Templates = strings.ReplaceAll(p.Templates, "$"+name, sid)
		}
		if c.to != "" {
			p.To = &c.to
		}
		if c.channel != "" {
			p.Channel = &c.channel
		}
		a, err := w.sent(p)
		if c.code != 0 {
			if refused, ok := errors.AsType[*verify.Error](err); !ok || refused.Code != c.code {
				t.Errorf("%s: got %v, want %d", c.what, err, c.code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		got := a.Locale + " <nil>"
		if own := a.Options.Template; own != nil {
			got = a.Locale + " " + own.Text
			if len(own.Values) > 0 {
				got += fmt.Sprint(" ", own.Values)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

// A code for a payment shows its amount and payee, in whatever words.
func TestAPaymentsTemplateShowsThePayment(t *testing.T) {
	on := true
	w := newWorld(t, verify.ServiceParams{PSD2Enabled: &on})
	plain, payment := w.template(plainTemplate, true), w.template(paymentTemplate, true)
	p := verify.StartParams{Amount: "€39.99", Payee: "Café Noir", TemplateSID: plain}
	_, err := w.sent(p)
	wantCode(t, err, verify.CodeTemplateContent, "")
	p.TemplateSID = payment
	if a, err := w.sent(p); err != nil || a.Options.Template == nil {
		t.Errorf("a template with amount and payee: %+v, %v", a, err)
	}
	// The default template gives way to the catalogue, which shows them.
	p.TemplateSID = ""
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{DefaultTemplateSID: &plain}); err != nil {
		t.Fatal(err)
	}
	if a, err := w.sent(p); err != nil || a.Options.Template != nil || a.Locale != "es" {
		t.Errorf("with a default template that cannot: %+v, %v", a, err)
	}
}

func TestADefaultTemplateIsForTextMessages(t *testing.T) {
	on := true
	w := newWorld(t, verify.ServiceParams{DoNotShareWarningEnabled: &on})
	w.Brandless = func(country string) bool { return country == "CA" }
	set := func(sid string) error {
		_, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{DefaultTemplateSID: &sid})
		return err
	}
	plain := w.template(plainTemplate, true)
	pending := w.template(strings.Replace(plainTemplate, "plain", "pending", 1), false)
	for sid, code := range map[string]verify.Code{
		"HJ" + strings.Repeat("0", 32):   verify.CodeTemplateNotFound,
		w.template(spokenTemplate, true): verify.CodeTemplateChannel,
		pending:                          verify.CodeTemplateNotApproved,
		"HJ1":                            verify.CodeInvalidParameter,
	} {
		if refused, ok := errors.AsType[*verify.Error](set(sid)); !ok || refused.Code != code {
			t.Errorf("%s: got %v, want %d", sid, refused, code)
		}
	}
	if err := set(plain); err != nil {
		t.Fatal(err)
	}
	for channel, want := range map[string]bool{"sms": true, "rcs": true, "call": false, "whatsapp": false} {
		a, err := w.sent(verify.StartParams{Channel: &channel})
		if err != nil || (a.Options.Template != nil) != want || a.Options.DoNotShare && want {
			t.Errorf("%s: %+v, %v; want the template: %v", channel, a, err, want)
		}
	}
	spanish, canada := "es", "+14165550123"
	a, err := w.sent(verify.StartParams{To: &canada, Locale: spanish})
	if err != nil || a.Options.Template != nil || !a.Options.Brandless {
		t.Errorf("a country without brands, in a language without a version for it: %+v, %v; want the catalogue's", a, err)
	}
	if err := set(w.template(variableTemplate, true)); err != nil {
		t.Fatal(err)
	}
	_, err = w.sent(verify.StartParams{})
	wantCode(t, err, verify.CodeMissingSubstitutions, "")
	if err := set(""); err != nil {
		t.Fatal(err)
	}
	if a, err := w.sent(verify.StartParams{}); err != nil || a.Options.Template != nil {
		t.Errorf("cleared: %+v, %v", a, err)
	}
}

func TestAChangedTextWaitsForApproval(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	put := func(text string, approve bool) (*verify.Template, error) {
		w.advance(time.Minute)
		return w.PutTemplate(t.Context(), w.account, templateFile(t, text), approve)
	}
	approved := func(p *verify.Template) string {
		var tags []string
		for tag, translation := range p.Translations {
			if translation.Approved {
				tags = append(tags, tag)
			}
		}
		return fmt.Sprint(len(tags), " of ", len(p.Translations))
	}
	first, err := put(plainTemplate, false)
	if err != nil || approved(first) != "0 of 3" {
		t.Fatalf("new: %v, %v", first, err)
	}
	p, err := w.ApproveTemplate(t.Context(), w.account, first.SID, "ES")
	if err != nil || approved(p) != "1 of 3" || !p.Translations["es"].Approved {
		t.Fatalf("approve es: %v, %v", p, err)
	}
	if p, err = put(plainTemplate, false); err != nil || approved(p) != "1 of 3" || p.SID != first.SID {
		t.Errorf("the same again: %v, %v", p, err)
	}
	changed := strings.Replace(plainTemplate, "{{code}} de", "{{code}} por", 1)
	if _, err = put(changed, false); !errors.Is(err, verify.ErrWouldPause) || !strings.Contains(err.Error(), "es is in use") {
		t.Errorf("an approved text changed: %v", err)
	}
	if p, err = put(strings.Replace(plainTemplate, "{{code}} from {", "{{code}} of {", 1), false); err != nil || approved(p) != "1 of 3" {
		t.Errorf("a pending text changed: %v, %v", p, err)
	}
	if p, err = put(changed, true); err != nil || approved(p) != "3 of 3" || p.CreatedAt != first.CreatedAt || !p.UpdatedAt.After(first.UpdatedAt) {
		t.Errorf("changed and approved: %v, %v", p, err)
	}
	es, eu := p.Translations["es"], p.Translations["eu"]
	if es.SMS != "{{code}} por {{friendly_name}}" || !es.UpdatedAt.After(es.CreatedAt) || eu.UpdatedAt != eu.CreatedAt {
		t.Errorf("got es %+v, eu %+v", es, eu)
	}
	if p, err = put(namelessTemplate, false); err != nil || p.SID == first.SID {
		t.Errorf("another name: %v, %v", p, err)
	}
	if p, err = w.ApproveTemplate(t.Context(), w.account, p.SID, ""); err != nil || approved(p) != "1 of 1" {
		t.Errorf("approve all: %v, %v", p, err)
	}
	for what, err := range map[string]error{
		"a language that is not there": func() error { _, err := w.ApproveTemplate(t.Context(), w.account, p.SID, "fr"); return err }(),
		"another account":              func() error { _, err := w.ApproveTemplate(t.Context(), "AC0", p.SID, ""); return err }(),
		"an account that is not there": func() error {
			_, err := w.PutTemplate(t.Context(), "AC0", templateFile(t, plainTemplate), true)
			return err
		}(),
	} {
		if !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	if got, err := w.Template(t.Context(), w.account, first.SID); err != nil || !maps.Equal(got.File().Translations, templateFile(t, changed).Translations) {
		t.Errorf("as a file: %+v, %v", got, err)
	}
}

func TestATemplateInUseIsNotRemoved(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	sid := w.template(plainTemplate, true)
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{DefaultTemplateSID: &sid}); err != nil {
		t.Fatal(err)
	}
	v := w.mustStart(ana, "sms")
	remove := func(ctx context.Context, account string) error { return w.RemoveTemplate(ctx, account, sid) }
	if err := remove(t.Context(), w.account); !errors.Is(err, verify.ErrInUse) || !strings.Contains(err.Error(), w.service) {
		t.Errorf("got %v, want ErrInUse with the service", err)
	}
	none := ""
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{DefaultTemplateSID: &none}); err != nil {
		t.Fatal(err)
	}
	if err := remove(t.Context(), "AC0"); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("by another account: %v", err)
	}
	if err := remove(t.Context(), w.account); err != nil {
		t.Fatal(err)
	}
	if err := remove(t.Context(), w.account); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	_, err := w.sent(verify.StartParams{TemplateSID: sid})
	wantCode(t, err, verify.CodeTemplateNotFound, "")
	if d, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); !ok || err == nil && d.Attempt.Options.Template == nil {
		t.Errorf("a message from before: %+v, %v, %v; want the template's words", d.Attempt, ok, err)
	}
}
