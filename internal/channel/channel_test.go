package channel

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

var deadline = time.Date(2031, time.January, 2, 3, 4, 5, 0, time.UTC)

// delivery is a send of 482913 in Spanish by a channel.
func delivery(c verify.Channel) verify.Delivery {
	d := verify.Delivery{
		Attempt: &verify.Attempt{
			SID: "VL00000000000000000000000000000001", VerificationSID: "VE00000000000000000000000000000002",
			Channel: c, To: "+34612345678", Country: "ES", Locale: "es", Brand: "Acme",
		},
		Code: "482913", TTL: 10 * time.Minute, Deadline: deadline,
	}
	if c == verify.Email {
		d.Attempt.To, d.Attempt.Country = "jane@example.com", ""
	}
	return d
}

func TestEveryChannelSaysWhoWhatAndUntilWhen(t *testing.T) {
	for _, c := range verify.Channels() {
		d := delivery(c)
		m := Compose(d)
		if m.Attempt != d.Attempt.SID || m.Verification != d.Attempt.VerificationSID || m.Channel != string(c) ||
			m.To != d.Attempt.To || m.Country != d.Attempt.Country || m.Code != d.Code || m.Brand != "Acme" || !m.Deadline.Equal(deadline) {
			t.Errorf("%s: got %+v for the attempt %+v", c, m, *d.Attempt)
		}
		if m.Key != "" {
			t.Errorf("%s: the key is %q, and is the caller's to set", c, m.Key)
		}
		if m.Text == "" || m.Locale == "" {
			t.Errorf("%s: got the text %q in %q, want both", c, m.Text, m.Locale)
		}
		if c != verify.Call && !strings.Contains(m.Text, d.Code) {
			t.Errorf("%s: the text %q does not have the code", c, m.Text)
		}
		// What belongs to one channel is on no other.
		if got, want := m.Segments > 0 && m.Encoding != "", c == verify.SMS; got != want {
			t.Errorf("%s: %d segments of %q", c, m.Segments, m.Encoding)
		}
		if got, want := m.Speech != nil, c == verify.Call; got != want {
			t.Errorf("%s: speech %+v", c, m.Speech)
		}
		if got, want := m.Template != nil, c == verify.WhatsApp; got != want {
			t.Errorf("%s: template %+v", c, m.Template)
		}
		if got, want := m.Email != nil, c == verify.Email; got != want {
			t.Errorf("%s: mail %+v", c, m.Email)
		}
	}
}

func TestTheLanguageThatWasChosenIsWritten(t *testing.T) {
	for _, c := range []verify.Channel{verify.SMS, verify.RCS, verify.Call, verify.WhatsApp} {
		d := delivery(c)
		spanish := Compose(d)
		d.Attempt.Locale = "de"
		german := Compose(d)
		if spanish.Locale != "es" || german.Locale != "de" || spanish.Text == german.Text {
			t.Errorf("%s: got %q in %s and %q in %s", c, spanish.Text, spanish.Locale, german.Text, german.Locale)
		}
	}
}

func TestAnSMSSaysWhatItCosts(t *testing.T) {
	d := delivery(verify.SMS)
	if m := Compose(d); m.Segments != 1 || m.Encoding != "gsm7" {
		t.Errorf("%q: got %d segments of %s, want 1 of gsm7", m.Text, m.Segments, m.Encoding)
	}
	d.Attempt.Locale = "ru"
	if m := Compose(d); m.Encoding != "ucs2" {
		t.Errorf("%q: got %s, want ucs2", m.Text, m.Encoding)
	}
}

func TestTheWishesAboutATextAreFollowed(t *testing.T) {
	plain := Compose(delivery(verify.SMS)).Text
	d := delivery(verify.SMS)
	d.Attempt.Options.AppHash = "He42w354ol9"
	if got := Compose(d).Text; !strings.HasSuffix(got, "He42w354ol9") || !strings.HasPrefix(got, "<#>") {
		t.Errorf("app hash: got %q, want <#> before it and the hash after", got)
	}
	d = delivery(verify.SMS)
	d.Attempt.Options.DoNotShare = true
	if got := Compose(d).Text; len(got) <= len(plain) {
		t.Errorf("do not share: got %q, want a warning after %q", got, plain)
	}
	d = delivery(verify.SMS)
	d.Amount, d.Payee = "39.99 EUR", "Bazaar"
	if got := Compose(d).Text; !strings.Contains(got, d.Amount) || !strings.Contains(got, d.Payee) {
		t.Errorf("payment: got %q, want the amount and the payee in it", got)
	}
}

