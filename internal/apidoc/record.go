package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/api"
)

// records are the structs of answers that have a name in the document.
type records struct {
	list   []api.Record
	named  map[reflect.Type]string
	common map[string]api.Fact
}

func newRecords() records {
	r := records{named: map[reflect.Type]string{}, common: map[string]api.Fact{}}
	for _, resource := range api.Resources() {
		r.list = append(r.list, resource.Records...)
	}
	r.list = append(r.list, api.CommonRecords()...)
	for _, record := range r.list {
		r.named[reflect.TypeOf(record.Body)] = record.Name
	}
	for _, f := range api.CommonFields() {
		r.common[f.Name] = f
	}
	return r
}

// A field is one field of a record, at any depth.
type field struct {
	api.Fact
	kind     string
	null     bool
	optional bool
}

// walker makes the schema of one record. It finds the fields in the struct and what is said of them
// in the facts, and every fact has to be used.
type walker struct {
	records
	facts  map[string]api.Fact
	unused map[string]bool
	fields []field
	err    error
}

// schemaOf makes the schema of a record, and lists its fields.
func (r records) schemaOf(record api.Record) (schema, []field, error) {
	w := walker{records: r, facts: map[string]api.Fact{}, unused: map[string]bool{}}
	for _, f := range record.Facts {
		if w.unused[f.Name] {
			return schema{}, nil, fmt.Errorf("%s: there are two facts about %s", record.Name, f.Name)
		}
		w.facts[f.Name], w.unused[f.Name] = f, true
	}
	s := w.object("", reflect.TypeOf(record.Body))
	s.Description = record.About
	if len(w.unused) > 0 && w.err == nil {
		w.err = fmt.Errorf("there are facts about %v, which it does not have", slices.Sorted(maps.Keys(w.unused)))
	}
	if w.err != nil {
		return s, nil, fmt.Errorf("%s: %w", record.Name, w.err)
	}
	return s, w.fields, nil
}

func (w *walker) fact(path string) api.Fact {
	f, own := w.facts[path]
	if !own {
		var known bool
		if f, known = w.common[path]; !known && w.err == nil {
			w.err = fmt.Errorf("there is no fact about %s", path)
		}
	}
	delete(w.unused, path)
	return f
}

// object is the schema of a struct, whose fields have paths that begin with prefix.
func (w *walker) object(prefix string, t reflect.Type) schema {
	s := schema{Type: "object"}
	for _, f := range reflect.VisibleFields(t) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue // an embedded struct, whose fields come themselves
		}
		if option != "omitempty" {
			s.Required = append(s.Required, name)
		}
		s.Properties.add(name, w.value(prefix+name, f.Type, option == "omitempty"))
	}
	return s
}

func (w *walker) value(path string, t reflect.Type, optional bool) schema {
	fact := w.fact(path)
	null := fact.Null
	if t.Kind() == reflect.Pointer {
		t, null = t.Elem(), !optional
	}
	kind := kindOf(t)
	if t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage]() {
		kind = "object"
	}
	w.fields = append(w.fields, field{fact, kind, null, optional})
	s := w.content(path, t, fact)
	if s.Ref != "" {
		return s
	}
	s.Nullable = null
	if null && s.Enum != nil {
		s.Enum = append(s.Enum, nil)
	}
	return s
}

func (w *walker) content(path string, t reflect.Type, fact api.Fact) schema {
	var s schema
	if t == reflect.TypeFor[json.RawMessage]() { // of events: an object of texts
		return schema{Type: "object", AdditionalProperties: &schema{Type: "string"}, Description: fact.About}
	}
	switch t.Kind() {
	case reflect.Struct:
		if name, named := w.named[t]; named {
			return schema{Ref: "#/components/schemas/" + name}
		}
		s = w.object(path+".", t)
	case reflect.Slice:
		items := w.element(path, t.Elem())
		s = schema{Type: "array", Items: &items}
	case reflect.Map:
		values := w.element(path, t.Elem())
		s = schema{Type: "object", AdditionalProperties: &values}
	case reflect.Interface:
		s = w.choice(path, fact.OneOf)
	default:
		return plain(fact, kindOf(t))
	}
	s.Description, s.Ours = fact.About, source(fact.From) == api.Ours
	return s
}

// choice is the schema of an `any`: one of some structs, or an object of which nothing is known.
func (w *walker) choice(path string, structs []any) schema {
	var list []schema
	for _, one := range structs {
		before := len(w.fields)
		list = append(list, w.object(path+".", reflect.TypeOf(one)))
		w.fields = slices.Concat(w.fields[:before], w.news(before))
	}
	switch len(list) {
	case 0:
		return schema{Type: "object"}
	case 1:
		return list[0]
	default:
		return schema{Type: "object", OneOf: list} // all are structs; a null needs a type beside it
	}
}

// news are the fields from n on that are not among those before.
func (w *walker) news(n int) []field {
	return slices.DeleteFunc(slices.Clone(w.fields[n:]), func(f field) bool {
		return slices.ContainsFunc(w.fields[:n], func(old field) bool { return old.Name == f.Name })
	})
}

// element is what a list or a map is of.
func (w *walker) element(path string, t reflect.Type) schema {
	if t.Kind() != reflect.Struct {
		return schema{Type: kindOf(t)}
	}
	if name, named := w.named[t]; named {
		return schema{Ref: "#/components/schemas/" + name}
	}
	return w.object(path+".", t)
}
