package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// start starts a verification.
func (p *program) start(to, channel string) {
	p.t.Helper()
	path := "/v2/Services/" + p.said("service SID") + "/Verifications"
	status, body, _, err := post(p.t.Context(), p.base, p.said("account SID"), p.said("auth token"), path, url.Values{"To": {to}, "Channel": {channel}})
	if err != nil || status != 201 {
		p.t.Errorf("start for %s: %d %v, %v", to, status, body, err)
	}
}

func (p *program) check(to, code string) string {
	p.t.Helper()
	path := "/v2/Services/" + p.said("service SID") + "/VerificationCheck"
	_, body, _, err := post(p.t.Context(), p.base, p.said("account SID"), p.said("auth token"), path, url.Values{"To": {to}, "Code": {code}})
	if err != nil {
		p.t.Error(err)
	}
	return fmt.Sprint(body["status"])
}

func TestInboxPrintsTheCode(t *testing.T) {
	p, home := atHome(t)
	inbox := func(args ...string) (string, string, int) {
		return onceWith(t, []string{"HOME=" + home}, append([]string{"inbox"}, args...)...)
	}
	const to = "+34612345678"
	if _, errs, code := inbox("--to", to); code != 1 || !strings.Contains(errs, "no code for "+to) || !strings.Contains(errs, "--wait") {
		t.Errorf("an empty inbox: exit code %d\n%s", code, errs)
	}
	p.start(to, "sms")
	out, errs, code := inbox("--to", to, "--wait", "30s")
	if code != 0 || !regexp.MustCompile(`^\d{6}\n$`).MatchString(out) {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	if byMail, _, _ := inbox("--to", to, "--channel", "email"); byMail != "" {
		t.Errorf("by e-mail came %s", byMail)
	}
	message, _, _ := inbox("--to", to, "--json")
	sid := regexp.MustCompile(`"sid":"(SM\w+)"`).FindStringSubmatch(message)
	if sid == nil || !strings.Contains(message, `"code":"`+strings.TrimSpace(out)+`"`) {
		t.Fatalf("as JSON: %s", message)
	}
	if newer, _, code := inbox("--to", to, "--after", sid[1]); code != 1 {
		t.Errorf("after the only one: %s", newer)
	}
	if status := p.check(to, strings.TrimSpace(out)); status != "approved" {
		t.Fatalf("the code is %s", status)
	}
	if old, _, code := inbox("--to", to); code != 1 || old != "" {
		t.Errorf("a code that was used is printed: %s", old)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--url", p.base, "--data", home}, 2, "two servers"},
		{[]string{"--channel", "fax"}, 1, "Invalid parameter: channel"},
		{[]string{"--url", "http://127.0.0.1:1"}, 1, "does not answer"},
		{[]string{"--data", t.TempDir()}, 1, "no verifyd dev runs"},
	} {
		if _, errs, code := inbox(c.args...); code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit code %d\n%s", c.args, code, errs)
		}
	}
}

// A hundred tests at once, each with a number of its own, and each gets the code of its own.
func TestAHundredWaitsNeverCross(t *testing.T) {
	p := dev(t, t.TempDir())
	var waits sync.WaitGroup
	for i := range 100 {
		to := fmt.Sprintf("+346123457%02d", i)
		waits.Go(func() {
			message, err := waitForMessage(t.Context(), devAddress(p.base), url.Values{"to": {to}, "pending": {"true"}}, longestWait)
			code := regexp.MustCompile(`"code":"(\d+)"`).FindSubmatch(message)
			if err != nil || code == nil {
				t.Errorf("wait for %s: %s, %v", to, message, err)
				return
			}
			if status := p.check(to, string(code[1])); status != "approved" {
				t.Errorf("the code for %s is %s", to, status)
			}
		})
	}
	for i := 99; i >= 0; i-- {
		waits.Go(func() { p.start(fmt.Sprintf("+346123457%02d", i), "sms") })
	}
	waits.Wait()
}

func TestEverythingThatHappensIsAStream(t *testing.T) {
	p := dev(t, t.TempDir())
	answer, err := http.Get(p.base + "/dev/events?type=verification,message&after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	p.start("+34612345678", "sms")
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatal("the stream has ended")
		return ""
	}
	if got := next(); !strings.HasPrefix(got, `{"type":"verification"`) || !strings.Contains(got, `"status":"pending"`) {
		t.Errorf("first came %s", got)
	}
	message := next()
	code := regexp.MustCompile(`"code":"(\d+)"`).FindStringSubmatch(message)
	if code == nil {
		t.Fatalf("then came %s", message)
	}
	p.check("+34612345678", code[1])
	if got := next(); !strings.Contains(got, `"status":"approved"`) {
		t.Errorf("at last came %s", got)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("with a reader it stops with %d", code)
	}
}
