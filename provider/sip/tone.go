package sip

import (
	"math"
	"strings"
)

// The two tones of a key (ITU-T Q.23): its row's and its column's.
var (
	rowTones    = [4]float64{697, 770, 852, 941}
	columnTones = [4]float64{1209, 1336, 1477, 1633}
)

// tone is 100 ms of a key as a telephone sounds it, for far ends that know no events.
func tone(key byte) []byte {
	place := strings.IndexByte("123A456B789C*0#D", key)
	row, column := rowTones[place/4], columnTones[place%4]
	sound := make([]byte, toneLength*frameSize)
	for i := range sound {
		at := 2 * math.Pi * float64(i) / sampleRate
		sound[i] = linearToUlaw(int16(6000 * (math.Sin(at*row) + math.Sin(at*column))))
	}
	return sound
}
