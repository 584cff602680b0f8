package message

import (
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/gsm7"
)

func TestAnOperatorsWordsGoOut(t *testing.T) {
	words := &Words{
		Text:   "{{code}} is your {{friendly_name}} code for “{{store}}”.",
		Values: map[string]string{"store": "Main\nStreet {{code}}"},
	}
	for _, tt := range []struct {
		name string
		otp  OTP
		want Text
	}{
		{"values are text, on one line", OTP{Brand: "Acme", Code: "123456", Locale: "en"},
			Text{`123456 is your Acme code for "Main Street {{code}}".`, "en", "gsm7", 1}},
		{"in a language that the catalogue lacks", OTP{Brand: "Acme", Code: "123456", Locale: "eu"},
			Text{`123456 is your Acme code for "Main Street {{code}}".`, "eu", "gsm7", 1}},
		{"no warning is added", OTP{Brand: "Acme", Code: "123456", Locale: "en", DoNotShare: true},
			Text{`123456 is your Acme code for "Main Street {{code}}".`, "en", "gsm7", 1}},
		{"an app hash is", OTP{Brand: "Acme", Code: "123456", Locale: "en", AppHash: "He42w354ol9"},
			Text{`<#> 123456 is your Acme code for "Main Street {{code}}". He42w354ol9`, "en", "gsm7", 1}},
		{"and they win over brandless", OTP{Brand: "Acme", Code: "123456", Locale: "en", Brandless: true},
			Text{`123456 is your Acme code for "Main Street {{code}}".`, "en", "gsm7", 1}},
	} {
		tt.otp.Words = words
		if got := SMS(tt.otp); got != tt.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestSegmentsOfAnOperatorsWordsAreCounted(t *testing.T) {
	long := strings.Repeat("word ", 40)
	o := OTP{Brand: "Acme", Code: "123456", Locale: "en", Words: &Words{Text: long + "{{code}}"}}
	if got := SMS(o); got.Segments != 2 || got.Encoding != "gsm7" {
		t.Errorf("%d characters: %d segments of %s, want 2 of gsm7", len(got.Text), got.Segments, got.Encoding)
	}
	o.Words.Text = "код " + long + "{{code}}"
	if got := SMS(o); got.Segments != 4 || got.Encoding != "ucs2" {
		t.Errorf("with a Russian word: %d segments of %s, want 4 of ucs2", got.Segments, got.Encoding)
	}
}

func TestACallSaysAnOperatorsWordsTwice(t *testing.T) {
	s := Call(OTP{Brand: "Acme", Code: "123456", Locale: "es", Words: &Words{
		Text: "Su código de {{friendly_name}} para {{store}} es {{code}}.", Values: map[string]string{"store": "Sol"},
	}})
	sentence := []Part{{Say: "Su código de Acme para Sol es"}, {Digits: "123"}, {PauseMS: groupPauseMS}, {Digits: "456"}}
	want := slices.Concat(sentence, []Part{{PauseMS: sentencePauseMS}}, sentence)
	if !slices.Equal(s.Parts, want) || s.Locale != "es" || !strings.Contains(s.PressKeyPrompt, "Acme") {
		t.Errorf("got %+v", s)
	}
}

func TestVariablesAndWhatIsMissing(t *testing.T) {
	text := "{{b}} {{a}} {{code}} {{friendly_name}} {{b}} {{ c }} {{d"
	if got := Variables(text); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("variables of %q: %v", text, got)
	}
	w := &Words{Text: text, Values: map[string]string{"b": "x", "a": ""}}
	if got := w.Missing(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("missing: %v, want [a]", got)
	}
	for placeholder, want := range map[string]bool{"code": true, "friendly_name": true, "amount": false, "b": false, "": false} {
		if got := Has(text, placeholder); got != want {
			t.Errorf("Has(%q) = %v", placeholder, got)
		}
	}
}

func TestWordsThatWouldNotFitAreKnownBefore(t *testing.T) {
	for _, tt := range []struct {
		name, channel, value string
		want                 bool
	}{
		{"four segments", "sms", strings.Repeat("x", 480), true},
		{"more than 500 characters", "sms", strings.Repeat("x", 500), false},
		{"four segments of UCS-2", "sms", strings.Repeat("я", 250), true},
		{"five segments of UCS-2", "rcs", strings.Repeat("я", 268), false},
		{"spoken", "call", strings.Repeat("я", 480), true},
		{"spoken for too long", "call", strings.Repeat("я", 500), false},
	} {
		o := OTP{Brand: "Acme", Code: "123456", Locale: "en", Words: &Words{Text: "{{code}} {{x}}", Values: map[string]string{"x": tt.value}}}
		if got := o.Fits(tt.channel); got != tt.want {
			t.Errorf("%s: fits is %v", tt.name, got)
		}
		if text := SMS(o); tt.want && !strings.Contains(text.Text, tt.value) {
			t.Errorf("%s: the value was cut: %q", tt.name, text.Text)
		}
	}
	pays := OTP{Brand: "Acme", Code: "123456", Locale: "en", Amount: "€5", Payee: strings.Repeat("p", 1000),
		Words: &Words{Text: "{{code}} for {{amount}} to {{payee}}"}}
	if got := SMS(pays); !pays.Fits("sms") || !strings.HasSuffix(got.Text, "...") || got.Segments > 4 {
		t.Errorf("a long payee: fits is %v, and the text is %q", pays.Fits("sms"), got.Text)
	}
}

// A text message without a brand costs no more than one segment in any language.
func TestBrandlessTextMessages(t *testing.T) {
	got := SMS(OTP{Brand: "Acme", Code: "123456", Locale: "en", Brandless: true})
	if want := (Text{"123456 is your verification code", "en", "gsm7", 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, tag := range smsLocales {
		got := SMS(OTP{Brand: "Acme", Code: "1234567890", Locale: tag, Brandless: true})
		if got.Segments != 1 || strings.ContainsAny(got.Text, "*") || strings.Contains(got.Text, "Acme") || !strings.Contains(got.Text, "1234567890") {
			t.Errorf("%s: %+v", tag, got)
		}
	}
	o := OTP{Brand: "Acme", Code: "123456", Locale: "en", Brandless: true, DoNotShare: true}
	if got := SMS(o); !strings.HasPrefix(got.Text, "123456 is your verification code. Don't share") {
		t.Errorf("with the warning: %q", got.Text)
	}
	o.Amount, o.Payee = "€5", "Shop"
	if got := SMS(o); !strings.Contains(got.Text, "€5") || !strings.Contains(got.Text, "Acme") {
		t.Errorf("a payment: %q", got.Text)
	}
}

// Whatever values contain, they come out as they were put in, cleaned, and the code is whole.
func FuzzWords(f *testing.F) {
	f.Add("{{code}} is for {{store}}", "Main Street", "Acme", "123456")
	f.Add("{{store}}{{code}}{{store}}", "{{code}}", "{{store}}", "}}")
	f.Add("{{code}} {{ broken", "\u202e", "", "")
	f.Fuzz(func(t *testing.T, text, value, brand, code string) {
		words := &Words{Text: text, Values: map[string]string{"store": value}}
		o := OTP{Brand: brand, Code: code, Words: words}.cleaned()
		w := values{brandField: gsm7.Transliterate(o.Brand), codeField: o.Code}
		got := words.bind().fill(&w)
		if parsed, err := parseWords(text); err != nil {
			if len(parsed) == 0 {
				t.Fatalf("%q: nothing is left of a text that cannot be read", text)
			}
			return
		}
		if len(Variables(text)) > 1 || len(Variables(text)) == 1 && Variables(text)[0] != "store" ||
			Has(text, "amount") || Has(text, "payee") {
			return
		}
		want := ""
		for rest := text; rest != ""; { // the obvious way, one placeholder after the other
			before, after, found := strings.Cut(rest, "{{")
			want += gsm7.Transliterate(before)
			if !found {
				break
			}
			name, next, _ := strings.Cut(after, "}}")
			want += map[string]string{"code": o.Code, "friendly_name": w[brandField], "store": gsm7.Transliterate(clean(value))}[name]
			rest = next
		}
		if got != want {
			t.Fatalf("%q with %q is %q, want %q", text, value, got, want)
		}
	})
}

// Names that the parameters of the fuzz target hide.
const brandField, codeField = brand, code
