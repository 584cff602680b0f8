//go:build full

package smsc

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// kannel is a gateway of somebody else's that takes our message centre for a carrier's: bearerbox
// binds, and smsbox takes messages by HTTP.
type kannel struct {
	*testing.T
	far     *Server
	sendSMS string
	reports chan url.Values // what its delivery reports say
	served  *httptest.Server
}

// Its connections are transceivers, or one that sends and one that receives.
func startKannel(t *testing.T, c Config, split bool) *kannel {
	t.Helper()
	for _, name := range []string{"bearerbox", "smsbox"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("Kannel is not installed: `make tools` does it (package kannel): %v", err)
		}
	}
	c.Accounts = accounts()
	k := &kannel{T: t, far: New(c), reports: make(chan url.Values, 100)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- k.far.Serve(l) }()
	t.Cleanup(func() {
		k.far.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	k.served = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { k.reports <- r.URL.Query() }))
	t.Cleanup(k.served.Close)

	ports := freePorts(t, 3)
	k.sendSMS = fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", ports[2])
	binds := ""
	keys := []string{"transceiver-mode = true\nport"}
	if split {
		keys = []string{"port", "receive-port"}
	}
	for _, key := range keys {
		binds += fmt.Sprintf("group = smsc\nsmsc = smpp\nsmsc-id = acme\nhost = 127.0.0.1\n%s = %d\n"+
			"smsc-username = acme\nsmsc-password = secret\nsystem-type = \"\"\n\n", key, l.Addr().(*net.TCPAddr).Port)
	}
	config := filepath.Join(t.TempDir(), "kannel.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
group = core
admin-port = %d
admin-password = unused
smsbox-port = %d
dlr-storage = internal
sms-resend-freq = 1

%s
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %d

group = sendsms-user
username = user
password = secret
max-messages = 5
concatenation = true
`, ports[0], ports[1], binds, ports[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	k.start("bearerbox", config, "MAIN: Start-up done")
	// It takes messages before it has somebody to give them to, and dies of it; this is its next word
	// after it has.
	k.start("smsbox", config, "gw/heartbeat.c:heartbeat_thread")
	return k
}

// start runs a box until the end of the test, and waits until its log says that it is ready.
func (k *kannel) start(name, config, ready string) {
	k.Helper()
	cmd := exec.Command(name, "-v", "0", config)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	isReady, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(isReady)
		lines, waiting := bufio.NewScanner(stderr), true
		for lines.Scan() {
			fmt.Fprintln(k.Output(), name, lines.Text())
			if waiting && strings.Contains(lines.Text(), ready) {
				waiting = false
				isReady <- true
			}
		}
	}()
	k.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	if !<-isReady {
		k.Fatalf("%s ended before it was ready", name)
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

// patience is for what should long have happened. Only a hang ends it.
const patience = time.Minute

// send gives Kannel a text, and asks it to tell us every report.
func (k *kannel) send(to, text string, more url.Values) {
	k.Helper()
	const every = "31"
	q := url.Values{
		"username": {"user"}, "password": {"secret"}, "from": {"Acme"}, "to": {to}, "text": {text}, "charset": {"UTF-8"},
		"dlr-mask": {every}, "dlr-url": {k.served.URL + "/?to=" + to + "&type=%d"},
	}
	for key, values := range more {
		q[key] = values
	}
	resp, err := http.Get(k.sendSMS + "?" + q.Encode())
	if err != nil {
		k.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		k.Fatalf("Kannel did not take the message: %s", resp.Status)
	}
}

// The types of Kannel's reports.
const (
	dlrDelivered = "1"
	dlrFailed    = "2"
	dlrSubmitted = "8"
	dlrRejected  = "16"
	dlrExpired   = "34" // or dlrFailed, if there are no parameters
)

// report waits for a report of one of these types, and passes over that of a submission.
func (k *kannel) report(to string) string {
	k.Helper()
	for {
		select {
		case q := <-k.reports:
			if q.Get("to") == to && q.Get("type") != dlrSubmitted {
				return q.Get("type")
			}
		case <-time.After(patience):
			k.Fatalf("Kannel has not reported about %s", to)
		}
	}
}

// arrived waits until n messages have come for a number.
func (k *kannel) arrived(to string, n int) []Message {
	k.Helper()
	for {
		changed := k.far.Changed()
		if got := k.far.Messages(to); len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-time.After(patience):
			k.Fatalf("%d messages have not arrived for %s: %+v", n, to, k.far.Counts())
		}
	}
}

func TestKannelTakesUsForACarrier(t *testing.T) {
	k := startKannel(t, Config{EnquireLink: 50 * time.Millisecond}, false)
	for i, c := range []struct {
		text, coding string
		parts        int
	}{
		{"482913 is your Acme code", "0", 1},
		{"@£$¥èéùìòÇØøÅåΔ_Æß€[]{}~", "0", 1},
		{"482913 — 您的 Acme 验证码", "2", 1},
		{strings.Repeat("a long text ", 30), "0", 3},
		{strings.Repeat("验证码", 40), "2", 2},
	} {
		to := fmt.Sprintf("346123450%02d", i)
		k.send(to, c.text, url.Values{"coding": {c.coding}})
		got := k.arrived(to, 1)
		if len(got) != 1 || got[0].Text != c.text || got[0].From != "Acme" || len(got[0].IDs) != c.parts || got[0].Account != "acme" {
			t.Errorf("%q: got %+v", c.text, got)
		}
		if got := k.report(to); got != dlrDelivered {
			t.Errorf("%q: Kannel reports %s, want that it was delivered", c.text, got)
		}
	}
	if c := k.far.Counts(); c.Binds != 1 || c.BindsRefused != 0 || c.ReceiptsTaken != c.Receipts {
		t.Errorf("%+v", c)
	}
}

func TestKannelUnderstandsEveryReceipt(t *testing.T) {
	k := startKannel(t, Config{Fates: map[string]Fate{}}, false)
	for form := FormText; form <= FormPayload; form++ { // it wants the keys in their order, and no data_sm
		for state, want := range map[string][]string{"DELIVRD": {dlrDelivered}, "UNDELIV": {dlrFailed}, "EXPIRED": {dlrFailed, dlrExpired}} {
			to := fmt.Sprintf("34612%d%06d", form, len(state)*1000+int(state[0]))
			k.far.Set(to, Fate{Form: form, State: state})
			k.send(to, "hello", nil)
			if got := k.report(to); !slices.Contains(want, got) {
				t.Errorf("form %d, %s: Kannel reports %s, want %s", form, state, got, want)
			}
		}
	}
}

func TestKannelMeetsTheFates(t *testing.T) {
	k := startKannel(t, Config{}, false)
	for to, want := range map[string]string{
		"34612345611": dlrRejected, "34612345622": dlrFailed, "34612345655": dlrDelivered, "34612345600": dlrDelivered,
	} {
		k.send(to, "hello", nil)
		if got := k.report(to); got != want {
			t.Errorf("%s: Kannel reports %s, want %s", to, got, want)
		}
	}
}

// Kannel waits a second when it is throttled, and hands the messages over again.
func TestKannelIsThrottled(t *testing.T) {
	const n = 12
	k := startKannel(t, Config{TPS: 5}, false)
	for range n {
		k.send("34612345600", "hello", nil)
	}
	k.arrived("34612345600", n)
	if c := k.far.Counts(); c.Accepted != n || c.Refused == 0 {
		t.Errorf("%+v, want some refused and all accepted in the end", c)
	}
}

func TestKannelHasTwoConnectionsToAnOlderCarrier(t *testing.T) {
	// It wants the answer before the receipt, and these come by different connections.
	fates := map[string]Fate{"": {ReceiptDelay: time.Second}}
	k := startKannel(t, Config{NoTransceiver: true, Fates: fates}, true)
	k.send("34612345600", "hello", nil)
	k.arrived("34612345600", 1)
	if got := k.report("34612345600"); got != dlrDelivered {
		t.Errorf("Kannel reports %s", got)
	}
	if c := k.far.Counts(); c.Binds != 2 {
		t.Errorf("%+v, want two binds", c)
	}
}
