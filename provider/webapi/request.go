package webapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// request is a RequestConfig that was found good.
type request struct {
	now             func() time.Time
	from, reportURL string
	method          string
	base            *url.URL
	path            template
	headers         fields
	query, form     fields
	json            any // a template, a map[string]any, a []any, or a json.RawMessage as it is
	xml             template
	fixed           http.Header
}

// fields are templates by name, in the order of the names.
type fields []field

type field struct {
	name  string
	value template
}

// request is that of a message.
func (c Config) request(now func() time.Time) (*request, error) {
	r, err := c.parseRequest(now)
	if err == nil && r.form == nil && r.json == nil && r.xml == nil && r.query == nil && r.path == nil {
		err = errors.New("request: says nothing of the message; set form, json, xml, query or path")
	}
	return r, err
}

func (c Config) parseRequest(now func() time.Time) (*request, error) {
	base, err := httpsend.ParseURL("url", c.URL, c.AllowPlainHTTP)
	if err != nil {
		return nil, err
	}
	r := &request{
		now: now, from: c.From, reportURL: c.ReportURL, base: base, method: c.Request.Method, fixed: http.Header{},
	}
	switch r.method {
	case "":
		r.method = http.MethodPost
	case http.MethodPost, http.MethodGet, http.MethodPut:
	default:
		return nil, fmt.Errorf("request.method: %q is none of POST, GET, PUT", r.method)
	}
	if err := c.requestTemplates(r); err != nil {
		return nil, err
	}
	if len(c.Request.Basic) > 0 {
		if err := r.basic(c.Request.Basic, c.Vars); err != nil {
			return nil, fmt.Errorf("request.basic: %w", err)
		}
	}
	return r, r.bodyType()
}

func (c Config) requestTemplates(r *request) (err error) {
	if r.path, err = parseTemplate(c.Request.Path, c.Vars); err != nil {
		return fmt.Errorf("request.path: %w", err)
	}
	if _, err := httpsend.ParseHeaders(c.Request.Headers, "Content-Type"); err != nil {
		return fmt.Errorf("request.%w", err)
	}
	if r.headers, err = parseFields("request.headers", c.Request.Headers, c.Vars); err != nil {
		return err
	}
	if r.query, err = parseFields("request.query", c.Request.Query, c.Vars); err != nil {
		return err
	}
	if r.form, err = parseFields("request.form", c.Request.Form, c.Vars); err != nil {
		return err
	}
	if r.xml, err = parseTemplate(c.Request.XML, c.Vars); err != nil {
		return fmt.Errorf("request.xml: %w", err)
	}
	if len(c.Request.JSON) > 0 {
		if r.json, err = parseJSON(c.Request.JSON, c.Vars); err != nil {
			return fmt.Errorf("request.json: %w", err)
		}
	}
	return nil
}

func parseFields(key string, table, vars map[string]string) (fields, error) {
	var all fields
	for _, name := range slices.Sorted(maps.Keys(table)) {
		t, err := parseTemplate(table[name], vars)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", key, name, err)
		}
		all = append(all, field{name, t})
	}
	return all, nil
}

// parseJSON makes a template of every text in a JSON value.
func parseJSON(text json.RawMessage, vars map[string]string) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return templates(value, vars)
}

func templates(value any, vars map[string]string) (any, error) {
	switch v := value.(type) {
	case string:
		return parseTemplate(v, vars)
	case map[string]any:
		for name, inner := range v {
			t, err := templates(inner, vars)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			v[name] = t
		}
	case []any:
		for i, inner := range v {
			t, err := templates(inner, vars)
			if err != nil {
				return nil, err
			}
			v[i] = t
		}
	}
	return value, nil
}

func (r *request) basic(pair []string, vars map[string]string) error {
	if len(pair) != 2 {
		return errors.New(`want a user and a password: ["{{vars.user}}", "{{vars.password}}"]`)
	}
	var plain []string
	for _, text := range pair {
		t, err := parseTemplate(text, vars)
		if err != nil {
			return err
		}
		text, _ := t.render(moment{}, asIs)
		plain = append(plain, text)
	}
	r.fixed.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(plain[0]+":"+plain[1])))
	return nil
}

