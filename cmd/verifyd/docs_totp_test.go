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

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```\n")

func TestTheCommandsOfTheTOTPManual(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	got := runManual(t, "totp.md", 7, "ACCOUNT="+p.said("account SID")+" TOKEN="+p.said("auth token")+" DATA="+data+
		"\nV2="+p.base+"/v2/Services/"+p.said("service SID")+"\n")
	if !strings.Contains(got[1], "otpauth://totp/Acme:ann%40example.com?secret=") || !strings.Contains(got[1], "▀") {
		t.Errorf("the QR code is\n%s", got[1])
	}
}

// runManual runs every command of a manual as it stands there, but for the first block, which sets
// variables; a comment below a command is what it answers. It returns what each block said.
func runManual(t *testing.T, name string, blocks int, setting string) []string {
	t.Helper()
	manual, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	found := shellBlock.FindAllStringSubmatch(string(manual), -1)
	if len(found) != blocks || !strings.HasPrefix(found[0][1], "ACCOUNT=AC") {
		t.Fatalf("the manual has %d blocks, want %d of which the first sets variables", len(found), blocks)
	}
	dir := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "verifyd")); err != nil {
		t.Fatal(err)
	}
	wants := regexp.MustCompile(`(?m)^# … (.*) …$`)
	script := "set -eu\n" + setting
	for _, b := range found[1:] {
		script += b[1] + "echo; echo ==\n"
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asVerifyd+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (`make tools` installs what is missing)\n%s", err, out)
	}
	got := strings.Split(string(out), "\n==\n")
	for i, b := range found[1:] {
		for _, want := range wants.FindAllStringSubmatch(b[1], -1) {
			if !strings.Contains(got[i], want[1]) {
				t.Errorf("%s\nanswers\n%s\nwant %s", b[1], got[i], want[1])
			}
		}
		if strings.Contains(got[i], `"code":`) && !strings.Contains(b[1], `"code":`) {
			t.Errorf("%s\nis refused:\n%s", b[1], got[i])
		}
	}
	return got
}
