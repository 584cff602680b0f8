package factor

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/jsonparam"
	"github.com/verifyd/verifyd/internal/verify"
)

// The parameters that factors and challenges share (factors reference, section 0.2).

// within reports whether a record of a service and an identity lies below a path.
func within(s *verify.Service, identity, recordService, recordIdentity string) bool {
	return recordService == s.SID && validIdentity(identity) && strings.EqualFold(recordIdentity, identity)
}

// sent takes an optional parameter. One that is empty counts as not sent.
func sent(p *string) (value string, given bool) {
	if p == nil || *p == "" {
		return "", false
	}
	return *p, true
}

// maxJSONParam is the length of a parameter that is JSON, in characters.
const maxJSONParam = 1024

func validFactorName(name string) bool {
	return strings.TrimSpace(name) != "" && verify.OneLine(name, Names.Max)
}

// parseTexts reads a JSON object whose values are texts: Metadata, HiddenDetails.
func parseTexts(s string) (map[string]string, bool) {
	if utf8.RuneCountInString(s) > maxJSONParam {
		return nil, false
	}
	object, err := jsonparam.Object(s)
	if err != nil {
		return nil, false
	}
	texts := make(map[string]string, len(object))
	for name, value := range object {
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		texts[name] = text
	}
	return texts, true
}

// optionalTexts is parseTexts of a parameter that may be missing.
func optionalTexts(p *string, param string) (map[string]string, error) {
	s, given := sent(p)
	if !given {
		return nil, nil
	}
	texts, ok := parseTexts(s)
	if !ok {
		return nil, refuse(param)
	}
	return texts, nil
}

// dateLayouts are the spellings of a time that clients send.
var dateLayouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05"}

// parseDate reads an ISO 8601 time; without a zone it is in UTC. A fraction of a second is dropped,
// because the API shows none.
func parseDate(s string) (time.Time, bool) {
	s = strings.Replace(s, " ", "+", 1) // a plus sign that was not encoded
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			at = at.UTC().Truncate(time.Second)
			return at, at.Year() >= 1970 && at.Year() < 10000
		}
	}
	return time.Time{}, false
}
