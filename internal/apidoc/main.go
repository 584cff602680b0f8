// Command apidoc writes what people and programs read about the API: the OpenAPI document that the
// server serves, and docs/compatibility.md. Both come from the tables of package api: its routes,
// the structs of its parameters and answers, and its facts.
//
// Run it with `go generate ./internal/api`; its test fails while a file is stale.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	// go generate runs in internal/api.
	if err := write(filepath.Join("..", "..")); err != nil {
		fmt.Fprintln(os.Stderr, "apidoc:", err)
		os.Exit(1)
	}
}

// write brings the generated files of a source tree up to date.
func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate makes the files, by their names in the source tree.
func generate(root string) (map[string][]byte, error) {
	document, err := openAPI()
	if err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	published, err := readPublished(filepath.Join(root, "internal", "api", "testdata"))
	if err != nil {
		return nil, err
	}
	page, err := compatibility(published)
	if err != nil {
		return nil, fmt.Errorf("compatibility.md: %w", err)
	}
	return map[string][]byte{
		"internal/api/openapi.json": document,
		"docs/compatibility.md":     page,
	}, nil
}
