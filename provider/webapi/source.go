package webapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scene is an answer or a report, from which sources take values.
type scene struct {
	status int
	header http.Header
	body   []byte
	query  url.Values
	form   url.Values

	value any // the body as JSON, once it was asked for, or one element of a list
	known bool
}

// source takes one value from a scene, "" where it is not there.
type source func(*scene) string

func (s source) of(x *scene) string {
	if s == nil {
		return ""
	}
	return s(x)
}

// Which kinds of sources there are in answers and in reports.
var (
	ofAnswers = map[string]bool{"json": true, "regex": true, "header": true, "text": true, "body": true}
	ofReports = map[string]bool{"json": true, "regex": true, "header": true, "text": true, "query": true, "form": true}
)

// parseSource reads "json:/messages/0/id", "regex:^id=(.+)$", "header:X-Id", "query:id", "form:id",
// "text:EUR", which is always the same, or "body". An empty setting is no source.
func parseSource(key, setting string, allowed map[string]bool) (source, error) {
	if setting == "" {
		return nil, nil
	}
	kind, what, _ := strings.Cut(setting, ":")
	if !allowed[kind] {
		return nil, fmt.Errorf("%s: %q does not begin with one of %s", key, setting, strings.Join(slices.Sorted(maps.Keys(allowed)), ": "))
	}
	if what == "" && kind != "body" {
		return nil, fmt.Errorf("%s: %q names nothing after the colon", key, setting)
	}
	switch kind {
	case "json":
		if _, err := pointer(what); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		return func(x *scene) string { return scalarText(find(x.json(), what)) }, nil
	case "regex":
		e, err := regexp.Compile(what)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if e.NumSubexp() != 1 {
			return nil, fmt.Errorf("%s: %w", key, errGroup)
		}
		return func(x *scene) string {
			if found := e.FindSubmatch(x.body); found != nil {
				return string(found[1])
			}
			return ""
		}, nil
	case "header":
		return func(x *scene) string { return x.header.Get(what) }, nil
	case "query":
		return func(x *scene) string { return x.query.Get(what) }, nil
	case "form":
		return func(x *scene) string { return x.form.Get(what) }, nil
	case "text":
		return func(*scene) string { return what }, nil
	}
	return func(x *scene) string { return string(bytes.TrimSpace(x.body)) }, nil
}

func (x *scene) json() any {
	if !x.known {
		x.value, x.known = decode(x.body), true
	}
	return x.value
}

// decode keeps the digits of a number; an identifier may have twenty.
func decode(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return nil
	}
	return value
}

// pointer splits a JSON pointer (RFC 6901).
func pointer(p string) ([]string, error) {
	if !strings.HasPrefix(p, "/") {
		return nil, fmt.Errorf("the JSON pointer %q does not begin with /", p)
	}
	parts := strings.Split(p[1:], "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts, nil
}

// find is the value at p, nil where there is none.
func find(value any, p string) any {
	parts, err := pointer(p)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func scalarText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
