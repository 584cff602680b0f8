// Package message writes what a person reads or hears when a code is sent: the text message, the
// words of a call, the e-mail, the WhatsApp template. The sentences are data, one file a language
// in catalog, so that a translator can correct one without Go.
//
// The one idea: a text is measured before it is sent. Every sentence of the catalogue fits one
// segment with the longest name and code that a service may have, values from outside are cleaned
// and put in once, and what would cost too much is shortened in a fixed order that never touches
// the code. testdata/catalog.golden shows each text with its price.
//
// An operator's own templates (File, Words) go the same way: they are checked once when they are
// made, so that a start has only their values to look at.
//
// It is not for choosing sender, provider or country rules.
package message

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxAmount is the length of the longest Amount that is sure to fit, in characters, of which one
// beyond U+FFFF counts twice. Nothing shortens an amount, so whoever takes one from outside should
// refuse a longer one.
const MaxAmount = 64

// OTP is a one-time passcode on its way to a person, and everything that may stand beside it. The
// values may come from anywhere: control characters, invisible direction marks and broken UTF-8
// are taken out, and a placeholder inside a value is only text.
type OTP struct {
	// Brand is the friendly name that the message speaks for, at most 30 characters by the rules of
	// a service.
	Brand string
	// Code is the passcode, 4 to 10 characters. A custom one may have letters.
	Code string
	// Locale is the language tag to write in, best from Resolve. A tag that the channel lacks falls
	// back as Resolve does; empty is English.
	Locale string
	// Amount and Payee are what a payment's code confirms (PSD2, dynamic linking), in free text:
	// "€39.99", "Café Noir". Both are set, or the code is for no payment.
	Amount string
	Payee  string
	// DoNotShare adds the warning that nobody may ask for the code. SMS, RCS and e-mail have it.
	DoNotShare bool
	// AppHash is the 11 characters by which Android's SMS Retriever finds the app; SMS only.
	AppHash string
	// ExpiresIn is what is left of the code's life. E-mail mentions it, in minutes, when it is set.
	ExpiresIn time.Duration
	// Words are an operator's own in place of the catalogue's; nil for the catalogue's. They are
	// for SMS, RCS and calls, and Locale is the language that they are in. DoNotShare adds nothing
	// to them.
	Words *Words
	// Brandless asks for the sentence of the catalogue that leaves the brand out, where carriers
	// let none through that they do not know. SMS has one; a payment's text names its brand always.
	Brandless bool
	// CodeInSubject puts the code in the subject of an e-mail. It is off unless asked for: subjects
	// are shown on lock screens and kept in mail logs.
	CodeInSubject bool
}

// payment reports whether the code confirms a payment.
func (o *OTP) payment() bool { return o.Amount != "" && o.Payee != "" }

// cleaned has every value as it may stand in a message. The code keeps all that can be typed.
func (o OTP) cleaned() OTP {
	o.Brand = clean(o.Brand)
	o.Code = strip(o.Code)
	o.Amount = clean(o.Amount)
	o.Payee = clean(o.Payee)
	o.AppHash = clean(o.AppHash)
	return o
}

// clean makes one line of s: without what strip takes out, every run of white space one space.
func clean(s string) string {
	if tidy(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		if invisible(r) {
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// tidy reports whether clean would return s as it is, which is so for all but a few names.
func tidy(s string) bool {
	last := ' '
	for _, r := range s {
		switch {
		case r == ' ' && last == ' ', r < ' ':
			return false
		case r > '~' && (unicode.IsSpace(r) || invisible(r)):
			return false
		}
		last = r
	}
	return s == "" || last != ' '
}

// strip takes out the characters that nobody sees but every renderer obeys.
func strip(s string) string {
	if tidy(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
}

// invisible holds for control characters, for format characters such as the marks that turn the
// direction of writing (a payee could show an amount backwards), for line and paragraph separators,
// and for bytes that are no UTF-8. The two joiners are spared: Persian and the scripts of India are
// spelled with them.
func invisible(r rune) bool {
	switch r {
	case '\u200C', '\u200D':
		return false
	case utf8.RuneError:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// cut shortens s to n characters, dots included where there is room for them, and never between a
// letter and its accent.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	dots := ""
	if n > 6 {
		dots = "..."
		n -= len(dots)
	}
	end, runes := 0, 0
	for i, r := range s {
		if !attached(r) {
			end = i // what is attached to a character goes in with it or not at all
		}
		if runes == n {
			break
		}
		runes++
	}
	return strings.TrimRight(s[:end], " \u200C\u200D") + dots
}

// attached reports whether r belongs to the character before it.
func attached(r rune) bool {
	return unicode.In(r, unicode.M) || r == '\u200C' || r == '\u200D' || 0x1F3FB <= r && r <= 0x1F3FF
}
