package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockFace is what /dev/clock answers.
type clockFace struct {
	Now    time.Time
	Frozen bool
	Next   *time.Time
}

func (p *program) move(move string) (s clockFace) {
	p.t.Helper()
	answer, err := http.Post(p.base+"/dev/clock?"+move, "", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil || answer.StatusCode != 200 {
		p.t.Fatalf("%s: %s, %v", move, answer.Status, err)
	}
	return s
}

// newest is the newest code that a number was sent, whether or not it is still good.
func (p *program) newest(to string) string {
	p.t.Helper()
	message, err := waitForMessage(p.t.Context(), devAddress(p.base), url.Values{"to": {to}}, longestWait)
	code := regexp.MustCompile(`"code":"(\d+)"`).FindSubmatch(message)
	if err != nil || code == nil {
		p.t.Fatalf("nothing was sent to %s: %s, %v", to, message, err)
	}
	return string(code[1])
}

func TestACodeExpiresWhenTheClockSaysSo(t *testing.T) {
	p := dev(t, t.TempDir())
	begun := p.move("freeze=true")
	p.start("+34612345678", "sms")
	p.start("+34612345679", "sms")
	p.newest("+34612345678")
	p.move("advance=9m59s")
	if status := p.check("+34612345678", p.newest("+34612345678")); status != "approved" {
		t.Errorf("a second before its end the code is %s", status)
	}
	s := p.move("advance=2s")
	if got := s.Now.Sub(begun.Now); got != 10*time.Minute+time.Second || s.Next != nil {
		t.Errorf("the clock is %v on, next is %v; want 10m1s and nothing", got, s.Next)
	}
	path := "/v2/Services/" + p.said("service SID") + "/VerificationCheck"
	status, _, header, err := post(t.Context(), p.base, p.said("account SID"), p.said("auth token"), path,
		url.Values{"To": {"+34612345679"}, "Code": {p.newest("+34612345679")}})
	if err != nil || status != 404 || header.Get("Verifyd-Reason") != "expired" {
		t.Errorf("a second after its end: %d, %s, %v", status, header.Get("Verifyd-Reason"), err)
	}
}

// Whoever the buckets and the built-in limits refuse is let in again when the time has come.
func TestLimitsRefillByTheClock(t *testing.T) {
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "warn", "--limits")
	p.move("freeze=true")
	account, token, service := p.said("account SID"), p.said("auth token"), "/v2/Services/"+p.said("service SID")
	form := func(path string, form url.Values) (int, map[string]any) {
		status, body, _, err := post(t.Context(), p.base, account, token, service+path, form)
		if err != nil {
			t.Fatal(err)
		}
		return status, body
	}
	_, limit := form("/RateLimits", url.Values{"UniqueName": {"ip"}})
	form("/RateLimits/"+fmt.Sprint(limit["sid"])+"/Buckets", url.Values{"Max": {"1"}, "Interval": {"3600"}})
	by := func(to string) int {
		status, _ := form("/Verifications", url.Values{"To": {to}, "Channel": {"sms"}, "RateLimits": {`{"ip":"192.0.2.1"}`}})
		return status
	}
	got := []int{by("+34612345678"), by("+34612345679")}
	p.move("advance=59m59s")
	got = append(got, by("+34612345679"))
	p.move("advance=1s")
	got = append(got, by("+34612345679"))
	if want := []int{201, 429, 429, 201}; !slices.Equal(got, want) {
		t.Errorf("an hour's bucket of one: %v, want %v", got, want)
	}
}

