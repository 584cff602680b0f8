package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is verifyd itself when this variable is set, so that stories run the real
// program in processes of its own.
const asVerifyd = "VERIFYD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if task := os.Getenv(asApplication); task != "" {
		os.Exit(applications[task]())
	}
	if os.Getenv(asVerifyd) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a verifyd that runs.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    bytes.Buffer // what it printed before it was ready
	errs   *bytes.Buffer
	base   string
	exited chan error

	mu  sync.Mutex
	log strings.Builder // what it printed afterwards
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{asVerifyd + "=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// once runs a command to its end.
func once(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, nil, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// begin starts a server and waits for the line that ready finds its base URL in.
func begin(t *testing.T, ready *regexp.Regexp, env []string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: command(t, env, args...), errs: new(bytes.Buffer), exited: make(chan error, 1)}
	p.cmd.Stderr = p.errs
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		fmt.Fprintln(&p.out, lines.Text())
		if m := ready.FindStringSubmatch(lines.Text()); m != nil {
			p.base = m[1]
		}
		if p.base != "" && (strings.HasPrefix(lines.Text(), "Ctrl-C") || strings.HasPrefix(lines.Text(), "{")) {
			break
		}
	}
	if p.base == "" {
		t.Fatalf("verifyd did not start:\n%s%s", p.out.String(), p.errs)
	}
	go func() {
		for lines.Scan() {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
		}
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

var devReady = regexp.MustCompile(`base URL +(http://\S+)`)

func dev(t *testing.T, data string, env ...string) *program {
	t.Helper()
	return begin(t, devReady, env, "dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "warn")
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	p.wait()
}

// stop sends SIGTERM and returns the exit code.
func (p *program) stop() int {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) wait() {
	err := <-p.exited
	p.exited <- err
}

// logged says how often a text is in what it printed since it was ready.
func (p *program) logged(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.log.String(), text)
}

// said is a value that the start printed.
func (p *program) said(name string) string {
	p.t.Helper()
	m := regexp.MustCompile(`(?m)^ +` + name + ` +(\S+)$`).FindStringSubmatch(p.out.String())
	if m == nil {
		p.t.Fatalf("the start does not say its %s:\n%s", name, p.out.String())
	}
	return m[1]
}

// post sends a form and returns status and body.
func post(ctx context.Context, base, user, password, path string, form url.Values) (int, map[string]any, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(r, user, password)
}

func get(ctx context.Context, base, user, password, path string) (int, map[string]any, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", base+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	return send(r, user, password)
}

func send(r *http.Request, user, password string) (int, map[string]any, http.Header, error) {
	r.SetBasicAuth(user, password)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	var body map[string]any
	err = json.NewDecoder(resp.Body).Decode(&body)
	return resp.StatusCode, body, resp.Header, err
}

func TestStartedAgainItIsTheSameAccount(t *testing.T) {
	data := t.TempDir()
	first := dev(t, data)
	account, token, service := first.said("account SID"), first.said("auth token"), first.said("service SID")
	path := "/v2/Services/" + service
	status, _, _, err := post(t.Context(), first.base, account, token, path+"/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start: %d, %v", status, err)
	}
	resp, err := http.Get(first.base + "/dev/inbox?to=%2B34612345678&wait=30s&limit=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var inbox struct{ Messages []struct{ Code string } }
	if err := json.NewDecoder(resp.Body).Decode(&inbox); err != nil || len(inbox.Messages) != 1 {
		t.Fatalf("inbox: %v, %v", inbox, err)
	}
	for _, path := range []string{"/livez", "/readyz", "/dev/inbox", "/"} {
		if resp, err := http.Get(first.base + path); err != nil || resp.StatusCode != 200 {
			t.Errorf("GET %s: %v, %v", path, resp, err)
		}
	}
	if code := first.stop(); code != 0 {
		t.Errorf("SIGTERM: exit code %d\n%s", code, first.errs)
	}

	second := dev(t, data)
	for name, want := range map[string]string{"account SID": account, "auth token": token, "service SID": service} {
		if got := second.said(name); got != want {
			t.Errorf("started again, its %s is %s, was %s", name, got, want)
		}
	}
	if !strings.Contains(second.out.String(), "found its account") {
		t.Errorf("it does not say what it found:\n%s", second.out.String())
	}
	status, body, _, err := post(t.Context(), second.base, account, token, path+"/VerificationCheck", url.Values{"To": {"+34612345678"}, "Code": {inbox.Messages[0].Code}})
	if err != nil || status != 200 || body["status"] != "approved" {
		t.Errorf("a code from before the restart: %d %v, %v", status, body, err)
	}
}

func TestTheEnvironmentsCredentialsAreTaken(t *testing.T) {
	data := t.TempDir()
	env := []string{"TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN=test"}
	p := dev(t, data, env...)
	if p.said("account SID") != "AC0123456789abcdef0123456789abcdef" || p.said("auth token") != "test" {
		t.Errorf("printed:\n%s", p.out.String())
	}
	p.stop()
	env[1] = "TWILIO_AUTH_TOKEN=another"
	if p := dev(t, data, env...); p.said("auth token") != "another" {
		t.Errorf("a changed token is not taken:\n%s", p.out.String())
	}
}

// A mistake is one line that says what to do, and never a stack trace.
func TestMistakes(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	address := strings.TrimPrefix(p.base, "http://")
	plain := filepath.Join(t.TempDir(), "open.toml")
	unknown := filepath.Join(t.TempDir(), "unknown.toml")
	route := filepath.Join(t.TempDir(), "route.toml")
	for path, text := range map[string]string{
		plain:   "listen = \"0.0.0.0:8642\"\nstore = \"sqlite:" + data + "/x.db\"\n",
		unknown: "lisen = \"127.0.0.1:1\"\n",
		route:   "[routes]\nsms = [\"gateway\"]\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"dev", "--listen", address, "--data", t.TempDir()}, 1, "is in use"},
		{[]string{"dev", "--listen", "127.0.0.1:0", "--data", data}, 1, "another verifyd dev"},
		{[]string{"dev", "--listen", "127.0.0.1:0", "--data", "/dev/null/x"}, 1, "--data"},
		{[]string{"dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--store", "mysql://x"}, 1, "postgres://user@host/database"},
		{[]string{"dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--store", "postgres://x:s3cret@127.0.0.1:1/x"}, 1, "--store"},
		{[]string{"dev", "--lisen", "x"}, 2, "--help"},
		{[]string{"dev", "--hosts", "a.example, *.b.example"}, 2, `--hosts: "*.b.example" is no name of a host`},
		{[]string{"dev", "extra"}, 2, "unexpected argument"},
		{[]string{"frobnicate"}, 2, "verifyd help"},
		{[]string{"serve", "--config", "/nowhere.toml"}, 1, "/nowhere.toml"},
		{[]string{"serve", "--config", plain}, 1, "tls"},
		{[]string{"serve", "--config", unknown}, 1, "lisen"},
		{[]string{"serve", "--config", route}, 1, "providers.gateway"},
	} {
		_, stderr, code := once(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("verifyd %s: exit code %d, want %d with %q in one line:\n%s", strings.Join(c.args, " "), code, c.code, c.says, stderr)
		}
	}
	if stdout, _, code := once(t, "help"); code != 0 || !strings.Contains(stdout, "account create") {
		t.Errorf("help: %d\n%s", code, stdout)
	}
}

// waitFor waits until done, as long as the test may take.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
