//go:build full

package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Every command of docs/passkeys.md is run as it stands there; a comment below one is what it answers.
// The website is on a port of its own, and what its page does is what the manual shows.
func TestTheCommandsOfThePasskeysManual(t *testing.T) {
	page := readPage(t, "passkeys.md")
	blocks := page["sh"]
	if len(blocks) != 6 || !strings.HasPrefix(blocks[0], "export ACCOUNT=AC") || !strings.HasPrefix(blocks[2], "go run ") {
		t.Fatalf("the manual has %d blocks, want 6: variables, settings, the website, …", len(blocks))
	}
	home := t.TempDir()
	p := begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "warn")

	html, err := os.ReadFile("../../examples/passkeys/page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(page["js"][0]), "\n") {
		told := strings.TrimSuffix(strings.Replace(line, `fetch("/register/answer", { method: "POST", body: JSON.stringify(credential) })`, `post("/register/answer", credential)`, 1), ";")
		if !strings.Contains(string(html), told) {
			t.Errorf("the website's page does not have: %s", told)
		}
	}
	command, answer, _ := strings.Cut(blocks[2], "\n# ")
	site := openWebsite(t, p, command)
	if want := regexp.MustCompile(`:\d+$`).ReplaceAllString(strings.TrimSpace(answer), ""); !strings.HasPrefix(site, want) {
		t.Errorf("the website says %q, want %q and a port", site, want)
	}

	_, variable, _ := strings.Cut(blocks[0], "\n")
	script := variable
	kept := append([]string{blocks[1]}, blocks[3:]...)
	for _, b := range kept {
		script += b + "echo; echo ==\n"
	}
	got := strings.Split(p.paste(home, script), "\n==\n")
	wants := regexp.MustCompile(`(?m)^# … (.*) …$`)
	for i, b := range kept {
		want := wants.FindStringSubmatch(b)
		if want == nil {
			t.Fatalf("the manual does not say what is answered to\n%s", b)
		}
		if !strings.Contains(got[i], want[1]) {
			t.Errorf("%s\nanswers\n%s\nwant %s", b, got[i], want[1])
		}
	}
}

// openWebsite runs the sample and returns the line that it prints.
func openWebsite(t *testing.T, p *program, command string) string {
	t.Helper()
	site := exec.Command("sh", "-c", "exec "+command+" 127.0.0.1:0")
	site.Dir = "../.."
	site.Env = append(os.Environ(), "VERIFYD="+p.base, "ACCOUNT="+p.said("account SID"), "TOKEN="+p.said("auth token"), "SERVICE="+p.said("service SID"))
	site.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child
	site.Stderr = t.Output()
	out, err := site.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := site.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-site.Process.Pid, syscall.SIGKILL)
		_ = site.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the website does not start: %v", err)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), " on ")
	resp, err := http.Get(strings.Replace(url, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), "Make a passkey") {
		t.Errorf("the website's page: %d, %v", resp.StatusCode, err)
	}
	return strings.TrimSpace(line)
}
