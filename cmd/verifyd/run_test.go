package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The test binary is an application, which knows nothing of verifyd, when this variable names one.
const asApplication = "VERIFYD_TEST_AS_APPLICATION"

var applications = map[string]func() int{"sign-in": signIn, "wait": waitForSignal}

// signIn verifies a number as an application in production would, but for where it reads the code.
func signIn() int {
	const to = "+34612345678"
	service := "https://verify.twilio.com/v2/Services/" + os.Getenv("TWILIO_VERIFY_SERVICE_SID")
	started := call(service+"/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
	answer, err := http.Get(os.Getenv("VERIFYD_URL") + "/dev/inbox?wait=30s&to=" + url.QueryEscape(to))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var inbox struct{ Messages []struct{ Code string } }
	if err := json.NewDecoder(answer.Body).Decode(&inbox); err != nil || len(inbox.Messages) == 0 {
		fmt.Println(inbox, err)
		return 1
	}
	checked := call(service+"/VerificationCheck", url.Values{"To": {to}, "Code": {inbox.Messages[0].Code}})
	fmt.Println(started["status"], checked["status"], started["url"])
	return 0
}

func call(address string, form url.Values) (body map[string]any) {
	r, err := http.NewRequest("POST", address, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"))
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(r); err == nil {
			err = json.NewDecoder(answer.Body).Decode(&body)
		}
	}
	if err != nil {
		fmt.Println(err)
	}
	return body
}

// waitForSignal says which signals it got until its input ends.
func waitForSignal() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)
	fmt.Println("ready")
	go func() {
		for s := range signals {
			if s != syscall.SIGURG { // the runtime's own
				fmt.Println(s)
			}
		}
	}()
	io.Copy(io.Discard, os.Stdin)
	return 3
}

// runOnce is verifyd run to its end.
func runOnce(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return onceWith(t, env, append([]string{"run"}, args...)...)
}

