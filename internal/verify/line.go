package verify

import (
	"context"

	"github.com/verifyd/verifyd/internal/phone"
)

// Line is what a lookup says of the line behind a number; "" is what nobody knows.
type Line struct {
	Type    LineType `json:"type,omitempty"`
	Carrier string   `json:"carrier,omitempty"`
	MCC     string   `json:"mcc,omitempty"` // mobile country code: 214
	MNC     string   `json:"mnc,omitempty"` // mobile network code: 07
	// ErrorCode says that the carrier could not be found out, 0 if it was, or nobody was asked.
	ErrorCode Code `json:"error_code,omitempty"`
}

// LineType is a kind of line, as the API spells it.
type LineType string

// The types of line.
const (
	Mobile   LineType = "mobile"
	Landline LineType = "landline"
	VoIP     LineType = "voip"
)

// Lines looks numbers up somewhere outside. It has a deadline of its own.
type Lines interface {
	Line(ctx context.Context, number string) (Line, error)
}

// lookUp looks the number of a start up. The numbering plan knows the type of many lines. Where
// somebody outside can be asked, what he knows counts more; if he fails, the start goes on without.
func (e *Engine) lookUp(ctx context.Context, w *wish) {
	if w.channel == Email {
		return
	}
	line := Line{Type: LineType(phone.LineType(w.to))}
	if e.Lines != nil {
		found, err := e.Lines.Line(ctx, w.to)
		if err != nil {
			line.ErrorCode = CodeCarrierError
		} else {
			if found.Type == "" {
				found.Type = line.Type
			}
			line = found
		}
	}
	w.line = &line
}

// unfitLine refuses a text message to a landline, if the service wants that. Only what is surely a
// landline is refused: in North America a number does not say what it is.
func (w *wish) unfitLine(s *Service) error {
	if w.line != nil && w.line.Type == Landline && w.channel == SMS && s.SkipSMSToLandlines {
		return &Error{Code: CodeLandline}
	}
	return nil
}
