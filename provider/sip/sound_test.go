package sip

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// TestULawIsITUs compares with the ends and the steps of table 2 of G.711.
func TestULawIsITUs(t *testing.T) {
	for u, want := range map[byte]int16{0x00: -32124, 0x80: 32124, 0xff: 0, 0x7f: 0, 0xfe: 8, 0xf0: 120, 0xef: 132, 0x8f: 16764} {
		if got := ulawToLinear(u); got != want {
			t.Errorf("%#02x is %d, want %d", u, got, want)
		}
	}
	for u := range 256 {
		if got := linearToUlaw(ulawToLinear(byte(u))); got != byte(u) && u != 0x7f { // two zeros
			t.Errorf("%#02x came back as %#02x", u, got)
		}
	}
	for sample := math.MinInt16; sample <= math.MaxInt16; sample++ {
		back := int(ulawToLinear(linearToUlaw(int16(sample))))
		if far := math.Abs(float64(back - sample)); far > 4+math.Abs(float64(sample))/16 && far > 650 {
			t.Fatalf("%d came back as %d", sample, back)
		}
	}
}

// TestALawIsITUs compares with table 1 of G.711.
func TestALawIsITUs(t *testing.T) {
	for sample, want := range map[int16]byte{0: 0xd5, -1: 0x55, 32767: 0xaa, -32768: 0x2a, 16: 0xd4, 512: 0xf5, 1024: 0xe5, -1024: 0x7a} {
		if got := linearToAlaw(sample); got != want {
			t.Errorf("%d is %#02x, want %#02x", sample, got, want)
		}
	}
	if got := ulawToAlaw[ulawSilence]; got != alawSilence {
		t.Errorf("silence is %#02x, want %#02x", got, alawSilence)
	}
}

// wav is a file of one tone.
func wav(rate, channels int, frequency float64, size uint32) []byte {
	var b bytes.Buffer
	data := make([]int16, rate*channels/2)
	for i := range data {
		data[i] = int16(8000 * math.Sin(2*math.Pi*frequency*float64(i/channels)/float64(rate)))
	}
	b.WriteString("RIFF\xff\xff\xff\xffWAVEJUNK\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00\x01\x00")
	binary.Write(&b, binary.LittleEndian, []uint16{uint16(channels)})
	binary.Write(&b, binary.LittleEndian, []uint32{uint32(rate), uint32(2 * rate * channels)})
	binary.Write(&b, binary.LittleEndian, []uint16{uint16(2 * channels), 16})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, size)
	binary.Write(&b, binary.LittleEndian, data)
	return b.Bytes()
}

func TestSoundBecomesATelephones(t *testing.T) {
	for _, c := range []struct{ rate, channels int }{{8000, 1}, {16000, 1}, {22050, 1}, {44100, 2}, {48000, 2}} {
		samples, rate, err := readWAV(wav(c.rate, c.channels, 1000, 0x7ffff000)) // a length as pipes have it
		if err != nil || rate != c.rate || len(samples) != c.rate/2 {
			t.Fatalf("%d Hz: got %d samples, %d Hz, %v", c.rate, len(samples), rate, err)
		}
		ulaw := telephone(samples, rate)
		if n := len(ulaw); n < 3990 || n > 4000 {
			t.Errorf("%d Hz: half a second is %d samples", c.rate, n)
		}
		heard := make([]float64, 3200)
		var energy float64
		for i := range heard {
			heard[i] = float64(ulawToLinear(ulaw[i]))
			energy += heard[i] * heard[i]
		}
		if share := goertzel(heard, 1000) / (energy * float64(len(heard)) / 2); share < 0.98 {
			t.Errorf("%d Hz: %.0f %% of the sound is the tone", c.rate, 100*share)
		}
	}
}

// TestWhatATelephoneCannotCarryIsGone: 6 kHz would come back as 2 kHz.
func TestWhatATelephoneCannotCarryIsGone(t *testing.T) {
	samples, rate, err := readWAV(wav(22050, 1, 6000, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range resample(samples, rate)[200:3800] {
		if math.Abs(s) > 80 {
			t.Fatalf("sample %d of a tone of 6 kHz is %.0f of 8000", i, s)
		}
	}
}

func TestSilenceIsNoSound(t *testing.T) {
	if got := telephone(make([]int16, 22050), 22050); len(got) != 0 {
		t.Errorf("got %d samples", len(got))
	}
}

func FuzzReadWAV(f *testing.F) {
	good := wav(8000, 2, 440, 100)
	f.Add(good)
	f.Add(good[:60])
	f.Add([]byte("RIFF....WAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, rate, err := readWAV(b)
		if err != nil {
			return
		}
		if rate < sampleRate || rate > maxRate || 2*len(samples) > len(b) {
			t.Errorf("%d samples at %d Hz from %d bytes", len(samples), rate, len(b))
		}
		telephone(samples[:min(len(samples), 2000)], rate)
	})
}
