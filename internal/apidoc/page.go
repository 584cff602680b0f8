package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/verifyd/verifyd/internal/api"
)

//go:embed compatibility.md.tmpl
var pageTemplate string

// compatibility writes docs/compatibility.md: the words of the template, and the tables.
func compatibility(p published) ([]byte, error) {
	data := page{Missing: p.missing(), published: p, records: newRecords()}
	var err error
	if data.Unread, err = p.unread(); err != nil {
		return nil, err
	}
	for _, r := range api.Resources() {
		s, err := data.section(r)
		if err != nil {
			return nil, err
		}
		data.Resources = append(data.Resources, s)
	}
	for _, param := range paging() {
		data.Paging = append(data.Paging, data.parameterRow(param))
	}
	for _, e := range api.Events() {
		from := e.From
		if from == 0 {
			from = api.Docs
		}
		data.Events = append(data.Events, row{"`" + string(e.Type) + "`", sentences(e.When, e.Note), sources(from)})
	}
	for _, record := range api.EventRecords() {
		b, err := data.fields(record)
		if err != nil {
			return nil, err
		}
		data.EventFields = append(data.EventFields, b)
	}
	for _, f := range api.PathFacts() {
		data.Parts = append(data.Parts, row{"`" + f.Name + "`", values(f, "string"), sentences(f.About, f.Note), sources(f.From)})
	}
	for _, r := range api.CommonRecords() {
		if err := data.common(r); err != nil {
			return nil, err
		}
	}
	for _, h := range api.Headers() {
		data.Headers = append(data.Headers, row{"`" + h.Name + "`", headerPlaces(h), sentences(h.About, oneOf(h.Enum), h.Note), sources(h.From)})
	}
	for _, e := range api.Errors() {
		data.Errors = append(data.Errors, errorRow(e))
	}
	slices.SortStableFunc(data.Errors, func(a, b row) int { return strings.Compare(a[0], b[0]) })
	t, err := template.New("").Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, &data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// row is a line of a table.
type row []string

func (r row) String() string { return "| " + strings.Join(r, " | ") + " |" }

// page is what the template is filled with.
type page struct {
	Resources []section
	Events    []row
	// EventFields are of what webhooks and the sink are sent.
	EventFields []block
	Parts       []row // of paths
	Paging      []row
	PageMeta    []row
	ErrorBody   []row
	Headers     []row
	Errors      []row
	Missing     []missing
	Unread      []string

	published
	records
}

// section is what the page says of a resource.
type section struct {
	api.Resource
	Paths  []row
	Params []block
	Fields []block
}

// block is a table with a title.
type block struct {
	Title string
	Rows  []row
}

func (p *page) section(r api.Resource) (section, error) {
	s := section{Resource: r}
	seen := map[reflect.Type]bool{}
	for _, o := range r.Operations {
		s.Paths = append(s.Paths, row{"`" + o.Method + " " + o.Path + "`", o.ID, fmt.Sprint(o.Status), sentences(o.About, o.Note), sources(o.From)})
		params, err := parameters(o)
		if err != nil {
			return s, err
		}
		if t := reflect.TypeOf(o.Params); params == nil || seen[t] {
			continue
		} else {
			seen[t] = true
		}
		b := block{Title: readers(r, o)}
		for _, param := range params {
			b.Rows = append(b.Rows, p.parameterRow(param))
		}
		s.Params = append(s.Params, b)
	}
	for _, record := range r.Records {
		if _, list := reflect.TypeOf(record.Body).FieldByName("Meta"); list {
			continue // the page says once what every list has
		}
		b, err := p.fields(record)
		if err != nil {
			return s, err
		}
		s.Fields = append(s.Fields, b)
	}
	return s, nil
}

// readers names the operations that read the same parameters as o.
func readers(r api.Resource, o api.Operation) string {
	var names []string
	for _, other := range r.Operations {
		if reflect.TypeOf(other.Params) == reflect.TypeOf(o.Params) {
			names = append(names, other.ID)
		}
	}
	return strings.Join(names, ", ")
}

func (p *page) fields(record api.Record) (block, error) {
	_, fields, err := p.schemaOf(record)
	b := block{Title: record.Name}
	for _, f := range fields {
		kind := f.kind
		if f.null {
			kind += " or null"
		}
		never := ""
		if others := p.others(f.Fact); len(others) > 0 {
			never = "Published, and never answered: " + quoted(others)
		}
		b.Rows = append(b.Rows, row{"`" + f.Name + "`", values(f.Fact, kind), sentences(f.About, f.Note, never), sources(f.From)})
	}
	return b, err
}

func (p *page) common(r api.Record) error {
	b, err := p.fields(r)
	if r.Name == "Page" {
		p.PageMeta = b.Rows
	} else {
		p.ErrorBody = b.Rows
	}
	return err
}

func (p *page) parameterRow(param parameter) row {
	kind := param.kind
	if param.Required {
		kind += ", required"
	}
	effect := ""
	if source(param.From) == api.Ours {
		effect = "**ours** "
	}
	if param.Effect == api.Accepted {
		effect += "**without effect** "
	}
	empty, refused := "", ""
	if param.Clears {
		empty = clears
	}
	if len(param.Refused) > 0 {
		refused = "Refused: " + quoted(param.Refused)
	}
	var unlisted []string
	for _, value := range p.others(param.Fact) {
		if !slices.Contains(param.Refused, value) {
			unlisted = append(unlisted, value)
		}
	}
	if len(unlisted) > 0 {
		refused = sentences(refused, "Unknown here: "+quoted(unlisted))
	}
	return row{"`" + param.Name + "`", values(param.Fact, kind), effect + sentences(param.About, empty, refused, param.Note), sources(param.From)}
}

// values is what a parameter or a field may be.
func values(f api.Fact, kind string) string {
	parts := []string{kind}
	switch {
	case f.SID != "":
		parts = append(parts, f.SID+"…")
	case f.Enum != nil:
		parts = append(parts, oneOf(f.Enum))
	case f.Format != "":
		parts = append(parts, f.Format)
	}
	if r := f.Range; r.Max > 0 {
		unit := ""
		if !strings.HasPrefix(kind, "integer") {
			unit = " characters"
		}
		switch {
		case r.Min == r.Max:
			parts = append(parts, fmt.Sprint(r.Max)+unit)
		case r.Max == 1<<31-1:
			parts = append(parts, fmt.Sprintf("at least %d%s", r.Min, unit))
		default:
			parts = append(parts, fmt.Sprintf("%d–%d%s", r.Min, r.Max, unit))
		}
	}
	if f.Default != nil {
		parts = append(parts, fmt.Sprintf("default `%v`", f.Default))
	}
	return strings.Join(parts, ", ")
}

func oneOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return quoted(values)
}