func TestAProgramThatKnowsTwilioAloneReachesVerifyd(t *testing.T) {
	out, errs, code := runOnce(t, nil, "--data", t.TempDir(), "--", "env", asApplication+"=sign-in", os.Args[0])
	if code != 0 || !strings.HasPrefix(out, "pending approved https://verify.twilio.com/v2/Services/VA") || errs != "" {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestItsExitCodeIsTheCommands(t *testing.T) {
	data := t.TempDir()
	notExecutable := filepath.Join(data, "text")
	if err := os.WriteFile(notExecutable, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"--data", data, "--", "sh", "-c", "echo $1; exit 7", "sh", "--help"}, 7, "--help\n"},
		{[]string{"--data", data, "sh", "-c", "kill -TERM $$"}, 128 + 15, ""},
		{[]string{"--data", data, "true"}, 0, ""},
		{[]string{"--data", data, "no-such-command"}, 127, ""},
		{[]string{"--data", data, notExecutable}, 126, ""},
		{[]string{"--data", data}, 2, ""},
		{[]string{"--data", data, "--unknown"}, 2, ""},
	} {
		out, errs, code := runOnce(t, nil, c.args...)
		if code != c.code || out != c.out {
			t.Errorf("verifyd run %q: exit code %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	cmd := command(t, nil, "run", "--data", t.TempDir(), "--", "env", asApplication+"=wait", os.Args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal sends its own
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	want := []string{"ready"}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, 0} {
		if !lines.Scan() || lines.Text() != want[len(want)-1] {
			t.Fatalf("got %q, want %q", lines.Text(), want[len(want)-1])
		}
		if s != 0 {
			want = append(want, s.String())
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	stdin.Close()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it ended with %v, want the 3 of the command", err)
	}
}

// environment runs a command that prints its environment.
func environment(t *testing.T, env []string, args ...string) map[string]string {
	t.Helper()
	out, errs, code := runOnce(t, env, append(args, "env")...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	got := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[name] = value
	}
	return got
}

// A signal that comes while the server is being started is not lost.
func TestASignalBeforeTheCommandKeepsItFromStarting(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("terminated"))
	file := filepath.Join(t.TempDir(), "ran")
	err := carryOut(ctx, exec.Command("touch", file))
	if _, ran := os.Stat(file); ran == nil || err == nil || err.Error() != "terminated" {
		t.Errorf("it says %v, and the file of the command: %v", err, ran)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	data, scratch := t.TempDir(), t.TempDir()
	got := environment(t, []string{"TMPDIR=" + scratch}, "--data", data)
	for _, name := range []string{"HTTPS_PROXY", "VERIFYD_URL"} {
		at, err := url.Parse(got[name])
		if err != nil || !isLoopback(at.Host) {
			t.Fatalf("%s=%s, %v", name, got[name], err)
		}
		if conn, err := net.Dial("tcp", at.Host); err == nil {
			conn.Close()
			t.Errorf("%s=%s still answers", name, got[name])
		}
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	files, err := os.ReadDir(data)
	if err != nil || len(files) != 2 || files[0].Name() != "ca.key" || files[1].Name() != "ca.pem" {
		t.Errorf("the data folder has %v, %v", files, err)
	}
}

// A program that passes the proxy by must not hold anything that Twilio takes.
func TestProductionCredentialsDoNotReachTheCommand(t *testing.T) {
	data := t.TempDir()
	const account, token = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
	real := []string{"TWILIO_ACCOUNT_SID=" + account, "TWILIO_AUTH_TOKEN=" + token, "NO_PROXY=twilio.com,corp.example", "HTTPS_PROXY=http://corp.example:3128"}
	got := environment(t, real, "--data", data)
	for name, value := range got {
		if strings.Contains(value, account) || strings.Contains(value, token) {
			t.Errorf("the command has %s=%s", name, value)
		}
	}
	if got["NO_PROXY"] != "localhost,127.0.0.1,::1,corp.example" || got["https_proxy"] != got["HTTP_PROXY"] || strings.Contains(got["HTTPS_PROXY"], "corp") {
		t.Errorf("proxies: %v", got)
	}
	for _, secret := range []string{"TWILIO_API_KEY=SK0123456789abcdef0123456789abcdef", "MY_KEY=SK0123456789abcdef0123456789abcdef", "TWILIO_API_SECRET=x", "PROD_TWILIO_TOKEN=" + token} {
		out, errs, code := runOnce(t, []string{secret}, "--data", data, "env")
		if name, _, _ := strings.Cut(secret, "="); code != 1 || out != "" || !strings.Contains(errs, name+" is set") {
			t.Errorf("%s: exit code %d\n%s%s", secret, code, out, errs)
		}
	}
}

func TestTheApplicationsServiceIsThere(t *testing.T) {
	data := t.TempDir()
	const service = "VA0123456789abcdef0123456789abcdef"
	out, errs, code := runOnce(t, []string{"OUR_SERVICE=" + service}, "--data", data, "--",
		"sh", "-c", "TWILIO_VERIFY_SERVICE_SID=$OUR_SERVICE "+asApplication+"=sign-in exec "+os.Args[0])
	if code != 0 || !strings.HasPrefix(out, "pending approved https://verify.twilio.com/v2/Services/"+service) {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	got := environment(t, []string{"OUR_SERVICE=" + service, "VERIFY_SERVICE_SID=own"}, "--data", data)
	if got["TWILIO_VERIFY_SERVICE_SID"] != service || got["VERIFY_SERVICE_SID"] != "own" {
		t.Errorf("the command has %v", got)
	}
}

func TestTheDevThatRunsIsUsed(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	got := environment(t, nil, "--data", data)
	for name, want := range map[string]string{"VERIFYD_URL": p.base, "TWILIO_ACCOUNT_SID": p.said("account SID"), "TWILIO_AUTH_TOKEN": p.said("auth token"), "VERIFY_SERVICE_SID": p.said("service SID")} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
	if got := environment(t, nil, "--data", data, "--fresh"); got["VERIFYD_URL"] == p.base || got["TWILIO_ACCOUNT_SID"] == p.said("account SID") {
		t.Error("--fresh uses the server that runs")
	}
	_, errs, code := runOnce(t, []string{"S=VA0123456789abcdef0123456789abcdef"}, "--data", data, "env")
	if code != 1 || !strings.Contains(errs, "VA0123456789abcdef0123456789abcdef") || !strings.Contains(errs, "--fresh") {
		t.Errorf("a service that it has not: exit code %d\n%s", code, errs)
	}
	out, errs, code := runOnce(t, nil, "--data", data, "--", "env", asApplication+"=sign-in", os.Args[0])
	if code != 0 || !strings.HasPrefix(out, "pending approved ") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	p.kill() // what it announced is still there
	if got := environment(t, nil, "--data", data); got["VERIFYD_URL"] == p.base {
		t.Error("a server that was killed is used")
	}
}

// A server that was killed leaves its announcement, and one of another folder may have its address by then.
func TestADevOfAnotherFolderIsNotUsed(t *testing.T) {
	data, other := t.TempDir(), t.TempDir()
	killed := dev(t, data)
	killed.kill()
	p := dev(t, other)
	path := filepath.Join(data, "running.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), killed.base, p.base)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := environment(t, nil, "--data", data); got["VERIFYD_URL"] == p.base {
		t.Errorf("the command has the server of another folder, and an account that it does not know")
	}
}

// One that may have Twilio's credentials would hand them to the command.
func TestADevWithBorrowedCredentialsIsNotUsed(t *testing.T) {
	data := t.TempDir()
	dev(t, data, "TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdef")
	if out, errs, code := runOnce(t, nil, "--data", data, "env"); code != 1 || out != "" || !strings.Contains(errs, "--fresh") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestTheAliasAnswersAsTwilio(t *testing.T) {
	data := t.TempDir()
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--alias", "127.0.0.1:0", "--data", data, "--log", "warn")
	text, err := os.ReadFile(filepath.Join(data, "running.json"))
	if err != nil {
		t.Fatal(err)
	}
	var at struct{ TLS string }
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	client := trusting(t, filepath.Join(data, "ca.pem"), at.TLS)
	answer, err := client.Get("https://verify.twilio.com/livez")
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("%v, %v", answer, err)
	}
	if _, err := client.Get("https://api.twilio.com/livez"); err == nil {
		t.Error("it answers as api.twilio.com")
	}
	_, errs, code := once(t, "dev", "--listen", "127.0.0.1:0", "--alias", at.TLS, "--data", t.TempDir())
	if code != 1 || !strings.Contains(errs, "--alias") {
		t.Errorf("an alias that is in use: exit code %d\n%s", code, errs)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("stopped: exit code %d", code)
	}
}

func TestTheCommandsOfTheCertificate(t *testing.T) {
	data := filepath.Join(t.TempDir(), "new")
	out, errs, code := once(t, "ca", "path", "--data", data)
	path := filepath.Join(data, "ca.pem")
	if code != 0 || out != path+"\n" {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	help, _, _ := once(t, "help", "ca")
	for _, verb := range []string{"install", "uninstall", "path"} {
		if !strings.Contains(help, "verifyd ca "+verb) {
			t.Errorf("help does not name %s:\n%s", verb, help)
		}
	}
}

func TestVariablesWithCredentials(t *testing.T) {
	for entry, want := range map[string]string{
		"TWILIO_API_KEY_SECRET=x": "TWILIO_API_KEY_SECRET", "twilio_secret=x": "twilio_secret", "TWILIO_API_SECRET=": "",
		"KEY=SK0123456789ABCDEF0123456789abcdef": "KEY", "KEY=SK01": "", "AWS_SECRET=x": "", "TWILIO_AUTH_TOKEN=x": "",
		"TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef": "", "SID=AC0123456789abcdef0123456789abcdef": "",
		"OUR_TWILIO_TOKEN=x": "OUR_TWILIO_TOKEN", "TWILIO_TOKEN=": "", "CI_TOKEN=x": "", "TWILIO_VERIFY_SERVICE_SID=VA0123456789abcdef0123456789abcdef": "",
	} {
		if got := foreignCredential([]string{"A=b", entry}); got != want {
			t.Errorf("%s: %q, want %q", entry, got, want)
		}
	}
}

// trusting is a client that trusts the authorities of a file, and for which every host has one address.
func trusting(t *testing.T, path, address string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestRunWithRules(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "rules.json")
	for text, want := range map[string]string{
		`{"rules":[{"to":"*","carrier":"flies"}]}`:                  "1 verifyd run: " + file + ": rule 1: carrier",
		`{"rules":[{"to":"+34*","carrier":"twice","code":"4711"}]}`: "0 pending approved",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, code := runOnce(t, nil, "--data", data, "--rules", file, "--", "env", asApplication+"=sign-in", os.Args[0])
		if got := fmt.Sprint(code, " ", out, errs); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if _, errs, code := runOnce(t, nil, "--data", data, "--rules", "/nowhere.json", "true"); code != 1 || !strings.Contains(errs, "/nowhere.json") {
		t.Errorf("a file that is not there: %d %s", code, errs)
	}
}

func TestRunWithAWorld(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "verifyd.world.toml")
	const service = "[[service]]\nsid = \"VA5c1d0e8f7a6b49325c1d0e8f7a6b4932\"\nfriendly_name = \"Acme\"\n"
	for text, want := range map[string]string{
		service + "code_length = 3\n":                          "1 verifyd run: " + file + ": [[service]] VA5c1d0e8f7a6b49325c1d0e8f7a6b4932: code_length: ",
		service + "[[rule]]\nto = \"+34*\"\ncode = \"4711\"\n": "0 pending approved",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, code := runOnce(t, nil, "--data", data, "--world", file, "--", "env", asApplication+"=sign-in", os.Args[0])
		if got := fmt.Sprint(code, " ", out, errs); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if err := os.WriteFile(file, []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := runOnce(t, nil, "--data", data, "--world", file, "--", "sh", "-c", "echo $VERIFY_SERVICE_SID")
	if code != 0 || strings.TrimSpace(out) != "VA5c1d0e8f7a6b49325c1d0e8f7a6b4932" {
		t.Errorf("the service of the command: %d %s %s", code, out, errs)
	}
}
