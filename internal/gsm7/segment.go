package gsm7

// Encoding is what a text message is written in.
type Encoding string

const (
	// GSM7 is the GSM 03.38 default alphabet with its extension table, counted in septets.
	GSM7 Encoding = "gsm7"
	// UCS2 is everything else, counted in UTF-16 units.
	UCS2 Encoding = "ucs2"
)

// Room in a segment: alone, and when six octets of header tell the parts of a longer text apart.
const (
	singleGSM7 = 160
	partGSM7   = 153
	singleUCS2 = 70
	partUCS2   = 67
)

// Size is what a text takes on the air.
type Size struct {
	Encoding Encoding
	// Units counts septets for GSM7 (an extension character is two) and UTF-16 units for UCS2 (a
	// character beyond U+FFFF, most emoji for example, is two).
	Units int
	// Segments is the number of messages that will be billed. The empty text has none.
	Segments int
}

// Measure says how s is encoded and how many segments it needs. One character outside the alphabet
// makes the whole text UCS2.
func Measure(s string) Size {
	encoding, units := count(s)
	single, part, width := room(encoding)
	size := Size{Encoding: encoding, Units: units}
	switch {
	case units == 0:
	case units <= single:
		size.Segments = 1
	default:
		// Not a division: a pair that does not fit moves to the next part and leaves a gap.
		size.Segments = 1
		used := 0
		for _, r := range s {
			w := width(r)
			if used+w > part {
				size.Segments++
				used = 0
			}
			used += w
		}
	}
	return size
}

// Segments is the number of segments that s needs.
func Segments(s string) int { return Measure(s).Segments }

// Split cuts s into the parts that Measure counts. Joined, the parts are s again; a surrogate pair
// or an escaped character is never divided. A header numbers the parts with one octet, so a text
// of more than 255 cannot be sent: the caller should have stopped long before.
func Split(s string) []string {
	encoding, units := count(s)
	single, part, width := room(encoding)
	switch {
	case units == 0:
		return nil
	case units <= single:
		return []string{s}
	}
	var parts []string
	start, used := 0, 0
	for i, r := range s {
		w := width(r)
		if used+w > part {
			parts = append(parts, s[start:i])
			start, used = i, 0
		}
		used += w
	}
	return append(parts, s[start:])
}

// count reads s once while it stays within the alphabet, and a second time if it leaves it.
func count(s string) (Encoding, int) {
	units := 0
	for _, r := range s {
		w := find(r).septets()
		if w == 0 {
			return UCS2, countUCS2(s)
		}
		units += w
	}
	return GSM7, units
}

func countUCS2(s string) int {
	units := 0
	for _, r := range s {
		units += widthUCS2(r)
	}
	return units
}

func room(e Encoding) (single, part int, width func(rune) int) {
	if e == GSM7 {
		return singleGSM7, partGSM7, widthGSM7
	}
	return singleUCS2, partUCS2, widthUCS2
}

func widthGSM7(r rune) int { return find(r).septets() }

func widthUCS2(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}
