package verifyd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// public reports whether others may import a package of ours: all may be but the programs, their tests,
// and internal.
func public(dir string) bool {
	top, _, _ := strings.Cut(dir, "/")
	return !slices.Contains([]string{".", "cmd", "examples", "internal", "tests"}, top)
}

// TestEveryPublicPackageHasAnExample: an example that go test does not run is none.
func TestEveryPublicPackageHasAnExample(t *testing.T) {
	for dir := range packages(t) {
		if public(dir) && !hasExample(t, dir) {
			t.Errorf("%s has no Example with an Output", dir)
		}
	}
}

func hasExample(t *testing.T, dir string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			example, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(example.Name.Name, "Example") {
				continue
			}
			for _, c := range f.Comments {
				if c.Pos() > example.Pos() && c.End() < example.End() && strings.HasPrefix(c.Text(), "Output:") {
					return true
				}
			}
		}
	}
	return false
}

// TestEveryPublicNameSaysWhatItIs: types, functions and methods by a comment of their own, constants and
// variables by one of their own or of their group.
func TestEveryPublicNameSaysWhatItIs(t *testing.T) {
	for dir := range packages(t) {
		if !public(dir) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range unsaid(f) {
				t.Errorf("%s: %s has no comment", file, name)
			}
		}
	}
}

// unsaid are the exported names of a file that no comment is about.
func unsaid(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.IsExported() && decl.Doc == nil && (decl.Recv == nil || receiver(decl).IsExported()) {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && decl.Doc == nil && spec.Doc == nil {
						names = append(names, spec.Name.Name)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if name.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
							names = append(names, name.Name)
						}
					}
				}
			}
		}
	}
	return names
}

// receiver is the name of the type that a method is of.
func receiver(method *ast.FuncDecl) *ast.Ident {
	of := method.Recv.List[0].Type
	for {
		switch t := of.(type) {
		case *ast.StarExpr:
			of = t.X
		case *ast.IndexExpr:
			of = t.X
		case *ast.IndexListExpr:
			of = t.X
		case *ast.Ident:
			return t
		default:
			return method.Name
		}
	}
}
