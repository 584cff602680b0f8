package smpp

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf16"

	"github.com/verifyd/verifyd/internal/gsm7"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// data_coding (SMPP 3.4, 5.2.19).
const (
	codingDefault = 0 // the carrier's own alphabet
	codingLatin1  = 3
	codingUCS2    = 8
)

// Types of numbers and numbering plans (5.2.5, 5.2.6).
const (
	tonInternational = 1
	tonNetwork       = 3
	tonAlphanumeric  = 5
	npiISDN          = 1
)

const (
	// maxParts is what the one octet of a part's number can count.
	maxParts = 255
	// room for Latin-1 in a message, alone and beside a header of six octets.
	singleLatin1 = 140
	partLatin1   = 134
)

var (
	numberShape = regexp.MustCompile(`^\+[0-9]{4,18}$`)
	digitsShape = regexp.MustCompile(`^[0-9]{1,18}$`)
	// nameShape has the characters that every alphabet on the way writes alike.
	nameShape = regexp.MustCompile(`^[A-Za-z0-9 &'()*+,./:;<=>?!"%#-]{1,11}$`)
)

// letter is a message as the carrier takes it: in one piece or several.
type letter struct {
	parts []*smpp.ShortMessage
	// billed is the number of messages on the air; a carrier that cuts a text itself bills more
	// than it is handed.
	billed int
}

// compose refuses what no carrier could take.
func (p *Provider) compose(m provider.Message) (letter, *provider.Error) {
	refused := func(why string) (letter, *provider.Error) {
		return letter{}, &provider.Error{Class: provider.BadRequest, Detail: why}
	}
	from := m.From
	if from == "" {
		from = p.config.from
	}
	source, ok := p.config.source(from)
	switch {
	case !ok:
		return refused("the sender is neither a number nor a name of 1 to 11 letters and digits")
	case !numberShape.MatchString(m.To):
		return refused("the destination is not a number with + and its country code")
	case m.Text == "":
		return refused("the message has no text")
	}
	validity, ok := p.config.validityPeriod(m.Deadline, p.now())
	if !ok {
		return letter{}, &provider.Error{Class: provider.Temporary, Detail: "the code's life is over"}
	}

	coding, texts := p.config.encode(m.Text)
	l := letter{billed: len(texts)}
	if p.config.long == longPayload && len(texts) > 1 {
		var whole []byte
		for _, t := range texts {
			whole = append(whole, t...)
		}
		texts = [][]byte{whole}
	}
	if len(texts) > maxParts {
		return refused(fmt.Sprintf("the text needs %d messages, and there cannot be more than %d", len(texts), maxParts))
	}
	ref := byte(0)
	if len(texts) > 1 {
		ref = byte(p.reference.Add(1))
	}
	for i, text := range texts {
		part := &smpp.ShortMessage{
			ServiceType: p.config.serviceType,
			Source:      source,
			Destination: smpp.Address{TON: tonInternational, NPI: npiISDN, Addr: m.To[1:]},
			Priority:    p.config.priority, ValidityPeriod: validity, DataCoding: coding,
			Text: text, TLVs: p.config.parameters(m.Regulatory),
		}
		if p.config.receipts && i == len(texts)-1 {
			part.RegisteredDelivery = 1 // final, of success or failure
		}
		p.config.piece(part, smpp.Part{Ref: uint16(ref), Total: byte(len(texts)), Number: byte(i + 1)})
		if _, err := (smpp.PDU{Command: smpp.SubmitSM, Body: part}).Append(nil); err != nil {
			return refused(err.Error())
		}
		l.parts = append(l.parts, part)
	}
	return l, nil
}

// The parameters by which carriers of India are told what their ledger has of sender and text. They are
// the vendors' own, and alike at most of them (5.3.2 leaves the tags from 0x1400 on to them).
const (
	tagDLTEntity   smpp.Tag = 0x1400
	tagDLTTemplate smpp.Tag = 0x1401
)

// parameters are those of every message, and what is told of this one, which goes before.
func (s *settings) parameters(r *provider.Regulatory) smpp.TLVs {
	all := s.tlvs[:len(s.tlvs):len(s.tlvs)]
	if r == nil {
		return all
	}
	for _, id := range []struct {
		tag   smpp.Tag
		value string
	}{{tagDLTEntity, r.DLTEntity}, {tagDLTTemplate, r.DLTTemplate}} {
		if id.value == "" {
			continue
		}
		all = slices.DeleteFunc(slices.Clone(all), func(t smpp.TLV) bool { return t.Tag == id.tag })
		all = append(all, smpp.TLV{Tag: id.tag, Value: append([]byte(id.value), 0)})
	}
	return all
}

