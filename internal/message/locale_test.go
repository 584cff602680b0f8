package message

import (
	"slices"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ in, want string }{
		{"en", "en"},
		{"EN", "en"},
		{"pt-BR", "pt-BR"},
		{"pt_br", "pt-BR"},
		{"PT-bR", "pt-BR"},
		{"zh-hk", "zh-HK"},
		{"fil", "fil"},
		{"zh-hant-hk", "zh-Hant-HK"},
		{"ZH_HANT_TW", "zh-Hant-TW"},
		{"es-419", "es-419"},
		{"sl-rozaj-biske", "sl-rozaj-biske"},
		{"en-us-x-private", "en-US-x-private"},
		{"en-a-gb-latn", "en-a-gb-latn"}, // after a singleton all is small
		{"", ""},
		{"e", ""},
		{"-", ""},
		{"en-", ""},
		{"-en", ""},
		{"en--GB", ""},
		{"en GB", ""},
		{" en", ""},
		{"en;q=1", ""},
		{"12", ""},
		{"é", ""},
		{"en-ﬁ", ""},
		{"Kn", "kn"},
		{"\u212an", ""}, // the Kelvin sign is a k to Unicode, and to nobody else
		{"abcdefghi", ""},
		{"en-abcdefghi", ""},
		{strings.Repeat("en-", 20) + "en", ""},
	}
	for _, tt := range tests {
		if got := Canonical(tt.in); got != tt.want {
			t.Errorf("Canonical(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, tag := range []string{"pt_br", "zh-Hant-HK", "en-us-x-private", "-", "\xff", "i-klingon"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Canonical(s)
		if again := Canonical(got); again != got {
			t.Fatalf("twice: %q, once: %q", again, got)
		}
		if got != "" && (len(got) != len(s) || !strings.EqualFold(got, strings.ReplaceAll(s, "_", "-"))) {
			t.Fatalf("Canonical(%q) = %q is another tag", s, got)
		}
		for _, channel := range []string{"sms", "call", "whatsapp", "rcs", "email", "auto", "sna", s} {
			tag := Resolve(channel, s, s)
			if tag != "en" && !Supported(channel, tag) && channel != "auto" {
				t.Fatalf("Resolve(%q, %q) = %q, which the channel lacks", channel, s, tag)
			}
			if Supported(channel, s) && tag != got {
				t.Fatalf("Resolve(%q, %q) = %q although the channel has it", channel, s, tag)
			}
			if Supported(channel, s) && !Known(s) {
				t.Fatalf("%q is supported on %q and not known", s, channel)
			}
		}
	})
}

// The lists of the core reference, 7.2 and 7.3, copied as they stand there.
func TestChannelsHaveTwiliosLanguages(t *testing.T) {
	lists := map[string]string{
		"sms":      "af ar ca zh-HK zh zh-CN hr cs da nl en et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt pt-BR ro ru sk es sv tl te th tr uk vi",
		"rcs":      "af ar ca zh-HK zh zh-CN hr cs da nl en et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt pt-BR ro ru sk es sv tl te th tr uk vi",
		"call":     "ca zh-HK zh zh-CN da nl en en-GB fi fr de it ja ko nb pl pt pt-BR ru es sv",
		"whatsapp": "af sq ar az bn bg ca zh-cn zh-hk zh-tw hr cs da nl en en-gb en-us et fil fi fr ka de el gu ha he hi hu ga id it ja kn kk rw rw_RW ko ky ky_KG lo lv lt mk ms ml mr nb fa pl pt-br pt-pt pa ro ru sr sk sl es es-ar es-es es-mx sw sv ta te th tr uk ur uz vi zu",
		"email":    "en",
	}
	if len(lists) != len(locales()) {
		t.Errorf("%d channels, want %d", len(locales()), len(lists))
	}
	for channel, list := range lists {
		tags := strings.Fields(list)
		for _, tag := range tags {
			if !Supported(channel, tag) || !Known(tag) {
				t.Errorf("%s lacks %s", channel, tag)
			}
		}
		if len(locales()[channel]) != len(tags) {
			t.Errorf("%s has %d languages, want %d", channel, len(locales()[channel]), len(tags))
		}
	}
}

