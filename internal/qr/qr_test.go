package qr_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/qr"
)

const sample = "otpauth://totp/ACME%20Login:Ann%20O%27Neil?secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT&issuer=ACME%20Login&algorithm=SHA1&digits=6&period=30"

func encode(t *testing.T, text string) qr.Code {
	t.Helper()
	c, err := qr.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bitmap is a picture by rows; true is dark.
type bitmap [][]bool

// fromTerminal reads what a terminal shows.
func fromTerminal(t *testing.T, text string) bitmap {
	t.Helper()
	var rows bitmap
	for line := range strings.Lines(text) {
		line, begins := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\x1b[40;97m")
		line, ends := strings.CutSuffix(line, "\x1b[0m")
		if !begins || !ends {
			t.Fatalf("a line does not set its colours: %q", line)
		}
		var upper, lower []bool
		for _, half := range line {
			upper = append(upper, half == '▄' || half == ' ')
			lower = append(lower, half == '▀' || half == ' ')
		}
		rows = append(rows, upper, lower)
	}
	return rows[:len(rows[0])]
}

var (
	viewBox = regexp.MustCompile(`viewBox="0 0 (\d+) `)
	module  = regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`)
)

// fromSVG reads what a browser draws.
func fromSVG(t *testing.T, svg string) bitmap {
	t.Helper()
	size, err := strconv.Atoi(viewBox.FindStringSubmatch(svg)[1])
	if err != nil {
		t.Fatal(err)
	}
	rows := make(bitmap, size)
	for y := range rows {
		rows[y] = make([]bool, size)
	}
	for _, m := range module.FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		rows[y][x] = true
	}
	return rows
}

func TestBothPicturesAreTheSame(t *testing.T) {
	for _, text := range []string{"", "x", sample, strings.Repeat("long ", 100)} {
		c := encode(t, text)
		terminal, svg := fromTerminal(t, c.Terminal()), fromSVG(t, c.SVG())
		if fmt.Sprint(terminal) != fmt.Sprint(svg) {
			t.Errorf("the pictures of %.20q differ", text)
		}
		// The margin is light, and in three corners stands the pattern that readers look for.
		last := len(svg) - 1
		for i := range svg {
			for margin := range 4 {
				if svg[margin][i] || svg[last-margin][i] || svg[i][margin] || svg[i][last-margin] {
					t.Fatalf("the margin of %.20q is not light", text)
				}
			}
		}
		for _, corner := range [][2]int{{4, 4}, {4, last - 10}, {last - 10, 4}} {
			for y, row := range []string{"#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"} {
				for x, want := range row {
					if svg[corner[0]+y][corner[1]+x] != (want == '#') {
						t.Fatalf("no finder pattern at %v of %.20q", corner, text)
					}
				}
			}
		}
	}
}

func TestATextThatIsTooLong(t *testing.T) {
	if _, err := qr.Encode(strings.Repeat("x", 3000)); err == nil {
		t.Error("3000 bytes are in a code")
	}
}
