package sip

// Sound is kept as µ-law, 8,000 samples per second, one byte each (ITU-T G.711): it is what
// telephones speak, and it goes on the wire as it is. A trunk that wants A-law gets it by a table.
const (
	sampleRate = 8000
	// frameSize is 20 ms of sound, what one RTP packet carries.
	frameSize = sampleRate / 50
	// ulawSilence and alawSilence are the sample 0.
	ulawSilence = 0xff
	alawSilence = 0xd5
)

// codec is one of the two forms of G.711 by its number in RTP (RFC 3551, 6).
type codec byte

const (
	pcmu codec = 0
	pcma codec = 8
)

func (c codec) String() string {
	if c == pcma {
		return "PCMA"
	}
	return "PCMU"
}

// encode writes µ-law as the codec has it.
func (c codec) encode(dst, ulaw []byte) {
	if c == pcmu {
		copy(dst, ulaw)
		return
	}
	for i, u := range ulaw {
		dst[i] = ulawToAlaw[u]
	}
}

// ulawToAlaw is computed by way of the linear sample, which differs from G.711's own table 3 in the
// rounding of the quietest steps and cannot be heard.
var ulawToAlaw = func() (table [256]byte) {
	for u := range table {
		table[u] = linearToAlaw(ulawToLinear(byte(u)))
	}
	return table
}()

// ulawToLinear is a sample of 16 bits, of which µ-law holds the upper 14.
func ulawToLinear(u byte) int16 {
	u = ^u
	magnitude := (int16(u&0x0f)<<3+0x84)<<(u>>4&7) - 0x84
	if u&0x80 != 0 {
		return -magnitude
	}
	return magnitude
}

func linearToUlaw(sample int16) byte {
	const bias, clip = 0x84, 32635
	magnitude, sign := int32(sample), byte(0)
	if magnitude < 0 {
		magnitude, sign = -magnitude, 0x80
	}
	magnitude = min(magnitude, clip) + bias
	exponent := byte(7)
	for mask := int32(0x4000); exponent > 0 && magnitude&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | exponent<<4 | byte(magnitude>>(exponent+3)&0x0f))
}

func linearToAlaw(sample int16) byte {
	magnitude, sign := int32(sample), byte(0x80)
	if magnitude < 0 {
		magnitude, sign = -magnitude-1, 0
	}
	magnitude >>= 3 // A-law holds the upper 13
	if magnitude < 32 {
		return (sign | byte(magnitude>>1)) ^ 0x55
	}
	exponent := byte(1)
	for magnitude >= 64 {
		magnitude >>= 1
		exponent++
	}
	return (sign | exponent<<4 | byte(magnitude>>1&0x0f)) ^ 0x55
}

// silence is a pause of so many milliseconds.
func silence(ms int) []byte {
	pause := make([]byte, ms*sampleRate/1000)
	for i := range pause {
		pause[i] = ulawSilence
	}
	return pause
}
