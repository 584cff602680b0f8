package message

import (
	"strings"
	"unicode"
)

// Pauses of a call, in milliseconds (channels.md 3.4). The 300 between two digits of a group are
// the provider's, who knows how fast its voice speaks.
const (
	groupPauseMS    = 600
	sentencePauseMS = 1000
)

// Speech is what a call says, code included, once over and once again.
type Speech struct {
	// Locale is the tag of the language that it is spoken in.
	Locale string
	Parts  []Part
	// PressKeyPrompt asks the person to press a key before the parts are spoken, so that an
	// answering machine does not hear the code.
	PressKeyPrompt string
	// Text is the parts as one text for people, digits apart: "1, 2, 3, 4, 5, 6".
	Text string
}

// Part is a sentence, a group of the code to be spoken digit by digit (or letter by letter), or a
// pause; exactly one field is set. It converts to a provider.SpeechPart.
type Part struct {
	Say     string
	Digits  string
	PauseMS int
}

// Call writes the words of a call. Amount and Payee are not spoken: a payment's code is refused on
// this channel (60214) before it gets here.
func Call(o OTP) Speech {
	t, locale := o.texts("call")
	o = o.cleaned()
	v := values{brand: o.Brand, code: o.Code}

	s := Speech{Locale: locale, PressKeyPrompt: t.pressKey.fill(&v)}
	s.Parts = speak(s.Parts, t.call, &v)
	s.Parts = append(s.Parts, Part{PauseMS: sentencePauseMS})
	s.Parts = speak(s.Parts, t.again, &v)

	v[code] = spaced(o.Code)
	first, again := t.call.fill(&v), t.again.fill(&v)
	if !strings.HasSuffix(first, "。") { // Chinese and Japanese put no space between sentences
		first += " "
	}
	s.Text = first + again
	return s
}

// speak adds the parts of a sentence: the words before the code, the code in groups, and the words
// after it, unless they are but a full stop.
func speak(parts []Part, t template, v *values) []Part {
	var said strings.Builder
	say := func() {
		text := strings.TrimSpace(said.String())
		if len(parts) > 0 && parts[len(parts)-1].Digits != "" {
			text = strings.TrimLeftFunc(text, silent) // "、です。" goes on as "です。"
		}
		if text != "" {
			parts = append(parts, Part{Say: text})
		}
		said.Reset()
	}
	for _, p := range t {
		if p.field != code {
			said.WriteString(p.text)
			said.WriteString(v[p.field])
			continue
		}
		say()
		for i, group := range groups(v[code]) {
			if i > 0 {
				parts = append(parts, Part{PauseMS: groupPauseMS})
			}
			parts = append(parts, Part{Digits: group})
		}
	}
	say()
	return parts
}

func silent(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }

// groups cuts a code into threes as people say it; a lone last character joins the group before.
func groups(code string) []string {
	var groups []string
	for rest := []rune(code); len(rest) > 0; {
		n := min(3, len(rest))
		if len(rest) == 4 {
			n = 4
		}
		groups = append(groups, string(rest[:n]))
		rest = rest[n:]
	}
	return groups
}

// spaced writes a code as it is spoken.
func spaced(code string) string {
	var b strings.Builder
	b.Grow(3 * len(code))
	for i, r := range code {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteRune(r)
	}
	return b.String()
}
