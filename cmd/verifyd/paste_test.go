//go:build full

package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// The start prints three lines to paste. Each works in a shell as it is, and the last approves.
func TestThePrintedLinesWork(t *testing.T) {
	for _, name := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing: `make tools` installs it: %v", name, err)
		}
	}
	p := dev(t, t.TempDir())
	var lines []string
	for line := range strings.Lines(p.out.String()) {
		if strings.HasPrefix(line, "curl ") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	if len(lines) != 3 {
		t.Fatalf("the start prints %d lines to paste, want 3:\n%s", len(lines), p.out.String())
	}
	var started, checked struct{ SID, Status string }
	var inbox struct {
		Messages []struct {
			VerificationSID string `json:"verification_sid"`
		}
	}
	for i, answer := range []any{&started, &inbox, &checked} {
		shell := exec.CommandContext(t.Context(), "sh")
		shell.Stdin = strings.NewReader(lines[i] + "\n")
		out, err := shell.CombinedOutput()
		if err == nil {
			err = json.Unmarshal(out, answer)
		}
		if err != nil {
			t.Fatalf("%s\n%v\n%s", lines[i], err, out)
		}
	}
	// The fourth asks for what was sent, of this server.
	for line := range strings.Lines(p.out.String()) {
		if rest, ok := strings.CutPrefix(line, "verifyd attempt "); ok {
			stdout, stderr, _ := once(t, append([]string{"attempt"}, strings.Fields(rest)...)...)
			if !strings.Contains(stdout, started.SID) {
				t.Errorf("%s%s%s", line, stdout, stderr)
			}
			lines = lines[:0]
		}
	}
	if len(lines) != 0 {
		t.Errorf("the start names no command to look with:\n%s", p.out.String())
	}
	if started.Status != "pending" || len(inbox.Messages) != 1 || inbox.Messages[0].VerificationSID != started.SID {
		t.Errorf("started %+v, and the inbox has %+v", started, inbox)
	}
	if checked.Status != "approved" || checked.SID != started.SID {
		t.Errorf("the last line answers %+v, want %s approved", checked, started.SID)
	}
}
