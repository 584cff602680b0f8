package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

const root = "../.."

// What the document is made of is checked in package api; here, that nothing is left out.
func TestEverythingIsInTheDocument(t *testing.T) {
	text, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Description string }
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	codes := doc.Components.Schemas["Error"].Properties["code"].Description
	for _, code := range slices.Concat(verify.Codes(), factor.Codes()) {
		if !strings.Contains(codes, fmt.Sprintf("\n- %d: ", code)) {
			t.Errorf("the document does not say what %d is", code)
		}
	}
	for _, r := range api.Resources() {
		for _, o := range r.Operations {
			operation := string(doc.Paths[o.Path][strings.ToLower(o.Method)])
			if operation == "" {
				t.Errorf("the document does not have %s %s", o.Method, o.Path)
			}
			for _, f := range o.Facts {
				if o.JSON { // the objects around it have names of their own
					f.Name = f.Name[strings.LastIndex(f.Name, ".")+1:]
				}
				if !strings.Contains(operation, strconv.Quote(f.Name)) {
					t.Errorf("%s %s: the document does not have %s", o.Method, o.Path, f.Name)
				}
			}
		}
	}
}

// A parameter or a field without facts, facts without one, and an operation whose answer is no
// record are mistakes, not gaps in the document.
func TestGapsAreMistakes(t *testing.T) {
	type params struct {
		To   *string `form:"To"`
		Code *int    `form:"Code"`
	}
	type body struct {
		SID  string `json:"sid"`
		Deep struct {
			Name *string `json:"name"`
		} `json:"deep"`
	}
	to, code := api.Fact{Name: "To"}, api.Fact{Name: "Code"}
	for want, facts := range map[string][]api.Fact{
		"Code is read, and there are no facts about it":  {to},
		"there are facts about Max, which nothing reads": {to, code, {Name: "Max"}},
	} {
		if _, err := parameters(api.Operation{Params: params{}, Facts: facts}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parameters: %v, want %s", err, want)
		}
	}
	sid, deep, name := api.Fact{Name: "sid"}, api.Fact{Name: "deep"}, api.Fact{Name: "deep.name"}
	for want, facts := range map[string][]api.Fact{
		"there is no fact about deep.name":                    {sid, deep},
		"there are facts about [max], which it does not have": {sid, deep, name, {Name: "max"}},
		"there are two facts about sid":                       {sid, sid, deep, name},
	} {
		if _, _, err := newRecords().schemaOf(api.Record{Body: body{}, Facts: facts}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("schemaOf: %v, want %s", err, want)
		}
	}
	d := document{records: newRecords(), refused: map[verify.Code]bool{}}
	if _, err := d.responses(api.Operation{Status: 200, Body: body{}}); err == nil || !strings.Contains(err.Error(), "there is no record of") {
		t.Errorf("responses: %v", err)
	}
	if _, err := pathParameters("/v2/Things/{ThingSid}"); err == nil {
		t.Error("a part of a path has no facts, and there is no error")
	}
}

// The members of a JSON body are divided among the objects that their names say, and the example has
// what is required. The names of a form are whole.
func TestAMemberIsInItsObject(t *testing.T) {
	type deep struct {
		Name string   `json:"name"`
		More []string `json:"more"`
	}
	type inJSON struct {
		SID  string `json:"sid"`
		Deep *deep  `json:"deep"`
	}
	type inForm struct {
		Deep *string `form:"deep"`
		Name *string `form:"deep.name"`
	}
	for want, o := range map[string]api.Operation{
		`{"required":["deep"],"properties":{"sid":{},"deep":{"required":["name"],"properties":{"name":{},"more":{}}}}} {"deep":{"name":"x"}}`: {
			JSON: true, Params: inJSON{}, Facts: []api.Fact{
				{Name: "sid"}, {Name: "deep", Required: true}, {Name: "deep.name", Required: true, Example: "x"}, {Name: "deep.more"}}},
		`{"required":["deep.name"],"properties":{"deep":{},"deep.name":{}}} {"deep.name":"x"}`: {
			Params: inForm{}, Facts: []api.Fact{{Name: "deep"}, {Name: "deep.name", Required: true, Example: "x"}}},
	} {
		params, err := parameters(o)
		if err != nil {
			t.Fatal(err)
		}
		s, example := bodyOf(o, params, "")
		text, err := json.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if got := outline(t, s) + " " + string(text); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if _, err := parameters(api.Operation{JSON: true, Params: inJSON{}, Facts: []api.Fact{{Name: "sid"}, {Name: "deep"}, {Name: "deep.more"}}}); err == nil {
		t.Error("a member of a member has no facts, and there is no error")
	}
}

// outline are the names in a schema, and which are required.
func outline(t *testing.T, s schema) string {
	t.Helper()
	var properties []string
	for _, p := range s.Properties {
		properties = append(properties, strconv.Quote(p.name)+":"+outline(t, p.value.(schema)))
	}
	var parts []string
	if s.Required != nil {
		parts = append(parts, `"required":["`+strings.Join(s.Required, `","`)+`"]`)
	}
	if properties != nil {
		parts = append(parts, `"properties":{`+strings.Join(properties, ",")+`}`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestAnAnyIsWhatTheFactsSay(t *testing.T) {
	type text struct {
		Both string `json:"both"`
		Text string `json:"text"`
	}
	type call struct {
		Both string `json:"both"`
	}
	type body struct {
		Data any `json:"data"`
	}
	both, one := api.Fact{Name: "data.both"}, api.Fact{Name: "data.text"}
	for _, c := range []struct {
		oneOf  []any
		facts  []api.Fact
		kind   string
		choice int
		fields int
	}{
		{nil, nil, "object", 0, 1},
		{[]any{text{}}, []api.Fact{both, one}, "object", 0, 3},
		{[]any{text{}, call{}}, []api.Fact{both, one}, "object", 2, 3},
	} {
		facts := append([]api.Fact{{Name: "data", OneOf: c.oneOf}}, c.facts...)
		s, fields, err := newRecords().schemaOf(api.Record{Body: body{}, Facts: facts})
		if err != nil {
			t.Fatal(err)
		}
		data := s.Properties[0].value.(schema)
		if data.Type != c.kind || len(data.OneOf) != c.choice || len(fields) != c.fields {
			t.Errorf("one of %v: %q, a choice of %d, %d fields; want %q, %d, %d", c.oneOf, data.Type, len(data.OneOf), len(fields), c.kind, c.choice, c.fields)
		}
	}
}

func TestTheGeneratedFilesAreFresh(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(got), "\n"), strings.Split(string(want), "\n")); diff != "" {
			t.Errorf("%s is stale, go generate ./internal/api writes it:\n%s", name, diff)
		}
	}
}
