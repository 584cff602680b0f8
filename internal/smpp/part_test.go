package smpp

import (
	"bytes"
	"fmt"
	"testing"
)

func TestParts(t *testing.T) {
	third := Part{Ref: 0x2A, Total: 3, Number: 3}
	for _, c := range []struct {
		name string
		m    ShortMessage
		part Part
		text string
	}{
		{"in one piece", ShortMessage{Text: []byte("abc")}, Part{}, "abc"},
		{"in a payload", ShortMessage{TLVs: TLVs{{TagMessagePayload, []byte("abc")}}}, Part{}, "abc"},
		{"by our header", ShortMessage{ESMClass: 0x40, Text: append(third.Header(), "abc"...)}, third, "abc"},
		{"by a header in a payload", ShortMessage{ESMClass: 0x43, TLVs: TLVs{{TagMessagePayload, append(third.Header(), "abc"...)}}}, third, "abc"},
		{"by a header of 16 bits", ShortMessage{ESMClass: 0x40, Text: []byte("\x06\x08\x04\x01\x2a\x03\x03abc")}, Part{0x12A, 3, 3}, "abc"},
		{"behind a port", ShortMessage{ESMClass: 0x40, Text: []byte("\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x2a\x03\x03abc")}, third, "abc"},
		{"by SAR", ShortMessage{Text: []byte("abc"), TLVs: Part{0x12A, 3, 3}.SAR()}, Part{0x12A, 3, 3}, "abc"},
		{"a header of something else", ShortMessage{ESMClass: 0x40, Text: []byte("\x03\x24\x01\x01abc")}, Part{}, "abc"},
		{"a header beyond the text", ShortMessage{ESMClass: 0x40, Text: []byte("\x20abc")}, Part{}, "\x20abc"},
		{"an element beyond its header", ShortMessage{ESMClass: 0x40, Text: []byte("\x02\x00\x03abc")}, Part{}, "abc"},
		{"a header that is not there", ShortMessage{ESMClass: 0x40}, Part{}, ""},
		{"a part beyond the total", ShortMessage{ESMClass: 0x40, Text: []byte("\x05\x00\x03\x2a\x03\x04abc")}, Part{}, "abc"},
		{"a part without number", ShortMessage{Text: []byte("abc"), TLVs: Part{1, 3, 0}.SAR()}, Part{}, "abc"},
		{"half of SAR", ShortMessage{Text: []byte("abc"), TLVs: Part{1, 3, 1}.SAR()[:2]}, Part{}, "abc"},
	} {
		if part, text := c.m.Part(); part != c.part || !bytes.Equal(text, []byte(c.text)) {
			t.Errorf("%s: got %+v %q, want %+v %q", c.name, part, text, c.part, c.text)
		}
	}
}

func ExamplePDU_Append() {
	frame, err := PDU{Command: EnquireLink, Sequence: 3}.Append(nil)
	if err != nil {
		panic(err)
	}
	p, err := Parse(frame)
	fmt.Printf("%x\n%v %d %v", frame, p.Command, p.Sequence, err)
	// Output:
	// 00000010000000150000000000000003
	// enquire_link 3 <nil>
}
