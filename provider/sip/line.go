package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// line is the sound of one call: a UDP port, and the far end's. One goroutine speaks, another hears.
type line struct {
	conn *net.UDPConn
	pace time.Duration // between two packets: 20 ms

	far  answer
	at   atomic.Pointer[netip.AddrPort] // where the sound goes
	keys chan byte                      // what the person presses

	// Of the goroutine that speaks:
	next   time.Time // when the next packet is due
	packet packet
	buffer []byte
}

// openLine takes a free port. The search begins anywhere, so that a port rests before it is used
// again and late packets of another call find nobody.
func openLine(s settings, pace time.Duration) (*line, error) {
	count := s.lastPort - s.firstPort + 1
	start := rand.IntN(count)
	for i := range count {
		port := s.firstPort + (start+i)%count
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.listen.Addr(), uint16(port))))
		if err == nil {
			return &line{conn: conn, pace: pace, keys: make(chan byte, 16)}, nil
		}
	}
	return nil, fmt.Errorf("none of the ports %d-%d is free", s.firstPort, s.lastPort)
}

func (l *line) port() uint16 {
	return l.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// connect says who the far end is. The random start keeps an outsider from guessing packets.
func (l *line) connect(far answer) {
	l.far = far
	l.at.Store(&far.at)
	l.next = time.Now()
	l.packet = packet{
		payload: byte(far.codec), sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), ssrc: rand.Uint32(), marker: true,
	}
}

// hear reads until the port is closed.
func (l *line) hear() {
	buffer := make([]byte, 2048)
	moved := false
	last, any := uint32(0), false
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an ICMP error of a packet that we sent
		}
		p, err := readPacket(buffer[:n])
		if err != nil {
			continue
		}
		// Symmetric RTP: behind a NAT the description holds an address that leads nowhere, and the
		// packets come from the one that does. The first one decides.
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !moved && from != l.far.at && (l.far.at.Addr().IsPrivate() || l.far.at.Addr().IsUnspecified()) {
			moved = true
			l.at.Store(&from)
		}
		if l.far.keyPayload == 0 || p.payload != l.far.keyPayload {
			continue
		}
		// All packets about one key have one timestamp.
		if e, ok := readKeyEvent(p.data); ok && (!any || p.timestamp != last) {
			last, any = p.timestamp, true
			l.press(e.key)
		}
	}
}

// press takes a key, however it came. More than anybody waits for is dropped.
func (l *line) press(key byte) {
	select {
	case l.keys <- key:
	default:
	}
}

var errKey = errors.New("a key was pressed")

// speak sends the sound, and silence to the end of the last packet. It returns early with errKey
// when the person presses a key and untilKey says so, and with the cause of ctx when that ends.
// spoken is how much was sent.
func (l *line) speak(ctx context.Context, sound []byte, untilKey bool) (spoken int, err error) {
	var frame [frameSize]byte
	for spoken < len(sound) {
		if err := l.wait(ctx, untilKey); err != nil {
			return spoken, err
		}
		n := copy(frame[:], sound[spoken:])
		for i := n; i < frameSize; i++ {
			frame[i] = ulawSilence
		}
		l.packet.data = l.buffer[:0]
		l.packet.data = append(l.packet.data, frame[:]...)
		l.far.codec.encode(l.packet.data, frame[:])
		l.buffer = l.packet.data
		if err := l.send(l.packet); err != nil {
			return spoken, err
		}
		l.packet.timestamp += frameSize
		spoken += n
	}
	return spoken, nil
}

// wait is until the next packet is due. Silence is sent like sound, or NATs close.
func (l *line) wait(ctx context.Context, untilKey bool) error {
	if late := time.Since(l.next); late > 10*l.pace { // this process was stopped; nobody wants a burst
		l.next = time.Now()
	}
	var key chan byte
	if untilKey {
		key = l.keys
	}
	select {
	case <-time.After(time.Until(l.next)):
	case <-key:
		return errKey
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.next = l.next.Add(l.pace)
	return nil
}

func (l *line) send(p packet) error {
	p.sequence = l.packet.sequence
	l.packet.sequence++
	l.packet.marker = false
	_, err := l.conn.WriteToUDPAddrPort(p.append(nil), *l.at.Load())
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOBUFS) {
		return nil // this packet is lost, as any may be
	}
	return err
}

const (
	toneLength = 5 // packets: 100 ms
	shortPause = 500
	longPause  = 1000
)

// dial presses keys, as Speech.SendDigits has them.
func (l *line) dial(ctx context.Context, digits string) error {
	for _, digit := range []byte(digits) {
		var err error
		switch number := strings.IndexByte(keys, digit); {
		case digit == 'w':
			_, err = l.speak(ctx, silence(shortPause), false)
		case digit == 'W':
			_, err = l.speak(ctx, silence(longPause), false)
		case number < 0:
			continue
		case l.far.keyPayload == 0:
			_, err = l.speak(ctx, append(tone(digit), silence(100)...), false)
		default:
			err = l.key(ctx, number)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// key presses one key (RFC 4733, 2.5.1): the sound stops meanwhile.
func (l *line) key(ctx context.Context, number int) error {
	p := packet{payload: l.far.keyPayload, timestamp: l.packet.timestamp, ssrc: l.packet.ssrc, marker: true}
	for i := 1; i <= toneLength; i++ {
		if err := l.wait(ctx, false); err != nil {
			return err
		}
		e := keyEvent{end: i == toneLength, duration: uint16(i * frameSize)}
		p.data = e.append(nil, number)
		copies := 1
		if e.end {
			copies = 3
		}
		for range copies {
			if err := l.send(p); err != nil {
				return err
			}
		}
		p.marker = false
		l.packet.timestamp += frameSize
	}
	l.packet.marker = true // a new spurt begins
	_, err := l.speak(ctx, silence(100), false)
	return err
}
