package message

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestCallInEnglish(t *testing.T) {
	got := Call(OTP{Brand: "Acme", Code: "123456", Amount: "€39.99", Payee: "Shop", DoNotShare: true})
	want := Speech{
		Locale: "en",
		Parts: []Part{
			{Say: "Your Acme verification code is:"},
			{Digits: "123"}, {PauseMS: 600}, {Digits: "456"},
			{PauseMS: 1000},
			{Say: "Once again, your code is:"},
			{Digits: "123"}, {PauseMS: 600}, {Digits: "456"},
		},
		PressKeyPrompt: "This is a call from Acme. To hear your verification code, press any key.",
		Text:           "Your Acme verification code is: 1, 2, 3, 4, 5, 6. Once again, your code is: 1, 2, 3, 4, 5, 6.",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWordsMayFollowTheCode(t *testing.T) {
	got := Call(OTP{Brand: "Acme", Code: "1234", Locale: "ja"})
	want := []Part{
		{Say: "Acme の認証コードは、"}, {Digits: "1234"}, {Say: "です。"},
		{PauseMS: 1000},
		{Say: "繰り返します。認証コードは、"}, {Digits: "1234"}, {Say: "です。"},
	}
	if !slices.Equal(got.Parts, want) {
		t.Errorf("got  %+v\nwant %+v", got.Parts, want)
	}
	if want := "Acme の認証コードは、1, 2, 3, 4、です。繰り返します。認証コードは、1, 2, 3, 4、です。"; got.Text != want {
		t.Errorf("got  %s\nwant %s", got.Text, want)
	}
}

func TestCodeIsSpokenInGroups(t *testing.T) {
	tests := []struct {
		code, text string
		groups     []string
	}{
		{"", "", nil},
		{"1", "1", []string{"1"}},
		{"1234", "1, 2, 3, 4", []string{"1234"}},
		{"12345", "1, 2, 3, 4, 5", []string{"123", "45"}},
		{"123456", "1, 2, 3, 4, 5, 6", []string{"123", "456"}},
		{"1234567", "1, 2, 3, 4, 5, 6, 7", []string{"123", "4567"}},
		{"12345678", "1, 2, 3, 4, 5, 6, 7, 8", []string{"123", "456", "78"}},
		{"1234567890", "1, 2, 3, 4, 5, 6, 7, 8, 9, 0", []string{"123", "456", "7890"}},
		{"aB3x", "a, B, 3, x", []string{"aB3x"}}, // a custom code, letter by letter
		{"ключ7", "к, л, ю, ч, 7", []string{"клю", "ч7"}},
	}
	for _, tt := range tests {
		if got := groups(tt.code); !slices.Equal(got, tt.groups) {
			t.Errorf("groups(%q) = %q, want %q", tt.code, got, tt.groups)
		}
		if got := spaced(tt.code); got != tt.text {
			t.Errorf("spaced(%q) = %q, want %q", tt.code, got, tt.text)
		}
	}
}

// Whatever the language: the whole code twice, one field a part, nothing empty, no punctuation
// spoken, and the sentence that asks for a key keeps the code to itself.
func TestEveryCallSaysTheCodeTwice(t *testing.T) {
	for _, tag := range callLocales {
		s := Call(OTP{Brand: "Acme", Code: "8251907", Locale: tag})
		if s.Locale != tag {
			t.Errorf("%s is spoken in %s", tag, s.Locale)
		}
		digits, said := "", ""
		for _, p := range s.Parts {
			set := 0
			if p.Say != "" {
				set++
				said += p.Say
				if !strings.ContainsFunc(p.Say, unicode.IsLetter) || strings.TrimSpace(p.Say) != p.Say {
					t.Errorf("%s says %q", tag, p.Say)
				}
			}
			if p.Digits != "" {
				set++
				digits += p.Digits
			}
			if p.PauseMS != 0 {
				set++
			}
			if set != 1 {
				t.Errorf("%s: part %+v has %d fields set, want 1", tag, p, set)
			}
		}
		if digits != "82519078251907" {
			t.Errorf("%s speaks the code %q", tag, digits)
		}
		if strings.Count(said, "Acme") != 1 || !strings.Contains(s.PressKeyPrompt, "Acme") {
			t.Errorf("%s: %q and %q do not name the brand once each", tag, said, s.PressKeyPrompt)
		}
		if strings.ContainsFunc(s.PressKeyPrompt, unicode.IsDigit) {
			t.Errorf("%s: the prompt gives the code away: %s", tag, s.PressKeyPrompt)
		}
		if strings.Count(s.Text, "8, 2, 5, 1, 9, 0, 7") != 2 {
			t.Errorf("%s: %s", tag, s.Text)
		}
	}
}

func TestCallFallsBackToALanguageThatCanBeSpoken(t *testing.T) {
	for tag, want := range map[string]string{
		"en-GB": "en-GB", "en_gb": "en-GB", "en-US": "en", "tr": "en", "he": "en", "pt-PT": "pt", "zh-TW": "zh-HK", "": "en",
	} {
		if got := Call(OTP{Brand: "Acme", Code: "1234", Locale: tag}).Locale; got != want {
			t.Errorf("%q is spoken in %s, want %s", tag, got, want)
		}
	}
}
