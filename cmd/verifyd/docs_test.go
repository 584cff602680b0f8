//go:build full

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/devserver"
)

// The commands of docs/rate-limits.md run one after another, and say what the page says.
func TestTheCommandsAboutRateLimits(t *testing.T) {
	page := readPage(t, "rate-limits.md")
	home := t.TempDir()
	p := begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "warn", "--limits")
	script := ""
	for _, block := range page["sh"][1:] { // the first sets what paste sets
		if !strings.HasPrefix(block, "verifyd dev --limits\n") { // is running
			script += block + "echo\n"
		}
	}
	got := p.paste(home, script)
	// The minute began with the first start, so how much of it is left depends on the machine.
	want := strings.Replace(regexp.QuoteMeta(page["text"][0]), "Retry-After: 60", `Retry-After: \d+`, 1)
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("the starts said\n%s\nwant\n%s", got, page["text"][0])
	}
	for _, part := range []string{`"unique_name":"end_user_ip"`, `"max":10`, `"max":20`, `"key":"rate_limits"`, `"status":"pending"`} {
		if !strings.Contains(got, part) {
			t.Errorf("nothing said %s:\n%s", part, got)
		}
	}
}

// The commands of docs/templates.md run one after the other in one shell, and say what the page
// says; its file is the one that dev has.
func TestTheTemplatesPageWorks(t *testing.T) {
	page := readPage(t, "templates.md")
	home := t.TempDir()
	p := begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "warn")
	for _, text := range page["json"] {
		if text != string(devserver.SampleTemplate) {
			t.Errorf("the file on the page is not sample_template.json:\n%s", text)
		}
	}
	said := templateSID.ReplaceAllString(p.paste(home, strings.Join(page["sh"], "")), "HJ…")
	for _, text := range page["text"] {
		if !strings.Contains(said, text) {
			t.Errorf("the commands do not say\n%s\nbut\n%s", text, said)
		}
	}
	if got := p.text("+34612345678"); !regexp.MustCompile(`^\d{6} es su clave de Acme para recoger su pedido en Gran Vía\.$`).MatchString(got) {
		t.Errorf("the message says %q", got)
	}
}

// The commands of docs/cli.md run one after the other in one shell, and those that fail say what the
// page says.
func TestTheCommandLinePageWorks(t *testing.T) {
	page := readPage(t, "cli.md")
	p, home := atHome(t)
	said := steady(p.paste(home, strings.Join(page["sh"], "echo\n")))
	if !strings.HasPrefix(said, page["text"][0]) {
		t.Errorf("the list is not that of the page:\n%s", said)
	}
	for _, part := range []string{
		"code_length                        4\n", "Verifyd-Code-Ttl                   300\n", "deleted Shop\n",
		"total_attempts              1\n", "valid                false\n", "\nCA       MG…  TIME\n", "deleted CA\n",
		"HJ…  Order pickup  sms, voice  en, de, es\n", `"friendly_name":"Nightly"`, "deleted VA…\n",
	} {
		if !strings.Contains(said, part) {
			t.Errorf("nothing said %q:\n%s", part, said)
		}
	}
	want := ""
	for _, line := range []string{"service show Nobody", "verification show +34612345679"} {
		_, stderr, _ := onceWith(t, []string{"HOME=" + home}, strings.Fields(line)...)
		want += steady(stderr)
	}
	if page["text"][1] != want {
		t.Errorf("the errors are\n%sthe page has\n%s", want, page["text"][1])
	}
}

// Every command that goes through the API is on the page.
func TestTheCommandLinePageHasEveryNoun(t *testing.T) {
	text := strings.Join(readPage(t, "cli.md")["sh"], "")
	for _, c := range operatorCommands() {
		noun, _, _ := strings.Cut(c.name, " ")
		if !strings.Contains(text, "verifyd "+noun+" ") {
			t.Errorf("docs/cli.md runs no command of %s", noun)
		}
	}
}

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```")

// readPage returns the blocks of a page of docs by their languages.
func readPage(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, b := range block.FindAllStringSubmatch(string(text), -1) {
		blocks[b[1]] = append(blocks[b[1]], b[2])
	}
	return blocks
}

// paste runs commands as a person at the printed lines would, in a shell that has verifyd, with this
// server in the place of the default one, and returns what they say. None may be refused.
func (p *program) paste(home, commands string) string {
	p.t.Helper()
	return p.pasteWith(home, commands, []string{"ACCOUNT=" + p.said("account SID"), "TOKEN=" + p.said("auth token"), "SERVICE=" + p.said("service SID")})
}

// pasteWith is paste in an environment of its own.
func (p *program) pasteWith(home, commands string, env []string) string {
	p.t.Helper()
	bin := asProgram(p.t, home)
	shell := exec.CommandContext(p.t.Context(), "sh", "-e")
	shell.Dir = home
	shell.Env = append([]string{"HOME=" + home, "PATH=" + bin + ":" + os.Getenv("PATH")}, env...)
	shell.Stdin = strings.NewReader(strings.ReplaceAll(commands, "http://127.0.0.1:8642", p.base))
	out, err := shell.CombinedOutput()
	if err != nil || strings.Contains(string(out), `"more_info"`) {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return strings.ReplaceAll(string(out), "\r", "")
}

// asProgram makes a folder with a verifyd, which is this test binary.
func asProgram(t *testing.T, home string) (bin string) {
	t.Helper()
	bin = filepath.Join(home, "bin")
	program := "#!/bin/sh\nexec env " + asVerifyd + "=1 '" + os.Args[0] + "' \"$@\"\n"
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "verifyd"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	return bin
}
