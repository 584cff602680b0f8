//go:build full

package qr_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// pgm is the picture in a format that zbarimg reads, eight pixels to the module.
func (b bitmap) pgm() []byte {
	const scale = 8
	var out bytes.Buffer
	fmt.Fprintf(&out, "P5 %d %d 255\n", len(b)*scale, len(b)*scale)
	for _, row := range b {
		for range scale {
			for _, dark := range row {
				shade := byte(255)
				if dark {
					shade = 0
				}
				out.Write(bytes.Repeat([]byte{shade}, scale))
			}
		}
	}
	return out.Bytes()
}

func TestAReaderReadsIt(t *testing.T) {
	for _, text := range []string{"x", sample, strings.Repeat("long ", 100)} {
		cmd := exec.Command("zbarimg", "--quiet", "--raw", "--oneshot", "-Sdisable", "-Sqrcode.enable", "pgm:-")
		cmd.Stdin = bytes.NewReader(fromTerminal(t, encode(t, text).Terminal()).pgm())
		got, err := cmd.Output()
		if err != nil || strings.TrimSuffix(string(got), "\n") != text {
			t.Errorf("got %q, %v, want %q (`make tools` installs zbarimg)", got, err, text)
		}
	}
}
