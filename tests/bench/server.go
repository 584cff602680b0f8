package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The credentials that every verifyd is started with. They open nothing but a temporary folder.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "0123456789abcdef0123456789abcdef"
)

// child is a server that runs as a process of its own.
type child struct {
	name    string
	address string // host and port
	service string // SID
	log     string // file
	// database is the process of its database, 0 if it has none of its own. The processes that
	// this one has started count with it.
	database int
	// limited says that its service has the rate limits that starts name.
	limited bool
	// call is what the load does; nil is a verification.
	call func(*client) error
	// busy says that it has work of its own, whose end need not be waited for.
	busy bool
	// printed takes what it prints after its greeting; nil for nobody.
	printed io.Writer
	// below is stopped after it.
	below []stopper

	cmd     *exec.Cmd
	cancel  context.CancelFunc
	drained chan struct{} // closed when the output has ended
}

type stopper interface{ stop() }

// start returns when the server has said where it listens. env is added to ours.
func start(ctx context.Context, c *child, env []string, program string, args ...string) (*child, error) {
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	ctx, c.cancel = context.WithCancel(ctx)
	c.cmd = exec.CommandContext(ctx, program, args...)
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 20 * time.Second
	c.cmd.Env = append(append(os.Environ(), "TWILIO_ACCOUNT_SID="+accountSID, "TWILIO_AUTH_TOKEN="+authToken), env...)
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
		io.Copy(c.out(), lines) // it ends with the process
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
		if _, rest, ok := strings.Cut(line, `"msg":"serving","url":"http://`); ok {
			c.address, _, _ = strings.Cut(rest, `"`)
			return nil
		}
		if value, ok := strings.CutPrefix(line, "service SID"); ok {
			c.service = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(line, "base URL"); ok {
			c.address = strings.TrimPrefix(strings.TrimSpace(value), "http://")
			return nil
		}
	}
}

// out takes what the server prints.
func (c *child) out() io.Writer {
	if c.printed == nil {
		return io.Discard
	}
	return c.printed
}

// stop ends the process and waits for it. How it ended says nothing: we ended it.
func (c *child) stop() {
	c.cancel()
	<-c.drained
	c.cmd.Wait()
	for _, below := range c.below {
		below.stop()
	}
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

// makeRateLimits gives the service rate limits that refuse nobody.
func (c *child) makeRateLimits(ctx context.Context) error {
	limits := "/v2/Services/" + c.service + "/RateLimits"
	for _, name := range []string{limitOfAddress, limitOfAccount} {
		if _, err := c.do(ctx, http.MethodPost, limits, url.Values{"UniqueName": {name}}, http.StatusCreated); err != nil {
			return err
		}
		for _, seconds := range []string{"60", "3600"} {
			bucket := url.Values{"Max": {"1000000"}, "Interval": {seconds}}
			if _, err := c.do(ctx, http.MethodPost, limits+"/"+name+"/Buckets", bucket, http.StatusCreated); err != nil {
				return err
			}
		}
	}
	c.limited = true
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
