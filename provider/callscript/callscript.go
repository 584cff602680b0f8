// Package callscript is what providers of calls by HTTP share: it makes of a message the pages that a
// vendor reads to a person, and keeps what is not read yet.
//
// A vendor that has to wait for a key, or that tells us how far it came, asks for the next page by
// calling back. The idea is that it brings the page along: a page travels sealed (Seal), in the URL or
// in a field that the vendor echoes, so that whichever node is called can open it, after a restart too,
// and nobody else can. What a vendor is told:
//
//	Ask "press a key" ── key ──▶ Say the code ── said ──▶ Say it again ──▶ hang up
//	        └─ none ──▶ hang up       └─ whoever asks for the page behind it has heard the code once
//
// It knows no vendor's markup; plain text, SSML, the form of spoken XML and the tags of
// languages are here because more than one wants them.
package callscript

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/provider"
)

// Line is a sentence, or a silence in milliseconds; exactly one field is set.
type Line struct {
	Say   string `json:"s,omitempty"`
	Pause int    `json:"p,omitempty"`
}

// Page is what a vendor is told at once. Its JSON is short because it travels.
type Page struct {
	// Key wants whoever asks for this page to have pressed one.
	Key bool `json:"k,omitempty"`
	// Said says that whoever asks for this page has heard the code once.
	Said bool `json:"d,omitempty"`
	// Ask are the words that ask for a key: what follows is for who presses one.
	Ask string `json:"a,omitempty"`
	// Say are the lines that are spoken.
	Say []Line `json:"l,omitempty"`
	// Then is the page that follows; nil is the end of the call.
	Then *Page `json:"t,omitempty"`
}

// Script is a call: its first page, and what holds for all of it.
type Script struct {
	To         string // E.164
	From       string // the number that the called person sees
	Language   string // BCP 47
	Voice      string // the service's tts_name, "" for the default
	SendDigits string // dialled after the answer: 0-9, *, #, w (half a second) and W (a second)
	First      Page
	Ends       time.Time // the end of the code's life
}

// Ring and Talk are how many seconds a call may ring, and how many it may last from the answer.
const (
	Ring = 30
	Talk = 120
)

const (
	// repeatPause parts two repetitions, in milliseconds.
	repeatPause = 1000
	// maxRepeat and maxLines bound what a vendor is paid to say.
	maxRepeat = 5
	maxLines  = 100
)

var number = regexp.MustCompile(`^\+?[0-9]{2,20}$`)

// Compose writes the script of m. The sender of the route wins over callers, of which the first that is
// set is meant.
func Compose(m provider.Message, callers ...string) (Script, *provider.Error) {
	refuse := func(detail string) (Script, *provider.Error) {
		return Script{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	s := Script{To: m.To, Ends: m.Deadline}
	for _, caller := range append([]string{m.From}, callers...) {
		if s.From == "" {
			s.From = caller
		}
	}
	switch {
	case m.Speech == nil:
		return refuse("the message has nothing to say")
	case !number.MatchString(m.To) || m.To[0] != '+':
		return refuse("the destination is not a telephone number")
	case !number.MatchString(s.From):
		return refuse("the sender of a call is not a telephone number")
	case m.Speech.PressKey && m.Speech.PressKeyPrompt == "":
		return refuse("the message asks for a key and has no words for it")
	case !dialled.MatchString(m.Speech.SendDigits):
		return refuse("the digits to send are none")
	}
	s.Language, s.Voice, s.SendDigits = m.Speech.Language, m.Speech.Voice, m.Speech.SendDigits
	code, again := lines(m)
	if len(code) == 0 {
		return refuse("the message does not spell its code")
	}
	if len(code)+len(again) > maxLines {
		return refuse("the message is too long for a call")
	}
	s.First = Page{Say: code, Then: &Page{Said: true, Say: again}}
	if m.Speech.PressKey {
		s.First.Key = true
		after := s.First
		s.First = Page{Ask: m.Speech.PressKeyPrompt, Then: &after}
	}
	return s, nil
}

var dialled = regexp.MustCompile(`^[0-9*#wW]{0,64}$`)

// lines are those until the code was said once, none if it never is, and those after.
func lines(m provider.Message) (code, again []Line) {
	var all []Line
	end, spelled := 0, 0
	for i := range min(max(m.Speech.Repeat, 1), maxRepeat) {
		if i > 0 {
			all = append(all, Line{Pause: repeatPause})
		}
		for _, part := range m.Speech.Parts {
			switch {
			case part.Say != "":
				all = append(all, Line{Say: part.Say})
			case part.PauseMS > 0:
				all = append(all, Line{Pause: min(part.PauseMS, 10_000)})
			case part.Digits != "":
				all = append(all, Line{Say: Spell(part.Digits)})
				spelled += utf8.RuneCountInString(part.Digits)
				if end == 0 && spelled >= utf8.RuneCountInString(m.Code) {
					end = len(all)
				}
			}
		}
	}
	return all[:end], all[end:]
}

// Spell writes characters so that a voice says each by itself: "4, 8, 2.".
func Spell(characters string) string {
	var b strings.Builder
	for i, r := range []rune(characters) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteRune(r)
	}
	b.WriteByte('.')
	return b.String()
}

// All are the lines of a script that nobody has to be asked for, as one page; ok is false where a key
// is waited for.
func (s Script) All() (all []Line, ok bool) {
	for page := &s.First; page != nil; page = page.Then {
		if page.Ask != "" || page.Key {
			return nil, false
		}
		all = append(all, page.Say...)
	}
	return all, true
}

// Text is lines as one text for vendors that take no markup: a line break is all that there is of a pause.
func Text(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		if l.Say == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.Say)
	}
	return b.String()
}

// SSML is lines in the Speech Synthesis Markup Language of W3C, of which only speak and break are used.
func SSML(lines []Line) string {
	var b strings.Builder
	b.WriteString("<speak>")
	for i, l := range lines {
		switch {
		case l.Say != "":
			if i > 0 && lines[i-1].Say != "" {
				b.WriteByte(' ')
			}
			b.WriteString(Escape(l.Say))
		case l.Pause > 0:
			b.WriteString(`<break time="` + milliseconds(l.Pause) + `"/>`)
		}
	}
	b.WriteString("</speak>")
	return b.String()
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// Escape makes text harmless in XML, between tags and in a value. Characters that XML has no form for
// are left out.
func Escape(text string) string {
	return escaper.Replace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError {
			return -1
		}
		return r
	}, text))
}