func TestKnownAndSupported(t *testing.T) {
	tests := []struct {
		channel, tag     string
		known, supported bool
	}{
		{"sms", "pt_br", true, true},
		{"sms", "en-GB", true, false}, // a voice, and a WhatsApp template
		{"call", "en-gb", true, true},
		{"call", "tr", true, false},
		{"sms", "sw", true, false},
		{"whatsapp", "sw", true, true},
		{"whatsapp", "zh", true, false},
		{"email", "de", true, false},
		{"email", "en", true, true},
		{"sms", "xx", false, false},
		{"sms", "de-AT", false, false},
		{"sms", "", false, false},
		{"sms", "not a tag", false, false},
		{"sna", "en", true, false},
		{"", "en", true, false},
	}
	for _, tt := range tests {
		if got := Known(tt.tag); got != tt.known {
			t.Errorf("Known(%q) = %v", tt.tag, got)
		}
		if got := Supported(tt.channel, tt.tag); got != tt.supported {
			t.Errorf("Supported(%q, %q) = %v", tt.channel, tt.tag, got)
		}
	}
}

func TestResolve(t *testing.T) {
	tests := []struct {
		name                    string
		channel, explicit, e164 string
		want                    string
	}{
		{"the calling code", "sms", "", "+4915112345678", "de"},
		{"the explicit one goes before it", "sms", "fr", "+4915112345678", "fr"},
		{"in any spelling", "sms", "PT_br", "+4915112345678", "pt-BR"},
		{"nothing known", "sms", "", "+12025550123", "en"},
		{"no number", "sms", "", "", "en"},
		{"an explicit one that is no tag counts as none", "sms", "??", "+4915112345678", "de"},
		{"an explicit one that nobody has does count", "sms", "xx", "+4915112345678", "en"},
		{"base language", "sms", "de-AT", "", "de"},
		{"pt-PT is pt", "sms", "pt-PT", "", "pt"},
		{"a British SMS is English", "sms", "", "+447911123456", "en"},
		{"a British call is British", "call", "", "+447911123456", "en-GB"},
		{"a British WhatsApp too", "whatsapp", "", "+447911123456", "en-GB"},
		{"script and region", "sms", "zh-Hans-CN", "", "zh-CN"},
		{"traditional script", "sms", "zh-Hant-TW", "", "zh-HK"},
		{"Taiwan reads Hong Kong's", "sms", "zh-TW", "", "zh-HK"},
		{"Taiwan has its own on WhatsApp", "whatsapp", "zh-TW", "", "zh-TW"},
		{"Chinese on WhatsApp", "whatsapp", "zh", "", "zh-CN"},
		{"a Portuguese number on WhatsApp", "whatsapp", "", "+351912345678", "pt-PT"},
		{"a Brazilian number", "sms", "", "+5511961234567", "pt"},
		{"a language without a voice", "call", "tr", "", "en"},
		{"a default without a voice", "call", "", "+84912345678", "en"},
		{"Filipino under its other name", "sms", "fil", "", "tl"},
		{"and back", "whatsapp", "tl", "", "fil"},
		{"Norwegian", "sms", "no-NO", "", "nb"},
		{"Hebrew by its old code", "sms", "iw", "", "he"},
		{"e-mail is not localised", "email", "de", "", "en"},
		{"nor is an address a number", "email", "", "someone@example.com", "en"},
		{"RCS is as SMS", "rcs", "", "+380501234567", "uk"},
		{"auto is an SMS", "auto", "", "+33612345678", "fr"},
		{"sna has no words", "sna", "fr", "+33612345678", "en"},
		{"no channel", "", "fr", "", "en"},
	}
	for _, tt := range tests {
		if got := Resolve(tt.channel, tt.explicit, tt.e164); got != tt.want {
			t.Errorf("%s: Resolve(%q, %q, %q) = %q, want %q", tt.name, tt.channel, tt.explicit, tt.e164, got, tt.want)
		}
	}
}

func TestKinAreSpelledCanonically(t *testing.T) {
	for tag, k := range kin {
		if Canonical(tag) != tag || Canonical(k) != k || !Known(k) {
			t.Errorf("%s is next of kin to %s: one of them is misspelled or unknown", k, tag)
		}
	}
	for _, list := range [][]string{smsLocales, callLocales, whatsappLocales} {
		for _, tag := range list {
			if Canonical(tag) != tag {
				t.Errorf("%s is listed, and spelled %s", tag, Canonical(tag))
			}
		}
		if sorted := slices.Compact(slices.Sorted(slices.Values(list))); len(sorted) != len(list) {
			t.Errorf("a tag stands twice in %v", list)
		}
	}
}
