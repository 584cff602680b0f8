package operator

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// without are the routes that have no command here, and why.
var without = map[string]string{
	"GET /v2/Forms/{FormType}":   "it is for the libraries of push factors",
	"GET /v2/Verifyd/Geography":  "verifyd geo list",
	"POST /v2/Verifyd/Geography": "verifyd geo allow, deny and inherit",
}

// Every route of package api is a command, with every parameter that its handler reads and none
// besides, of the kind that it reads.
func TestNoRouteAndNoParameterIsForgotten(t *testing.T) {
	routes := routesOfAPI(t)
	had := map[string]map[string]bool{} // parameters by route
	for _, c := range Commands() {
		route := c.verb.method + " " + c.path
		takes, ok := routes[route]
		if !ok {
			t.Errorf("%s calls %s, which is no route of the API", c.Name, route)
			continue
		}
		if had[route] == nil {
			had[route] = map[string]bool{}
		}
		for _, p := range c.verb.params {
			had[route][p.name] = true
			goType, read := takes[p.name]
			if !read {
				t.Errorf("%s has %s, which %s does not read", c.Name, p.name, route)
			}
			if want := kindOf(goType); p.kind != want && (p.kind == number || p.kind == yesNo || want != text) {
				t.Errorf("%s: %s is of kind %d, and the API reads a %s", c.Name, p.name, p.kind, goType)
			}
		}
		for name := range c.verb.fixed {
			had[route][name] = true
		}
	}
	for route, takes := range routes {
		if without[route] != "" {
			continue
		}
		if had[route] == nil {
			t.Errorf("%s has no command; give it one, or say why not", route)
		}
		for name := range takes {
			if had[route] != nil && !had[route][name] {
				t.Errorf("no command for %s has its parameter %s", route, name)
			}
		}
	}
	for route := range without {
		if routes[route] == nil || had[route] != nil {
			t.Errorf("%s is said to have no command, and is no route or has one", route)
		}
	}
}

func kindOf(goType string) kind {
	switch goType {
	case "*int":
		return number
	case "*bool":
		return yesNo
	default:
		return text
	}
}

// What the published contract calls required is required of people, and nothing else is.
func TestTheRequiredParametersAreThoseOfTheContract(t *testing.T) {
	body, err := os.ReadFile("../api/testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]map[string]struct{ Required []string }
	}
	if err := json.Unmarshal(body, &contract); err != nil {
		t.Fatal(err)
	}
	for _, c := range Commands() {
		want := slices.Sorted(slices.Values(contract.Paths[c.path][c.verb.method].Required))
		got := slices.Sorted(slices.Values(slices.Concat(c.verb.required, slices.Collect(maps.Keys(c.verb.fixed)))))
		if !slices.Equal(got, want) {
			t.Errorf("%s requires %v, the contract %v", c.Name, got, want)
		}
	}
}

// Two parameters of a command must not become one flag, and none may hide a flag that all have.
func TestFlagsAreUnambiguous(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Commands() {
		if names[c.Name] {
			t.Errorf("there are two commands %s", c.Name)
		}
		names[c.Name] = true
		flags := flag.NewFlagSet(c.Name, flag.PanicOnError) // two of one name panic as well
		flags.SetOutput(io.Discard)
		c.Bind(flags)
		ServerFlags(flags)
		for _, p := range c.verb.params {
			if p.help == "" {
				t.Errorf("%s --%s has no help", c.Name, p.flagName())
			}
		}
		if c.verb.answer == pages && c.resource.columns == nil {
			t.Errorf("%s has no columns", c.Name)
		}
	}
	for name, want := range map[string]string{
		"FriendlyName": "friendly-name", "Push.ApnCredentialSid": "push-apn-credential-sid",
		"Psd2Enabled": "psd2-enabled", "Verifyd.CodeTtl": "code-ttl", "To": "to",
	} {
		if got := (param{name: name}).flagName(); got != want {
			t.Errorf("the flag of %s is %s, want %s", name, got, want)
		}
	}
}

// routesOfAPI reads from the source of package api its routes, each with the parameters that its
// handler decodes and their types. The source is the only place that has all: the published contract
// does not know the parameters that are ours.
func routesOfAPI(t *testing.T) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob("../api/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the source of package api: %v, %v", files, err)
	}
	structs := map[string]*ast.StructType{}
	handlers := map[string]*ast.FuncDecl{}
	var table *ast.CompositeLit
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				handlers[n.Name.Name] = n
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					structs[n.Name.Name] = s
				}
			case *ast.ValueSpec:
				if n.Names[0].Name == "routes" && len(n.Values) == 1 {
					table = n.Values[0].(*ast.CompositeLit)
				}
			}
			return true
		})
	}
	routes := map[string]map[string]string{}
	for _, line := range table.Elts {
		parts := line.(*ast.CompositeLit).Elts
		handler := handlers[parts[2].(*ast.SelectorExpr).Sel.Name]
		routes[literal(t, parts[0])+" "+literal(t, parts[1])] = decoded(t, handler, structs)
	}
	if len(routes) < 30 {
		t.Fatalf("found %d routes of package api", len(routes))
	}
	return routes
}

// decoded are the parameters that a handler reads by decode(…, &p).
func decoded(t *testing.T, handler *ast.FuncDecl, structs map[string]*ast.StructType) map[string]string {
	t.Helper()
	variables := map[string]ast.Expr{}
	parameters := map[string]string{}
	ast.Inspect(handler.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			variables[n.Names[0].Name] = n.Type
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); !ok || name.Name != "decode" {
				return true
			}
			variable := n.Args[1].(*ast.UnaryExpr).X.(*ast.Ident).Name
			s, ok := variables[variable].(*ast.StructType)
			if named, isNamed := variables[variable].(*ast.Ident); isNamed {
				s, ok = structs[named.Name]
			}
			if !ok {
				t.Fatalf("%s decodes something that this test does not understand", handler.Name.Name)
			}
			for _, f := range s.Fields.List {
				if f.Tag == nil {
					continue
				}
				tag := reflect.StructTag(literal(t, f.Tag)).Get("form")
				goType := ""
				if star, ok := f.Type.(*ast.StarExpr); ok {
					goType = "*" + star.X.(*ast.Ident).Name
				}
				parameters[tag] = goType
			}
		}
		return true
	})
	return parameters
}

func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
