package api

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/verify"
)

// The bounds of a request.
const (
	maxBody       = 64 << 10
	maxParameters = 100
	maxValue      = 8 << 10
)

// badForm is the error of a body that cannot be read as a form; Twilio has no parameter name to
// give either.
var badForm = &verify.Error{Code: verify.CodeInvalidParameter, Param: "(null)"}

// readForm reads the parameters of a POST from its body alone: what stands in the query could be
// in an access log.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if kind := r.Header.Get("Content-Type"); kind != "" && kind != formType {
		media, _, err := mime.ParseMediaType(kind)
		if err != nil || media != formType {
			return nil, badForm
		}
	}
	body := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return nil, badForm
	}
	return parseForm(body.String())
}

const formType = "application/x-www-form-urlencoded"

// parseForm reads name=value pairs that are separated by &. A semicolon is an ordinary character,
// because iOS sends it unescaped; url.ParseQuery would drop the pair.
func parseForm(s string) (url.Values, error) {
	form := url.Values{}
	n := 0
	for pair := range strings.SplitSeq(s, "&") {
		if pair == "" {
			continue
		}
		if n++; n > maxParameters {
			return nil, badForm
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return nil, badForm
		}
		value, err = unescape(value)
		if err != nil {
			return nil, badForm
		}
		// twilio-go writes the dot of a query parameter as `\.`.
		name = strings.ReplaceAll(name, `\.`, ".")
		if !validText(name) || !validText(value) {
			return nil, &verify.Error{Code: verify.CodeInvalidParameter, Param: printable(name)}
		}
		form[name] = append(form[name], value)
	}
	return form, nil
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// validText refuses what one database stores and another does not: invalid UTF-8 and NUL.
func validText(s string) bool {
	return len(s) <= maxValue && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// printable makes a parameter name from outside fit for an error text.
func printable(name string) string {
	if len(name) > 64 || !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
		return "(null)"
	}
	return name
}

// decode fills the struct that dst points to from a form. Each field is tagged with its parameter,
// spelt as it is sent: `form:"Push.IncludeDate"`. Dots are part of the name. A field is a *string,
// *int or *bool, nil when the parameter was not sent, a string, or a []string that takes every value
// of a repeated parameter. Unknown parameters are ignored, and where one value is wanted the first
// counts, as Twilio does.
func decode(form url.Values, dst any) error {
	v := reflect.ValueOf(dst).Elem()
	for _, f := range fieldsOf(v.Type()) {
		values, sent := form[f.param]
		if !sent {
			continue
		}
		if f.set == nil { // a list
			v.FieldByIndex(f.index).Set(reflect.ValueOf(values))
			continue
		}
		if err := f.set(v.FieldByIndex(f.index), values[0]); err != nil {
			return &verify.Error{Code: verify.CodeInvalidParameter, Param: f.param}
		}
	}
	return nil
}

type field struct {
	index []int
	param string
	set   func(reflect.Value, string) error
}

var fieldCache sync.Map // reflect.Type → []field

func fieldsOf(t reflect.Type) []field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]field)
	}
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		if param, tagged := f.Tag.Lookup("form"); tagged {
			fields = append(fields, field{f.Index, param, setters[f.Type]})
		}
	}
	cached, _ := fieldCache.LoadOrStore(t, fields)
	return cached.([]field)
}

var setters = map[reflect.Type]func(reflect.Value, string) error{
	reflect.TypeFor[string](): func(v reflect.Value, s string) error {
		v.SetString(s)
		return nil
	},
	reflect.TypeFor[*string](): func(v reflect.Value, s string) error {
		v.Set(reflect.ValueOf(&s))
		return nil
	},
	reflect.TypeFor[*int](): func(v reflect.Value, s string) error {
		n, err := strconv.ParseInt(s, 10, 32)
		number := int(n)
		v.Set(reflect.ValueOf(&number))
		return err
	},
	reflect.TypeFor[*bool](): func(v reflect.Value, s string) error {
		b, err := parseBool(s)
		v.Set(reflect.ValueOf(&b))
		return err
	},
}

// parseBool reads true and false in any case: Python programs without a library send True.
func parseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	default:
		return false, strconv.ErrSyntax
	}
}
