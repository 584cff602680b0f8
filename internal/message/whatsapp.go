package message

import "strings"

// Template is a message that the channel keeps and fills in itself.
type Template struct {
	// Text is what the person will see, or near it: the body of an authentication template is
	// Meta's own sentence in each language, which only Meta can quote. Where the catalogue lacks
	// the language, Text is English though the message will not be.
	Text string
	// Locale is the tag of the language that the template is asked for in.
	Locale string
	// Name is the template's registered name.
	Name string
	// Language is Locale in Meta's spelling: "pt_BR".
	Language string
	// Vars are the template's variables by their number: "1" is the code.
	Vars map[string]string
}

// WhatsApp names the copy-code template and fills it in. The template has room for the code alone:
// brand and warning are the business profile's and Meta's, and a payment's amount and payee cannot
// be shown, so a caller who must show them has to choose another channel.
func WhatsApp(o OTP) Template {
	locale := closest("whatsapp", o.Locale)
	o = o.cleaned()
	v := values{code: o.Code}
	return Template{
		Text:     words(closest("sms", locale)).whatsapp.fill(&v),
		Locale:   locale,
		Name:     "verification_code",
		Language: metaLanguage(locale),
		Vars:     map[string]string{"1": o.Code},
	}
}

// metaLanguage is Meta's code of a language: two of its languages always carry a country.
func metaLanguage(locale string) string {
	switch locale {
	case "ky":
		return "ky_KG"
	case "rw":
		return "rw_RW"
	}
	return strings.ReplaceAll(locale, "-", "_")
}