func TestACallSpeaksTheCodeAndDoesAsItIsTold(t *testing.T) {
	d := delivery(verify.Call)
	d.Attempt.Options = verify.AttemptOptions{Voice: "Mia", SendDigits: "ww12#"}
	m := Compose(d)
	digits := ""
	for _, part := range m.Speech.Parts {
		digits += part.Digits
		if part == (provider.SpeechPart{}) {
			t.Errorf("an empty part in %+v", m.Speech.Parts)
		}
	}
	if got := strings.Repeat(digits, m.Speech.Repeat); got != d.Code+d.Code {
		t.Errorf("spoken digits: got %s, want %s twice", got, d.Code)
	}
	if s := m.Speech; s.Language != m.Locale || s.Voice != "Mia" || s.SendDigits != "ww12#" || s.PressKey || s.PressKeyPrompt != "" {
		t.Errorf("got %+v", *s)
	}
	d.Attempt.Options.PressKey = true
	if s := Compose(d).Speech; !s.PressKey || s.PressKeyPrompt == "" {
		t.Errorf("press a key: got %v with the prompt %q", s.PressKey, s.PressKeyPrompt)
	}
}

func TestAMailSpeaksOfItsLifeAndItsSender(t *testing.T) {
	d := delivery(verify.Email)
	d.TTL = 10*time.Minute - time.Millisecond // a store may round
	d.Attempt.Options = verify.AttemptOptions{EmailFrom: "codes@acme.example", EmailFromName: "Acme"}
	m := Compose(d)
	if m.Email.From != "codes@acme.example" || m.Email.FromName != "Acme" {
		t.Errorf("the sender is %q %q", m.Email.FromName, m.Email.From)
	}
	if m.Text != m.Email.Text {
		t.Errorf("the texts differ: %q and %q", m.Text, m.Email.Text)
	}
	for name, body := range map[string]string{"text": m.Email.Text, "HTML": m.Email.HTML} {
		if !strings.Contains(body, d.Code) || !strings.Contains(body, "10 minutes") {
			t.Errorf("the %s does not say the code and that it lives 10 minutes: %q", name, body)
		}
	}
}

func TestAWhatsAppTemplateIsFilledWithTheCode(t *testing.T) {
	m := Compose(delivery(verify.WhatsApp))
	if m.Template.Name == "" || m.Template.Language != "es" {
		t.Errorf("got the template %q in %q, want one in es", m.Template.Name, m.Template.Language)
	}
	found := false
	for _, v := range m.Template.Vars {
		found = found || v == "482913"
	}
	if !found {
		t.Errorf("no variable of %v is the code", m.Template.Vars)
	}
}

func TestATemplatesWordsGoOut(t *testing.T) {
	template := &verify.AttemptTemplate{
		SID: "HJ1", Text: "{{code}} de {{friendly_name}} en {{store}}", Values: map[string]string{"store": "Sol “{{code}}”"},
	}
	for c, want := range map[verify.Channel]string{
		verify.SMS:  `482913 de Acme en Sol "{{code}}"`,
		verify.RCS:  `482913 de Acme en Sol "{{code}}"`,
		verify.Call: `4, 8, 2, 9, 1, 3 de Acme en Sol "{{code}}" 4, 8, 2, 9, 1, 3 de Acme en Sol "{{code}}"`,
	} {
		d := delivery(c)
		d.Attempt.Options.Template = template
		m := Compose(d)
		if m.Text != want || m.Locale != "es" {
			t.Errorf("%s: got %q in %s, want %q", c, m.Text, m.Locale, want)
		}
		if c == verify.SMS && (m.Segments != 1 || m.Encoding != "gsm7") {
			t.Errorf("%d segments of %s", m.Segments, m.Encoding)
		}
	}
}

func TestWithoutTheBrand(t *testing.T) {
	d := delivery(verify.SMS)
	d.Attempt.Options.Brandless = true
	if got := Compose(d).Text; strings.Contains(got, "Acme") || !strings.Contains(got, d.Code) {
		t.Errorf("got %q, want the code and no brand", got)
	}
}
