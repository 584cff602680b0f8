package message

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const pickup = `{
  "name": "Pickup",
  "default": "en",
  "variables": {"store": "where the order waits"},
  "translations": {
    "en": {
      "language": "English",
      "sms": "{{code}} is your {{friendly_name}} code to collect your order at {{store}}.",
      "sms_brandless": "{{code}} is your code to collect your order at {{store}}.",
      "voice": "Your {{friendly_name}} code is {{code}}."
    },
    "pt_br": {"sms": "{{code}} e seu codigo para retirar o pedido em {{store}}."}
  }
}`

func TestAFileIsReadAndWritten(t *testing.T) {
	f, err := ReadFile([]byte(pickup))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Name: "Pickup", Default: "en", Variables: map[string]string{"store": "where the order waits"},
		Translations: map[string]Translation{
			"en": {
				SMS:       "{{code}} is your {{friendly_name}} code to collect your order at {{store}}.",
				Brandless: "{{code}} is your code to collect your order at {{store}}.",
				Voice:     "Your {{friendly_name}} code is {{code}}.",
			},
			"pt-BR": {SMS: "{{code}} e seu codigo para retirar o pedido em {{store}}."},
		},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	again, err := ReadFile(f.Format())
	if err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("written and read again: %+v, %v\n%s", again, err, f.Format())
	}
}