// bodyType sets the Content-Type, of which there must be one at most.
func (r *request) bodyType() error {
	bodies := 0
	for contentType, there := range map[string]bool{
		"application/x-www-form-urlencoded": r.form != nil,
		"application/json":                  r.json != nil,
		"text/xml; charset=utf-8":           r.xml != nil,
	} {
		if there {
			bodies++
			r.fixed.Set("Content-Type", contentType)
		}
	}
	switch {
	case bodies > 1:
		return errOneBody
	case bodies == 1 && r.method == http.MethodGet:
		return errors.New("request: a GET has no body; use query")
	}
	return nil
}

// write is the request for m. It fails when a value does not fit where it stands.
func (r *request) write(m provider.Message) (httpsend.Request, error) {
	x := moment{m: m, now: r.now(), from: r.from, reportURL: r.reportURL}
	out := httpsend.Request{Method: r.method, Header: r.fixed.Clone()}
	for _, f := range r.headers {
		value, whole := f.value.render(x, asIs)
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return out, fmt.Errorf("the header %s would hold a line break", f.name)
		}
		if whole {
			out.Header.Set(f.name, value)
		}
	}
	var err error
	if out.URL, err = r.url(x); err != nil {
		return out, err
	}
	switch {
	case r.form != nil:
		out.Body = []byte(r.form.encode(x))
	case r.json != nil:
		out.Body, _, err = appendJSON(nil, r.json, x)
	case r.xml != nil:
		document, _ := r.xml.render(x, escapeXML)
		out.Body = []byte(document)
	}
	return out, err
}

func (r *request) url(x moment) (string, error) {
	u := *r.base
	if len(r.path) > 0 {
		path, whole := r.path.render(x, url.PathEscape)
		if !whole {
			return "", errors.New("the message lacks what the path names")
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				return "", errors.New("the path would name another place")
			}
		}
		escaped := strings.TrimSuffix(u.EscapedPath(), "/") + "/" + strings.TrimPrefix(path, "/")
		plain, err := url.PathUnescape(escaped)
		if err != nil {
			return "", errors.New("the path is not valid")
		}
		u.Path, u.RawPath = plain, escaped
	}
	if query := r.query.encode(x); query != "" {
		if u.RawQuery != "" {
			query = u.RawQuery + "&" + query
		}
		u.RawQuery = query
	}
	return u.String(), nil
}

func (fs fields) encode(x moment) string {
	all := url.Values{}
	for _, f := range fs {
		if value, whole := f.value.render(x, asIs); whole {
			all.Set(f.name, value)
		}
	}
	return all.Encode()
}

// appendJSON writes value. It is not whole where it is a text with an empty place: a field of an
// object is then left out.
func appendJSON(b []byte, value any, x moment) (_ []byte, whole bool, err error) {
	switch v := value.(type) {
	case template:
		text, whole := v.render(x, asIs)
		if !v.number() {
			return appendText(b, text), whole, nil
		}
		if whole && !number.MatchString(text) {
			return b, false, errors.New("a value that should be a number is none")
		}
		return append(b, text...), whole, nil
	case map[string]any:
		b = append(b, '{')
		first := true
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner, whole, err := appendJSON(nil, v[name], x)
			if err != nil {
				return b, false, err
			}
			if !whole {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(append(appendText(b, name), ':'), inner...)
		}
		return append(b, '}'), true, nil
	case []any:
		b = append(b, '[')
		for i, inner := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, whole, err = appendJSON(b, inner, x); err != nil {
				return b, false, err
			}
			if !whole {
				return b, false, errors.New("the message lacks what a list names")
			}
		}
		return append(b, ']'), true, nil
	}
	plain, err := json.Marshal(value) // a number, a bool or null
	return append(b, plain...), true, err
}

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func appendText(b []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has a JSON form
	}
	return append(b, quoted...)
}

func escapeXML(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
