//go:build full

package clients

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The account of the walks. The libraries refuse a SID or a token that has other characters.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "fedcba9876543210fedcba9876543210"
)

// baseURL is where the verifyd of this test run serves.
var baseURL string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds verifyd, serves with it while the tests run, and stops it as an operator would.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "verifyd-clients-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	binary := filepath.Join(dir, "verifyd")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/verifyd").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build verifyd: %w\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command(binary, "dev", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--log", "warn")
	server.Env = append(os.Environ(), "TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken)
	server.Stderr = &log
	stdout, err := server.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := server.Start(); err != nil {
		return 0, err
	}
	defer func() {
		if stop := server.Process.Signal(syscall.SIGTERM); stop != nil && !errors.Is(stop, os.ErrProcessDone) {
			err = errors.Join(err, stop)
		}
		slow := time.AfterFunc(30*time.Second, func() { server.Process.Kill() })
		defer slow.Stop()
		if failed := server.Wait(); failed != nil {
			err = errors.Join(err, fmt.Errorf("verifyd dev: %w", failed))
		}
		if log.Len() > 0 {
			fmt.Fprintf(os.Stderr, "verifyd dev wrote:\n%s", &log)
		}
	}()

	late := time.AfterFunc(time.Minute, func() { server.Process.Kill() })
	printed := regexp.MustCompile(`base URL\s+(http://\S+)`)
	for lines := bufio.NewScanner(stdout); baseURL == "" && lines.Scan(); {
		if found := printed.FindStringSubmatch(lines.Text()); found != nil {
			baseURL = found[1]
		}
	}
	late.Stop()
	if baseURL == "" {
		return 0, errors.New("verifyd dev ended, or was stopped after a minute, without printing its base URL")
	}
	return m.Run(), nil
}

func TestNode(t *testing.T) {
	if _, err := os.Stat("node/node_modules/twilio/package.json"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the library is not installed: `make tools` does it")
	}
	walk(t, "node", "node/walk.mjs")
}

func TestPython(t *testing.T) {
	// By its path: the library belongs to the system's Python, and another may come first in PATH.
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import twilio").CombinedOutput(); err != nil {
		t.Fatalf("the library is not installed: `make tools` does it (package python3-twilio): %v\n%s", err, out)
	}
	walk(t, python, "python/walk.py")
}

// walk runs a script, which says what differed and ends with a count.
func walk(t *testing.T, interpreter, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), interpreter, script)
	cmd.Env = append(os.Environ(), "VERIFYD_URL="+baseURL,
		"TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	if !strings.HasSuffix(string(out), " passed, 0 failed\n") {
		t.Fatalf("%s does not say that everything passed:\n%s", script, out)
	}
	t.Logf("%s: %s", script, bytes.TrimSpace(out))
}
