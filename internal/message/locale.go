package message

import (
	"strings"
	"sync"
)

// The languages of each channel, as Twilio lists them (docs/verify/supported-languages; core
// reference 7.2 and 7.3). smsLocales holds for RCS as well.
var (
	smsLocales = strings.Fields(`
		af ar ca zh-HK zh zh-CN hr cs da nl en et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt
		pt-BR ro ru sk es sv tl te th tr uk vi`)
	callLocales = strings.Fields(`
		ca zh-HK zh zh-CN da nl en en-GB fi fr de it ja ko nb pl pt pt-BR ru es sv`)
	// Meta's spelling of rw and ky has a country; both are taken.
	whatsappLocales = strings.Fields(`
		af sq ar az bn bg ca zh-CN zh-HK zh-TW hr cs da nl en en-GB en-US et fil fi fr ka de el gu ha he
		hi hu ga id it ja kn kk rw rw-RW ko ky ky-KG lo lv lt mk ms ml mr nb fa pl pt-BR pt-PT pa ro ru sr
		sk sl es es-AR es-ES es-MX sw sv ta te th tr uk ur uz vi zu`)
)

// locales says per channel which tags it has. E-mail is not localised.
var locales = sync.OnceValue(func() map[string]map[string]bool {
	sms := set(smsLocales)
	return map[string]map[string]bool{
		"sms":      sms,
		"rcs":      sms,
		"call":     set(callLocales),
		"whatsapp": set(whatsappLocales),
		"email":    {"en": true},
	}
})

func set(tags []string) map[string]bool {
	m := make(map[string]bool, len(tags))
	for _, tag := range tags {
		m[tag] = true
	}
	return m
}

// kin is the next of kin of a tag that a channel lacks, asked before its base language: the same
// language under another name, or the variety that its readers read most easily.
var kin = map[string]string{
	"zh": "zh-CN", "zh-Hans": "zh-CN", "zh-Hant": "zh-HK", "zh-TW": "zh-HK", "zh-MO": "zh-HK",
	"pt": "pt-PT", "tl": "fil", "fil": "tl", "no": "nb", "nn": "nb", "iw": "he", "in": "id",
}

// Canonical spells a language tag the usual way: hyphens, the language in small letters, the
// country in capitals (BCP 47, section 2.1.1). "pt_br" is "pt-BR". It does not ask whether the
// language exists; what does not even look like a tag becomes "".
func Canonical(tag string) string {
	if tag == "" || len(tag) > 35 { // 35 is what RFC 5646, 4.4.1 tells implementers to have room for
		return ""
	}
	b := []byte(tag)
	start, single := 0, false
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] != '-' && b[i] != '_' {
			if !alphanumeric(b[i]) {
				return ""
			}
			b[i] = lower(b[i])
			continue
		}
		subtag := b[start:i]
		switch n := len(subtag); {
		case n == 0 || n > 8:
			return ""
		case start == 0:
			if n == 1 || !letters(subtag) {
				return ""
			}
		case n == 1:
			single = true // what follows is an extension and stays small
		case single || !letters(subtag):
		case n == 2:
			subtag[0], subtag[1] = upper(subtag[0]), upper(subtag[1])
		case n == 4:
			subtag[0] = upper(subtag[0])
		}
		if i < len(b) {
			b[i] = '-'
		}
		start = i + 1
	}
	return string(b)
}

func letters(b []byte) bool {
	for _, c := range b {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	c2 := lower(c)
	return 'a' <= c2 && c2 <= 'z' || '0' <= c && c <= '9'
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte { return c - ('a' - 'A') }

// Supported reports whether the channel ("sms", "rcs", "call", "whatsapp", "email") has texts under
// this very tag, however it is spelled. Note that en-GB is for calls and WhatsApp only.
func Supported(channel, tag string) bool { return locales()[channel][Canonical(tag)] }

// Known reports whether any channel has the tag. One that is known but not Supported is a language
// the request may ask for and the channel cannot speak: Resolve says what it gets instead.
func Known(tag string) bool {
	tag = Canonical(tag)
	for _, tags := range locales() {
		if tags[tag] {
			return true
		}
	}
	return false
}

// Resolve is the locale that a text will really be written in: the explicit tag if there is one,
// else what the destination's calling code suggests, else English; and where the channel lacks it,
// its next of kin (zh-TW reads zh-HK, pt-PT reads pt), then its base language, then English.
// An explicit tag that is no tag counts as none. Channels without words of their own, "sna" for
// one, are English; "auto" is an SMS.
func Resolve(channel, explicit, e164 string) string {
	tag := Canonical(explicit)
	if tag == "" {
		tag = DefaultLocale(e164)
	}
	if channel == "auto" {
		channel = "sms"
	}
	return closest(channel, tag)
}

// closest is the tag of the channel nearest to tag. Nothing is allocated for a tag that it has.
func closest(channel, tag string) string {
	have := locales()[channel]
	if have[tag] {
		return tag
	}
	if found, ok := Nearest(tag, func(tag string) bool { return have[tag] }); ok {
		return found
	}
	return "en"
}

// Nearest is the tag that have accepts and a reader of tag understands best: tag itself, its next
// of kin, or its base language.
func Nearest(tag string, have func(tag string) bool) (nearest string, ok bool) {
	for tag = Canonical(tag); tag != ""; {
		if have(tag) {
			return tag, true
		}
		if k := kin[tag]; k != "" && have(k) {
			return k, true
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return "", false
}
