package message

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/gsm7"
)

// maxCharacters is Twilio's limit for a body (60247).
const maxCharacters = 500

// A limit is what a text message may take besides, in units of its encoding and in segments.
type limit struct{ units, segments int }

var (
	// hardStop is our own. Four full segments have 612 septets.
	hardStop = limit{units: 612, segments: 4}
	// retriever is Android's: an SMS Retriever message has at most 140 bytes. 160 packed septets are
	// 140 bytes as well, but nobody says which bytes are counted, so a text keeps to both.
	retriever = limit{units: 140, segments: 1}
)

func (l limit) allows(text string, size gsm7.Size) bool {
	return size.Segments <= l.segments && size.Units <= l.units &&
		(len(text) <= maxCharacters || utf8.RuneCountInString(text) <= maxCharacters)
}

// What shortening leaves, dots included: a payee of fewer letters than ten tells nobody whom he pays,
// a brand may go down to its first.
const (
	leastPayee = 13
	leastBrand = 1
)

// Text is a text message, ready for the wire.
type Text struct {
	// Text is what the person reads: typographic characters are plain already (gsm7.Transliterate).
	Text string
	// Locale is the tag of the language that Text is in.
	Locale string
	// Encoding is "gsm7" or "ucs2", empty on RCS.
	Encoding string
	// Segments is what will be billed, 1 to 4 for all but an Amount beyond MaxAmount; 0 on RCS.
	Segments int
}

// SMS writes the text message. It keeps within 500 characters and four segments by shortening the
// payee and then the brand; amount and code are always whole.
//
// With an AppHash the text must fit one segment and 140 units, or the SMS Retriever passes it by:
// the warning of DoNotShare goes first, then payee and brand give way. A payment that does not fit
// even so, a long amount in Arabic for example, keeps its words and is several segments long: the
// law wants amount and payee to be seen, and all that is lost is that the app fills in the code.
func SMS(o OTP) Text {
	t, locale := o.texts("sms")
	w := write(o, t)
	text, size := w.compose()
	if w.tail != "" && !retriever.allows(text, size) {
		short := w
		short.suffix = nil
		if short.shrink(retriever) {
			w = short
			text, size = w.compose()
		}
	}
	if !hardStop.allows(text, size) {
		w.shrink(hardStop)
		text, size = w.compose()
	}
	return Text{Text: text, Locale: locale, Encoding: string(size.Encoding), Segments: size.Segments}
}

// RCS writes the message for RCS: the words of SMS, which it may become on the way, and which has
// no segments.
func RCS(o OTP) Text {
	t := SMS(o)
	t.Encoding, t.Segments = "", 0
	return t
}

// wording is a text message that may still be shortened.
type wording struct {
	head   string
	body   template
	suffix template
	tail   string
	values values
}

func write(o OTP, t *texts) wording {
	o = o.cleaned()
	w := wording{body: t.sms, values: values{
		brand: gsm7.Transliterate(o.Brand),
		code:  o.Code, // not transliterated: it is compared with what the person types
	}}
	if o.payment() {
		w.body = t.payment
		w.values[amount] = gsm7.Transliterate(o.Amount)
		w.values[payee] = gsm7.Transliterate(o.Payee)
	}
	if o.DoNotShare {
		w.suffix = t.doNotShare
	}
	if o.AppHash != "" {
		// Old Play services want the prefix and clients expect it (channels.md 9.2).
		w.head = "<#> "
		w.tail = " " + o.AppHash
	}
	return w
}

func (w *wording) compose() (string, gsm7.Size) {
	var b strings.Builder
	b.Grow(len(w.head) + w.body.size(&w.values) + w.suffix.size(&w.values) + len(w.tail))
	b.WriteString(w.head)
	w.body.appendTo(&b, &w.values)
	w.suffix.appendTo(&b, &w.values)
	b.WriteString(w.tail)
	text := b.String()
	return text, gsm7.Measure(text)
}

// shrink shortens the payee, then the brand, by no more than it must, and reports whether the text
// is within the limit now.
func (w *wording) shrink(to limit) bool {
	fits := func() bool {
		text, size := w.compose()
		return to.allows(text, size)
	}
	for _, v := range [...]struct {
		field field
		least int
	}{{payee, leastPayee}, {brand, leastBrand}} {
		whole := cut(w.values[v.field], maxCharacters)
		n := utf8.RuneCountInString(whole)
		// The fewest characters to take off; all that may be taken off if even that is not enough.
		off := sort.Search(max(n-v.least, 0), func(off int) bool {
			w.values[v.field] = cut(whole, n-off)
			return fits()
		})
		w.values[v.field] = cut(whole, n-off)
		if fits() {
			return true
		}
	}
	return false
}
