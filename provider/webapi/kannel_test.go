//go:build full

package webapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// kannelConf has Kannel's own fake SMSC, which is a line of text for each message.
const kannelConf = `group = core
admin-port = %d
admin-password = bar
smsbox-port = %d
box-allow-ip = 127.0.0.1
log-level = 0

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = %d
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %d

group = sendsms-user
username = verifyd
password = hunter2-hunter2
max-messages = 3
`

// TestThePresetSpeaksToKannel sends through a real Kannel, and has its delivery report back.
func TestThePresetSpeaksToKannel(t *testing.T) {
	ports := freePorts(t, 4)
	conf := filepath.Join(t.TempDir(), "kannel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, kannelConf, ports[0], ports[1], ports[2], ports[3]), 0o600); err != nil {
		t.Fatal(err)
	}
	startKannel(t, "bearerbox", conf, "Start-up done")
	startKannel(t, "smsbox", conf, "Connected to bearerbox")
	smsc, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[2]))
	if err != nil {
		t.Fatal(err)
	}
	defer smsc.Close()
	arrived := bufio.NewReader(smsc)

	reports := make(chan provider.Report, 10)
	var p *Provider
	inbound := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeReport(w, r) }))
	defer inbound.Close()
	build := func(password string) *Provider {
		return mustBuild(t, fmt.Sprintf(`{"preset":"kannel","url":"http://127.0.0.1:%d","from":"Acme","report_url":"%s/reports/kannel/x",
			"vars":{"username":"verifyd","password":%q}}`, ports[3], inbound.URL, password), provider.Deps{
			Report: func(_ context.Context, r provider.Report) error { reports <- r; return nil },
		})
	}
	p = build("hunter2-hunter2")

	gsm7 := providertest.Message("sms", 0)
	gsm7.Deadline = time.Now().Add(10 * time.Minute)
	ucs2 := gsm7
	ucs2.Encoding, ucs2.Text = "ucs2", ucs2.Code+" є вашим кодом"
	for _, c := range []struct {
		m    provider.Message
		want string
	}{
		{gsm7, "Acme +34612345678 text " + gsm7.Text + "\n"},
		{ucs2, "Acme +34612345678 ucs-2 %00"},
	} {
		if _, err := p.Send(t.Context(), c.m); err != nil {
			t.Fatalf("%s: %v", c.m.Encoding, err)
		}
		if line, err := arrived.ReadString('\n'); err != nil || !strings.HasPrefix(line, c.want) {
			t.Errorf("%s: arrived as %q, %v, want %q", c.m.Encoding, line, err, c.want)
		}
		if got, want := <-reports, (provider.Report{Key: c.m.Key, State: provider.Delivered}); got != want {
			t.Errorf("%s: reported as %+v, want %+v", c.m.Encoding, got, want)
		}
	}
	if _, err := build("another").Send(t.Context(), gsm7); provider.AsError(err).Class != provider.BadRequest {
		t.Errorf("another password: got %v, want class bad_request", err)
	}
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// startKannel returns when the program's log says that it is ready.
func startKannel(t *testing.T, program, conf, ready string) {
	t.Helper()
	cmd := exec.Command(program, conf)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("Kannel is not installed: `make tools` does it: %v", err)
	}
	lines := bufio.NewScanner(log)
	drained := make(chan struct{})
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		slow := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		defer slow.Stop()
		<-drained
		cmd.Wait()
	})
	for lines.Scan() {
		if strings.Contains(lines.Text(), ready) {
			go func() { defer close(drained); io.Copy(io.Discard, log) }()
			return
		}
	}
	close(drained)
	t.Fatalf("%s ended without saying %q", program, ready)
}