func TestMistakesInAFileAreNamed(t *testing.T) {
	for _, c := range []struct{ change, to, says string }{
		{`"name": "Pickup",`, `"name": "Pickup"`, "line 3: malformed JSON"},
		{`"default": "en",`, `"default": "en", "default": "en",`, "line 3: malformed JSON parameter: a name stands twice"},
		{`"name": "Pickup"`, `"nmae": "Pickup"`, "nmae: unknown name; there are name, default"},
		{`"Pickup"`, `7`, "name: want a text"},
		{`"Pickup"`, `" "`, "name: is missing"},
		{`"Pickup"`, `"Pick\u200eup"`, "nobody sees"},
		{`"Pickup"`, `"` + strings.Repeat("x", 33) + `"`, "name: is longer than 32"},
		{`"default": "en"`, `"default": "fr"`, `default: "fr" is none of the translations`},
		{`"default": "en"`, `"default": "pt-BR"`, "translations.en: has a channel that the default language pt-BR lacks"},
		{`{"store": "where the order waits"}`, `[]`, "variables: want an object"},
		{`"store": "where`, `"code": "where`, "variables.code: want a name"},
		{`"store": "where`, `"my-store": "where`, "variables.my-store: want a name"},
		{`"store": "where`, `"shop": "", "store": "where`, "variables.shop: no text has {{shop}}"},
		{`"pt_br"`, `"EN"`, "translations.en: the language stands twice"},
		{`"pt_br"`, `"pt-Latn-BR"`, "translations.pt-Latn-BR: want a language such as"},
		{`"pt_br": {"sms"`, `"pt_br": {"SMS"`, "translations.pt_br.SMS: unknown name"},
		{`{"sms": "{{code}} e seu codigo para retirar o pedido em {{store}}."}`, `"x"`, "translations.pt_br: want an object"},
		{`{"sms": "{{code}} e seu codigo para retirar o pedido em {{store}}."}`, `{}`, "translations.pt-BR: has neither sms nor voice"},
		{`pedido em {{store}}`, `pedido em {{loja}}`, "translations.pt-BR.sms: {{loja}} is not among the variables"},
		{`{{code}} e seu`, `{{kode}} e seu`, "translations.pt-BR.sms: it must have {{code}} once, and has it 0 times"},
		{`{{code}} e seu`, `{{code}} {{code}} e seu`, "it must have {{code}} once, and has it 2 times"},
		{`{{code}} e seu`, `{{ code }} e seu`, "unknown placeholder {{ code }}"},
		{`{{code}} e seu`, `{{code}} e  seu`, "spaces that nobody sees"},
		{`{{code}} e seu`, `{{code}} {{amount}} e seu`, "{{amount}} and {{payee}} belong together"},
		{`code is {{code}}`, `code for {{amount}} to {{payee}} is {{code}}`, "translations.en.voice: a payment's code is never spoken"},
		{`{{code}} e seu`, `{{code}} ` + strings.Repeat("e", 490) + ` seu`, "translations.pt-BR.sms: the text is too long"},
		{`{{code}} e seu`, `{{code}} ` + strings.Repeat("я", 260) + ` seu`, "translations.pt-BR.sms: the text is too long"},
		{`"Your {{friendly_name}} code is {{code}}."`, `"{{code}} ` + strings.Repeat("e", 490) + `"`, "translations.en.voice: the text is too long"},
		{`"sms_brandless": "{{code}} is`, `"sms_brandless": "{{code}} {{friendly_name}} is`, "translations.en.sms_brandless: must not have {{friendly_name}}"},
		{`"pt_br": {"sms"`, `"eu": {"voice"`, "translations.eu.voice: calls do not speak eu"},
		{`"pt_br": {"sms"`, `"pt_br": {"voice": "{{code}}", "sms_brandless"`, "sms_brandless: stands in for sms"},
	} {
		text := strings.Replace(pickup, c.change, c.to, 1)
		if text == pickup {
			t.Fatalf("%q is not in the file", c.change)
		}
		if _, err := ReadFile([]byte(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s → %s: got %v, want %q", c.change, c.to, err, c.says)
		}
	}
	for name, text := range map[string]string{"no JSON": "", "a list": "[]", "two objects": "{}{}", "no UTF-8": "\xff",
		"empty": "{}", "no translation": `{"name":"x","default":"en","translations":{}}`, "huge": strings.Repeat(" ", 1<<20+1)} {
		if _, err := ReadFile([]byte(text)); err == nil {
			t.Errorf("%s is taken for a template", name)
		}
	}
	text := strings.Replace(pickup, `{{code}} e seu`, `{{code}} `+strings.Repeat("e", 490), 1)
	if _, err := ReadFile([]byte(text)); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
}

// What is read once can be written, read again, and sent.
func FuzzReadFile(f *testing.F) {
	f.Add([]byte(pickup))
	f.Add([]byte(`{"name":"x","default":"de","translations":{"de":{"sms":"{{code}}"}}}`))
	f.Add([]byte(`{"name":"x","default":"de","translations":{"de":{"sms":"{{code}} {{amount}} {{payee}}"}}}`))
	f.Add([]byte(`{"name":"x","default":"ja","variables":{"a":""},"translations":{"ja":{"voice":"{{a}}{{code}}、"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadFile(data)
		if err != nil {
			return
		}
		again, err := ReadFile(file.Format())
		if err != nil || !reflect.DeepEqual(file, again) {
			t.Fatalf("read again: %+v, %v\nwas %+v", again, err, file)
		}
		values := map[string]string{}
		for name := range file.Variables {
			values[name] = "{{code}}"
		}
		for locale, translation := range file.Translations {
			o := OTP{Brand: "Acme", Code: "271828", Amount: "1", Payee: "x", Locale: locale, Words: &Words{Values: values}}
			for _, text := range []string{translation.SMS, translation.Brandless} {
				o.Words.Text = text
				if got := SMS(o); text != "" && (!strings.Contains(got.Text, "271828") || got.Locale != locale) {
					t.Fatalf("%q went out as %+v", text, got)
				}
			}
			if o.Words.Text = translation.Voice; translation.Voice != "" {
				spoken := ""
				for _, part := range Call(o).Parts {
					spoken += part.Digits
				}
				if spoken != "271828271828" {
					t.Fatalf("%q: a call speaks the digits %s", translation.Voice, spoken)
				}
			}
		}
	})
}
