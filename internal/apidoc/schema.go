package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/verifyd/verifyd/internal/api"
)

// schema is the part of OpenAPI's Schema Object that we need.
type schema struct {
	Ref                  string   `json:"$ref,omitempty"`
	Type                 string   `json:"type,omitempty"`
	Format               string   `json:"format,omitempty"`
	Description          string   `json:"description,omitempty"`
	Nullable             bool     `json:"nullable,omitempty"`
	Pattern              string   `json:"pattern,omitempty"`
	Enum                 []any    `json:"enum,omitempty"`
	Minimum              *int     `json:"minimum,omitempty"`
	Maximum              *int     `json:"maximum,omitempty"`
	MinLength            *int     `json:"minLength,omitempty"`
	MaxLength            *int     `json:"maxLength,omitempty"`
	Default              any      `json:"default,omitempty"`
	Example              any      `json:"example,omitempty"`
	Required             []string `json:"required,omitempty"`
	Properties           ordered  `json:"properties,omitempty"`
	Items                *schema  `json:"items,omitempty"`
	AdditionalProperties *schema  `json:"additionalProperties,omitempty"`
	OneOf                []schema `json:"oneOf,omitempty"`
	Ours                 bool     `json:"x-verifyd-only,omitempty"`
}

// ordered is a JSON object whose members keep the order in which they were added.
type ordered []member

type member struct {
	name  string
	value any
}

func (o *ordered) add(name string, value any) { *o = append(*o, member{name, value}) }

func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// parameter is one parameter of an operation.
type parameter struct {
	api.Fact
	kind string // string, integer, boolean
}

// parameters joins the fields of a parameter struct with their facts, in the order of the facts.
func parameters(o api.Operation) ([]parameter, error) {
	if o.Params == nil {
		return nil, nil
	}
	kinds := map[string]string{}
	if o.JSON {
		addMembers(kinds, "", reflect.TypeOf(o.Params))
	} else {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(o.Params)) {
			if name, tagged := f.Tag.Lookup("form"); tagged {
				kinds[name] = kindOf(f.Type)
			}
		}
	}
	var list []parameter
	for _, fact := range o.Facts {
		kind, read := kinds[fact.Name]
		if !read {
			return nil, fmt.Errorf("%s %s: there are facts about %s, which nothing reads", o.Method, o.Path, fact.Name)
		}
		delete(kinds, fact.Name)
		if o.Partial {
			fact.Required, fact.Default = false, nil
		}
		list = append(list, parameter{fact, kind})
	}
	for name := range kinds {
		return nil, fmt.Errorf("%s %s: %s is read, and there are no facts about it", o.Method, o.Path, name)
	}
	return list, nil
}

// addMembers adds the kinds of a JSON object's members, and of those of the objects in it.
func addMembers(kinds map[string]string, prefix string, t reflect.Type) {
	for f := range t.Fields() {
		name, kind := prefix+f.Tag.Get("json"), f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		kinds[name] = kindOf(kind)
		if kind.Kind() == reflect.Struct {
			addMembers(kinds, name+".", kind)
		}
	}
}

func kindOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	default:
		return "string"
	}
}

// plain is the schema of a text, a number or a boolean.
func plain(f api.Fact, kind string) schema {
	s := schema{Type: kind, Description: describe(f), Format: f.Format, Pattern: f.Pattern, Default: f.Default, Example: f.Example, Ours: source(f.From) == api.Ours}
	if f.SID != "" {
		s.Pattern = "^" + f.SID + "[0-9a-fA-F]{32}$"
		s.Example = sampleSID(f.SID)
	}
	for _, word := range f.Enum {
		s.Enum = append(s.Enum, word)
	}
	if r := f.Range; r.Max > 0 {
		if kind == "integer" {
			s.Minimum, s.Maximum = &r.Min, &r.Max
		} else {
			s.MaxLength = &r.Max
			if r.Min > 0 {
				s.MinLength = &r.Min
			}
		}
	}
	if kind == "array" {
		s.Items = &schema{Type: "string"}
	}
	return s
}

// emptied is the schema of a parameter that an empty text clears, so that an empty one is in order.
func (s schema) emptied() schema {
	s.MinLength = nil
	if s.Pattern != "" {
		s.Pattern = "^$|" + s.Pattern
	}
	if s.Enum != nil {
		s.Enum = append(s.Enum, "")
	}
	return s
}

// clears is what is said of a parameter that an empty text clears.
const clears = "An empty one is null."

// describe is what a fact says, with what verifyd does if that is less than it seems.
func describe(f api.Fact) string {
	text := f.About
	if f.Clears {
		text += " " + clears
	}
	if f.Effect == api.Accepted {
		text += " Accepted without effect."
	}
	return text
}

// paging are the parameters of every list.
func paging() []parameter {
	var list []parameter
	for _, f := range api.PageFacts() {
		kind := "integer"
		if f.Name == "PageToken" {
			kind = "string"
		}
		list = append(list, parameter{f, kind})
	}
	return list
}

// source is where a fact is from.
func source(s api.Source) api.Source {
	if s == 0 {
		return api.Spec
	}
	return s
}

// sampleSID is a SID for examples; it begins with a time, as ours do.
func sampleSID(prefix string) string { return prefix + "0190b7d2f8a4c3e61f5d9a7c20e48b13" }
