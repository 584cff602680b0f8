package message

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"github.com/verifyd/verifyd/internal/gsm7"
)

// The keys of a catalogue file and the placeholders that each must have, once.
var catalogKeys = map[string][]field{
	"sms":              {brand, code},
	"sms_payment":      {brand, code, amount, payee},
	"sms_do_not_share": nil,
	"whatsapp":         {code},
	"call":             {brand, code},
	"call_again":       {code},
	"call_press_key":   {brand},
}

// Languages whose script is not in the GSM alphabet. All others keep within it, with plain letters
// where the country's text messages have them.
var ucs2Languages = strings.Fields("ar el he hi ja kn ko mr ru te th uk vi zh zh-CN zh-HK")

// sentences reads a catalogue file as a translator sees it: key and text. A key that stands twice
// fails, which encoding/json would let pass.
func sentences(t *testing.T, tag string) map[string]string {
	t.Helper()
	data, err := catalogFiles.ReadFile("catalog/" + tag + ".json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%s.json: %v", tag, err)
		}
		return token
	}
	next() // {
	texts := map[string]string{}
	for d.More() {
		key := next().(string)
		text, ok := next().(string)
		if _, twice := texts[key]; twice || !ok {
			t.Fatalf("%s.json: key %q stands twice or is no text", tag, key)
		}
		texts[key] = text
	}
	return texts
}

func catalogTags(t *testing.T) []string {
	t.Helper()
	files, err := catalogFiles.ReadDir("catalog")
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, f := range files {
		tags = append(tags, strings.TrimSuffix(f.Name(), ".json"))
	}
	slices.Sort(tags)
	return tags
}

func TestEveryLanguageHasAFileAndEveryFileALanguage(t *testing.T) {
	if got, want := catalogTags(t), slices.Sorted(maps.Keys(catalog())); !slices.Equal(got, want) {
		t.Errorf("files:     %v\nlanguages: %v", got, want)
	}
	for tag := range catalog() {
		if _, err := read(tag); err != nil {
			t.Error(err)
		}
		if Canonical(tag) != tag {
			t.Errorf("%s is not how a tag is spelled, but %s", tag, Canonical(tag))
		}
	}
}

func TestEveryFileHasTheKeysOfItsChannels(t *testing.T) {
	for _, tag := range catalogTags(t) {
		want := []string{"language"}
		for key := range catalogKeys {
			call := strings.HasPrefix(key, "call")
			if !call && slices.Contains(smsLocales, tag) || call && slices.Contains(callLocales, tag) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		got := sentences(t, tag)
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
			t.Errorf("%s.json has keys %v, want %v", tag, keys, want)
		}
		if got["language"] == "" {
			t.Errorf("%s.json does not name its language", tag)
		}
	}
}

