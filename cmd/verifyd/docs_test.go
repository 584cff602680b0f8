//go:build full

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands of docs/templates.md run one after the other in one shell, and say what the page
// says; its file is the one that dev has.
func TestTheTemplatesPageWorks(t *testing.T) {
	page, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	p := begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "warn")
	// In the place of verifyd, this test binary.
	bin := filepath.Join(home, "bin")
	program := "#!/bin/sh\nexec env " + asVerifyd + "=1 '" + os.Args[0] + "' \"$@\"\n"
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "verifyd"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	var want []string
	for _, block := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		switch kind, text := block[1], block[2]; kind {
		case "sh":
			script.WriteString(strings.ReplaceAll(text, "http://127.0.0.1:8642", p.base))
		case "text":
			want = append(want, text)
		case "json":
			if text != string(sampleTemplate) {
				t.Errorf("the file on the page is not sample_template.json:\n%s", text)
			}
		}
	}
	shell := exec.CommandContext(t.Context(), "sh", "-e")
	shell.Dir = home
	shell.Env = []string{"HOME=" + home, "PATH=" + bin + ":" + os.Getenv("PATH"), "ACCOUNT=" + p.said("account SID"),
		"TOKEN=" + p.said("auth token"), "SERVICE=" + p.said("service SID")}
	shell.Stdin = strings.NewReader(script.String())
	out, err := shell.CombinedOutput()
	said := templateSID.ReplaceAllString(string(out), "HJ…")
	if err != nil || strings.Contains(said, `"more_info"`) {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, text := range want {
		if !strings.Contains(said, text) {
			t.Errorf("the commands do not say\n%s\nbut\n%s", text, said)
		}
	}
	if got := p.text("+34612345678"); !regexp.MustCompile(`^\d{6} es su clave de Acme para recoger su pedido en Gran Vía\.$`).MatchString(got) {
		t.Errorf("the message says %q", got)
	}
}
