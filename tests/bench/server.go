package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The credentials that every verifyd is started with. They open nothing but a temporary folder.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "0123456789abcdef0123456789abcdef"
)

// serveBare is the floor: what net/http itself costs for these two requests.
func serveBare() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer := func(code int, status string) http.HandlerFunc {
		body := []byte(bareBody(status))
		return func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); !ok || r.ParseForm() != nil || r.PostForm.Get("To") == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			w.Write(body) // a client that has gone is no concern of ours
		}
	}
	mux := http.NewServeMux()
	mux.Handle("POST /v2/Services/{service}/Verifications", answer(http.StatusCreated, "pending"))
	mux.Handle("POST /v2/Services/{service}/VerificationCheck", answer(http.StatusOK, "approved"))
	fmt.Printf("service SID VA%032d\nbase URL http://%s\n", 0, listener.Addr())
	return http.Serve(listener, mux)
}

// bareBody is an answer of some 600 bytes in the shape of the real ones.
func bareBody(status string) string {
	return fmt.Sprintf(`{"sid":"VE%032[1]d","service_sid":"VA%032[1]d","account_sid":"%[2]s","to":"+34600000000","channel":"sms",`+
		`"status":"%[3]s","valid":false,"date_created":"2026-11-24T12:00:00Z","date_updated":"2026-11-24T12:00:00Z",`+
		`"lookup":{},"amount":null,"payee":null,"send_code_attempts":[{"attempt_sid":"VL%032[1]d","channel":"sms",`+
		`"time":"2026-11-24T12:00:00.000Z"}],"sna":null,"url":"http://127.0.0.1:8642/v2/Services/VA%032[1]d/Verifications/VE%032[1]d"}`,
		0, accountSID, status)
}

// child is a server that runs as a process of its own.
type child struct {
	name    string
	address string // host and port
	service string // SID
	log     string // file
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	drained chan struct{} // closed when the output has ended
}

func (b *bench) startBare(ctx context.Context) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, &child{name: "bare", log: filepath.Join(b.dir, "bare.log")}, self, "-serve-bare")
}

func (b *bench) startVerifyd(ctx context.Context, data string) (*child, error) {
	return start(ctx, &child{name: "verifyd", log: data + ".log"}, b.binary,
		"dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "info")
}

// start returns when the server has said where it listens.
func start(ctx context.Context, c *child, program string, args ...string) (*child, error) {
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	ctx, c.cancel = context.WithCancel(ctx)
	c.cmd = exec.CommandContext(ctx, program, args...)
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 20 * time.Second
	c.cmd.Env = append(os.Environ(), "TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken)
	c.cmd.Stderr = log
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.cancel()
		return nil, err
	}
	lines := bufio.NewReader(out)
	readErr := c.readGreeting(lines)
	c.drained = make(chan struct{})
	go func() {
		defer close(c.drained)
		io.Copy(io.Discard, lines) // it ends with the process
	}()
	if readErr != nil {
		c.stop()
		return nil, c.failed(fmt.Errorf("did not say where it listens: %w", readErr))
	}
	return c, nil
}

func (c *child) readGreeting(lines *bufio.Reader) error {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		if value, ok := strings.CutPrefix(line, "service SID"); ok {
			c.service = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(line, "base URL"); ok {
			c.address = strings.TrimPrefix(strings.TrimSpace(value), "http://")
			return nil
		}
	}
}

// stop ends the process and waits for it. How it ended says nothing: we ended it.
func (c *child) stop() {
	c.cancel()
	<-c.drained
	c.cmd.Wait()
}

// failed adds the end of the server's log to an error.
func (c *child) failed(err error) error {
	text, _ := os.ReadFile(c.log)
	return fmt.Errorf("%s: %w\nits log ends with:\n%s", c.name, err, text[max(0, len(text)-1000):])
}

// makeService makes the service whose codes the bench chooses, and puts it in the place of the one
// that was there.
func (c *child) makeService(ctx context.Context) error {
	form := url.Values{"FriendlyName": {"Bench"}, "CustomCodeEnabled": {"true"}}
	body, err := c.do(ctx, http.MethodPost, "/v2/Services", form, http.StatusCreated)
	if err != nil {
		return err
	}
	var made struct{ SID string }
	if err := json.Unmarshal(body, &made); err != nil {
		return c.failed(fmt.Errorf("make a service: %w: %s", err, body))
	}
	c.service = made.SID
	return nil
}

// do makes one request outside the load, on a connection of its own.
func (c *child) do(ctx context.Context, method, path string, form url.Values, want int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Close = true
	r.SetBasicAuth(accountSID, authToken)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, c.failed(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != want {
		err = fmt.Errorf("%s %s: got %s, want %d: %s", method, path, answer.Status, want, body)
	}
	if err != nil {
		return nil, c.failed(err)
	}
	return body, nil
}

// cpu is the processor time the process has used. The kernel counts it in hundredths of a second
// for every program, whatever its own clock is (proc_pid_stat(5)).
func (c *child) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold spaces; utime and stime are the 12th and 13th after it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc stat is too short: %q", text)
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

const tick = 10 * time.Millisecond

// rss is the memory the process holds, in MB (of 2^20 bytes).
func (c *child) rss() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	value, _, ok := strings.Cut(rest, "kB")
	if !ok {
		return 0, errors.New("/proc status has no VmRSS")
	}
	kB, err := strconv.Atoi(strings.TrimSpace(value))
	return float64(kB) / 1024, err
}
