//go:build full

package smpp

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// node is a message centre that runs testdata/node/smsc.mjs, by the npm package smpp.
type node struct {
	*testing.T
	config Config
	out    *bufio.Scanner
}

// event is a line that it prints.
type event struct {
	Event, ID, From, To, Text, Header, Validity string
	FromTON                                     int `json:"from_ton"`
	FromNPI                                     int `json:"from_npi"`
	ToTON                                       int `json:"to_ton"`
	ToNPI                                       int `json:"to_npi"`
	Coding, Registered, Status, Port, Version   int
	ESMClass                                    int `json:"esm_class"`
	SAR                                         []int
	Known                                       bool
}

func startNode(t *testing.T, secured bool) *node {
	t.Helper()
	if _, err := os.Stat("testdata/node/node_modules/smpp"); err != nil {
		t.Fatalf("the npm package smpp is not installed: `make tools` does it: %v", err)
	}
	args := []string{"testdata/node/smsc.mjs", testSystemID, testPassword}
	n := &node{T: t, config: Config{Host: "127.0.0.1", TLS: "none", SystemID: testSystemID, Password: testPassword, MaxWait: "1m"}}
	if secured {
		config, ca := certificate(t)
		key, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		keyFile := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, ca, keyFile)
		n.config.TLS, n.config.CAFile = "", ca
	}
	cmd := exec.Command("node", args...)
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	n.out = bufio.NewScanner(stdout)
	n.config.Port = n.next("").Port
	return n
}

// next is the next event of a kind.
func (n *node) next(kind string) event {
	n.Helper()
	for n.out.Scan() {
		var e event
		if err := json.Unmarshal(n.out.Bytes(), &e); err != nil {
			n.Fatalf("%v: %s", err, n.out.Bytes())
		}
		if e.Event == kind {
			return e
		}
	}
	n.Fatalf("node ended before there was a %q: %v", kind, n.out.Err())
	return event{}
}

// run starts a provider that is stopped at the end of the test, or by the function.
func (n *node) run(c Config, report func(context.Context, provider.Report) error) (*Provider, func()) {
	n.Helper()
	p, err := New(c, provider.Deps{Report: report})
	if err != nil {
		n.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ran; err != nil {
			n.Errorf("Run: %v", err)
		}
	}
	n.Cleanup(stop)
	return p, stop
}

// to is a message for a number that ends as node's fates want it.
func to(suffix string) provider.Message {
	m := text(1)
	m.To = "+346123456" + suffix
	return m
}

