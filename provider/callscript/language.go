package callscript

import (
	"strconv"
	"strings"
)

// regions are the tags under which vendors know the languages of calls (core reference, 7.2): with the
// country where a language has none of its own.
var regions = map[string]string{
	"ca": "ca-ES", "da": "da-DK", "de": "de-DE", "en": "en-US", "en-GB": "en-GB", "es": "es-ES", "fi": "fi-FI", "fr": "fr-FR",
	"it": "it-IT", "ja": "ja-JP", "ko": "ko-KR", "nb": "nb-NO", "nl": "nl-NL", "pl": "pl-PL", "pt": "pt-PT", "pt-BR": "pt-BR",
	"ru": "ru-RU", "sv": "sv-SE", "zh": "zh-CN", "zh-CN": "zh-CN", "zh-HK": "zh-HK",
}

// Tags are a vendor's names of languages where they differ from the usual, "nb": "no-NO"; "" is a
// language that the vendor does not speak.
type Tags map[string]string

// Tag is the vendor's name of a language, ok is false where it does not speak it. A language of another
// country is that language: es-MX is read as es, unless the vendor's table knows it.
func (t Tags) Tag(language string) (tag string, ok bool) {
	base, _, _ := strings.Cut(language, "-")
	for _, l := range []string{language, base} {
		if tag, own := t[l]; own {
			return tag, tag != ""
		}
		if tag, known := regions[l]; known {
			return tag, true
		}
	}
	return "", false
}

// Languages are all that calls may be in.
func Languages() []string {
	all := make([]string, 0, len(regions))
	for l := range regions {
		all = append(all, l)
	}
	return all
}

// Seconds is a pause for those who take whole seconds: half of one or more is one.
func Seconds(ms int) int { return (ms + 500) / 1000 }

func milliseconds(ms int) string { return strconv.Itoa(ms) + "ms" }

// Dial writes the digits to send in a vendor's own signs for half a second and a second.
func Dial(digits, half, second string) string {
	return strings.NewReplacer("w", half, "W", second).Replace(digits)
}
