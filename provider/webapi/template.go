package webapi

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/verifyd/verifyd/provider"
)

// template is a text with places in it, "to={{to | digits}}". It is checked whole when it is
// parsed, and rendering it cannot fail.
type template []piece

// piece is literal text, or a place: a value and the filters that it goes through.
type piece struct {
	literal string
	value   func(moment) string
	filters []func(string) string
	number  bool
}

// moment is what the values of a template are taken from.
type moment struct {
	m         provider.Message
	now       time.Time
	from      string
	reportURL string
}

// values are the names that a template knows, besides vars.NAME.
var values = map[string]func(moment) string{
	"attempt":           func(x moment) string { return x.m.Attempt },
	"brand":             func(x moment) string { return x.m.Brand },
	"channel":           func(x moment) string { return x.m.Channel },
	"code":              func(x moment) string { return x.m.Code },
	"country":           func(x moment) string { return x.m.Country },
	"encoding":          func(x moment) string { return x.m.Encoding },
	"key":               func(x moment) string { return x.m.Key },
	"locale":            func(x moment) string { return x.m.Locale },
	"report_url":        func(x moment) string { return x.reportURL },
	"segments":          func(x moment) string { return strconv.Itoa(x.m.Segments) },
	"text":              func(x moment) string { return x.m.Text },
	"text_gsm7":         func(x moment) string { return x.textIn(true) },
	"text_ucs2":         func(x moment) string { return x.textIn(false) },
	"to":                func(x moment) string { return x.m.To },
	"from":              sender,
	"ttl_seconds":       func(x moment) string { return strconv.FormatInt(int64(x.ttl()/time.Second), 10) },
	"ttl_minutes":       func(x moment) string { return strconv.FormatInt(int64((x.ttl()+time.Minute-1)/time.Minute), 10) },
	"dlt_entity":        regulatory(func(r *provider.Regulatory) string { return r.DLTEntity }),
	"dlt_template":      regulatory(func(r *provider.Regulatory) string { return r.DLTTemplate }),
	"deadline":          func(x moment) string { return x.now.Add(x.ttl()).UTC().Format(time.RFC3339) },
	"subject":           email(func(e *provider.Email) string { return e.Subject }),
	"html":              email(func(e *provider.Email) string { return e.HTML }),
	"plain":             email(func(e *provider.Email) string { return e.Text }),
	"template":          registered(func(t *provider.Template) string { return t.Name }),
	"template_language": registered(func(t *provider.Template) string { return t.Language }),
}

func sender(x moment) string {
	if x.m.From != "" {
		return x.m.From
	}
	return x.from
}

func email(field func(*provider.Email) string) func(moment) string {
	return func(x moment) string {
		if x.m.Email == nil {
			return ""
		}
		return field(x.m.Email)
	}
}

func regulatory(field func(*provider.Regulatory) string) func(moment) string {
	return func(x moment) string {
		if x.m.Regulatory == nil {
			return ""
		}
		return field(x.m.Regulatory)
	}
}

func registered(field func(*provider.Template) string) func(moment) string {
	return func(x moment) string {
		if x.m.Template == nil {
			return ""
		}
		return field(x.m.Template)
	}
}

// ttl is what is left of the code's life in whole seconds, and the ten minutes of a code where the
// message does not say.
func (x moment) ttl() time.Duration {
	if x.m.Deadline.IsZero() {
		return 10 * time.Minute
	}
	return max(x.m.Deadline.Sub(x.now).Truncate(time.Second), time.Second)
}

// textIn is the text if it fits GSM 7, or if it does not, for an API that wants the one in another
// field than the other.
func (x moment) textIn(gsm7 bool) string {
	if (x.m.Encoding == "gsm7") != gsm7 {
		return ""
	}
	return x.m.Text
}

// filters change a value; pick and number are read by parsePlace itself.
var filters = map[string]func(string) string{
	"base64":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"digits":     func(s string) string { return strings.TrimPrefix(s, "+") },
	"hexutf16be": hexUTF16BE,
	"lower":      strings.ToLower,
	"upper":      strings.ToUpper,
	"urlquery":   url.QueryEscape,
}

func hexUTF16BE(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit>>8), byte(unit))
	}
	return hex.EncodeToString(b)
}

// parseTemplate checks every name in s. Errors do not repeat the text around the places.
func parseTemplate(s string, vars map[string]string) (template, error) {
	var t template
	for {
		literal, rest, found := strings.Cut(s, "{{")
		if literal != "" {
			t = append(t, piece{literal: literal})
		}
		if !found {
			return t, nil
		}
		inside, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("a {{ has no }}")
		}
		place, err := parsePlace(inside, vars)
		if err != nil {
			return nil, err
		}
		t, s = append(t, place), after
	}
}

// parsePlace reads "to | digits".
func parsePlace(inside string, vars map[string]string) (piece, error) {
	parts := strings.Split(inside, "|")
	name := strings.TrimSpace(parts[0])
	var p piece
	if own, isVar := strings.CutPrefix(name, "vars."); isVar {
		value := vars[own]
		if value == "" {
			return p, fmt.Errorf("vars.%s is missing", own)
		}
		p.value = func(moment) string { return value }
	} else if p.value = values[name]; p.value == nil {
		return p, fmt.Errorf("{{%s}} is none of vars.NAME, %s", name, strings.Join(slices.Sorted(maps.Keys(values)), ", "))
	}
	for _, f := range parts[1:] {
		words := strings.Fields(f)
		switch {
		case len(words) > 1 && words[0] == "pick":
			choose, err := parsePick(words[1:])
			if err != nil {
				return p, err
			}
			p.filters = append(p.filters, choose)
		case len(words) == 1 && words[0] == "number":
			p.number = true
		case len(words) == 1 && filters[words[0]] != nil:
			p.filters = append(p.filters, filters[words[0]])
		default:
			return p, fmt.Errorf("{{%s}}: %q is none of the filters %s, number, pick A=B …", name,
				strings.TrimSpace(f), strings.Join(slices.Sorted(maps.Keys(filters)), ", "))
		}
	}
	return p, nil
}

// parsePick reads "gsm7=0 ucs2=2": each word on the left becomes the one on its right, and others
// become nothing.
func parsePick(pairs []string) (func(string) string, error) {
	table := map[string]string{}
	for _, pair := range pairs {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("pick: %q is not of the form A=B", pair)
		}
		table[from] = to
	}
	return func(s string) string { return table[s] }, nil
}

// render writes the template. What comes from a place goes through escape; literal text does not.
// It is not whole where a place is empty: the field it is for is then left out.
func (t template) render(x moment, escape func(string) string) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for _, p := range t {
		if p.value == nil {
			b.WriteString(p.literal)
			continue
		}
		s := p.value(x)
		for _, f := range p.filters {
			s = f(s)
		}
		whole = whole && s != ""
		b.WriteString(escape(s))
	}
	return b.String(), whole
}

// number says that the template is one place alone, to be written as a JSON number.
func (t template) number() bool { return len(t) == 1 && t[0].number }

// asIs is the escape of a place whose writer escapes the whole.
func asIs(s string) string { return s }
