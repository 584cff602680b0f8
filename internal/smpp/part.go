package smpp

// Part says which piece of a long text a message is.
type Part struct {
	Ref           uint16 // the same in all parts, of 8 bits with Header
	Total, Number byte   // Number counts from 1
}

// Header is the user data header that stands before the text (3GPP TS 23.040, 9.2.3.24.1), with a
// reference of eight bits.
func (p Part) Header() []byte { return []byte{5, 0, 3, byte(p.Ref), p.Total, p.Number} }

// SAR is p in optional parameters (SMPP 3.4, 5.3.2.22 and the following).
func (p Part) SAR() TLVs {
	return TLVs{
		{TagSARReference, []byte{byte(p.Ref >> 8), byte(p.Ref)}},
		{TagSARTotal, []byte{p.Total}},
		{TagSARNumber, []byte{p.Number}},
	}
}

// Part is the piece that m is and the text in it without a header. A text in one piece is the zero
// Part; so is one whose header or parameters make no sense.
func (m *ShortMessage) Part() (Part, []byte) {
	content := m.Content()
	if m.ESMClass&ESMUserDataHeader != 0 && len(content) > 0 {
		if end := 1 + int(content[0]); end <= len(content) {
			return headerPart(content[1:end]), content[end:]
		}
		return Part{}, content
	}
	ref, ok := m.TLVs.Uint(TagSARReference)
	total, ok2 := m.TLVs.Uint(TagSARTotal)
	number, ok3 := m.TLVs.Uint(TagSARNumber)
	if !ok || !ok2 || !ok3 || total > 255 || number > 255 {
		return Part{}, content
	}
	return sound(Part{uint16(ref), byte(total), byte(number)}), content
}

// headerPart finds the concatenation among the elements of a header: identifier, length, value.
func headerPart(elements []byte) Part {
	for len(elements) >= 2 {
		id, n := elements[0], int(elements[1])
		if 2+n > len(elements) {
			break
		}
		switch v := elements[2 : 2+n]; {
		case id == 0x00 && n == 3:
			return sound(Part{uint16(v[0]), v[1], v[2]})
		case id == 0x08 && n == 4:
			return sound(Part{uint16(v[0])<<8 | uint16(v[1]), v[2], v[3]})
		}
		elements = elements[2+n:]
	}
	return Part{}
}

// sound is p, or the zero Part if it is none of its own total.
func sound(p Part) Part {
	if p.Number == 0 || p.Number > p.Total {
		return Part{}
	}
	return p
}