// piece says in m that it is a part of a longer text, if it is, and puts what is too long for
// short_message where there is room.
func (s *settings) piece(m *smpp.ShortMessage, part smpp.Part) {
	switch {
	case part.Total > 1 && s.long == longSAR:
		m.TLVs = append(m.TLVs, part.SAR()...)
	case part.Total > 1:
		m.ESMClass |= smpp.ESMUserDataHeader
		m.Text = append(part.Header(), m.Text...)
	case len(m.Text) > smpp.MaxShortMessage || s.long == longPayload:
		m.TLVs = append(m.TLVs, smpp.TLV{Tag: smpp.TagMessagePayload, Value: m.Text})
		m.Text = nil
	}
}

// source is the sender with the type that follows from its form: a number with +, a short code, or
// a name. No sender at all leaves the choice to the carrier.
func (s *settings) source(from string) (smpp.Address, bool) {
	var a smpp.Address
	switch {
	case from == "":
		return a, true
	case numberShape.MatchString(from):
		a = smpp.Address{TON: tonInternational, NPI: npiISDN, Addr: from[1:]}
	case digitsShape.MatchString(from):
		a = smpp.Address{TON: tonNetwork, Addr: from}
	case nameShape.MatchString(from):
		a = smpp.Address{TON: tonAlphanumeric, Addr: from}
	default:
		return a, false
	}
	if s.ton >= 0 {
		a.TON = byte(s.ton)
	}
	if s.npi >= 0 {
		a.NPI = byte(s.npi)
	}
	return a, true
}

// maxValidity is longer than any code lives, and short enough for every carrier.
const maxValidity = 48 * time.Hour

// validityPeriod is how long the carrier may try (SMPP 3.4, 7.1.1): a code that arrives after its
// life is worse than none. It is false when that life is over.
func (s *settings) validityPeriod(deadline, now time.Time) (string, bool) {
	if deadline.IsZero() {
		return "", true
	}
	left := min(deadline.Sub(now), maxValidity).Truncate(time.Second)
	switch {
	case left <= 0:
		return "", false
	case s.validity == validityNone:
		return "", true
	case s.validity == validityAbsolute:
		return now.Add(left).UTC().Format("060102150405") + "000+", true
	}
	// Years, months, days, hours, minutes, seconds, and a zero for tenths and the zone.
	seconds := int(left / time.Second)
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", seconds/86400, seconds/3600%24, seconds/60%60, seconds%60), true
}

// encode writes a text in the cheapest coding that holds it, cut where the air cuts it. No pair of
// an escape or of a surrogate is divided.
func (s *settings) encode(text string) (coding byte, parts [][]byte) {
	if gsm7.Valid(text) {
		var write func(string) ([]byte, bool)
		switch s.alphabet {
		case alphabetGSM7:
			write = gsm7.Encode
		case alphabetLatin1:
			write = func(t string) ([]byte, bool) { return octetPerChar(t, 0xFF) }
		case alphabetASCII:
			write = func(t string) ([]byte, bool) { return octetPerChar(t, 0x7F) }
		}
		// Septets are what a carrier counts, whatever alphabet it is handed.
		if parts, ok := encodeAll(gsm7.Split(text), write); ok {
			return codingDefault, parts
		}
	}
	if s.latin1 {
		if whole, ok := octetPerChar(text, 0xFF); ok {
			return codingLatin1, cut(whole)
		}
	}
	// A text that GSM 7 could write, and the carrier's own alphabet cannot, is cut for septets by
	// gsm7.Split; here the room is that of UCS-2.
	parts, _ = encodeAll(splitUCS2(text), func(t string) ([]byte, bool) { return ucs2(t), true })
	return codingUCS2, parts
}

func encodeAll(texts []string, write func(string) ([]byte, bool)) ([][]byte, bool) {
	var parts [][]byte
	for _, t := range texts {
		b, ok := write(t)
		if !ok {
			return nil, false
		}
		parts = append(parts, b)
	}
	return parts, true
}

// octetPerChar writes characters up to highest as themselves: Latin-1, and ASCII below it.
func octetPerChar(text string, highest rune) ([]byte, bool) {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > highest {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

func cut(whole []byte) [][]byte {
	if len(whole) <= singleLatin1 {
		return [][]byte{whole}
	}
	var parts [][]byte
	for len(whole) > partLatin1 {
		parts = append(parts, whole[:partLatin1:partLatin1])
		whole = whole[partLatin1:]
	}
	return append(parts, whole)
}

// splitUCS2 cuts like gsm7.Split, for a text that is sent in UCS-2 whatever it is.
func splitUCS2(text string) []string {
	if !gsm7.Valid(text) {
		return gsm7.Split(text)
	}
	const single, part = 70, 67 // one unit each: GSM 7 has nothing beyond U+FFFF
	chars := []rune(text)
	if len(chars) <= single {
		return []string{text}
	}
	var parts []string
	for len(chars) > part {
		parts = append(parts, string(chars[:part]))
		chars = chars[part:]
	}
	return append(parts, string(chars))
}

// ucs2 is UTF-16 with the high octet first, which is what every handset means by UCS-2.
func ucs2(text string) []byte {
	b := make([]byte, 0, 2*len(text))
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, unit)
	}
	return b
}
