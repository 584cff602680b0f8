package smsc

import (
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf16"

	"github.com/verifyd/verifyd/internal/gsm7"
	"github.com/verifyd/verifyd/internal/smpp"
)

// Message is a text as the person has it.
type Message struct {
	Account  string
	From, To string // without +
	Text     string
	// IDs are those that the answers gave to its parts, and PDUs what came, in the order of the text.
	IDs  []string
	PDUs []*smpp.ShortMessage
	// Octets are the PDUs as they came.
	Octets [][]byte
	// At is when the last part came.
	At time.Time
}

// inbox keeps messages, the latest of them if there are too many.
type inbox struct {
	keep     int
	messages []Message
	// partial are long texts of which parts are missing, the oldest first.
	partial []*partial
}

type partial struct {
	account, from, to string
	ref               uint16
	parts             []*Message // by number, from 0; nil is missing
	missing           int
}

func newInbox(keep int) inbox { return inbox{keep: keep} }

// add takes in a message that came now, and gives it back if that was its last part. p is the PDU in which
// it came.
func (in *inbox) add(account, id string, p smpp.PDU, at time.Time) (whole Message, arrived bool) {
	m := p.Body.(*smpp.ShortMessage)
	octets, err := p.Append(nil)
	if err != nil {
		panic(err) // what was read can be written
	}
	part, text := m.Part()
	one := Message{
		Account: account, From: m.Source.Addr, To: m.Destination.Addr, Text: decode(m.DataCoding, text),
		IDs: []string{id}, PDUs: []*smpp.ShortMessage{m}, Octets: [][]byte{octets}, At: at,
	}
	if part.Total > 1 {
		if one, arrived = in.join(part, one); !arrived {
			return Message{}, false
		}
	}
	if len(in.messages) >= in.keep {
		in.messages = slices.Delete(in.messages, 0, max(1, in.keep/10))
	}
	in.messages = append(in.messages, one)
	return one, true
}

// join adds a part to those that are there, and gives the whole if it was the last.
func (in *inbox) join(part smpp.Part, one Message) (Message, bool) {
	at := slices.IndexFunc(in.partial, func(p *partial) bool {
		return p.account == one.Account && p.from == one.From && p.to == one.To && p.ref == part.Ref &&
			len(p.parts) == int(part.Total)
	})
	if at < 0 {
		if len(in.partial) >= in.keep {
			in.partial = slices.Delete(in.partial, 0, 1)
		}
		at = len(in.partial)
		in.partial = append(in.partial, &partial{
			account: one.Account, from: one.From, to: one.To, ref: part.Ref,
			parts: make([]*Message, part.Total), missing: int(part.Total),
		})
	}
	p := in.partial[at]
	if p.parts[part.Number-1] == nil {
		p.missing--
	}
	p.parts[part.Number-1] = &one
	if p.missing > 0 {
		return Message{}, false
	}
	in.partial = slices.Delete(in.partial, at, at+1)
	whole := *p.parts[0]
	whole.At = one.At
	for _, next := range p.parts[1:] {
		whole.Text += next.Text
		whole.IDs = append(whole.IDs, next.IDs...)
		whole.PDUs = append(whole.PDUs, next.PDUs...)
		whole.Octets = append(whole.Octets, next.Octets...)
	}
	return whole, true
}

func (in *inbox) find(to string) []Message {
	var found []Message
	for _, m := range in.messages {
		if to == "" || m.To == to {
			found = append(found, m)
		}
	}
	return found
}

// Text is what a message says, or a part of one.
func Text(m *smpp.ShortMessage) string {
	_, text := m.Part()
	return decode(m.DataCoding, text)
}

// decode reads a text in one of the codings that handsets know, any other as Latin-1.
func decode(coding byte, text []byte) string {
	switch coding {
	case 0:
		return gsm7.Decode(text)
	case 8:
		units := make([]uint16, 0, len(text)/2)
		for ; len(text) >= 2; text = text[2:] {
			units = append(units, binary.BigEndian.Uint16(text))
		}
		return string(utf16.Decode(units))
	}
	chars := make([]rune, 0, len(text))
	for _, b := range text {
		chars = append(chars, rune(b))
	}
	return string(chars)
}
