package sip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// offered is what the caller's description (RFC 8866) offers of what a telephone takes.
type offered struct {
	at      netip.AddrPort
	payload byte // 0 is PCMU, 8 is PCMA
	keys    byte // the number of telephone-event, 0 where there is none
}

var errNoSound = errors.New("the offer has no sound in G.711")

// maxDescription is far above what a call needs.
const maxDescription = 16 << 10

// readOffer reads a description of one call in G.711.
func readOffer(body []byte) (offered, error) {
	if len(body) > maxDescription {
		return offered{}, errNoSound
	}
	var o offered
	var host string
	var port uint64
	var payloads []string
	for line := range strings.Lines(string(body)) {
		kind, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		fields := strings.Fields(value)
		switch {
		case kind == "c" && len(fields) == 3 && fields[0] == "IN":
			host = fields[2]
		case kind == "m" && len(fields) > 3 && fields[0] == "audio" && fields[2] == "RTP/AVP" && payloads == nil:
			port, _ = strconv.ParseUint(fields[1], 10, 16)
			payloads = fields[3:]
		case kind == "a" && len(fields) == 2 && strings.EqualFold(fields[1], "telephone-event/8000"):
			number, ok := strings.CutPrefix(fields[0], "rtpmap:")
			if n, err := strconv.ParseUint(number, 10, 7); ok && err == nil && slices.Contains(payloads, number) {
				o.keys = byte(n)
			}
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || port == 0 || addr.Zone() != "" || addr.IsMulticast() {
		return offered{}, errNoSound
	}
	o.at = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	for _, p := range payloads {
		if p == "0" || p == "8" {
			o.payload = p[0] - '0'
			return o, nil
		}
	}
	return offered{}, errNoSound
}

// describe is our answer to an offer.
func describe(at *net.UDPAddr, o offered) []byte {
	family := "IP4"
	if at.IP.To4() == nil {
		family = "IP6"
	}
	name := map[byte]string{0: "PCMU", 8: "PCMA"}[o.payload]
	text := fmt.Sprintf("v=0\r\no=- 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\n", family, at.IP)
	if o.keys == 0 {
		return fmt.Appendf(nil, "%sm=audio %d RTP/AVP %d\r\na=rtpmap:%[3]d %s/8000\r\n", text, at.Port, o.payload, name)
	}
	return fmt.Appendf(nil, "%sm=audio %d RTP/AVP %d %d\r\na=rtpmap:%[3]d %[5]s/8000\r\na=rtpmap:%[4]d telephone-event/8000\r\n",
		text, at.Port, o.payload, o.keys, name)
}

const (
	rtpHeader = 12
	// A person presses a key when they have listened for a while, and again if nothing came of it.
	// Both are counted in packets, of which there are 50 in a second.
	firstKey = 75
	nextKey  = 150
	maxKeys  = 5
	// maxHeard is ten minutes of sound.
	maxHeard = 10 * 60 * 8000
)

// listener is the ear of a person and their finger.
type listener struct {
	conn    net.PacketConn
	offered offered
	keys    string // what they press

	heard   []byte // as it came: G.711
	pressed string
}

// listen returns when the line is closed.
func (l *listener) listen() {
	buffer := make([]byte, 2048)
	for packets := 1; ; packets++ {
		n, _, err := l.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		payload, data, ok := readRTP(buffer[:n])
		if !ok || payload != l.offered.payload {
			packets-- // no sound, such as keys of the caller's
			continue
		}
		if len(l.heard)+len(data) <= maxHeard {
			l.heard = append(l.heard, data...)
		}
		if packets >= firstKey && (packets-firstKey)%nextKey == 0 && (packets-firstKey)/nextKey < maxKeys {
			l.press()
		}
	}
}

// readRTP reads a packet (RFC 3550, 5.1) of the plain form that a telephone call has.
func readRTP(b []byte) (payload byte, data []byte, ok bool) {
	if len(b) < rtpHeader || b[0] != 0x80 {
		return 0, nil, false
	}
	return b[1] & 0x7f, b[rtpHeader:], true
}

// press presses the keys (RFC 4733): of each six packets, of which three say that it is its end.
func (l *listener) press() {
	if l.offered.keys == 0 || l.keys == "" {
		return
	}
	for i, key := range l.keys {
		number := strings.IndexRune("0123456789*#", key)
		for n := 1; n <= 6; n++ {
			b := []byte{0x80, l.offered.keys}
			if n == 1 {
				b[1] |= 0x80
			}
			b = binary.BigEndian.AppendUint16(b, uint16(len(l.pressed)*6+n))
			b = binary.BigEndian.AppendUint32(b, uint32(len(l.heard)+i*8000))
			b = binary.BigEndian.AppendUint32(b, 1)
			const volume, end = 10, 0x80
			flags := byte(volume)
			if n > 3 {
				flags |= end
			}
			b = append(b, byte(number), flags)
			b = binary.BigEndian.AppendUint16(b, uint16(160*min(n, 4)))
			l.conn.WriteTo(b, net.UDPAddrFromAddrPort(l.offered.at))
		}
		l.pressed += string(key)
	}
}

// wav is a file of G.711 as it came: format 7 is µ-law, 6 is A-law.
func wav(payload byte, sound []byte) []byte {
	format := map[byte]uint16{0: 7, 8: 6}[payload]
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	put([]byte("RIFF"), uint32(4+8+18+8+len(sound)), []byte("WAVEfmt "), uint32(18))
	put(format, uint16(1), uint32(8000), uint32(8000), uint16(1), uint16(8), uint16(0))
	put([]byte("data"), uint32(len(sound)))
	b.Write(sound)
	return b.Bytes()
}
