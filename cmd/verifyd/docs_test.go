//go:build full

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// The commands of docs/rate-limits.md run one after another, and say what the page says.
func TestTheCommandsAboutRateLimits(t *testing.T) {
	text, err := os.ReadFile("../../docs/rate-limits.md")
	if err != nil {
		t.Fatal(err)
	}
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "warn", "--limits")
	script := "set -e\n"
	for i, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		switch {
		case i == 0: // what dev prints
			script += "ACCOUNT=" + p.said("account SID") + "\nTOKEN=" + p.said("auth token") +
				"\nSERVICE=" + p.base + "/v2/Services/" + p.said("service SID") + "\n"
		case strings.HasPrefix(block[1], "verifyd dev --limits\n"): // is running
		default:
			script += block[1] + "echo\n"
		}
	}
	shell := exec.CommandContext(t.Context(), "sh")
	shell.Stdin = strings.NewReader(script)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.ReplaceAll(string(out), "\r", "")
	want := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(string(text))[1]
	// The minute began with the first start, so how much of it is left depends on the machine.
	if !regexp.MustCompile(strings.Replace(regexp.QuoteMeta(want), "Retry-After: 60", `Retry-After: \d+`, 1)).MatchString(got) {
		t.Errorf("the starts said\n%s\nwant\n%s", got, want)
	}
	for _, part := range []string{`"unique_name":"end_user_ip"`, `"max":10`, `"max":20`, `"key":"rate_limits"`, `"status":"pending"`} {
		if !strings.Contains(got, part) {
			t.Errorf("nothing said %s:\n%s", part, got)
		}
	}
	if strings.Contains(got, `"more_info"`) {
		t.Errorf("a command was refused:\n%s", got)
	}
}
