package gsm7

import (
	"strings"
	"unicode/utf8"
)

// Transliterate writes the typographic characters of s as a typewriter would: curly quotes
// straight, dashes as hyphens, the ellipsis as three dots, every space as a space, and nothing for
// spaces of no width. Word processors and translators put them in unasked, and one of them is
// enough to make a text UCS2.
//
// Letters are never touched. A name is spelled as its owner spells it, even where ó or ł costs a
// segment; nor are the joiners U+200C and U+200D, which Persian and the scripts of India need.
func Transliterate(s string) string {
	var b strings.Builder
	done := 0 // everything before it has been written, invalid bytes included
	for i, r := range s {
		p, ok := plain(r)
		if !ok {
			continue
		}
		if done == 0 {
			b.Grow(len(s))
		}
		b.WriteString(s[done:i])
		b.WriteString(p)
		done = i + utf8.RuneLen(r)
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// plain is what the typewriter has instead of r; false when r stays.
func plain(r rune) (string, bool) {
	if r < 0x80 {
		if r == '`' { // the one printable ASCII character that GSM 03.38 lacks
			return "'", true
		}
		return "", false
	}
	switch r {
	case '‘', '’', '‚', '‛', '′', '´', 'ʼ', '‹', '›':
		return "'", true
	case '“', '”', '„', '‟', '″', '«', '»':
		return `"`, true
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return "-", true
	case '…':
		return "...", true
	case '\u00A0', '\u1680', '\u2000', '\u2001', '\u2002', '\u2003', '\u2004', '\u2005',
		'\u2006', '\u2007', '\u2008', '\u2009', '\u200A', '\u202F', '\u205F', '\u3000':
		return " ", true
	case '\u00AD', '\u200B', '\u2060', '\uFEFF': // soft hyphen, zero-width space, word joiner, BOM
		return "", true
	}
	return "", false
}