// receiver is an application that takes no webhook.
type receiver struct {
	mu    sync.Mutex
	calls []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, call *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call.FormValue("type"))
	w.WriteHeader(http.StatusServiceUnavailable)
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// A day of retries in no time, each at its own; and the same in a second world with the same seed.
func TestRetriesComeInOrderTheSameEveryTime(t *testing.T) {
	var runs [2]string
	for i := range runs {
		r := &receiver{}
		hook := httptest.NewServer(r)
		defer hook.Close()
		p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "error", "--seed", "7")
		account, token, service := p.said("account SID"), p.said("auth token"), "/v2/Services/"+p.said("service SID")
		for _, c := range []struct {
			path string
			form url.Values
		}{
			{"/Webhooks", url.Values{"FriendlyName": {"x"}, "EventTypes": {"factor.created"}, "WebhookUrl": {hook.URL}}},
			{"/Entities/user-7f3a91c2/Factors", url.Values{"FactorType": {"totp"}, "FriendlyName": {"Ann"}}},
		} {
			if status, body, _, err := post(t.Context(), p.base, account, token, service+c.path, c.form); err != nil || status != 201 {
				t.Fatalf("%s: %d %v, %v", c.path, status, body, err)
			}
		}
		p.start("+34612345678", "sms")
		said := account + " " + token + " " + service + " " + p.newest("+34612345678")
		begun := p.move("advance=0s")
		if got := r.count(); got != 1 {
			t.Fatalf("settled there were %d calls, want 1", got)
		}
		var times []string
		for s := begun; s.Next != nil; {
			before := r.count()
			if s = p.move("next=true"); r.count() > before { // else something expired
				times = append(times, s.Now.Sub(begun.Now).String())
			}
		}
		if got, want := strings.Join(times, " "), "5s 35s 2m35s 12m35s 1h12m35s 7h12m35s 19h12m35s"; got != want {
			t.Errorf("tried again after\n%s, want\n%s", got, want)
		}
		_, list, _, err := get(t.Context(), p.base, account, token, "/v2/Verifyd/Deliveries")
		if err != nil || !strings.Contains(fmt.Sprint(list), "failed") {
			t.Errorf("the delivery in the end: %v, %v", list, err)
		}
		runs[i] = said + " " + anyTime.FindString(fmt.Sprint(list))
		p.kill()
	}
	if runs[0] != runs[1] {
		t.Errorf("with one seed there were\n%s\nand\n%s", runs[0], runs[1])
	}
}

func TestTheCommandsOfTheClock(t *testing.T) {
	p, home := atHome(t)
	line := func(args ...string) string {
		out, errs, code := onceWith(t, []string{"HOME=" + home}, append([]string{"clock"}, args...)...)
		return fmt.Sprint(code, " ", anyTime.ReplaceAllString(out, "TIME"), errs)
	}
	p.start("+34612345678", "sms")
	p.newest("+34612345678")
	for _, c := range []struct{ args, want string }{
		{"show", "0 TIME  next TIME\n"},
		{"freeze", "0 TIME  frozen  next TIME\n"},
		{"advance 30s", "0 TIME  frozen  next TIME\n"},
		{"next", "0 TIME  frozen\n"},
		{"next", "0 TIME  frozen\n"},
		{"resume", "0 TIME\n"},
		{"advance soon", "2 verifyd clock advance: \"soon\" is no duration; want one as 30s, 10m, 24h; see verifyd clock advance --help\n"},
		{"advance", "2 verifyd clock advance: the duration (30s, 10m, 24h) is missing; see verifyd clock advance --help\n"},
	} {
		if got := line(strings.Fields(c.args)...); got != c.want {
			t.Errorf("clock %s: %s, want %s", c.args, got, c.want)
		}
	}
	if got := line("advance", "10m", "--service", p.said("service SID")); got != "0 TIME\n" {
		t.Errorf("the clock of one service: %s", got)
	}
	if got := line("show", "--service", "VA0"); !strings.Contains(got, "There is no service VA0") {
		t.Errorf("the clock of a service that is not there: %s", got)
	}
	if got := line("advance", "-5m"); !strings.HasPrefix(got, "2 ") {
		t.Errorf("backwards: %s", got)
	}
}

// Two runs with one seed say the same, the second knows nothing of the first.
func TestARunWithASeedRepeats(t *testing.T) {
	data := t.TempDir()
	run := func(seed string) string {
		out, errs, code := runOnce(t, nil, "--data", data, "--seed", seed, "--", "env", asApplication+"=sign-in", os.Args[0])
		if code != 0 || !strings.HasPrefix(out, "pending approved ") {
			t.Fatalf("exit code %d\n%s%s", code, out, errs)
		}
		return out
	}
	if first, second, other := run("1"), run("1"), run("2"); first != second || first == other {
		t.Errorf("seed 1: %sagain: %sseed 2: %s", first, second, other)
	}
	if _, errs, code := once(t, "dev", "--seed", "x"); code != 2 || !strings.Contains(errs, "number") {
		t.Errorf("a seed that is no number: %d %s", code, errs)
	}
}
