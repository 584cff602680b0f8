package sip

import (
	"encoding/binary"
	"errors"
)

// packet is one of RTP (RFC 3550, 5.1) with all that a telephone call uses of it.
type packet struct {
	marker    bool
	payload   byte // what kind of sound
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	data      []byte
}

const rtpHeader = 12

// append writes the packet behind b.
func (p packet) append(b []byte) []byte {
	second := p.payload & 0x7f
	if p.marker {
		second |= 0x80
	}
	b = append(b, 0x80, second)
	b = binary.BigEndian.AppendUint16(b, p.sequence)
	b = binary.BigEndian.AppendUint32(b, p.timestamp)
	b = binary.BigEndian.AppendUint32(b, p.ssrc)
	return append(b, p.data...)
}

var errNotRTP = errors.New("not a packet of RTP")

// readPacket reads what came over the wire. The data is a part of b.
func readPacket(b []byte) (packet, error) {
	if len(b) < rtpHeader || b[0]>>6 != 2 {
		return packet{}, errNotRTP
	}
	p := packet{
		marker:    b[1]&0x80 != 0,
		payload:   b[1] & 0x7f,
		sequence:  binary.BigEndian.Uint16(b[2:]),
		timestamp: binary.BigEndian.Uint32(b[4:]),
		ssrc:      binary.BigEndian.Uint32(b[8:]),
	}
	start := rtpHeader + 4*int(b[0]&0x0f) // the contributing sources, which a mixer adds
	if b[0]&0x10 != 0 {                   // a header extension: its length is in words behind its name
		if len(b) < start+4 {
			return packet{}, errNotRTP
		}
		start += 4 + 4*int(binary.BigEndian.Uint16(b[start+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // padding: the last byte says how much
		end -= int(b[len(b)-1])
		if end == len(b) {
			return packet{}, errNotRTP
		}
	}
	if start > end {
		return packet{}, errNotRTP
	}
	p.data = b[start:end]
	return p, nil
}

// keyEvent is a key held down, as RFC 4733, 2.3 tells it. Every packet about one key has the
// timestamp of its beginning; the last is sent three times.
type keyEvent struct {
	key      byte // '0' to '9', '*', '#', 'A' to 'D'
	end      bool
	duration uint16 // in samples
}

// keys are the events of telephone keypads in the order of their numbers (RFC 4733, 3.2).
const keys = "0123456789*#ABCD"

// readKeyEvent is not ok for other events, such as a hook flash, and for what is none.
func readKeyEvent(data []byte) (e keyEvent, ok bool) {
	if len(data) < 4 || int(data[0]) >= len(keys) {
		return keyEvent{}, false
	}
	return keyEvent{
		key:      keys[data[0]],
		end:      data[1]&0x80 != 0,
		duration: binary.BigEndian.Uint16(data[2:]),
	}, true
}

// volume of the keys that we send, in dBm0 below zero.
const keyVolume = 10

// append writes the event behind b. The number of the key is its place in keys.
func (e keyEvent) append(b []byte, number int) []byte {
	flags := byte(keyVolume)
	if e.end {
		flags |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(b, byte(number), flags), e.duration)
}
