package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// proxyLeg is the leg of `verifyd run`: what its proxy adds to a call, and how soon a program of Node's has
// signed people in.
const proxyLeg = "proxy"

const (
	proxyCalls    = 300 // of each kind
	proxyWarmup   = 20
	proxyStarts   = 10
	proxyPrograms = 3
	signIns       = 100
)

// laptop is what verifyd run costs. They are medians, NaN if they were not measured.
type laptop struct {
	kept, fresh added   // of a call on a connection that is kept, and on a new one
	own         float64 // ms that verifyd run takes beside its command, with a data folder that is new
	first       float64 // ms from the start of verifyd run to the first verification that is approved
	all         float64 // ms to the end of verifyd run, after signIns of them
}

// added are the ms of a call that knows where verifyd is, and how many more it takes through the proxy.
type added struct{ Direct, More float64 }

func noLaptop() laptop {
	nan := math.NaN()
	return laptop{kept: added{nan, nan}, fresh: added{nan, nan}, own: nan, first: nan, all: nan}
}

func (b *bench) measureProxy(ctx context.Context) (found laptop, err error) {
	b.say("calls through verifyd run")
	if found.kept, found.fresh, err = b.callsThroughRun(ctx); err != nil {
		return found, err
	}
	b.say("starts of verifyd run")
	var with, without []float64
	for i := range proxyStarts {
		ms, err := timeCommand(ctx, "true")
		if err != nil {
			return found, err
		}
		without = append(without, ms)
		if ms, err = timeCommand(ctx, b.binary, "run", "--fresh", "--data", b.folder(fmt.Sprint("run-", i)), "--", "true"); err != nil {
			return found, err
		}
		with = append(with, ms)
	}
	found.own = median(with) - median(without)

	b.say("a program in verifyd run")
	var firsts, alls []float64
	for i := range proxyPrograms {
		first, all, err := b.timeProgram(ctx, b.folder(fmt.Sprint("program-", i)))
		if err != nil {
			return found, err
		}
		firsts, alls = append(firsts, first), append(alls, all)
	}
	found.first, found.all = median(firsts), median(alls)
	return found, nil
}

func timeCommand(ctx context.Context, program string, args ...string) (ms float64, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return time.Since(begin).Seconds() * 1000, nil
}

// timeProgram has tests/run/node/signins.mjs run, which knows nothing of verifyd.
func (b *bench) timeProgram(ctx context.Context, data string) (first, all float64, err error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/verifyd/verifyd").Output()
	if err != nil {
		return 0, 0, fmt.Errorf("where is the repository: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(root)), "tests", "run", "node")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		return 0, 0, fmt.Errorf("%w; `make tools` installs it, and -legs leaves parts out", err)
	}
	cmd := exec.CommandContext(ctx, b.binary, "run", "--fresh", "--data", data, "--", "node", filepath.Join(folder, "signins.mjs"), "twilio6", fmt.Sprint(signIns))
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "first" {
			first = time.Since(begin).Seconds() * 1000
		}
	}
	if err := cmd.Wait(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", cmd, err, &errs)
	}
	if first == 0 {
		return 0, 0, fmt.Errorf("%s: it did not say first", cmd)
	}
	return first, time.Since(begin).Seconds() * 1000, nil
}

// callsThroughRun starts a verifyd dev and has the bench itself be the command of a verifyd run that uses
// it. There it can call both ways: at the address that dev announces, and through the proxy.
func (b *bench) callsThroughRun(ctx context.Context) (kept, fresh added, err error) {
	data := b.folder("proxy")
	// Without credentials of the environment, which verifyd run would refuse to hand on.
	c, err := start(ctx, &child{name: "verifyd on proxy", log: data + ".log"}, []string{"TWILIO_ACCOUNT_SID=", "TWILIO_AUTH_TOKEN="},
		b.binary, "dev", "--listen", "127.0.0.1:0", "--data", data)
	if err != nil {
		return kept, fresh, err
	}
	defer c.stop()
	text, err := os.ReadFile(filepath.Join(data, "running.json"))
	if err != nil {
		return kept, fresh, err
	}
	var at struct{ TLS string }
	if err := json.Unmarshal(text, &at); err != nil {
		return kept, fresh, err
	}
	self, err := os.Executable()
	if err != nil {
		return kept, fresh, err
	}
	cmd := exec.CommandContext(ctx, b.binary, "run", "--data", data, "--", self, "-proxy-calls", at.TLS)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return kept, fresh, fmt.Errorf("%s: %w\n%s", cmd, err, &errs)
	}
	var both [2]added
	err = json.Unmarshal(out, &both)
	return both[0], both[1], err
}

// callBothWays is the bench as the command of a verifyd run. It calls in turns, so that a machine that slows
// down slows both.
func callBothWays(ctx context.Context, direct string) error {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, direct)
	}
	var both [2]added
	for i, kept := range []bool{true, false} {
		clients := [2]*http.Client{
			{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: !kept}},
			{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: !kept}},
		}
		var directs, mores []float64
		for n := range proxyWarmup + proxyCalls {
			var ms [2]float64
			for way, client := range clients {
				begin := time.Now()
				if err := callService(ctx, client); err != nil {
					return err
				}
				ms[way] = time.Since(begin).Seconds() * 1000
			}
			if n >= proxyWarmup {
				directs, mores = append(directs, ms[0]), append(mores, ms[1]-ms[0])
			}
		}
		both[i] = added{median(directs), median(mores)}
	}
	return json.NewEncoder(os.Stdout).Encode(both)
}

// callService makes one call, as a library does.
func callService(ctx context.Context, client *http.Client) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://verify.twilio.com/v2/Services/"+os.Getenv("TWILIO_VERIFY_SERVICE_SID"), nil)
	if err != nil {
		return err
	}
	r.SetBasicAuth(os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"))
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", r.URL, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// printLaptop is what verifyd run costs, in words.
func printLaptop(out io.Writer, l laptop) {
	fmt.Fprintf(out, "proxy: a call takes %.2f ms on a kept connection and %.2f ms on a new one, and %.2f and %.2f ms more through it (medians of %d)\n",
		l.kept.Direct, l.fresh.Direct, l.kept.More, l.fresh.More, proxyCalls)
	fmt.Fprintf(out, "proxy: verifyd run on a new folder takes %.0f ms beside its command (of %d); a program of Node's has its first verification approved after %.0f ms, and %d of them, one after the other, after %.0f ms (of %d)\n",
		l.own, proxyStarts, l.first, signIns, l.all, proxyPrograms)
}
