package sip

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func TestPacketsAreWrittenAndRead(t *testing.T) {
	p := packet{marker: true, payload: 101, sequence: 0x1234, timestamp: 0xdeadbeef, ssrc: 0x01020304, data: []byte{5, 0x8a, 0x03, 0x20}}
	const wire = "80e51234deadbeef01020304058a0320" // RFC 3550, 5.1; RFC 4733, 2.3
	got := p.append(nil)
	if hex.EncodeToString(got) != wire {
		t.Errorf("got %x, want %s", got, wire)
	}
	back, err := readPacket(got)
	if err != nil || !bytes.Equal(back.data, p.data) || back.sequence != p.sequence || !back.marker || back.payload != 101 {
		t.Errorf("got %+v, %v", back, err)
	}
	if e, ok := readKeyEvent(back.data); !ok || e != (keyEvent{key: '5', end: true, duration: 800}) {
		t.Errorf("got %+v, %v", e, ok)
	}
}

func TestPacketsAsOthersWriteThem(t *testing.T) {
	const header = "0001000000020000000300"
	for _, c := range []struct{ name, wire, data string }{
		{"plain", "8000" + "0001" + "00000002" + "00000003" + "ffff", "ffff"},
		{"a contributing source", "8100" + "0001" + "00000002" + "00000003" + "aaaaaaaa" + "ffff", "ffff"},
		{"an extension", "9000" + "0001" + "00000002" + "00000003" + "bede0001" + "00000000" + "ffff", "ffff"},
		{"padding", "a000" + "0001" + "00000002" + "00000003" + "ffff" + "0002", "ffff"},
		{"nothing inside", "8000" + "0001" + "00000002" + "00000003", ""},
	} {
		b, _ := hex.DecodeString(c.wire)
		if p, err := readPacket(b); err != nil || hex.EncodeToString(p.data) != c.data {
			t.Errorf("%s: got %x, %v", c.name, p.data, err)
		}
	}
	for name, wire := range map[string]string{
		"short":              "80",
		"version 1":          "4000" + header + "00",
		"sources missing":    "8f00" + header + "00",
		"extension cut":      "9000" + header + "00" + "be",
		"extension too long": "9000" + header + "00" + "bedeffff",
		"padding too long":   "a000" + header + "00" + "ff",
		"padding of nothing": "a000" + header + "00" + "00",
	} {
		b, _ := hex.DecodeString(wire)
		if p, err := readPacket(b); err == nil {
			t.Errorf("%s: got %+v", name, p)
		}
	}
}

func FuzzReadPacket(f *testing.F) {
	f.Add(packet{payload: 101, data: []byte{5, 0x8a, 3, 32}}.append(nil))
	f.Add([]byte{0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0, 0, 0, 0, 1})
	f.Add([]byte{0xbf, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 12})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPacket(b)
		if err != nil {
			return
		}
		again, err := readPacket(p.append(nil))
		if err != nil || !bytes.Equal(again.data, p.data) || again.timestamp != p.timestamp || again.payload != p.payload {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
		readKeyEvent(p.data)
	})
}

func FuzzReadKeyEvent(f *testing.F) {
	f.Add([]byte{11, 0x80, 0, 1})
	f.Add([]byte{16, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := readKeyEvent(b)
		if !ok {
			return
		}
		again, ok := readKeyEvent(e.append(nil, int(b[0])))
		if !ok || again != e {
			t.Errorf("%+v became %+v", e, again)
		}
	})
}