func quoted(values []string) string { return "`" + strings.Join(values, "`, `") + "`" }

// sentences puts texts into one cell, each with an end.
func sentences(texts ...string) string {
	var list []string
	for _, text := range texts {
		text = sentence(strings.ReplaceAll(text, "|", `\|`))
		if text == "" {
			continue
		}
		if !strings.HasSuffix(text, ".") {
			text += "."
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// sources names where a fact is from.
func sources(s api.Source) string {
	s = source(s)
	var names []string
	for _, one := range []struct {
		bit  api.Source
		name string
	}{{api.Spec, "spec"}, {api.Docs, "docs"}, {api.Wire, "wire"}, {api.Client, "client"}, {api.Ours, "ours"}} {
		if s&one.bit != 0 {
			names = append(names, one.name)
		}
	}
	return strings.Join(names, ", ")
}

// headerPlaces says which answers have a header.
func headerPlaces(h api.Header) string {
	var places []string
	if h.Success {
		places = append(places, "answers")
	}
	for _, status := range h.Statuses {
		places = append(places, fmt.Sprint(status))
	}
	if h.Everyone {
		switch {
		case h.Success:
			return "every answer"
		default:
			return strings.Join(places, ", ")
		}
	}
	var of []string
	for _, r := range api.Resources() {
		for _, o := range r.Operations {
			if slices.Contains(o.Headers, h.Name) && !slices.Contains(of, r.Name) {
				of = append(of, r.Name)
			}
		}
	}
	return strings.Join(places, ", ") + " of " + strings.Join(of, ", ")
}

func errorRow(e api.ErrorFact) row {
	status := fmt.Sprint(e.Status)
	when := sentences(e.When, e.Note)
	if e.Nowhere != "" {
		status = "–"
		when = sentences("Only in `"+e.Nowhere+"`: "+e.When, e.Note)
	}
	return row{fmt.Sprint(int(e.Code)), status, strings.ReplaceAll(e.Message, "%s", "…"), when, sources(e.From)}
}
