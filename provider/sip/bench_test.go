//go:build full

package sip

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// program is a counterpart that runs as long as the test.
type program struct {
	t     testing.TB
	cmd   *exec.Cmd
	ready chan struct{}
	ended chan struct{}

	mu    sync.Mutex
	log   bytes.Buffer
	waits string // what it says when it is ready
	once  sync.Once
}

func startProgram(t testing.TB, waits, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(name, args...), waits: waits, ready: make(chan struct{}), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v (scripts/install-test-tools installs it)", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.said())
		}
	})
	if waits != "" {
		select {
		case <-p.ready:
		case <-p.ended:
			t.Fatalf("%s did not start:\n%s", name, p.said())
		}
	}
	return p
}

func (p *program) stop() {
	if strings.HasSuffix(p.cmd.Path, "baresip") { // it waits for calls that nobody has
		p.cmd.Process.Kill()
	} else {
		p.cmd.Process.Signal(os.Interrupt)
	}
	<-p.ended
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.Write(b)
	if p.waits != "" && strings.Contains(p.log.String(), p.waits) {
		p.once.Do(func() { close(p.ready) })
	}
	return len(b), nil
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// lastPort is the port that freePort gave last.
var lastPort atomic.Int32

// freePort is a port that is free for TCP and UDP, and so is the one above, which baresip takes for TLS.
// It lies below those that systems give to whoever asks for any (RFC 6335, section 6): a program takes it
// later, and meanwhile other tests ask.
func freePort(t testing.TB) int {
	t.Helper()
	const first, last = 20000, 32000
	lastPort.CompareAndSwap(0, int32(first+rand.IntN((last-first)/2)*2))
	for range 100 {
		port := int(lastPort.Add(2))
		if port >= last {
			lastPort.Store(first)
			continue
		}
		if free(port) && free(port+1) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func free(port int) bool {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	defer l.Close()
	conn, err := net.ListenPacket("udp4", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// real is a provider with its own pace and its own recordings.
func real(t *testing.T, c Config) near {
	t.Helper()
	c.From, c.Listen, c.RTPPorts = "+34910000000", "127.0.0.1:0", "20000-29999"
	n := near{reports: make(chan provider.Report, 10)}
	p, err := New(c, provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		n.reports <- r
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.Provider = p
	n.start(t)
	return n
}

const proxyPassword = "s3cr3t-of-the-trunk"

// startProxy starts kamailio: a proxy that wants credentials (407), stays in the way of the call
// (Record-Route), and refuses some numbers by itself.
func startProxy(t *testing.T, phone int) (port int) {
	t.Helper()
	port = freePort(t)
	dir := t.TempDir()
	config := write(t, filepath.Join(dir, "kamailio.cfg"), fmt.Sprintf(`#!KAMAILIO
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:127.0.0.1:%d
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "xlog.so"
event_route[core:worker-one-init] { xlog("L_ALERT", "the proxy is ready\n"); }
request_route {
	if (has_totag()) {
		if (loose_route() || t_check_trans()) { t_relay(); exit; }
		if (!is_method("ACK")) { sl_send_reply("404", "Not Here"); }
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (is_method("ACK")) { t_check_trans(); exit; }
	if (is_method("REGISTER")) {
		if (!pv_www_authenticate("acme.example", "%[2]s", "0")) { www_challenge("acme.example", "1"); exit; }
		append_to_reply("Expires: 120\r\n");
		sl_send_reply("200", "OK");
		exit;
	}
	if (!pv_proxy_authenticate("acme.example", "%[2]s", "0")) { proxy_challenge("acme.example", "1"); exit; }
	consume_credentials();
	if ($rU == "+34612000486") { sl_send_reply("486", "Busy Here"); exit; }
	if ($rU == "+34612000404") { append_to_reply("Reason: Q.850;cause=1;text=\"Unallocated\"\r\n"); sl_send_reply("404", "Not Found"); exit; }
	if ($rU == "+34612000503") { append_to_reply("Retry-After: 7\r\n"); sl_send_reply("503", "Overloaded"); exit; }
	record_route();
	$du = "sip:127.0.0.1:%[3]d";
	t_relay();
}
`, port, proxyPassword, phone))
	startProgram(t, "the proxy is ready", "/usr/sbin/kamailio", "-f", config, "-DD", "-E", "-Y", dir, "-w", dir, "-m", "32", "-M", "4")
	return port
}

func TestAProxyThatWantsCredentials(t *testing.T) {
	port := startProxy(t, freePort(t))
	n := real(t, Config{Server: fmt.Sprintf("127.0.0.1:%d", port), Domain: "acme.example", Username: "verifyd", Password: proxyPassword, Register: true})
	for number, want := range map[string]provider.Error{
		"+34612000486": {Class: provider.Temporary, Code: "486", RetryAfter: busyWait},
		"+34612000404": {Class: provider.BadRecipient, Code: "404 Q.850 1"},
		"+34612000503": {Class: provider.Throttled, Code: "503"},
	} {
		m := spokenMessage("en", "Acme", "123456")
		m.To = number
		_, err := n.Send(t.Context(), m)
		if e := provider.AsError(err); e.Class != want.Class || e.Code != want.Code || want.RetryAfter > 0 && e.RetryAfter != want.RetryAfter {
			t.Errorf("%s: got %+v", number, e)
		}
	}
	wrong := real(t, Config{Server: fmt.Sprintf("127.0.0.1:%d", port), Domain: "acme.example", Username: "verifyd", Password: "wrong"})
	_, err := wrong.Send(t.Context(), spokenMessage("en", "Acme", "123456"))
	if e := provider.AsError(err); e.Class != provider.BadRequest || e.Code != "407" {
		t.Errorf("a wrong password: got %+v", e)
	}
	wrong = real(t, Config{Server: fmt.Sprintf("127.0.0.1:%d", port), Domain: "acme.example", Username: "verifyd", Password: "wrong", Register: true})
	_, err = wrong.Send(t.Context(), spokenMessage("en", "Acme", "123456"))
	if e := provider.AsError(err); e.Class != provider.BadRequest || !strings.Contains(e.Detail, "register: ") {
		t.Errorf("not registered: got %+v", e)
	}
}

// handset is baresip: it takes every call, records what it hears, and presses keys when told.
type handset struct {
	*program
	dir     string
	control net.Conn
	events  *bufio.Reader
}

func startHandset(t *testing.T) (h *handset, port int) {
	t.Helper()
	port = freePort(t)
	dir := t.TempDir()
	control := freePort(t)
	write(t, filepath.Join(dir, "accounts"), fmt.Sprintf("<sip:+34612345678@127.0.0.1:%d>;regint=0;answermode=auto;audio_codecs=PCMU\n", port))
	// Two minutes of silence, for it hangs up at the end of the file. It reads no chunk but these two.
	const length = 120 * 2 * sampleRate
	quiet := strings.Replace(string(wav(sampleRate, 1, 0, length)), "JUNK\x03\x00\x00\x00abc\x00", "", 1)
	write(t, filepath.Join(dir, "silence.wav"), quiet+strings.Repeat("\x00", length))
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(`sip_listen 127.0.0.1:%d
call_max_calls 4
audio_player aubridge,nil
audio_source aufile,%[2]s/silence.wav
audio_alert aubridge,nil
ausrc_srate 8000
auplay_srate 8000
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
snd_path %[2]s
ctrl_tcp_listen 127.0.0.1:%[3]d
`, port, dir, control))
	h = &handset{program: startProgram(t, "baresip is ready", "baresip", "-f", dir), dir: dir}
	var err error
	if h.control, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(control))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.control.Close() })
	h.events = bufio.NewReader(h.control)
	return h, port
}

// until waits for an event of that type. Events are netstrings of JSON.
func (h *handset) until(kind string) {
	h.t.Helper()
	for {
		length, err := h.events.ReadString(':')
		if err != nil {
			h.t.Fatalf("waiting for %s: %v", kind, err)
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil {
			h.t.Fatal(err)
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(h.events, text); err != nil {
			h.t.Fatal(err)
		}
		var event struct{ Type string }
		if json.Unmarshal(text[:n], &event) == nil && event.Type == kind {
			return
		}
		if event.Type == "CALL_CLOSED" {
			h.t.Fatalf("the call ended, and %s did not come", kind)
		}
	}
}

func (h *handset) press(key string) {
	h.t.Helper()
	command := fmt.Sprintf(`{"command":"sndcode","params":"%s"}`, key)
	if _, err := fmt.Fprintf(h.control, "%d:%s,", len(command), command); err != nil {
		h.t.Fatal(err)
	}
}

// recording is what the handset heard, as µ-law. With VERIFYD_TEST_RECORDINGS it is kept in that
// folder, to be listened to.
func (h *handset) recording(name string) []byte {
	h.t.Helper()
	h.until("CALL_CLOSED") // then it has written the file to its end
	h.stop()
	files, err := filepath.Glob(filepath.Join(h.dir, "dump-*-dec.wav"))
	if err != nil || len(files) != 1 {
		h.t.Fatalf("recordings: %v, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		h.t.Fatal(err)
	}
	if keep := os.Getenv("VERIFYD_TEST_RECORDINGS"); keep != "" {
		write(h.t, filepath.Join(keep, name+".wav"), string(content))
	}
	samples, rate, err := readWAV(content)
	if err != nil || rate != sampleRate {
		h.t.Fatalf("%d Hz, %v", rate, err)
	}
	ulaw := make([]byte, len(samples))
	for i, s := range samples {
		ulaw[i] = linearToUlaw(s)
	}
	return ulaw
}

// TestATelephoneHearsTheCode calls a telephone through a proxy that wants credentials. Whoever takes
// the call presses a key and hears the code, twice; what was recorded is compared with what was to be
// said, sample by sample.
func TestATelephoneHearsTheCode(t *testing.T) {
	for _, tag := range []string{"en", "es", "zh-CN"} {
		t.Run(tag, func(t *testing.T) {
			h, phone := startHandset(t)
			port := startProxy(t, phone)
			n := real(t, Config{Server: fmt.Sprintf("127.0.0.1:%d", port), Domain: "acme.example", Username: "verifyd", Password: proxyPassword})
			m := spokenMessage(tag, "Acme", "908172")
			if _, err := n.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			h.until("CALL_ESTABLISHED")
			h.press("5")
			if r := <-n.reports; r.State != provider.Delivered {
				t.Errorf("report %+v", r)
			}
			heard := h.recording("call-" + tag)
			want, err := compose(t.Context(), newRecordings(nil), m)
			if err != nil {
				t.Fatal(err)
			}
			if got := digitsByEar(t, tag, heard); got != m.Code+m.Code {
				t.Errorf("heard %q, want %s twice", got, m.Code)
			}
			if !bytes.Contains(heard, want.message) {
				t.Errorf("the %d samples of the message are not in the %d that were recorded", len(want.message), len(heard))
			}
		})
	}
}

// TestATelephoneWhereNobodyPressesAKey is a mailbox.
func TestATelephoneWhereNobodyPressesAKey(t *testing.T) {
	h, phone := startHandset(t)
	n := real(t, Config{Server: fmt.Sprintf("127.0.0.1:%d", phone)})
	m := spokenMessage("en", "Acme", "908172")
	if _, err := n.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if r := <-n.reports; r.State != provider.Failed || r.Code != "no key" {
		t.Errorf("report %+v", r)
	}
	if got := digitsByEar(t, "en", h.recording("mailbox")); got != "" {
		t.Errorf("a mailbox heard %s", got)
	}
}
