package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func operations() map[string]Operation {
	all := map[string]Operation{}
	for _, r := range Resources() {
		for _, o := range r.Operations {
			all[o.Method+" "+o.Path] = o
		}
	}
	return all
}

func TestEveryRouteHasFacts(t *testing.T) {
	facts := operations()
	for _, r := range routes {
		name := r.method + " " + r.path
		if _, known := facts[name]; !known {
			t.Errorf("%s has no facts: add an operation to the resource's *_facts.go", name)
		}
		delete(facts, name)
	}
	for name := range facts {
		t.Errorf("there are facts about %s, which is no route", name)
	}
}

func TestOperationsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]string{}
	for name, o := range operations() {
		if seen[o.ID] != "" {
			t.Errorf("%s and %s are both called %s", name, seen[o.ID], o.ID)
		}
		seen[o.ID] = name
	}
}

// The facts say which struct a handler decodes its parameters into, and whether it reads a page. The
// handler's source says it too.
func TestHandlersDecodeWhatTheFactsSay(t *testing.T) {
	handlers := handlersInSource(t)
	facts := operations()
	for _, r := range routes {
		o := facts[r.method+" "+r.path]
		name := runtime.FuncForPC(reflect.ValueOf(r.handler).Pointer()).Name()
		got, known := handlers[name[strings.LastIndex(name, ".")+1:]]
		if !known {
			t.Errorf("%s: no handler is called %s", r.path, name)
			continue
		}
		want := ""
		if o.Params != nil {
			want = reflect.TypeOf(o.Params).Name()
		}
		if got.decodes != want || got.paged != o.Paged || got.json != o.JSON || r.json() != o.JSON {
			t.Errorf("%s %s decodes %q, reads a page: %t and JSON: %t (the route %t); the facts say %q, %t and %t",
				r.method, r.path, got.decodes, got.paged, got.json, r.json(), want, o.Paged, o.JSON)
		}
	}
}

type handlerSource struct {
	decodes string // the type of the struct that is decoded into
	paged   bool
	json    bool
}

// handlersInSource finds in each method of API what it declares as p or q and gives to decode.
func handlersInSource(t *testing.T) map[string]handlerSource {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]handlerSource{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				found[f.Name.Name] = readHandler(f)
			}
		}
	}
	return found
}

func readHandler(f *ast.FuncDecl) handlerSource {
	var h handlerSource
	declared := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			switch kind := n.Type.(type) {
			case *ast.Ident:
				declared[n.Names[0].Name] = kind.Name
			case *ast.SelectorExpr:
				declared[n.Names[0].Name] = kind.Sel.Name
			}
		case *ast.CallExpr:
			called, ok := n.Fun.(*ast.Ident)
			switch {
			case !ok:
			case strings.HasPrefix(called.Name, "decode"):
				if into, ok := n.Args[1].(*ast.UnaryExpr); ok {
					h.decodes, h.json = declared[into.X.(*ast.Ident).Name], called.Name == "decodeJSON"
				}
			case strings.HasPrefix(called.Name, "read") && strings.HasSuffix(called.Name, "Page"):
				h.paged = true
			}
		}
		return true
	})
	return h
}

// Every code has a row that says when it comes, and comes from somewhere.
func TestEveryCodeHasFacts(t *testing.T) {
	var got []verify.Code
	for _, e := range Errors() {
		if e.When == "" || e.From == 0 {
			t.Errorf("%d: when it comes, and how we know, is not said: %+v", e.Code, e)
		}
		got = append(got, e.Code)
	}
	want := slices.Concat(verify.Codes(), factor.Codes())
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of errorFacts:\n%s", diff)
	}
	refused := map[verify.Code]bool{verify.CodeMethodNotAllowed: true} // of a path, and no operation's
	for _, code := range EveryOperation() {
		refused[code] = true
	}
	for _, o := range operations() {
		for _, code := range o.Codes {
			refused[code] = true
		}
	}
	for _, e := range Errors() {
		if refused[e.Code] == (e.Nowhere != "") {
			t.Errorf("%d: an operation refuses with it: %t, and it is only in %q", e.Code, refused[e.Code], e.Nowhere)
		}
	}
}

// What begins with Verifyd is ours, and nothing else is ours alone; what names no source is of the
// published description.
func TestSourcesOfParameters(t *testing.T) {
	published := map[string]bool{}
	for path, methods := range readPublished(t) {
		for _, m := range methods {
			for _, name := range append(slices.Collect(maps.Keys(m.Parameters)), m.Query...) {
				published[path+" "+name] = true
			}
		}
	}
	for _, o := range operations() {
		for _, f := range o.Facts {
			own := strings.HasPrefix(f.Name, "Verifyd.") || strings.HasPrefix(o.Path, "/v2/Verifyd/")
			if own != (f.From == Ours) {
				t.Errorf("%s %s is ours: %t, its source is ours: %t", o.Path, f.Name, own, f.From == Ours)
			}
			said := f.From == 0 || f.From&Spec != 0
			if known := published[o.Path+" "+f.Name]; known != said {
				t.Errorf("%s %s is published: %t, its source says so: %t", o.Path, f.Name, known, said)
			}
		}
	}
}

// A header that is described is one that the code of a web page can read.
func TestBrowsersMayReadEveryHeader(t *testing.T) {
	exposed := strings.Split(exposeHeaders[0], ", ")
	for _, h := range Headers() {
		if !slices.Contains(exposed, h.Name) {
			t.Errorf("%s is not exposed", h.Name)
		}
	}
}
