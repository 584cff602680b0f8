package message

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/gsm7"
)

// Words are an operator's own sentence for one message: a text of a template, and what its
// variables stand for. They say what they say: nothing is added to them but an app hash.
type Words struct {
	// Text has placeholders: {{code}}, {{friendly_name}}, {{amount}}, {{payee}} and variables of
	// the operator's own.
	Text string
	// Values are the variables by name. What they contain is text, placeholders too. A variable
	// without a value is left out; Missing tells before.
	Values map[string]string
}

// variable is what the name of an operator's own variable looks like.
var variable = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// parseWords takes an operator's text apart. The template is whole even if there is an error.
func parseWords(text string) (template, error) {
	return split(text, func(name string) (part, bool) {
		if f := fieldNamed(name); f != literal {
			return part{field: f}, true
		}
		return part{variable: name}, variable.MatchString(name)
	})
}

// Variables are the names of the operator's own variables in a text, each once, in the order of
// their appearance.
func Variables(text string) []string {
	t, _ := parseWords(text) // braces that are no placeholder name no variable
	var names []string
	for _, p := range t {
		if p.variable != "" && !slices.Contains(names, p.variable) {
			names = append(names, p.variable)
		}
	}
	return names
}

// Has reports whether a text has a placeholder of the message's own: "code", "friendly_name",
// "amount" or "payee".
func Has(text, placeholder string) bool {
	f := fieldNamed(placeholder)
	t, _ := parseWords(text)
	return slices.ContainsFunc(t, func(p part) bool { return f != literal && p.field == f })
}

// Missing are the variables of the text that have no value.
func (w *Words) Missing() []string {
	return slices.DeleteFunc(Variables(w.Text), func(name string) bool { return w.Values[name] != "" })
}

// bind is the text with its variables filled in as literals, so that a placeholder inside a value
// stays what it is.
func (w *Words) bind() template {
	t, _ := parseWords(w.Text) // what cannot be read stands there as it was written
	for i, p := range t {
		text := p.text
		if p.variable != "" {
			text = clean(w.Values[p.variable])
		}
		t[i] = part{field: p.field, text: gsm7.Transliterate(text)}
	}
	return t
}

// texts are the sentences for a message, and the language that they are in.
func (o *OTP) texts(channel string) (*texts, string) {
	if o.Words != nil {
		t := o.Words.bind()
		prompt := words(closest("call", o.Locale)).pressKey
		return &texts{sms: t, payment: t, call: t, again: t, pressKey: prompt}, Canonical(o.Locale)
	}
	locale := closest(channel, o.Locale)
	t := words(locale)
	if o.Brandless && channel == "sms" && !o.payment() {
		return &texts{sms: plain(t.whatsapp), doNotShare: t.doNotShare}, locale
	}
	return t, locale
}

// plain is the sentence that WhatsApp shows, which has no brand, as a text message: without the
// asterisks that make the code bold there, and without a full stop, as all text messages are.
func plain(t template) template {
	out := make(template, 0, len(t))
	for i, p := range t {
		p.text = strings.ReplaceAll(p.text, "*", "")
		if i == len(t)-1 {
			p.text = strings.TrimRight(p.text, ".。।")
		}
		p.text = gsm7.Transliterate(p.text)
		out = append(out, p)
	}
	return out
}

// Fits reports whether a message in the operator's words keeps within 500 characters, and on SMS
// and RCS within four segments, as it is: nothing but a payee is shortened for that.
func (o OTP) Fits(channel string) bool {
	t, _ := o.texts(channel)
	if channel == "call" {
		o = o.cleaned()
		return utf8.RuneCountInString(t.call.fill(&values{brand: o.Brand, code: o.Code})) <= maxCharacters
	}
	o.Payee = cut(clean(o.Payee), leastPayee)
	w := write(o, t)
	text, size := w.compose()
	return hardStop.allows(text, size)
}

// The longest that a service may have, for measuring a text before there is a message.
var (
	longestName = strings.Repeat("n", 30)
	longestCode = strings.Repeat("0", 10)
)

// ErrTooLong says that a text would pass the limits of a message (60247).
var ErrTooLong = errors.New("the text is too long")

// CheckWords holds a text that an operator wrote for a channel ("sms", "call") in a language
// against what every template must keep to.
func CheckWords(channel, locale, text string) error {
	t, err := parseWords(text)
	if err != nil {
		return err
	}
	if clean(text) != text {
		return errors.New("it has control characters, line breaks, or spaces that nobody sees")
	}
	codes := 0
	for _, p := range t {
		if p.field == code {
			codes++
		}
	}
	if codes != 1 {
		return fmt.Errorf("it must have {{code}} once, and has it %d times", codes)
	}
	pays, names := Has(text, "amount"), Has(text, "payee")
	switch {
	case pays != names:
		return errors.New("{{amount}} and {{payee}} belong together")
	case pays && channel == "call":
		return errors.New("a payment's code is never spoken: {{amount}} and {{payee}} are for sms")
	case channel == "call" && !Supported("call", locale):
		return fmt.Errorf("calls do not speak %s", locale)
	}
	longest := OTP{Brand: longestName, Code: longestCode, Locale: locale, Words: &Words{Text: text}}
	if pays {
		longest.Amount, longest.Payee = strings.Repeat("0", MaxAmount), longestName
	}
	if !longest.Fits(channel) {
		return fmt.Errorf("%w: with a name of 30 and a code of 10 characters it passes %d characters or %d segments",
			ErrTooLong, maxCharacters, hardStop.segments)
	}
	return nil
}
