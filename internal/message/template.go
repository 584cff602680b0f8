package message

import (
	"fmt"
	"strings"
)

// A field is a placeholder of the catalogue, named as in Twilio's templates.
type field int

const (
	literal field = iota
	brand
	code
	amount
	payee
	fields
)

var fieldNames = [fields]string{brand: "friendly_name", code: "code", amount: "amount", payee: "payee"}

// values are what the placeholders stand for; the literal has none.
type values [fields]string

// template is a text taken apart: literals, and fields between them.
type template []part

type part struct {
	field field
	text  string // of a literal
	// variable names a value of the sender's own, in an operator's text that was not bound yet.
	variable string
}

// parse takes a text of the catalogue apart at its placeholders. Braces that are none are an error:
// a translator who writes {{ kode }} should hear of it.
func parse(text string) (template, error) {
	return split(text, func(name string) (part, bool) {
		f := fieldNamed(name)
		return part{field: f}, f != literal
	})
}

// split takes text apart; known says what a placeholder is. After an error, the template has the
// rest of the text as a literal.
func split(text string, known func(name string) (part, bool)) (template, error) {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if strings.Contains(before, "}}") {
			return append(t, part{text: text}), fmt.Errorf("}} without {{ in %q", before)
		}
		if before != "" {
			t = append(t, part{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return append(t, part{text: "{{" + rest}), fmt.Errorf("{{ without }} before %q", rest)
		}
		p, ok := known(name)
		if !ok {
			return append(t, part{text: "{{" + rest}), fmt.Errorf("unknown placeholder {{%s}}", name)
		}
		t = append(t, p)
		text = after
	}
	return t, nil
}

func fieldNamed(name string) field {
	for f := brand; f < fields; f++ {
		if fieldNames[f] == name {
			return f
		}
	}
	return literal
}

// size is the number of bytes that appendTo will add.
func (t template) size(v *values) int {
	n := 0
	for _, p := range t {
		n += len(p.text) + len(v[p.field])
	}
	return n
}

// appendTo writes the text with its fields filled in. It goes over the parts once, so what a value
// contains is never looked at: a brand called "{{code}}" stays that.
func (t template) appendTo(b *strings.Builder, v *values) {
	for _, p := range t {
		b.WriteString(p.text)
		b.WriteString(v[p.field])
	}
}

// fill is appendTo for a text that stands alone.
func (t template) fill(v *values) string {
	var b strings.Builder
	b.Grow(t.size(v))
	t.appendTo(&b, v)
	return b.String()
}
