// Package qr draws a text as a QR code, for a terminal or a web page. It is for the addresses that
// authenticator apps read; the encoding is rsc.io/qr's.
package qr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// Code is a square of dark and light modules.
type Code struct{ code *qr.Code }

// Encode makes the code of a text, with enough redundancy for a display. It fails for a text of more
// than two thousand bytes.
func Encode(text string) (Code, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return Code{}, fmt.Errorf("make a QR code: %w", err)
	}
	return Code{c}, nil
}

// quiet is the width of the light margin that readers need, in modules.
const quiet = 4

// size is the width of the square with its margin.
func (c Code) size() int { return c.code.Size + 2*quiet }

func (c Code) dark(x, y int) bool { return c.code.Black(x-quiet, y-quiet) }

// The terminal draws a light module with its foreground, so that the colours are set together and
// the code is the same on a dark and on a light screen.
const (
	whiteOnBlack = "\x1b[40;97m"
	reset        = "\x1b[0m"
)

// Terminal draws two rows of modules in a line of text.
func (c Code) Terminal() string {
	halves := map[[2]bool]string{
		{false, false}: "█", {false, true}: "▀", {true, false}: "▄", {true, true}: " ",
	}
	var b strings.Builder
	for y := 0; y < c.size(); y += 2 {
		b.WriteString(whiteOnBlack)
		for x := range c.size() {
			// Below the last row of an odd number of rows nothing is drawn.
			below := y+1 == c.size() || c.dark(x, y+1)
			b.WriteString(halves[[2]bool{c.dark(x, y), below}])
		}
		b.WriteString(reset + "\n")
	}
	return b.String()
}

// SVG draws a picture that has no size of its own.
func (c Code) SVG() string {
	var path strings.Builder
	for y := range c.size() {
		for x := range c.size() {
			if c.dark(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, c.size(), &path)
}
