package smpp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Reader reads PDUs from a stream.
type Reader struct{ buffer *bufio.Reader }

// NewReader reads from r. It may read ahead.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, MaxLength)} }

// Read waits for a whole PDU. With a *Malformed comes a PDU that has its header alone, and the next
// PDU can be read; after any other error none can, except after a timeout of the connection, which
// loses nothing: what has come of a PDU is kept.
func (r *Reader) Read() (PDU, error) {
	start, err := r.buffer.Peek(4)
	if err != nil {
		return PDU{}, readError(err, len(start))
	}
	length := binary.BigEndian.Uint32(start)
	if length < headerLength || length > MaxLength {
		return PDU{}, fmt.Errorf("%w: %d", ErrLength, length)
	}
	frame, err := r.buffer.Peek(int(length))
	if err != nil {
		return PDU{}, readError(err, len(frame))
	}
	p, err := Parse(bytes.Clone(frame))
	if _, err := r.buffer.Discard(int(length)); err != nil {
		return PDU{}, err
	}
	return p, err
}

func readError(err error, got int) error {
	if errors.Is(err, io.EOF) && got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bodyOf is an empty body for a command; known is false for commands that are not in this package.
func bodyOf(c Command) (b Body, known bool) {
	switch c {
	case BindReceiver, BindTransmitter, BindTransceiver:
		return &Bind{}, true
	case BindReceiverResp, BindTransmitterResp, BindTransceiverResp:
		return &BindResp{}, true
	case SubmitSM, DeliverSM:
		return &ShortMessage{}, true
	case DataSM:
		return &Data{}, true
	case SubmitSMResp, DeliverSMResp, DataSMResp:
		return &MessageResp{}, true
	case EnquireLink, EnquireLinkResp, Unbind, UnbindResp, GenericNack, Outbind, AlertNotification:
		return nil, true
	}
	return nil, false
}

// fits reports whether a command is written with such a body.
func fits(c Command, b Body) bool {
	switch b.(type) {
	case nil:
		return c == EnquireLink || c == Unbind || c == EnquireLinkResp || c == UnbindResp || c == GenericNack
	case *Bind:
		return c == BindReceiver || c == BindTransmitter || c == BindTransceiver
	case *BindResp:
		return c == BindReceiverResp || c == BindTransmitterResp || c == BindTransceiverResp
	case *ShortMessage:
		return c == SubmitSM || c == DeliverSM
	case *Data:
		return c == DataSM
	case *MessageResp:
		return c == SubmitSMResp || c == DeliverSMResp || c == DataSMResp
	}
	return false
}

// Parse reads frame, which is one whole PDU with its header. The PDU keeps parts of frame. With a
// *Malformed comes the header.
func Parse(frame []byte) (PDU, error) {
	if len(frame) < headerLength || len(frame) > MaxLength || binary.BigEndian.Uint32(frame) != uint32(len(frame)) {
		return PDU{}, ErrLength
	}
	p := PDU{
		Command:  Command(binary.BigEndian.Uint32(frame[4:])),
		Status:   Status(binary.BigEndian.Uint32(frame[8:])),
		Sequence: binary.BigEndian.Uint32(frame[12:]),
	}
	body, known := bodyOf(p.Command)
	if !known {
		return p, &Malformed{p.Command, InvalidCommandID, "is not a command that we know"}
	}
	if body == nil {
		return p, nil
	}
	r := reader{rest: frame[headerLength:]}
	body.read(&r)
	if r.why != "" {
		return p, &Malformed{p.Command, InvalidCommandLength, r.why}
	}
	p.Body = body
	return p, nil
}

// Append writes p behind b. It fails if a text is too long or holds a NUL, and if the body is not
// the command's.
func (p PDU) Append(b []byte) ([]byte, error) {
	w := writer{b: b}
	w.b = append(w.b, 0, 0, 0, 0)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(p.Command))
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(p.Status))
	w.b = binary.BigEndian.AppendUint32(w.b, p.Sequence)
	if !fits(p.Command, p.Body) {
		return b, fmt.Errorf("smpp: %v cannot have a body of %T", p.Command, p.Body)
	}
	if p.Body != nil {
		p.Body.write(&w, p.Status)
	}
	length := len(w.b) - len(b)
	if length > MaxLength {
		w.refuse("is too long")
	}
	if w.why != "" {
		return b, fmt.Errorf("smpp: %v: %s", p.Command, w.why)
	}
	binary.BigEndian.PutUint32(w.b[len(b):], uint32(length))
	return w.b, nil
}

// reader takes a body apart. After the first thing that is wrong it gives zeros.
type reader struct {
	rest []byte
	why  string
}

func (r *reader) refuse(why string) {
	if r.why == "" {
		r.why = why
	}
	r.rest = nil
}

func (r *reader) atEnd() bool { return len(r.rest) == 0 }

func (r *reader) end() {
	if !r.atEnd() {
		r.refuse("is longer than its fields")
	}
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.refuse("is shorter than its fields")
		return nil
	}
	got := r.rest[:n:n]
	r.rest = r.rest[n:]
	return got
}

func (r *reader) octet() byte {
	if got := r.take(1); got != nil {
		return got[0]
	}
	return 0
}

// text is a C-octet string of at most limit octets before its NUL.
func (r *reader) text(field string, limit int) string {
	n := bytes.IndexByte(r.rest, 0)
	switch {
	case r.why != "":
		return ""
	case n < 0:
		r.refuse(field + " has no end")
		return ""
	case n > limit:
		r.refuse(field + " is too long")
		return ""
	}
	return string(r.take(n + 1)[:n])
}

func (r *reader) address(field string, limit int) Address {
	return Address{TON: r.octet(), NPI: r.octet(), Addr: r.text(field, limit)}
}

func (r *reader) tlvs() TLVs {
	var all TLVs
	for !r.atEnd() {
		head := r.take(4)
		if head == nil {
			return nil
		}
		t := TLV{Tag: Tag(binary.BigEndian.Uint16(head))}
		t.Value = r.take(int(binary.BigEndian.Uint16(head[2:])))
		all = append(all, t)
	}
	if r.why != "" {
		return nil
	}
	return all
}

// writer puts a body together, and remembers the first thing that cannot be written.
type writer struct {
	b   []byte
	why string
}

func (w *writer) refuse(why string) {
	if w.why == "" {
		w.why = why
	}
}

func (w *writer) octets(b ...byte) { w.b = append(w.b, b...) }

func (w *writer) text(field, s string, limit int) {
	switch {
	case len(s) > limit:
		w.refuse(field + " is too long")
	case strings.IndexByte(s, 0) >= 0:
		w.refuse(field + " holds a zero octet")
	}
	w.b = append(append(w.b, s...), 0)
}

func (w *writer) address(field string, a Address, limit int) {
	w.octets(a.TON, a.NPI)
	w.text(field, a.Addr, limit)
}

func (w *writer) tlvs(all TLVs) {
	for _, t := range all {
		if len(t.Value) > 0xFFFF {
			w.refuse("a TLV is too long")
			return
		}
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(t.Tag))
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(t.Value)))
		w.b = append(w.b, t.Value...)
	}
}
