// Package twiml is a person at a telephone that is told what to do in XML, as Twilio and Plivo do it:
// it hears what is said, presses a key where it is asked for one, and follows a call from page to page.
// It is for the tests of what writes such pages.
//
// It is strict where a vendor is: an element or attribute that it does not know is an error, because a
// vendor ends the call there.
package twiml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Heard is what a person gets of a page.
type Heard struct {
	// Heard are the words until a key is waited for, or to the end of the page, and digits that are
	// spelled joined to one word: "4, 8, 2." is "482".
	Heard string
	// Language are the languages that something was said in.
	Language []string
	// Gather is where the call goes when a key is pressed, "" where none is waited for.
	Gather string
	// Redirect is where the call goes at the end of the page, "" where it ends.
	Redirect string
}

// known are the elements and their attributes, of Twilio and of Plivo.
var known = map[string]string{
	"Response": "", "Hangup": "", "Pause": "length", "Wait": "length", "Say": "language voice", "Speak": "language voice",
	"Gather":    "input numDigits finishOnKey timeout method action",
	"GetDigits": "numDigits finishOnKey timeout retries method action redirect log validDigits",
	"Redirect":  "method",
}

// Listen reads a page.
func Listen(page string) (Heard, error) {
	var h Heard
	d := xml.NewDecoder(strings.NewReader(page))
	var inside []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return h, fmt.Errorf("the page is no XML: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			attributes, ok := known[name]
			if !ok || len(inside) == 0 && name != "Response" {
				return h, fmt.Errorf("there is no element %s here", name)
			}
			for _, a := range token.Attr {
				if !slices.Contains(strings.Fields(attributes), a.Name.Local) {
					return h, fmt.Errorf("%s has no attribute %s", name, a.Name.Local)
				}
				switch {
				case a.Name.Local == "language":
					if !slices.Contains(h.Language, a.Value) {
						h.Language = append(h.Language, a.Value)
					}
				case a.Name.Local == "action":
					h.Gather = a.Value
				}
			}
			inside = append(inside, name)
		case xml.EndElement:
			inside = inside[:len(inside)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(token))
			switch at := last(inside); {
			case text == "":
			case at == "Say" || at == "Speak":
				h.Heard += Unspell(text) + " "
			case at == "Redirect":
				h.Redirect = text
			default:
				return h, fmt.Errorf("%s says %q", at, text)
			}
		}
	}
	return h, nil
}

func last(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// ListenSSML is what is heard of a text in SSML, with digits that are spelled joined as in Listen. Of
// its elements it knows speak and break.
func ListenSSML(text string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	heard := ""
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return heard, nil
		}
		if err != nil {
			return heard, fmt.Errorf("the text is no SSML: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if name := token.Name.Local; depth == 0 && name != "speak" || depth > 0 && name != "break" {
				return heard, fmt.Errorf("there is no element %s here", name)
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			// A sentence ends with its colon where a code follows.
			for sentence := range strings.SplitSeq(string(token), ": ") {
				heard += Unspell(strings.TrimSpace(sentence)) + " "
			}
		}
	}
}

// Unspell joins what was spelled: "4, 8, 2." is "482". Other words stay.
func Unspell(text string) string {
	parts := strings.Split(strings.TrimSuffix(text, "."), ", ")
	for _, part := range parts {
		if len([]rune(part)) != 1 {
			return text
		}
	}
	return strings.Join(parts, "")
}
