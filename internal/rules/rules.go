// Package rules has a verifyd dev behave by the destination: a number that no carrier reaches, one whose
// message or whose report comes late or twice, a landline, a country that is closed, a code that is always
// the same. A test names the case by the number that it uses and needs no other preparation.
//
// Rules stand in the place of a carrier and its reports, of a lookup, of a rule of geography and of a draw of
// randomness, so everything else is what production does with such an answer. docs/testing.md has the table
// of what a rule may say; the rows about carriers and reports are the tables behaviours and reportings.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// Rule says what happens with some destinations. What it leaves empty is as it would be without it.
type Rule struct {
	// To is the destination, with * for any part: "+346000000*", "*@bounce.example".
	To string `json:"to"`
	// Channel is that of the message, for Carrier, Report and Country: "sms", "call"…; empty is every channel.
	Channel string `json:"channel,omitempty"`
	// Carrier is what becomes of the message: "delivers", "late", "twice", "loses", "refuses", "throttles",
	// "breaks" or "doubts".
	Carrier string `json:"carrier,omitempty"`
	// Report is what the carrier says of it afterwards: "never", "delivered", "late", "twice" or "failed".
	Report string `json:"report,omitempty"`
	// After is how late a Carrier or a Report is that is late: "90s", "5m", from 1s to 24h; empty is 30s.
	After string `json:"after,omitempty"`
	// Country is "blocked" for a number to which no message may go: the start is refused with 60605.
	Country string `json:"country,omitempty"`
	// Line is what a lookup says of a number: "mobile", "landline" or "voip".
	Line string `json:"line,omitempty"`
	// Code is the code of every verification: 4 to 10 digits or letters.
	Code string `json:"code,omitempty"`
}

// blocked is the only thing that a rule can say of a country.
const blocked = "blocked"

// Check says what is wrong with a rule.
func (r Rule) Check() error {
	_, knownCarrier := behaviourOf(r.Carrier)
	_, knownReport := reportingOf(r.Report)
	after, err := time.ParseDuration(r.After)
	switch {
	case r.To == "":
		return errors.New("to is missing: a destination, with * for any part")
	case r.Carrier != "" && !knownCarrier:
		return fmt.Errorf("carrier %q is none of%s", r.Carrier, carriers())
	case r.Report != "" && !knownReport:
		return fmt.Errorf("report %q is none of%s", r.Report, reports())
	case r.After != "" && (err != nil || after < leastLate || after > mostLate):
		return fmt.Errorf("after %q is no time from 1s to 24h", r.After)
	case r.After != "" && r.Carrier != late && r.Report != late:
		return fmt.Errorf("after is for a carrier or a report that is %s", late)
	case r.Country != "" && r.Country != blocked:
		return fmt.Errorf("country %q is not %s", r.Country, blocked)
	case r.Country != "" && strings.Contains(r.To, "@"):
		return errors.New("country is of a number, and e-mail has none")
	case r.Channel != "" && !slices.Contains(verify.Channels(), verify.Channel(r.Channel)):
		return fmt.Errorf("channel %q is unknown", r.Channel)
	case r.Line != "" && !slices.Contains([]verify.LineType{verify.Mobile, verify.Landline, verify.VoIP}, verify.LineType(r.Line)):
		return fmt.Errorf("line %q is none of mobile landline voip", r.Line)
	case r.Code != "" && !verify.ValidCode(r.Code):
		return fmt.Errorf("code %q has not 4 to 10 digits or letters", r.Code)
	default:
		return nil
	}
}

// Parse reads rules from JSON: {"rules":[{"to":"+34600*","carrier":"refuses"}]}. A key that means nothing is
// an error.
func Parse(text []byte) ([]Rule, error) {
	var file struct {
		Rules []Rule `json:"rules"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("rules: something follows the object")
	}
	for i, r := range file.Rules {
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return file.Rules, nil
}
