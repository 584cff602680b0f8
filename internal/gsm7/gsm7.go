// Package gsm7 knows the alphabet of text messages, and so what a text costs. A carrier bills by
// segment: a text written in the GSM 03.38 alphabet has 160 places in one segment, any other text
// has 70. Measure says which of the two a text is and how many segments it takes; Split cuts it
// there; Transliterate trades the typographic characters that would make an English text three
// times as dear for plain ones.
//
// The alphabet is that of 3GPP TS 23.038, section 6.2.1, with the extension table of 6.2.1.1. The
// national shift tables (Turkish, Portuguese, the languages of India) are left out: handsets know
// them, but too many carriers on the way do not.
//
// The package does not pack septets into octets, add headers or number the parts. That is the
// business of the protocol that carries them, and SMPP for one sends the septets unpacked.
package gsm7

import "unicode/utf8"

// Escape announces a character of the extension table: it takes a septet of its own.
const Escape = 0x1B

// alphabet is the default alphabet in the order of its septets, read down the columns of the table
// in 6.2.1. The place of Escape holds a NUL, which no text is encoded to.
const alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x00ÆæßÉ" +
	" !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmnopqrstuvwxyzäöñüà"

// extension is the extension table: septet after Escape, and character.
var extension = [...]struct {
	septet byte
	char   rune
}{
	{0x0A, '\f'}, {0x14, '^'}, {0x28, '{'}, {0x29, '}'}, {0x2F, '\\'},
	{0x3C, '['}, {0x3D, '~'}, {0x3E, ']'}, {0x40, '|'}, {0x65, '€'},
}

// A place is where a character stands: its septet, plus extended when Escape comes before it.
// The zero place is "nowhere", so the septets are kept one higher than they are.
type place uint16

const extended place = 0x100

func (p place) septet() byte { return byte(p&^extended) - 1 }

// septets is the number of septets that the character takes: 0 when it is not in the alphabet.
func (p place) septets() int {
	switch {
	case p == 0:
		return 0
	case p >= extended:
		return 2
	}
	return 1
}

var (
	latin [0x100]place // places of the characters below U+0100
	chars [0x80]rune   // the way back, for the default alphabet
)

// Filled at start: 138 characters, a microsecond.
func init() {
	septet := 0
	for _, r := range alphabet {
		chars[septet] = r
		if r != 0 && r < 0x100 {
			latin[r] = place(septet + 1)
		}
		septet++
	}
	for _, e := range extension {
		if e.char < 0x100 {
			latin[e.char] = extended | place(e.septet+1)
		}
	}
}

// find is small enough to be inlined where every character of every message passes.
func find(r rune) place {
	if uint32(r) < uint32(len(latin)) {
		return latin[r]
	}
	return findBeyond(r)
}

// findBeyond knows the euro and the ten Greek capitals that have no Latin look-alike.
func findBeyond(r rune) place {
	switch r {
	case '€':
		return extended | (0x65 + 1)
	case 'Δ':
		return 0x10 + 1
	case 'Φ':
		return 0x12 + 1
	case 'Γ':
		return 0x13 + 1
	case 'Λ':
		return 0x14 + 1
	case 'Ω':
		return 0x15 + 1
	case 'Π':
		return 0x16 + 1
	case 'Ψ':
		return 0x17 + 1
	case 'Σ':
		return 0x18 + 1
	case 'Θ':
		return 0x19 + 1
	case 'Ξ':
		return 0x1A + 1
	}
	return 0
}

// Valid reports whether the alphabet has every character of s.
func Valid(s string) bool {
	for _, r := range s {
		if find(r) == 0 {
			return false
		}
	}
	return true
}

// Encode writes s in septets, one to an octet, as SMPP's data_coding 0 carries them. It reports
// false, and returns nothing, when the alphabet lacks a character of s.
func Encode(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		p := find(r)
		switch {
		case p == 0:
			return nil, false
		case p >= extended:
			b = append(b, Escape, p.septet())
		default:
			b = append(b, p.septet())
		}
	}
	return b, true
}

// Decode reads septets, one to an octet, as a handset does (6.2.1, note 1): an escape that
// announces nothing known is passed over, an escape at the end is a space. An octet with its high
// bit set is no septet and becomes U+FFFD.
func Decode(b []byte) string {
	text := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c > 0x7F:
			text = utf8.AppendRune(text, utf8.RuneError)
		case c != Escape:
			text = utf8.AppendRune(text, chars[c])
		case i+1 == len(b):
			text = append(text, ' ')
		default:
			if r := extra(b[i+1]); r != 0 {
				text = utf8.AppendRune(text, r)
				i++
			}
		}
	}
	return string(text)
}

// extra is the character that stands at c in the extension table, 0 if none does.
func extra(c byte) rune {
	for _, e := range extension {
		if e.septet == c {
			return e.char
		}
	}
	return 0
}
