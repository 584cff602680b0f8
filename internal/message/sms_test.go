package message

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/gsm7"
)

// The English sentences are Twilio's (core reference 6.1): clients and carriers' filters know them.
func TestEnglishTextMessages(t *testing.T) {
	tests := []struct {
		name string
		otp  OTP
		want Text
	}{
		{"plain", OTP{Brand: "Acme", Code: "123456"},
			Text{"Your Acme verification code is: 123456", "en", "gsm7", 1}},
		{"do not share: the apostrophe is plain on the wire", OTP{Brand: "Acme", Code: "123456", DoNotShare: true},
			Text{"Your Acme verification code is: 123456. Don't share this code with anyone; our employees will never ask for the code", "en", "gsm7", 1}},
		{"app hash", OTP{Brand: "AppName", Code: "1234", AppHash: "He42w354ol9"},
			Text{"<#> Your AppName verification code is: 1234 He42w354ol9", "en", "gsm7", 1}},
		{"payment", OTP{Brand: "Acme", Code: "123456", Amount: "€39.99", Payee: "Café Noir"},
			Text{"Your Acme verification code for the payment of €39.99 to Café Noir is: 123456", "en", "gsm7", 1}},
		{"half a payment is none", OTP{Brand: "Acme", Code: "123456", Amount: "€39.99"},
			Text{"Your Acme verification code is: 123456", "en", "gsm7", 1}},
		{"custom code with letters", OTP{Brand: "Acme", Code: "aB3-x"},
			Text{"Your Acme verification code is: aB3-x", "en", "gsm7", 1}},
		{"typography in a name", OTP{Brand: "Joe’s “Diner” – Café", Code: "123456"},
			Text{`Your Joe's "Diner" - Café verification code is: 123456`, "en", "gsm7", 1}},
		{"typography in an amount", OTP{Brand: "Acme", Code: "123456", Amount: "1\u202f234,50\u00a0€", Payee: "L’Épicerie"},
			Text{"Your Acme verification code for the payment of 1 234,50 € to L'Épicerie is: 123456", "en", "gsm7", 1}},
		{"a letter is the name's own, whatever it costs", OTP{Brand: "Płock", Code: "123456"},
			Text{"Your Płock verification code is: 123456", "en", "ucs2", 1}},
		{"placeholders in values are text", OTP{Brand: "{{code}}", Code: "123456", Amount: "{{payee}}", Payee: "{{friendly_name}}"},
			Text{"Your {{code}} verification code for the payment of {{payee}} to {{friendly_name}} is: 123456", "en", "gsm7", 1}},
		{"control characters and line breaks", OTP{Brand: "Ac\x00me\r\nBank", Code: "12\n34\x0756"},
			Text{"Your Acme Bank verification code is: 123456", "en", "gsm7", 1}},
		{"no way to turn an amount round", OTP{Brand: "Acme", Code: "123456", Amount: "\u202e99.93€", Payee: "Shop"},
			Text{"Your Acme verification code for the payment of 99.93€ to Shop is: 123456", "en", "gsm7", 1}},
		{"a hash that is nothing", OTP{Brand: "Acme", Code: "123456", AppHash: " \n"},
			Text{"Your Acme verification code is: 123456", "en", "gsm7", 1}},
		{"unknown language", OTP{Brand: "Acme", Code: "123456", Locale: "xx-YY"},
			Text{"Your Acme verification code is: 123456", "en", "gsm7", 1}},
		{"any spelling of a tag", OTP{Brand: "Acme", Code: "123456", Locale: "PT_br"},
			Text{"Seu codigo de verificacao Acme: 123456", "pt-BR", "gsm7", 1}},
		{"a country of a language we have", OTP{Brand: "Acme", Code: "123456", Locale: "de-AT"},
			Text{"Ihr Bestätigungscode für Acme lautet: 123456", "de", "gsm7", 1}},
	}
	for _, tt := range tests {
		if got := SMS(tt.otp); got != tt.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestRCSHasTheWordsOfSMSAndNoSegments(t *testing.T) {
	o := OTP{Brand: "Acme", Code: "123456", Locale: "ru", DoNotShare: true}
	got, sms := RCS(o), SMS(o)
	if got.Text != sms.Text || got.Locale != "ru" || got.Encoding != "" || got.Segments != 0 {
		t.Errorf("RCS = %+v, SMS = %+v", got, sms)
	}
}

// 3GPP packs 160 septets into 140 bytes, but which bytes Play services count is not said.
func TestWithTheHashGivesWayInOrder(t *testing.T) {
	const hash = "He42w354ol9"
	long := "Acme International Holdings SA" // 30 characters
	tests := []struct {
		name string
		otp  OTP
		want string
	}{
		{"all fits", OTP{Brand: "Acme", Code: "1234", Locale: "hr", DoNotShare: true},
			"<#> Sigurnosni kod za Acme: 1234. Ne otkrivajte ga nikome; mi vas za njega nikada ne pitamo " + hash},
		{"the warning goes first", OTP{Brand: long, Code: "1234567890", DoNotShare: true},
			"<#> Your " + long + " verification code is: 1234567890 " + hash},
		{"then the brand", OTP{Brand: long, Code: "1234567890", Locale: "ru", DoNotShare: true},
			"<#> Ваш код подтверждения Acme Internationa...: 1234567890 " + hash},
		{"a brand that makes it UCS-2", OTP{Brand: "Международный коммерческий банк", Code: "1234567890"},
			"<#> Your Международный... verification code is: 1234567890 " + hash},
		{"the payee before the brand", OTP{Brand: "Acme International", Code: "123456", Amount: "1,234.56 EUR", Payee: "The Honourable Company of Shopkeepers in the Corner"},
			"<#> Your Acme International verification code for the payment of 1,234.56 EUR to The Honourable Company of Shopkee... is: 123456 " + hash},
		{"a payment that cannot fit keeps its words", OTP{Brand: "Acme", Code: "123456", Locale: "ar", Amount: "39.99 EUR", Payee: "Corner Shop"},
			"<#> رمز التحقق الخاص بك لدى Acme لدفع 39.99 EUR إلى Corner Shop هو: 123456 " + hash},
	}
	for _, tt := range tests {
		tt.otp.AppHash = hash
		if got := SMS(tt.otp); got.Text != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got.Text, tt.want)
		}
	}
}

