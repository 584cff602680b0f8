package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/api"
)

// published is what the published description says, distilled to facts: paths, parameters, fields,
// their types and lists of values.
type published struct {
	Paths map[string]map[string]struct {
		Parameters map[string]string
		Query      []string
	}
	Schemas map[string]map[string]string
	Enums   map[string][]string
}

// readPublished reads the distilled facts, which are in several files.
func readPublished(dir string) (published, error) {
	var all published
	files, err := filepath.Glob(filepath.Join(dir, "contract*.json"))
	if err != nil {
		return all, err
	}
	if len(files) == 0 {
		return all, fmt.Errorf("there is no contract*.json in %s", dir)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return all, err
		}
		// Unmarshal adds to the maps that are there.
		if err := json.Unmarshal(text, &all); err != nil {
			return all, fmt.Errorf("%s: %w", file, err)
		}
	}
	return all, nil
}

// missing are the published operations that no route serves, a path a line.
type missing struct{ Path, Methods string }

func (p published) missing() []missing {
	served := map[string]bool{}
	for _, r := range api.Resources() {
		for _, o := range r.Operations {
			served[o.Method+" "+o.Path] = true
		}
	}
	var list []missing
	for _, path := range slices.Sorted(maps.Keys(p.Paths)) {
		var methods []string
		for _, method := range slices.Sorted(maps.Keys(p.Paths[path])) {
			if !served[method+" "+path] {
				methods = append(methods, method)
			}
		}
		if len(methods) > 0 {
			list = append(list, missing{path, strings.Join(methods, ", ")})
		}
	}
	return list
}

// unread are the published parameters and fields of what is served that are not there.
func (p published) unread() ([]string, error) {
	var list []string
	r := newRecords()
	for _, resource := range api.Resources() {
		for _, o := range resource.Operations {
			known, err := parameters(o)
			if err != nil {
				return nil, err
			}
			about := p.Paths[o.Path][o.Method]
			for _, name := range append(slices.Sorted(maps.Keys(about.Parameters)), about.Query...) {
				paging := o.Paged && strings.HasPrefix(name, "Page")
				if !paging && !slices.ContainsFunc(known, func(p parameter) bool { return p.Name == name }) {
					list = append(list, fmt.Sprintf("the parameter `%s` of `%s %s`", name, o.Method, o.Path))
				}
			}
		}
		for _, record := range resource.Records {
			_, fields, err := r.schemaOf(record)
			if err != nil {
				return nil, err
			}
			for _, name := range slices.Sorted(maps.Keys(p.Schemas[record.Contract])) {
				if !slices.ContainsFunc(fields, func(f field) bool { return f.Name == name }) {
					list = append(list, fmt.Sprintf("the field `%s` of %s", name, record.Name))
				}
			}
		}
	}
	return list, nil
}

// others are the published values that are not among a fact's own.
func (p published) others(f api.Fact) []string {
	return slices.DeleteFunc(slices.Clone(p.Enums[f.Published]), func(value string) bool {
		return slices.Contains(f.Enum, value)
	})
}
