//go:build full

package main

import (
	"os/exec"
	"testing"
)

func TestThePythonGateway(t *testing.T) {
	need(t, "python3")
	check(t, exec.Command("python3", "gateway.py", "0"))
}
