//go:build full

package samples

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const root = "../.."

// bin is a folder with a verifyd, as a workflow has one on its PATH.
var bin string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "verifyd-samples-")
	if err == nil {
		defer os.RemoveAll(dir)
		bin = filepath.Join(dir, "bin")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", filepath.Join(bin, "verifyd"), root+"/cmd/verifyd").CombinedOutput(); err != nil {
			err = fmt.Errorf("build verifyd: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// The image of the Dockerfile has nothing but this: no loader, and no library.
func TestTheProgramNeedsNothingBesideItself(t *testing.T) {
	program, err := elf.Open(filepath.Join(bin, "verifyd"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	needs, err := program.ImportedLibraries()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) || len(needs) > 0 {
		t.Errorf("it needs %v, %v", needs, err)
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			t.Error("it needs a loader")
		}
	}
}

// shell runs a command as a step of a workflow is run, and returns what it said.
func shell(t *testing.T, folder, command string) string {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", command)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CI=true", "NO_COLOR=1", "PYTHONDONTWRITEBYTECODE=1", "XDG_DATA_HOME="+filepath.Join(home, "data"),
		"VERIFYD_BIN=", "CHROMIUM="+chromium(t), "PATH="+python(t, home)+":"+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v (`make tools` installs what is missing)\n%s", command, err, out)
	}
	return string(out)
}

// python is a folder with the system's Python, to which the system's packages belong; another may come
// first in PATH.
func python(t *testing.T, home string) string {
	t.Helper()
	folder := filepath.Join(home, "python")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/bin/python3", filepath.Join(folder, "python3")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func chromium(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CHROMIUM"); named != "" {
		return named
	}
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		t.Fatalf("the samples need Chromium (`make tools` installs it; where it has another name, set CHROMIUM to its path): %v", err)
	}
	return path
}

// workflow is what the tests read of a workflow of GitHub.
type workflow struct {
	Jobs map[string]struct {
		RunsOn   string `yaml:"runs-on"`
		Defaults struct {
			Run struct {
				Folder string `yaml:"working-directory"`
			}
		}
		Steps []struct{ Uses, Run string }
	}
}

// provided is what other steps come from: `make tools`, and TestMain.
var provided = []string{
	"go install github.com/verifyd/verifyd/cmd/verifyd@latest",
	"npm ci",
	"pip install twilio pytest",
	"npx playwright install --with-deps chromium-headless-shell",
}

// passes is what the tests of a sample say when they have run.
var passes = map[string]string{
	"npm test --workspace sample-vitest":     `Tests  4 passed \(4\)`,
	"npm test --workspace sample-jest":       `Tests:       4 passed, 4 total`,
	"npm test --workspace sample-playwright": `2 passed`,
	"verifyd run -- python3 -m pytest":       `3 passed`,
	"verifyd run -- sh test.sh":              `(?s)ok: .*ok: `,
	"go test ./examples/go":                  `ok  `,
}

// Every step of the workflow does what it says, but for those that install.
func TestTheWorkflow(t *testing.T) {
	text, err := os.ReadFile(root + "/examples/ci/github-actions.yml")
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for name, job := range w.Jobs {
		folder := filepath.Join(root, job.Defaults.Run.Folder)
		for _, step := range job.Steps {
			switch {
			case step.Run == "":
				if !regexp.MustCompile(`^actions/[a-z-]+@v\d+$`).MatchString(step.Uses) {
					t.Errorf("%s: a step uses %q", name, step.Uses)
				}
			case slices.Contains(provided, step.Run):
			default:
				want, known := passes[step.Run]
				if !known || job.RunsOn == "" {
					t.Errorf("%s: nobody knows what %q says", name, step.Run)
					continue
				}
				ran[step.Run] = true
				t.Run(name+" "+step.Run, func(t *testing.T) {
					if said := shell(t, folder, step.Run); !regexp.MustCompile(want).MatchString(said) {
						t.Errorf("it does not say %s:\n%s", want, said)
					}
				})
			}
		}
	}
	if len(ran) != len(passes) {
		t.Errorf("the workflow ran %v", ran)
	}
}

// The test of docs/testing.md is one of the sample's, which TestTheWorkflow runs.
func TestTheTestingPageShowsASample(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile(root + "/examples/node/vitest/sign-in.test.js")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```vitest\n(.*?)```").FindSubmatch(page)
	if shown == nil || !strings.Contains(string(sample), string(shown[1])) {
		t.Errorf("the sample has no\n%s", shown)
	}
}

// The application of the compose file, which finds verifyd by a name, signs in as well where it finds it
// through the proxy.
func TestTheApplicationOfTheComposeFile(t *testing.T) {
	text, err := os.ReadFile(root + "/examples/compose/app.mjs")
	if err != nil {
		t.Fatal(err)
	}
	folder := beside(t, map[string]string{"app.mjs": string(text)})
	if said := shell(t, folder, "verifyd run -- node app.mjs"); said != "approved\n" {
		t.Error(said)
	}
}

// beside is a folder with files where those of a sample would lie: from there its packages are found.
func beside(t *testing.T, files map[string]string) string {
	t.Helper()
	folder, err := os.MkdirTemp(root+"/examples/node", ".test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestTheCypressSample(t *testing.T) {
	sample, err := filepath.Abs(root + "/examples/node/cypress")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/cypress.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if said := shell(t, sample, "node "+script+" "+sample); !strings.HasSuffix(said, "passed\n") {
		t.Error(said)
	}
}

func TestTheNpmPackage(t *testing.T) {
	if said := shell(t, root+"/npm/verifyd-test", "npm test"); !strings.Contains(said, "# fail 0") || strings.Contains(said, "# pass 0") {
		t.Error(said)
	}
}

// A program in TypeScript, strict, in the two ways of modules that Node has.
func TestTheTypesOfTheNpmPackage(t *testing.T) {
	text, err := os.ReadFile("testdata/types.mts")
	if err != nil {
		t.Fatal(err)
	}
	required := "import verifyd = require(\"verifyd-test\");\nexport const srv: Promise<verifyd.Server> = verifyd.start();\n"
	folder := beside(t, map[string]string{"types.mts": string(text), "required.cts": required})
	shell(t, folder, "../node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module node16 --target es2022 types.mts required.cts")
}

// What somebody packs has every file that it names, and nothing that it does not need.
func TestWhatIsPacked(t *testing.T) {
	said := shell(t, root+"/npm/verifyd-test", "npm pack --dry-run 2>&1")
	for _, name := range []string{"index.js", "index.mjs", "index.d.ts", "index.d.mts", "vitest.mjs", "jest.js", "jest-teardown.js", "playwright.js", "playwright.d.ts", "README.md"} {
		if !strings.Contains(said, " "+name+"\n") {
			t.Errorf("%s is not packed:\n%s", name, said)
		}
	}
	if strings.Contains(said, ".test.mjs") {
		t.Errorf("its tests are packed:\n%s", said)
	}
}
