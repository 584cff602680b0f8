package provider

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxExcerpt is enough for any sentence a vendor writes for people, and for one log line.
	maxExcerpt = 200
	// minSecret keeps a header like "X-Account: 1" from blanking every 1. A code has four digits
	// at least (docs/compatibility.md, CodeLength).
	minSecret = 4
	// minPhone is the shortest run of digits that is taken for a telephone number written without
	// its country code.
	minPhone = 6
)

var (
	digitRun   = regexp.MustCompile(`[0-9]+`)
	spacedRun  = regexp.MustCompile(`\+?[0-9][0-9 ().\-]*[0-9]`)
	notADigit  = regexp.MustCompile(`[^0-9]`)
	phoneShape = regexp.MustCompile(`^\+[0-9]+$`)
)

// Excerpt is what of a vendor's words may stand in Error.Detail or Error.Code: one line of at
// most 200 bytes, in which the destination of m, its code and the given secrets are blanked.
// Vendors repeat what they were sent ("550 <bob@example.com>: no such user"), and the Error is
// stored, logged and shown in the console.
//
// It knows a telephone number by its digits, so "0034 612-345-678" is found too.
func Excerpt(words string, m Message, secrets ...string) string {
	words = oneLine(words)

	// The longest first: a password may contain the user's name.
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, s := range secrets {
		words = blank(words, s, "[secret]")
	}
	words = blank(words, m.To, "[to]")
	words = blank(words, m.Code, "[code]")
	if phoneShape.MatchString(m.To) {
		words = blankPhone(words, digitRun, m.To[1:])
		words = blankPhone(words, spacedRun, m.To[1:])
	}
	return shorten(words)
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}

func blank(words, secret, with string) string {
	secret = oneLine(secret) // as it would stand in words
	if len(secret) < minSecret {
		return words
	}
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(secret)).ReplaceAllLiteralString(words, with)
}

// blankPhone blanks every run that holds the whole number or is the end of it.
func blankPhone(words string, runs *regexp.Regexp, number string) string {
	return runs.ReplaceAllStringFunc(words, func(run string) string {
		digits := notADigit.ReplaceAllString(run, "")
		switch {
		case len(digits) < minPhone:
			return run
		case strings.Contains(digits, number), strings.HasSuffix(number, digits):
			return "[to]"
		}
		return run
	})
}

func shorten(words string) string {
	if len(words) <= maxExcerpt {
		return words
	}
	cut := maxExcerpt - len("…")
	for !utf8.RuneStart(words[cut]) {
		cut--
	}
	return words[:cut] + "…"
}