func TestTheHashFitsInEveryLanguageWithAnyName(t *testing.T) {
	for _, name := range []string{
		"Acme International Holdings SA",
		strings.Repeat("Ж", 30),
		strings.Repeat("€", 30),
		strings.Repeat("😀", 30),
		strings.Repeat("e\u0301", 15),
	} {
		for _, tag := range smsLocales {
			got := SMS(OTP{Brand: name, Code: "1234567890", Locale: tag, DoNotShare: true, AppHash: "He42w354ol9"})
			if n := gsm7.Measure(got.Text).Units; got.Segments != 1 || n > 140 {
				t.Errorf("%s, %q: %d segments, %d units: %s", tag, name, got.Segments, n, got.Text)
			}
			if !strings.HasPrefix(got.Text, "<#> ") || !strings.HasSuffix(got.Text, " He42w354ol9") || !strings.Contains(got.Text, "1234567890") {
				t.Errorf("%s, %q: prefix, code or hash is missing: %s", tag, name, got.Text)
			}
		}
	}
}

// The worst that passes the API in every language: nothing exceeds the hard stop, amount and code
// are whole, and the payee is still to be recognised.
func TestTheHardStopHoldsInEveryLanguage(t *testing.T) {
	payees := map[string]string{
		"Latin":    "Corner Shop " + strings.Repeat("and sons ", 200),
		"Cyrillic": "Магазин " + strings.Repeat("и сыновья ", 200),
		"emoji":    strings.Repeat("🏪", 600),
		"euro":     "Corner Shop " + strings.Repeat("€", 600),
	}
	for name, payee := range payees {
		for _, tag := range smsLocales {
			for _, amount := range []string{"39.99 EUR", strings.Repeat("9", MaxAmount), strings.Repeat("ж", MaxAmount)} {
				o := OTP{Brand: strings.Repeat("Ж", 30), Code: "1234567890", Locale: tag, Amount: amount,
					Payee: payee, DoNotShare: true, AppHash: "He42w354ol9"}
				got := SMS(o)
				if n := utf8.RuneCountInString(got.Text); n > 500 || got.Segments > 4 {
					t.Errorf("%s, payee %s, amount %.9s…: %d characters, %d segments", tag, name, amount, n, got.Segments)
				}
				first := string([]rune(payee)[:9])
				if !strings.Contains(got.Text, amount) || !strings.Contains(got.Text, "1234567890") || !strings.Contains(got.Text, first) {
					t.Errorf("%s, payee %s: amount, code or payee is missing: %s", tag, name, got.Text)
				}
			}
		}
	}
}

