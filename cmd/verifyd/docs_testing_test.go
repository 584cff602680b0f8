//go:build full

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands of docs/testing.md run one after the other in one shell.
func TestTheTestingPageWorks(t *testing.T) {
	page := readPage(t, "testing.md")
	p, home := atHome(t)
	said := p.paste(home, strings.Join(page["sh"], "echo\n"))
	for _, part := range []string{`"key":"services"`, "/.local/share/verifyd/ca.pem\n", "VE", "event: verification\n", `"sid":"VA5c1d0e8f7a6b49325c1d0e8f7a6b4932"`, `"code_length":4`} {
		if !strings.Contains(said, part) {
			t.Errorf("nothing said %q:\n%s", part, said)
		}
	}
	for _, line := range []string{`Z  frozen$`, `^{"now":"[^"]*","frozen":false,"next":`, `^AC[0-9a-f]{32}$`, `^started  20`} {
		if !regexp.MustCompile(`(?m)` + line).MatchString(said) {
			t.Errorf("no line is %s:\n%s", line, said)
		}
	}
	if !regexp.MustCompile(`(?m)^\d{6}$`).MatchString(said) {
		t.Errorf("no code was printed:\n%s", said)
	}
}

// The test of docs/testing.md passes, as a test of verifytest that lies elsewhere.
func TestTheGoTestOfTheTestingPage(t *testing.T) {
	const head = `package verifytest_test

import (
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/verifyd/verifyd/verifytest"
)

`
	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "page_test.go"), filepath.Join(dir, "overlay.json")
	place, err := filepath.Abs("../../verifytest/page_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {place: file}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{file: head + readPage(t, "testing.md")["gotest"][0], overlay: string(text)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-v", "-run", "TestACodeIsGoodForTenMinutes", "../../verifytest")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestACodeIsGoodForTenMinutes") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Each helper of docs/testing.md, as it stands there, in a test of its framework, reads the code that its
// number was sent.
func TestTheHelpersOfTheTestingPage(t *testing.T) {
	page := readPage(t, "testing.md")
	p := dev(t, t.TempDir())
	for i, c := range []struct {
		language string
		files    map[string]string // HELPER is the text of the page
		run      string
	}{
		{"shell", map[string]string{"test.sh": "HELPER\necho \"code $code\"\n"}, "sh -e test.sh"},
		{"playwright", map[string]string{
			"package.json": `{"type": "module"}`,
			"code.js":      "HELPER",
			"code.spec.js": "import { test } from '@playwright/test';\nimport { codeFor } from './code.js';\n" +
				"test('a code', async ({ request }) => console.log('code', await codeFor(request, process.env.to)));\n",
		}, "node node_modules/@playwright/test/cli.js test --reporter=line"},
		{"cypress", map[string]string{
			"cypress.config.mjs": "HELPER",
			"cypress.mjs": "import config from './cypress.config.mjs';\n" + // what Cypress does with a task
				"config.e2e.setupNodeEvents(async (_, { codeFor }) => console.log('code', await codeFor(process.env.to)));\n",
		}, "node cypress.mjs"},
		{"go", map[string]string{
			"go.mod": "module x\n\ngo 1.24\n",
			"x_test.go": "package x\n\nimport (\n\t\"os\"\n\t\"os/exec\"\n\t\"strings\"\n\t\"testing\"\n)\n\nHELPER\n" +
				"func TestX(t *testing.T) { t.Log(\"code\", codeFor(t, os.Getenv(\"to\"))) }\n",
		}, "go test -v ."},
		{"python", map[string]string{
			"x.py": "import json, os, urllib.parse, urllib.request\n\nHELPER\nprint('code', code_for(os.environ['to']))\n",
		}, "python3 x.py"},
	} {
		t.Run(c.language, func(t *testing.T) {
			if len(page[c.language]) != 1 {
				t.Fatalf("the page has %d helpers in %s", len(page[c.language]), c.language)
			}
			to := fmt.Sprintf("+3461234567%d", i)
			p.start(to, "sms")
			home := t.TempDir()
			for name, text := range c.files {
				text = strings.ReplaceAll(text, "HELPER", page[c.language][0])
				if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			modules, err := filepath.Abs("../../tests/run/node/node_modules")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(modules, filepath.Join(home, "node_modules")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", c.run)
			cmd.Dir = home
			cmd.Env = append(os.Environ(), "to="+to, "VERIFYD_URL="+p.base, "PATH="+asProgram(t, home)+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			code := regexp.MustCompile(`code (\d{6})\b`).FindSubmatch(out)
			if err != nil || code == nil {
				t.Fatalf("%v (`make tools` installs what is missing)\n%s", err, out)
			}
			if status := p.check(to, string(code[1])); status != "approved" {
				t.Errorf("its code is %s:\n%s", status, out)
			}
		})
	}
}
