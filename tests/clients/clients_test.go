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

	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
)

// The account of the walks. The libraries refuse a SID or a token that has other characters.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "fedcba9876543210fedcba9876543210"
)

// servers are the verifyds of this test run by the database that they keep their records in.
var servers = map[string]*server{"SQLite": {}, "PostgreSQL": {}}

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
	database, err := pgtest.Start()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	for name, more := range map[string][]string{"SQLite": nil, "PostgreSQL": {"--store", database.DSN("postgres")}} {
		s := servers[name]
		if err := s.start(binary, append([]string{"--data", filepath.Join(dir, name)}, more...)...); err != nil {
			return 0, fmt.Errorf("on %s: %w", name, err)
		}
		defer func() { err = errors.Join(err, s.stop()) }()
	}
	return m.Run(), nil
}

// server is a `verifyd dev`.
type server struct {
	url     string
	process *exec.Cmd
	log     bytes.Buffer
}

// start serves, and waits for the base URL.
func (s *server) start(binary string, args ...string) error {
	s.process = exec.Command(binary, append([]string{"dev", "--listen", "127.0.0.1:0", "--log", "warn"}, args...)...)
	s.process.Env = append(os.Environ(), "TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken)
	s.process.Stderr = &s.log
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(time.Minute, func() { s.process.Process.Kill() })
	defer late.Stop()
	printed := regexp.MustCompile(`base URL\s+(http://\S+)`)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if found := printed.FindStringSubmatch(lines.Text()); found != nil {
			s.url = found[1]
			return nil
		}
	}
	return errors.Join(errors.New("verifyd dev ended, or was stopped after a minute, without printing its base URL"), s.stop())
}

func (s *server) stop() error {
	err := s.process.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	slow := time.AfterFunc(30*time.Second, func() { s.process.Process.Kill() })
	defer slow.Stop()
	if failed := s.process.Wait(); failed != nil {
		err = errors.Join(err, fmt.Errorf("verifyd dev: %w", failed))
	}
	if s.log.Len() > 0 {
		fmt.Fprintf(os.Stderr, "verifyd dev wrote:\n%s", &s.log)
	}
	return err
}

// onEach takes a walk on every database.
func onEach(t *testing.T, walk func(t *testing.T, baseURL string)) {
	t.Helper()
	for name, s := range servers {
		t.Run(name, func(t *testing.T) { walk(t, s.url) })
	}
}

func TestNode(t *testing.T) {
	if _, err := os.Stat("node/node_modules/twilio/package.json"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the library is not installed: `make tools` does it")
	}
	for _, script := range []string{"node/walk.mjs", "node/factors.mjs", "node/push.mjs", "node/passkeys.mjs", "node/webhooks.mjs", "node/refusals.mjs"} {
		onEach(t, func(t *testing.T, baseURL string) { walk(t, baseURL, "node", script) })
	}
}

func TestPython(t *testing.T) {
	// By its path: the library belongs to the system's Python, and another may come first in PATH.
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import twilio").CombinedOutput(); err != nil {
		t.Fatalf("the library is not installed: `make tools` does it (package python3-twilio): %v\n%s", err, out)
	}
	for _, script := range []string{"python/walk.py", "python/factors.py", "python/push.py", "python/webhooks.py", "python/refusals.py"} {
		onEach(t, func(t *testing.T, baseURL string) { walk(t, baseURL, python, script) })
	}
}

// walk runs a script, which says what differed and ends with a count.
func walk(t *testing.T, baseURL, interpreter, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), interpreter, script)
	cmd.Env = append(os.Environ(), "VERIFYD_URL="+baseURL,
		"TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken, "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	if !strings.HasSuffix(string(out), " passed, 0 failed\n") {
		t.Fatalf("%s does not say that everything passed:\n%s", script, out)
	}
	t.Logf("%s: %s", script, bytes.TrimSpace(out))
}
