package verify

import (
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/otp"
)

// Template is what an operator's messages say, in every language that he has it in. It belongs to
// an account, and is made by `verifyd template add` alone: the API only lists it.
type Template struct {
	SID        string // HJ…
	AccountSID string
	// Name is unique in the account.
	Name      string
	CreatedAt time.Time
	UpdatedAt time.Time
	TemplateContent
}

// TemplateContent is what the template's file says, and how far it is approved.
type TemplateContent struct {
	// Default is the language for a person who reads none of the others. It has every channel
	// that the template has.
	Default string
	// Variables are the values that a start must bring, each with a word about it.
	Variables    map[string]string
	Translations map[string]Translation // by language tag
}

// Translation is a template in one language. Only what is approved is sent.
type Translation struct {
	message.Translation
	Approved  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// text is the sentence for a channel, "" if there is none.
func (t Translation) text(c Channel) string {
	switch c {
	case SMS, RCS:
		return t.SMS
	case Call:
		return t.Voice
	default:
		return ""
	}
}

// Carries reports whether the template has words for a channel.
func (t *Template) Carries(c Channel) bool { return t.Translations[t.Default].text(c) != "" }

// pick finds the translation for a channel: in the language that was asked for, or that the
// number's country suggests, or one that its readers understand; else the default one. What waits
// for approval is passed over, unless it is the very language that was asked for.
func (t *Template) pick(c Channel, explicit, to string) (string, Translation, error) {
	if !t.Carries(c) {
		return "", Translation{}, &Error{Code: CodeTemplateChannel}
	}
	asked := message.Canonical(explicit)
	if own, there := t.Translations[asked]; there && own.text(c) != "" && !own.Approved {
		return "", own, &Error{Code: CodeTemplateNotApproved}
	}
	if asked == "" {
		asked = message.DefaultLocale(to)
	}
	tag, found := message.Nearest(asked, func(tag string) bool {
		own := t.Translations[tag]
		return own.Approved && own.text(c) != ""
	})
	if !found {
		tag = t.Default
	}
	chosen := t.Translations[tag]
	if !chosen.Approved {
		return "", chosen, &Error{Code: CodeTemplateNotApproved}
	}
	return tag, chosen, nil
}

// AttemptTemplate is the template of a message, as it was when the message was asked for: what is
// sent is what was approved then, whatever has become of the template.
type AttemptTemplate struct {
	SID string `json:"sid"`
	// Text has placeholders, and Values are those of its own variables.
	Text   string            `json:"text"`
	Values map[string]string `json:"values,omitempty"`
}

// Words are the template's, as a message takes them.
func (t *AttemptTemplate) Words() *message.Words {
	return &message.Words{Text: t.Text, Values: t.Values}
}

// china demands that a message names who sends it (60226).
const china = "CN"

// use makes a template the text of a start, or says why it cannot be: one of 60201, 60224, 60226,
// 60227, 60230, 60247, 60249. brandless says that no brand may be named in the country.
func (w *wish) use(t *Template, values map[string]string, brandless bool) error {
	tag, chosen, err := t.pick(w.channel, w.Locale, w.to)
	if err != nil {
		return err
	}
	text := chosen.text(w.channel)
	if w.channel == SMS {
		if brandless && message.Has(text, "friendly_name") {
			if text = chosen.Brandless; text == "" {
				return &Error{Code: CodeTemplateBrand}
			}
		}
		if w.country == china && !message.Has(text, "friendly_name") {
			return &Error{Code: CodeChinaNeedsName}
		}
	}
	switch pays := message.Has(text, "amount"); {
	case w.amount != "" && !pays:
		// A code must not be given for a payment without its amount and payee (RTS article 5).
		return &Error{Code: CodeTemplateContent}
	case w.amount == "" && pays:
		return &Error{Code: CodeMissingSubstitutions}
	}
	words := &message.Words{Text: text}
	for _, name := range message.Variables(text) {
		if words.Values == nil {
			words.Values = map[string]string{}
		}
		words.Values[name] = values[name] // no more of them is kept than is sent
	}
	if len(words.Missing()) > 0 {
		return &Error{Code: CodeMissingSubstitutions}
	}
	longest := message.OTP{
		Brand: w.brand, Code: strings.Repeat("0", otp.MaxLength), Locale: tag, Amount: w.amount, Payee: w.payee,
		AppHash: w.options.AppHash, Words: words,
	}
	if !longest.Fits(string(w.channel)) {
		return &Error{Code: CodeMessageTooLong}
	}
	w.locale = tag
	w.options.DoNotShare = false
	w.options.Template = &AttemptTemplate{SID: t.SID, Text: text, Values: words.Values}
	return nil
}