func TestAPayeeIsNotCutBeforeItMust(t *testing.T) {
	o := OTP{Brand: "Acme", Code: "123456", Amount: "€5", Payee: strings.Repeat("x", 1000)}
	got := SMS(o)
	if n := utf8.RuneCountInString(got.Text); n != 500 {
		t.Errorf("%d characters, want all of 500", n)
	}
	if !strings.HasPrefix(got.Text, "Your Acme verification code") || !strings.HasSuffix(got.Text, "... is: 123456") {
		t.Errorf("the brand was cut, or the end: %s", got.Text)
	}
	o.Payee = strings.Repeat("x", 300)
	if got := SMS(o); !strings.Contains(got.Text, o.Payee) {
		t.Errorf("a payee with room enough was cut: %s", got.Text)
	}
}

// Nothing shortens an amount. The API refuses one beyond MaxAmount; if it did not, it would be sent.
func TestAnEndlessAmountIsWhole(t *testing.T) {
	amount := strings.Repeat("9", 5000)
	got := SMS(OTP{Brand: "Acme", Code: "123456", Amount: amount, Payee: "Shop"})
	if !strings.Contains(got.Text, amount) || got.Segments != gsm7.Segments(got.Text) {
		t.Errorf("%d characters in %d segments", len(got.Text), got.Segments)
	}
}

func FuzzSMS(f *testing.F) {
	f.Add("Acme", "123456", "en", "", "", "", false)
	f.Add("{{code}}", "{{code}}", "zh_hk", "€5", "{{payee}}", "He42w354ol9", true)
	f.Add(strings.Repeat("ж", 40), "1234567890", "kn", "9,99 €", strings.Repeat("é", 700), "He42w354ol9", true)
	f.Add("\xff\x00\u202e", "\xff", "\xff", "\xff", "\u2028", "\xff", true)
	f.Fuzz(func(t *testing.T, brand, code, locale, amount, payee, hash string, doNotShare bool) {
		o := OTP{Brand: brand, Code: code, Locale: locale, Amount: amount, Payee: payee, AppHash: hash, DoNotShare: doNotShare}
		got := SMS(o)
		if !utf8.ValidString(got.Text) || strings.ContainsFunc(got.Text, unicode.IsControl) {
			t.Fatalf("not fit to send: %q", got.Text)
		}
		if size := gsm7.Measure(got.Text); got.Segments != size.Segments || got.Encoding != string(size.Encoding) {
			t.Fatalf("%+v is said of %+v", size, got)
		}
		if !Supported("sms", got.Locale) || Canonical(got.Locale) != got.Locale {
			t.Fatalf("locale %q", got.Locale)
		}
		if gsm7.Transliterate(got.Text) != got.Text && gsm7.Transliterate(code) == code && gsm7.Transliterate(hash) == hash {
			t.Fatalf("typography left: %q", got.Text)
		}
		o = o.cleaned()
		if !strings.Contains(got.Text, o.Code) || !strings.HasSuffix(got.Text, o.AppHash) {
			t.Fatalf("code or hash is missing: %q", got.Text)
		}
		if o.payment() && !strings.Contains(got.Text, gsm7.Transliterate(o.Amount)) {
			t.Fatalf("the amount is missing: %q", got.Text)
		}
		if units(o.Amount) <= MaxAmount && units(o.Code) <= 10 && units(o.AppHash) <= 11 && got.Segments > 4 {
			t.Fatalf("%d segments: %q", got.Segments, got.Text)
		}
	})
}

// units counts as MaxAmount does, after the ellipsis has become three dots.
func units(s string) int {
	n := 0
	for _, r := range gsm7.Transliterate(s) {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// An SMS is written on the delivery path: some hundred nanoseconds, and one allocation, the text.
func TestSMSAllocatesItsTextAlone(t *testing.T) {
	o := OTP{Brand: "Acme", Code: "123456", Locale: "de", DoNotShare: true}
	SMS(o)
	if n := testing.AllocsPerRun(100, func() { SMS(o) }); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

var sink Text

func BenchmarkSMS(b *testing.B) {
	for _, bb := range []struct {
		name string
		otp  OTP
	}{
		{"plain", OTP{Brand: "Acme", Code: "123456", Locale: "en"}},
		{"warning", OTP{Brand: "Acme", Code: "123456", Locale: "en", DoNotShare: true}},
		{"ucs2", OTP{Brand: "Acme", Code: "123456", Locale: "ru"}},
		{"payment", OTP{Brand: "Acme", Code: "123456", Locale: "fr", Amount: "39,99 €", Payee: "Café Noir"}},
		{"shortened", OTP{Brand: "Acme International Holdings SA", Code: "1234567890", Locale: "ru", AppHash: "He42w354ol9"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = SMS(bb.otp)
			}
		})
	}
}

// BenchmarkRead is what the first message in a language pays once.
func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read("de"); err != nil {
			b.Fatal(err)
		}
	}
}
