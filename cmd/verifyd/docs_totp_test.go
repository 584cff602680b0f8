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

// Every command of the manual is run as it stands there; a comment below one is what it answers.
func TestTheCommandsOfTheTOTPManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/totp.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlock.FindAllStringSubmatch(string(manual), -1)
	if len(blocks) != 7 || !strings.HasPrefix(blocks[0][1], "ACCOUNT=AC") {
		t.Fatalf("the manual has %d blocks, want 7 of which the first sets variables", len(blocks))
	}
	data, dir := t.TempDir(), t.TempDir()
	p := dev(t, data)
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "verifyd")); err != nil {
		t.Fatal(err)
	}
	setting := "ACCOUNT=" + p.said("account SID") + " TOKEN=" + p.said("auth token") + " DATA=" + data +
		"\nV2=" + p.base + "/v2/Services/" + p.said("service SID") + "\n"
	wants := regexp.MustCompile(`(?m)^# … (.*) …$`)
	script := "set -eu\n" + setting
	var answers []string // the manual's, in order
	for _, b := range blocks[1:] {
		script += b[1] + "echo; echo ==\n"
		want := wants.FindStringSubmatch(b[1])
		if want == nil {
			want = []string{"", ""}
		}
		answers = append(answers, want[1])
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asVerifyd+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (`make tools` installs what is missing)\n%s", err, out)
	}
	got := strings.Split(string(out), "\n==\n")
	for i, want := range answers {
		if !strings.Contains(got[i], want) || strings.Contains(got[i], `"code":`) {
			t.Errorf("%s\nanswers\n%s\nwant %s", blocks[i+1][1], got[i], want)
		}
	}
	if !strings.Contains(got[1], "otpauth://totp/Acme:ann%40example.com?secret=") || !strings.Contains(got[1], "▀") {
		t.Errorf("the QR code is\n%s", got[1])
	}
}
