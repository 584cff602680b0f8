//go:build full

package carrier

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bin is the folder of both programs.
var bin string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "verifyd-carrier-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	if out, err := exec.Command("go", "build", "-o", dir, "../../cmd/verifyd", "../../cmd/fakecarrier").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// free is an address that nobody listens on, for a program that has to be told before it starts.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// begin starts a program, and returns what the group in ready found in a line that it printed. It is stopped
// at the end of the test, and has to end well.
func begin(t *testing.T, ready *regexp.Regexp, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	found := ""
	for found == "" && lines.Scan() {
		if m := ready.FindStringSubmatch(lines.Text()); m != nil {
			found = m[1]
		}
	}
	var rest bytes.Buffer
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
			if !strings.Contains(lines.Text(), `"msg":"request"`) {
				rest.WriteString(lines.Text() + "\n")
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, &stderr)
		}
		if t.Failed() {
			t.Logf("%s said\n%s%s", name, &rest, &stderr)
		}
	})
	if found == "" {
		t.Fatalf("%s did not start:\n%s", name, &stderr)
	}
	return found
}

// world is a verifyd serve whose providers have all their other end in a fakecarrier.
type world struct {
	*testing.T
	carrier, base           string
	account, token, service string
}

var (
	carrierReady = regexp.MustCompile(`What came is at (http://\S+)/messages`)
	serveReady   = regexp.MustCompile(`"msg":"serving","url":"(http://[^"]+)"`)
	reportURL    = regexp.MustCompile(`(?m)^reports of (\S+) +ok +(http://\S+)`)
	credentials  = regexp.MustCompile(`(?m)^(?:account SID|auth token) +(\S+)$`)
)

// newWorld has the routes given, in TOML.
func newWorld(t *testing.T, routes string) *world {
	t.Helper()
	w := &world{T: t}
	bounces, address, home := free(t), free(t), t.TempDir()
	w.carrier = begin(t, carrierReady, "fakecarrier", "--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--smpp", "127.0.0.1:0",
		"--sip", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--bounces", bounces, "--log", "info")
	tables, _, _ := strings.Cut(w.ask("GET", w.carrier+"/verifyd.toml", ""), "[routes]")
	config := filepath.Join(home, "verifyd.toml")
	head := fmt.Sprintf("listen = %q\npublic_url = \"http://%s\"\nstore = \"sqlite:%s/verifyd.db\"\nbuilt_in_limits = false\n", address, address, home)
	write := func() {
		if err := os.WriteFile(config, []byte(head+tables+routes), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	made := credentials.FindAllStringSubmatch(w.verifyd("account", "create", "--config", config, "--countries", "all"), -1)
	if len(made) != 2 {
		t.Fatal("no account was made")
	}
	w.account, w.token = made[0][1], made[1][1]

	// The URLs for reports are made of the server's keys, which are there now. Vendors with a webhook of
	// the account are told it when the server runs.
	webhooks := map[string]string{}
	for _, m := range reportURL.FindAllStringSubmatch(w.verifyd("doctor", "--report-urls", "--config", config), -1) {
		const place = "# report_url = the one that `verifyd doctor --report-urls` prints\n"
		table := "[providers." + m[1] + "]\n"
		before, after, _ := strings.Cut(tables, table)
		of, rest, more := strings.Cut(after, "\n[")
		if strings.Contains(of, place[:len(place)-1]) {
			of = strings.Replace(of+"\n", place, fmt.Sprintf("report_url = %q\n", m[2]), 1)
		}
		if slices.Contains([]string{"whatsapp", "rcs", "msg91", "africastalking", "postmark", "sendgrid", "sinch"}, m[1]) {
			webhooks[m[1]] = m[2]
		}
		tables = before + table + of + "\n"
		if more {
			tables += "[" + rest
		}
	}
	write()
	w.base = begin(t, serveReady, "verifyd", "serve", "--config", config)
	told, err := json.Marshal(webhooks)
	if err != nil {
		t.Fatal(err)
	}
	w.ask("PUT", w.carrier+"/webhooks", string(told))
	w.service = w.post("/v2/Services", url.Values{"FriendlyName": {"Acme"}})["sid"].(string)
	return w
}

// verifyd runs a command to its end.
func (w *world) verifyd(args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), filepath.Join(bin, "verifyd"), args...)
	cmd.Env = append(os.Environ(), "HOME="+w.TempDir(), "VERIFYD_URL="+w.base, "TWILIO_ACCOUNT_SID="+w.account, "TWILIO_AUTH_TOKEN="+w.token)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		w.Fatal(err)
	}
	return string(out) // a doctor who finds something has much to say all the same
}

// ask calls the carrier.
func (w *world) ask(method, u, body string) string {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, u, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer answered.Body.Close()
	text, err := io.ReadAll(answered.Body)
	if err != nil || answered.StatusCode/100 != 2 {
		w.Fatalf("%s %s: %d %s %v", method, u, answered.StatusCode, text, err)
	}
	return string(text)
}

// post calls verifyd.
func (w *world) post(path string, form url.Values) map[string]any {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), "POST", w.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(w.account, w.token)
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer answered.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(answered.Body).Decode(&body); err != nil || answered.StatusCode/100 != 2 {
		w.Fatalf("POST %s: %d %v %v", path, answered.StatusCode, body, err)
	}
	return body
}

// start begins a verification, and is the SID of its attempt.
func (w *world) start(to, channel string) string {
	w.Helper()
	return w.startBy(w.service, to, channel)
}

func (w *world) startBy(service, to, channel string) string {
	w.Helper()
	v := w.post("/v2/Services/"+service+"/Verifications", url.Values{"To": {to}, "Channel": {channel}})
	return v["send_code_attempts"].([]any)[0].(map[string]any)["attempt_sid"].(string)
}

// message is one at the carrier.
type message struct {
	Provider, To, Text, Answer string
	Number                     int
	Arrived                    bool
}

// messages are those at the carrier for a destination; it waits for the first.
func (w *world) messages(to string, more string) []message {
	w.Helper()
	var read struct{ Messages []message }
	if err := json.Unmarshal([]byte(w.ask("GET", w.carrier+"/messages?wait=60s&to="+url.QueryEscape(to)+more, "")), &read); err != nil {
		w.Fatal(err)
	}
	return read.Messages
}

// until looks at the story of an attempt until it has all of the words.
func (w *world) until(attempt string, words ...string) string {
	w.Helper()
	story := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		story = w.verifyd("attempt", attempt)
		found := 0
		for _, word := range words {
			if regexp.MustCompile(word).MatchString(story) {
				found++
			}
		}
		if found == len(words) {
			return story
		}
	}
	w.Errorf("the story never said %q:\n%s", words, story)
	return story
}