func TestAnotherSMSCReadsWhatWeSend(t *testing.T) {
	for _, secured := range []bool{false, true} {
		n := startNode(t, secured)
		reports := make(chan provider.Report, 100)
		n.config.From = "Acme"
		p, stop := n.run(n.config, func(_ context.Context, r provider.Report) error {
			reports <- r
			return nil
		})
		for _, c := range []struct {
			text   string
			coding int
		}{
			{"482913 is your Acme code", 0},
			{"@£$¥èéùìòÇØøÅåΔ_Æß€[]{}~", 0},
			{"482913 es tu código de Acme", 8},
			{"482913 — 您的 Acme 验证码 😀", 8},
		} {
			m := to("00")
			m.Text = c.text
			accepted, err := p.Send(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			e := n.next("submit")
			if e.Text != c.text || e.Coding != c.coding || e.From != "Acme" || e.FromTON != 5 || e.FromNPI != 0 || "+"+e.To != m.To ||
				e.ToTON != 1 || e.ToNPI != 1 || e.ESMClass != 0 || e.Registered != 1 || accepted.ID != strings.ToLower(e.ID) {
				t.Errorf("sent %q and got %q; it read %+v", c.text, accepted.ID, e)
			}
			valid, err := time.Parse(time.RFC3339, e.Validity)
			if left := time.Until(valid); err != nil || left > 10*time.Minute+time.Second || left < 5*time.Minute {
				t.Errorf("it is valid until %s: %v", e.Validity, err)
			}
			if r := <-reports; r.ID != accepted.ID || r.State != provider.Delivered {
				t.Errorf("reported %+v of %s", r, accepted.ID)
			}
			if e := n.next("receipt answered"); e.Status != 0 {
				t.Errorf("the receipt was answered with %d", e.Status)
			}
		}
		stop()
		n.next("unbind")
	}
}

func TestAnotherSMSCPutsLongTextsTogether(t *testing.T) {
	n := startNode(t, false)
	for long, check := range map[string]func(i, total int, e event) bool{
		"udh": func(i, total int, e event) bool {
			return e.ESMClass == 0x40 && strings.HasPrefix(e.Header, "0003") && strings.HasSuffix(e.Header, fmt.Sprintf("%02x%02x", total, i+1))
		},
		"sar": func(i, total int, e event) bool {
			return e.ESMClass == 0 && len(e.SAR) == 3 && slices.Equal(e.SAR[1:], []int{total, i + 1})
		},
		"payload": func(i, total int, e event) bool { return e.ESMClass == 0 && total == 1 },
	} {
		c := n.config
		c.Long = long
		p, stop := n.run(c, nil)
		for want, text := range map[int]string{
			2: strings.Repeat("x", 152) + "€" + strings.Repeat("y", 100),
			3: strings.Repeat("验", 66) + "😀" + strings.Repeat("证", 80),
		} {
			m := to("00")
			m.Text = text
			if a, err := p.Send(t.Context(), m); err != nil || a.Parts != want {
				t.Fatalf("%s: %+v, %v", long, a, err)
			}
			total := want
			if long == "payload" {
				total = 1
			}
			got := ""
			for i := range total {
				e := n.next("submit")
				got += e.Text
				if !check(i, total, e) {
					t.Errorf("%s, part %d of %d: it read %+v", long, i+1, total, e)
				}
			}
			if got != text {
				t.Errorf("%s: it read %q, want %q", long, got, text)
			}
		}
		stop()
	}
}

func TestAnotherSMSCRefuses(t *testing.T) {
	n := startNode(t, false)
	p, _ := n.run(n.config, nil)
	for suffix, want := range map[string]provider.Class{
		"11": provider.BadRecipient, "10": provider.BadRequest, "45": provider.Temporary, "58": provider.Throttled,
		"66": provider.Unknown, // it hung up
	} {
		_, err := p.Send(t.Context(), to(suffix))
		if e := provider.AsError(err); err == nil || e.Class != want {
			t.Errorf("…%s: got %v, want class %v", suffix, err, want)
		}
		if _, err := p.Send(t.Context(), to("00")); err != nil {
			t.Errorf("after …%s: %v", suffix, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := p.Send(ctx, to("44"))
		failed <- err
	}()
	for n.next("submit").To != "34612345644" {
	}
	cancel() // it has the message and says nothing
	if e := provider.AsError(<-failed); e.Class != provider.Unknown {
		t.Errorf("…44: got %v, want class unknown", e)
	}

	c := n.config
	c.Password = "hunter3x"
	p, _ = n.run(c, nil)
	if _, err := p.Send(t.Context(), to("00")); err == nil || provider.AsError(err).Class != provider.BadRequest {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestAnotherSMSCReportsFirst(t *testing.T) {
	n := startNode(t, false)
	reported := make(chan string, 1)
	p, _ := n.run(n.config, func(_ context.Context, r provider.Report) error {
		reported <- r.ID
		return nil
	})
	accepted, err := p.Send(t.Context(), to("33"))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case id := <-reported:
		if id != accepted.ID {
			t.Errorf("reported %s, sent %s", id, accepted.ID)
		}
	default:
		t.Error("Send returned before the report, though the answer came after the receipt's")
	}
}

func TestAnotherSMSCHasSplitBindsAndAnswersEnquiries(t *testing.T) {
	n := startNode(t, false)
	c := n.config
	c.Mode, c.EnquireLink = "split", "10ms"
	p, stop := n.run(c, nil)
	if _, err := p.Send(t.Context(), to("99")); err != nil {
		t.Error(err)
	}
	n.next("enquire_link")
	n.next("enquire_link")
	stop()
	n.next("unbind")
	n.next("unbind")
}
