package sip

import (
	"encoding/binary"
	"errors"
	"math"
)

var errNotWAV = errors.New("not a WAV file of 16-bit samples")

// maxRate is above what any voice speaks at.
const maxRate = 192_000

// readWAV is the sound in a WAV file as linear samples of one channel. Programs that write to a
// pipe do not know how much they will say: a length that is too long means "to the end".
func readWAV(b []byte) (samples []int16, rate int, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errNotWAV
	}
	channels := 0
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), uint64(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		chunk := b[:min(size, uint64(len(b)))]
		switch name {
		case "fmt ":
			if len(chunk) < 16 {
				return nil, 0, errNotWAV
			}
			format := binary.LittleEndian.Uint16(chunk)
			channels = int(binary.LittleEndian.Uint16(chunk[2:]))
			rate = int(binary.LittleEndian.Uint32(chunk[4:]))
			bits := binary.LittleEndian.Uint16(chunk[14:])
			// 0xfffe is the extensible form, whose first bytes are the same.
			if format != 1 && format != 0xfffe || bits != 16 || channels < 1 || channels > 8 || rate < sampleRate || rate > maxRate {
				return nil, 0, errNotWAV
			}
		case "data":
			if channels == 0 {
				return nil, 0, errNotWAV
			}
			return mix(chunk, channels), rate, nil
		}
		b = b[min(size+size%2, uint64(len(b))):]
	}
	return nil, 0, errNotWAV
}

// mix is the mean of the channels.
func mix(data []byte, channels int) []int16 {
	samples := make([]int16, len(data)/2/channels)
	for i := range samples {
		sum := 0
		for c := range channels {
			sum += int(int16(binary.LittleEndian.Uint16(data[2*(i*channels+c):])))
		}
		samples[i] = int16(sum / channels)
	}
	return samples
}

// telephone is the sound as a telephone carries it: 8,000 samples per second of µ-law, at a level
// that can be heard, without the silence around it.
func telephone(samples []int16, rate int) []byte {
	heard := resample(samples, rate)
	var peak float64
	for _, s := range heard {
		peak = max(peak, math.Abs(s))
	}
	const loud, quiet = 0.7 * math.MaxInt16, 0.01 * math.MaxInt16
	if peak == 0 {
		return nil
	}
	ulaw := make([]byte, len(heard))
	first, last := len(heard), 0
	for i, s := range heard {
		s *= loud / peak
		if math.Abs(s) > quiet {
			first, last = min(first, i), i
		}
		ulaw[i] = linearToUlaw(int16(s))
	}
	return ulaw[first : last+1]
}

// resample brings the sound to 8,000 samples per second. What lies above 3.8 kHz would come back as
// noise and is filtered out: a windowed sinc.
func resample(samples []int16, rate int) []float64 {
	const lobes = 16
	step := float64(rate) / sampleRate
	cut := 2 * 3800 / float64(rate) // of the half of the old rate
	if rate == sampleRate {
		cut = 1
	}
	reach := int(lobes * step)
	out := make([]float64, int(float64(len(samples))/step))
	for i := range out {
		at := float64(i) * step
		var sum, weight float64
		for j := max(0, int(at)-reach); j <= min(len(samples)-1, int(at)+reach); j++ {
			x := float64(j) - at
			w := sinc(x*cut) * (0.5 + 0.5*math.Cos(math.Pi*x/float64(reach+1)))
			sum += w * float64(samples[j])
			weight += w
		}
		if weight > 0 {
			out[i] = sum / weight
		}
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
