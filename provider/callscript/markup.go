package callscript

import (
	"strconv"
	"strings"
)

// Markup is spoken XML in a vendor's names.
type Markup struct {
	Say        string // the element around a sentence
	Pause      string // the element of a silence, whose length is in whole seconds
	Attributes string // those of Say, with a space before each
}

// Sentence is one text.
func (m Markup) Sentence(text string) string {
	return "<" + m.Say + m.Attributes + ">" + Escape(text) + "</" + m.Say + ">"
}

// Lines are sentences and silences; a silence of less than half a second is none.
func (m Markup) Lines(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		if l.Say != "" {
			b.WriteString(m.Sentence(l.Say))
		} else if n := Seconds(l.Pause); n > 0 {
			b.WriteString("<" + m.Pause + ` length="` + strconv.Itoa(n) + `"/>`)
		}
	}
	return b.String()
}
