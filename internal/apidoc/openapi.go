package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/verify"
)

// openAPI writes the document. It is OpenAPI 3.0, because generators of clients for several
// languages do not read 3.1 yet.
func openAPI() ([]byte, error) {
	d := document{records: newRecords(), errors: map[verify.Code]api.ErrorFact{}, refused: map[verify.Code]bool{}, headers: api.Headers()}
	for _, e := range api.Errors() {
		d.errors[e.Code] = e
	}
	paths, err := d.paths()
	if err != nil {
		return nil, err
	}
	components, err := d.components()
	if err != nil {
		return nil, err
	}
	var tags []any
	for _, r := range api.Resources() {
		tags = append(tags, ordered{{"name", r.Name}, {"description", r.About}})
	}
	text, err := json.Marshal(ordered{
		{"openapi", "3.0.3"},
		{"info", ordered{
			{"title", "verifyd"},
			{"version", "2"},
			{"description", "Verifies people by one-time passcodes. The paths below /v2 speak the Verify v2 API of Twilio; " +
				"what carries `x-verifyd-only` is verifyd's own. Parameters are sent as a form, answers are JSON. " +
				"The bodies of passkeys are JSON. A parameter that is not listed is ignored, and of one that is sent twice the first counts. " +
				"docs/compatibility.md says what differs, and how we know."},
			{"license", ordered{{"name", "Apache-2.0"}, {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}},
		}},
		{"servers", []any{ordered{{"url", "/"}, {"description", "The server that this document is from."}}}},
		{"security", []any{ordered{{"basic", []any{}}}}},
		{"tags", tags},
		{"paths", paths},
		{"components", components},
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", " "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

type document struct {
	records
	errors  map[verify.Code]api.ErrorFact
	refused map[verify.Code]bool // codes that an operation refuses with, once paths has been made
	headers []api.Header
}

// paths are all operations, in the order of the resources.
func (d document) paths() (ordered, error) {
	var paths ordered
	at := map[string]int{}
	for _, resource := range api.Resources() {
		for _, o := range resource.Operations {
			i, there := at[o.Path]
			if !there {
				i = len(paths)
				at[o.Path] = i
				parts, err := pathParameters(o.Path)
				if err != nil {
					return nil, err
				}
				item := ordered{}
				if parts != nil {
					item.add("parameters", parts)
				}
				paths.add(o.Path, item)
			}
			operation, err := d.operation(resource, o)
			if err != nil {
				return nil, err
			}
			item := paths[i].value.(ordered)
			item.add(strings.ToLower(o.Method), operation)
			paths[i].value = item
		}
	}
	return paths, nil
}

// pathParameters are the named parts of a path.
func pathParameters(path string) ([]any, error) {
	var list []any
	for part := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		fact, err := pathFact(path, name)
		if err != nil {
			return nil, err
		}
		s := plain(fact, "string")
		s.Description = ""
		list = append(list, ordered{{"name", name}, {"in", "path"}, {"required", true}, {"description", fact.About}, {"schema", s}})
	}
	return list, nil
}

// pathFact is the fact about a part of a path: one of the path up to there, or one of the name.
func pathFact(path, name string) (api.Fact, error) {
	head, _, _ := strings.Cut(path, "{"+name+"}")
	for _, f := range api.PathFacts() {
		if f.Name == head+"{"+name+"}" || f.Name == name {
			return f, nil
		}
	}
	return api.Fact{}, fmt.Errorf("%s: there is no fact about %s", path, name)
}

func (d document) operation(r api.Resource, o api.Operation) (ordered, error) {
	op := ordered{{"operationId", o.ID}, {"tags", []any{r.Name}}, {"summary", o.About}}
	if source(o.From) == api.Ours {
		op.add("x-verifyd-only", true)
	}
	params, err := parameters(o)
	if err != nil {
		return nil, err
	}
	if o.Method == http.MethodPost {
		op.add("requestBody", requestBody(o, params))
	} else {
		if o.Paged {
			params = append(params, paging()...)
		}
		if len(params) > 0 {
			op.add("parameters", query(params))
		}
	}
	responses, err := d.responses(o)
	if err != nil {
		return nil, err
	}
	op.add("responses", responses)
	return op, nil
}

func query(params []parameter) []any {
	var list []any
	for _, p := range params {
		s := plain(p.Fact, p.kind)
		s.Description = ""
		list = append(list, ordered{{"name", p.Name}, {"in", "query"}, {"description", describe(p.Fact)}, {"schema", s}})
	}
	return list
}

func requestBody(o api.Operation, params []parameter) ordered {
	s, example := bodyOf(o, params, "")
	media := ordered{{"schema", s}}
	if len(example) > 0 {
		media.add("example", example)
	}
	kind := "application/x-www-form-urlencoded"
	if o.JSON {
		kind = "application/json"
	}
	return ordered{{"required", len(s.Required) > 0}, {"content", ordered{{kind, media}}}}
}

// bodyOf is the object of the parameters whose names begin with prefix, and the least that it can be. In
// JSON those with a dot behind it are in an object of their own.
func bodyOf(o api.Operation, params []parameter, prefix string) (schema, ordered) {
	s := schema{Type: "object"}
	example := ordered{}
	for _, p := range params {
		name, within := strings.CutPrefix(p.Name, prefix)
		if !within || o.JSON && strings.Contains(name, ".") {
			continue
		}
		one := plain(p.Fact, p.kind)
		sample := one.Example
		if p.kind == "object" {
			one, sample = bodyOf(o, params, p.Name+".")
			one.Description = describe(p.Fact)
		}
		if p.Clears {
			one = one.emptied()
		}
		s.Properties.add(name, one)
		if p.Required {
			s.Required = append(s.Required, name)
			example.add(name, sample)
		}
	}
	return s, example
}

// responses are the answers of an operation by status: the one that is no refusal, then the refusals.
func (d document) responses(o api.Operation) (ordered, error) {
	success := ordered{{"description", http.StatusText(o.Status)}}
	success.add("headers", d.headersOf(o, o.Status))
	if o.Body != nil {
		name, named := d.named[reflect.TypeOf(o.Body)]
		if !named {
			return nil, fmt.Errorf("%s %s: there is no record of %T", o.Method, o.Path, o.Body)
		}
		success.add("content", content(ordered{{"schema", schema{Ref: "#/components/schemas/" + name}}}))
	}
	all := ordered{{strconv.Itoa(o.Status), success}}

	byStatus := map[int][]api.ErrorFact{}
	for _, code := range slices.Concat(o.Codes, api.EveryOperation()) {
		e := d.errors[code]
		d.refused[code] = true
		byStatus[e.Status] = append(byStatus[e.Status], e)
	}
	var statuses []int
	for status := range byStatus {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		errors := byStatus[status]
		slices.SortFunc(errors, func(a, b api.ErrorFact) int { return cmp.Compare(a.Code, b.Code) })
		var lines []string
		var examples ordered
		for _, e := range errors {
			code := strconv.Itoa(int(e.Code))
			lines = append(lines, code+": "+e.When+".")
			examples.add(code, ordered{{"$ref", "#/components/examples/" + code}})
		}
		all.add(strconv.Itoa(status), ordered{
			{"description", strings.Join(lines, "\n")},
			{"headers", d.headersOf(o, status)},
			{"content", content(ordered{{"schema", schema{Ref: "#/components/schemas/Error"}}, {"examples", examples}})},
		})
	}
	return all, nil
}

func content(media ordered) ordered { return ordered{{"application/json", media}} }

// headersOf are the headers that an answer of an operation may have.
func (d document) headersOf(o api.Operation, status int) ordered {
	var list ordered
	for _, h := range d.headers {
		success := status == o.Status
		if !h.Everyone && !slices.Contains(o.Headers, h.Name) ||
			success && !h.Success ||
			!success && !slices.Contains(h.Statuses, status) && !(h.Everyone && h.Statuses == nil) {
			continue
		}
		list.add(h.Name, ordered{{"$ref", "#/components/headers/" + h.Name}})
	}
	return list
}

func (d document) components() (ordered, error) {
	var schemas, headers, examples ordered
	for _, record := range d.list {
		s, _, err := d.schemaOf(record)
		if err != nil {
			return nil, err
		}
		if record.Name == "Error" {
			listCodes(s)
		}
		schemas.add(record.Name, s)
	}
	for _, h := range d.headers {
		s := schema{Type: kindOf(h.Of), Example: h.Example}
		for _, word := range h.Enum {
			s.Enum = append(s.Enum, word)
		}
		header := ordered{{"description", h.About}, {"schema", s}}
		if h.From == api.Ours && strings.HasPrefix(h.Name, "Verifyd-") {
			header.add("x-verifyd-only", true)
		}
		headers.add(h.Name, header)
	}
	for _, e := range api.Errors() {
		code := strconv.Itoa(int(e.Code))
		if !d.refused[e.Code] {
			continue // no answer of an operation would show it
		}
		examples.add(code, ordered{{"summary", sentence(e.When)}, {"value", ordered{
			{"code", int(e.Code)},
			{"message", message(e)},
			{"more_info", "https://www.twilio.com/docs/errors/" + code},
			{"status", e.Status},
		}}})
	}
	return ordered{
		{"schemas", schemas},
		{"headers", headers},
		{"examples", examples},
		{"securitySchemes", ordered{{"basic", ordered{
			{"type", "http"},
			{"scheme", "basic"},
			{"description", "An account SID (AC…) and its auth token, or the SID of an API key (SK…) and its secret."},
		}}}},
	}, nil
}

// listCodes says of the field that has the code what each code means.
func listCodes(errorSchema schema) {
	for i, p := range errorSchema.Properties {
		if p.name != "code" {
			continue
		}
		s := p.value.(schema)
		for _, e := range api.Errors() {
			s.Description += fmt.Sprintf("\n- %d: %s", e.Code, e.When)
			if e.Nowhere != "" {
				s.Description += ", only in " + e.Nowhere
			}
			s.Description += "."
		}
		errorSchema.Properties[i].value = s
	}
}

// message is a code's text, with an example of what is filled in.
func message(e api.ErrorFact) string {
	filled := map[verify.Code]string{
		verify.CodeNotFound:         "/Services/" + sampleSID("VA"),
		verify.CodeInvalidParameter: "Channel",
		verify.CodeMissingParameter: "To",
	}
	return strings.Replace(e.Message, "%s", filled[e.Code], 1)
}

// sentence begins with a capital letter.
func sentence(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
