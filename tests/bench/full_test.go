//go:build full

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every leg but the peer's, as short as it can be: whether it can be measured, not how it comes
// out.
func TestEveryLegRuns(t *testing.T) {
	dir := t.TempDir()
	binary, program := filepath.Join(dir, "verifyd"), filepath.Join(dir, "bench")
	for out, pkg := range map[string]string{binary: "../../cmd/verifyd", program: "."} {
		if said, err := exec.Command("go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, said)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-binary", binary, "-rounds", "2", "-seconds", "0.2", "-warmup", "0.2",
		"-stored", "2000", "-expiring", "2000", "-attempts", "3000", "-factors", "20000", "-connections", "16,64")
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	report := string(out)
	if strings.Contains(report, "not measured") || strings.Contains(report, "NaN") {
		t.Errorf("something was not measured:\n%s", report)
	}
	table, _, _ := strings.Cut(report, "\n\n")
	for name, lines := range map[string]int{"bare": 2, "sqlite": 2, "limited": 1, "stored": 1, "expiring": 1, "postgres": 2, "delayed": 1} {
		got := 0
		for line := range strings.Lines(table) {
			if fields := strings.Fields(line); fields[1] == name {
				got++
			}
		}
		if got != lines {
			t.Errorf("the table has %d lines of %s, want %d:\n%s", got, name, lines, report)
		}
	}
}
