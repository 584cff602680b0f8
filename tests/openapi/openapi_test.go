//go:build full

package openapi

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const document = "../../internal/api/openapi.json"

func lint(t *testing.T, text []byte) (problems string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "lint.mjs")
	cmd.Dir = "node"
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheLinterHasNothingToSay(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := lint(t, text); err != nil {
		t.Errorf("%v\n%s", err, problems)
	}
}

// So that silence means something.
func TestTheLinterFindsMistakes(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for sound, broken := range map[string]string{
		`"#/components/schemas/Service"`: `"#/components/schemas/Servise"`,
		`"operationId": "ListService"`:   `"operationId": "CreateService"`,
		`"in": "query"`:                  `"in": "quest"`,
		`"200": {`:                       `"two hundred": {`,
	} {
		if !strings.Contains(string(text), sound) {
			t.Errorf("the document does not have %s any more", sound)
		}
		if problems, err := lint(t, bytes.ReplaceAll(text, []byte(sound), []byte(broken))); err == nil || !strings.HasPrefix(problems, "error ") {
			t.Errorf("with %s in the place of %s: %v\n%s", broken, sound, err, problems)
		}
	}
}
