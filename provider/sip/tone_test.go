package sip

import (
	"math"
	"testing"
)

// goertzel is how loud one frequency is in the samples.
func goertzel(samples []float64, frequency float64) float64 {
	k := 2 * math.Cos(2*math.Pi*frequency/sampleRate)
	var a, b float64
	for _, s := range samples {
		a, b = s+k*a-b, a
	}
	return a*a + b*b - k*a*b
}

// keyByEar is the key whose two tones a piece of sound has, 0 if it has none.
func keyByEar(ulaw []byte) byte {
	samples := make([]float64, len(ulaw))
	var energy float64
	for i, u := range ulaw {
		samples[i] = float64(ulawToLinear(u))
		energy += samples[i] * samples[i]
	}
	if energy/float64(len(ulaw)) < 1000*1000 {
		return 0
	}
	loudest := func(tones [4]float64) (place int, share float64) {
		for i, f := range tones {
			if e := goertzel(samples, f); e > share {
				place, share = i, e
			}
		}
		return place, share / (energy * float64(len(ulaw)) / 2)
	}
	row, rowShare := loudest(rowTones)
	column, columnShare := loudest(columnTones)
	if rowShare < 0.3 || columnShare < 0.3 {
		return 0
	}
	return "123A456B789C*0#D"[4*row+column]
}

// keysByEar are the keys in a piece of sound, by the middle of each 100 ms.
func keysByEar(ulaw []byte) string {
	var found []byte
	last := byte(0)
	for at := 0; at+2*frameSize <= len(ulaw); at += frameSize {
		key := keyByEar(ulaw[at : at+2*frameSize])
		if key != 0 && key != last {
			found = append(found, key)
		}
		last = key
	}
	return string(found)
}

func TestTonesAreThoseOfTheirKeys(t *testing.T) {
	for i := range keys {
		if got := keyByEar(tone(keys[i])); got != keys[i] {
			t.Errorf("the tone of %c sounds like %q", keys[i], got)
		}
	}
}