func TestEverySentenceHasItsPlaceholdersOnce(t *testing.T) {
	for _, tag := range catalogTags(t) {
		for key, text := range sentences(t, tag) {
			want, ok := catalogKeys[key]
			if !ok {
				continue // the language's name
			}
			parsed, err := parse(text)
			if err != nil {
				t.Errorf("%s.json, %s: %v", tag, key, err)
				continue
			}
			var got []field
			for _, p := range parsed {
				if p.field != literal {
					got = append(got, p.field)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s.json, %s: placeholders %v, want %v: %s", tag, key, names(got), names(want), text)
			}
		}
	}
}

func names(fields []field) []string {
	var s []string
	for _, f := range fields {
		s = append(s, fieldNames[f])
	}
	return s
}

// Carriers filter links and numbers to call; digits of our own could be taken for the code.
var suspicious = regexp.MustCompile(`(?i)https?:|www\.|\w\.(com|net|org|io|app)\b|@|\p{Nd}`)

func TestSentencesAreFitToSend(t *testing.T) {
	for _, tag := range catalogTags(t) {
		for key, text := range sentences(t, tag) {
			if key == "language" {
				continue
			}
			complain := func(what string) { t.Errorf("%s.json, %s: %s: %q", tag, key, what, text) }
			if s := suspicious.FindString(text); s != "" {
				complain("has " + s)
			}
			if !norm.NFC.IsNormalString(text) {
				complain("is not composed (NFC)")
			}
			if strings.ContainsFunc(text, invisible) {
				complain("has an invisible character")
			}
			if got := clean(text); got != text && key != "sms_do_not_share" {
				complain("has spaces too many")
			}
			if got := gsm7.Transliterate(text); got != text && strings.HasPrefix(key, "sms") {
				complain("would be transliterated to " + got)
			}
			before, after, found := strings.Cut(text, "{{code}}")
			if found && (strings.HasSuffix(before, "}}") || endsInWord(before) || beginsWithWord(after)) && !strings.HasPrefix(key, "call") {
				complain("the code does not stand alone")
			}
			if rightToLeft := tag == "ar" || tag == "he"; rightToLeft && key != "sms_do_not_share" && !beginsRightToLeft(text) {
				// Handsets take the direction of a message from its first letter.
				complain("begins with what may be Latin letters")
			}
		}
	}
}

func endsInWord(s string) bool {
	return strings.TrimRightFunc(s, isWord) != s
}

func beginsWithWord(s string) bool {
	return strings.TrimLeftFunc(s, isWord) != s
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func beginsRightToLeft(text string) bool {
	for _, r := range strings.ReplaceAll(text, "{{code}}", "123456") {
		if r == '{' {
			return false
		}
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.R, bidi.AL:
			return true
		case bidi.L:
			return false
		}
	}
	return false
}

func TestTheWarningBeginsByEndingASentence(t *testing.T) {
	for _, tag := range smsLocales {
		text := sentences(t, tag)["sms_do_not_share"]
		ok := strings.HasPrefix(text, ". ")
		switch tag {
		case "ja", "zh", "zh-CN", "zh-HK":
			ok = strings.HasPrefix(text, "。")
		case "hi":
			ok = strings.HasPrefix(text, "। ")
		case "th": // Thai parts sentences by a space
			ok = strings.HasPrefix(text, " ")
		}
		if !ok || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "。") {
			t.Errorf("%s.json, sms_do_not_share: %q follows a text without a full stop and ends like one", tag, text)
		}
	}
}

// channels.md 9.1: a translation that costs a second segment fails review, not production.
func TestNoSentenceCostsMoreThanItMay(t *testing.T) {
	const longBrand, longCode = "Acme International Holdings SA", "1234567890"
	for _, tag := range smsLocales {
		encoding, more := "gsm7", 1 // segments for a warning or a payment
		if slices.Contains(ucs2Languages, tag) {
			encoding, more = "ucs2", 2
		}
		tests := []struct {
			name string
			otp  OTP
			most int
		}{
			{"name 20, code 6", OTP{Brand: longBrand[:20], Code: "123456"}, 1},
			{"name 30, code 10", OTP{Brand: longBrand, Code: longCode}, 1},
			{"with the warning", OTP{Brand: longBrand, Code: longCode, DoNotShare: true}, more},
			{"payment", OTP{Brand: longBrand[:20], Code: "123456", Amount: "1,234.56 EUR", Payee: "Corner Shop Limited"}, more},
			{"with the hash", OTP{Brand: longBrand, Code: longCode, DoNotShare: true, AppHash: "He42w354ol9"}, 1},
		}
		for _, tt := range tests {
			tt.otp.Locale = tag
			got := SMS(tt.otp)
			if got.Locale != tag || got.Encoding != encoding || got.Segments > tt.most {
				t.Errorf("%s, %s: %s in %s, %d segments; want %s, at most %d\n%s",
					tag, tt.name, got.Locale, got.Encoding, got.Segments, encoding, tt.most, got.Text)
			}
			if n := gsm7.Measure(got.Text).Units; tt.otp.AppHash != "" && n > 140 {
				t.Errorf("%s, %s: %d units, want at most 140\n%s", tag, tt.name, n, got.Text)
			}
		}
	}
}
