//go:build full

package main

import (
	"os/exec"
	"testing"
)

func TestThePythonGateway(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("python3 is missing (apt-get install python3): %v", err)
	}
	check(t, exec.Command(python, "gateway.py", "0"))
}
