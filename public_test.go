package verifyd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPublicPackageHasAnExample looks at what others may import: all but the programs, their tests,
// and internal. An example that go test does not run is none.
func TestEveryPublicPackageHasAnExample(t *testing.T) {
	for dir := range packages(t) {
		top, _, _ := strings.Cut(dir, "/")
		switch top {
		case ".", "cmd", "examples", "internal", "tests":
			continue
		}
		if !hasExample(t, dir) {
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
