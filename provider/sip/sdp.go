package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ourKeyPayload is the number under which we offer the keys of RFC 4733; 101 is what everybody uses.
const ourKeyPayload = 101

// offer is the description of our end of the call (RFC 8866): both forms of G.711, keys, 20 ms.
func offer(at netip.AddrPort, session uint64) []byte {
	family := "IP4"
	if at.Addr().Is6() {
		family = "IP6"
	}
	return fmt.Appendf(nil, "v=0\r\n"+
		"o=- %[1]d %[1]d IN %[2]s %[3]s\r\n"+
		"s=-\r\n"+
		"c=IN %[2]s %[3]s\r\n"+
		"t=0 0\r\n"+
		"m=audio %[4]d RTP/AVP 0 8 %[5]d\r\n"+
		"a=rtpmap:0 PCMU/8000\r\n"+
		"a=rtpmap:8 PCMA/8000\r\n"+
		"a=rtpmap:%[5]d telephone-event/8000\r\n"+
		"a=fmtp:%[5]d 0-16\r\n"+
		"a=ptime:20\r\n"+
		"a=sendrecv\r\n",
		session, family, at.Addr(), at.Port(), ourKeyPayload)
}

// answer is what the far end took of our offer.
type answer struct {
	// at is where it wants the sound.
	at netip.AddrPort
	// codec is the first of ours in its list.
	codec codec
	// keyPayload is the number of the keys, 0 where it knows none.
	keyPayload byte
}

var (
	errNoAudio = errors.New("the answer has no audio that we could send")
	errNoG711  = errors.New("the answer has neither PCMU nor PCMA")
)

// maxSDP is far above what a telephone call needs.
const maxSDP = 16 << 10

// readAnswer reads the description of the far end.
func readAnswer(body []byte) (answer, error) {
	if len(body) > maxSDP {
		return answer{}, errNoAudio
	}
	var a answer
	var host, sessionHost string
	var port uint64
	var payloads []byte
	inAudio, seen := false, false
	for line := range strings.Lines(string(body)) {
		kind, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok {
			continue
		}
		switch {
		case kind == "m":
			// An answer has one line for each of the offer; ours has one.
			if inAudio = !seen && strings.HasPrefix(value, "audio "); !inAudio {
				continue
			}
			seen = true
			port, payloads = readMedia(value)
		case kind == "c" && inAudio:
			host = connection(value)
		case kind == "c" && !seen:
			sessionHost = connection(value)
		case kind == "a" && inAudio:
			if payload, ok := keyPayload(value); ok && slices.Contains(payloads, payload) {
				a.keyPayload = payload
			}
		}
	}
	if host == "" {
		host = sessionHost
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || port == 0 || addr.Zone() != "" || addr.IsMulticast() {
		return answer{}, errNoAudio
	}
	a.at = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	for _, payload := range payloads {
		if c := codec(payload); c == pcmu || c == pcma {
			a.codec = c
			return a, nil
		}
	}
	return answer{}, errNoG711
}

// readMedia reads "audio 16384 RTP/AVP 0 8 101"; the port is 0 where the line is of no use.
func readMedia(value string) (port uint64, payloads []byte) {
	fields := strings.Fields(value)
	if len(fields) < 4 || fields[2] != "RTP/AVP" { // RTP/SAVP would be encrypted
		return 0, nil
	}
	port, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil {
		return 0, nil
	}
	for _, field := range fields[3:] {
		if n, err := strconv.ParseUint(field, 10, 7); err == nil {
			payloads = append(payloads, byte(n))
		}
	}
	return port, payloads
}

// connection is the address in "IN IP4 192.0.2.1".
func connection(value string) string {
	fields := strings.Fields(value)
	if len(fields) != 3 || fields[0] != "IN" {
		return ""
	}
	return fields[2]
}

// keyPayload is the number in "rtpmap:101 telephone-event/8000".
func keyPayload(value string) (payload byte, ok bool) {
	value, ok = strings.CutPrefix(value, "rtpmap:")
	if !ok {
		return 0, false
	}
	number, name, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(number, 10, 7)
	return byte(n), err == nil && n > 0 && strings.EqualFold(strings.TrimSpace(name), "telephone-event/8000")
}
