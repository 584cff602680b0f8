//go:build full

package smtp

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestPostfixBringsTheBounce sends through a real mail system to a server that knows no such mailbox.
// What the mail system then writes, and to whom, is its own.
func TestPostfixBringsTheBounce(t *testing.T) {
	next := newRelay(t, relayOptions{noTLS: true, noAuth: true})
	next.Behave(providertest.Behaviour{Act: providertest.Refuse, Class: provider.BadRecipient, Words: "no such person"})
	config := (&script{}).config()
	b := newBouncing(t, config)
	port := startPostfix(t, fmt.Sprintf("inline:{ bounces.acme.example=smtp:[127.0.0.1]:%s, example.com=smtp:[127.0.0.1]:%d }", portOf(t, b.address), next.port))

	config = Config{
		Host: "127.0.0.1", Port: port, TLS: "none", From: "codes@acme.example", BounceAddress: bounceAddress,
	}
	p := mustNew(t, config, provider.Deps{})
	m := providertest.Message("email", 3)
	m.To = "nobody@example.com"
	m.Key = "VL0123456789abcdef0123456789abcdef:1"
	if _, err := p.Send(t.Context(), m); err != nil {
		t.Fatalf("Postfix did not take the mail: %v", err)
	}
	got := <-b.reports
	if got.Key != m.Key || got.State != provider.Failed || got.Class != provider.BadRecipient || !strings.HasSuffix(got.Code, "5.1.1") || got.At.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startPostfix starts a mail system of its own in a folder of its own, and returns the port on which it
// takes mail of this host. Postfix begins as root.
func startPostfix(t *testing.T, transport string) (port int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // its daemons are another user
		t.Fatal(err)
	}
	port = freePort(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"queue", "data"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("main.cf", fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = /dev/stdout
myhostname = mx.acme.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
relay_domains = bounces.acme.example
transport_maps = %[2]s
alias_maps =
alias_database =
`, dir, transport))
	write("master.cf", fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`, port))
	asRoot := func(name string, args ...string) *exec.Cmd {
		if os.Getuid() != 0 {
			name, args = "sudo", append([]string{"-n", name}, args...)
		}
		return exec.Command(name, args...)
	}
	if out, err := asRoot("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v %s", err, out)
	}
	log := &started{ready: make(chan struct{})}
	cmd := asRoot("/usr/sbin/postfix", "-c", dir, "start-fg")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if out, err := asRoot("/usr/sbin/postfix", "-c", dir, "stop").CombinedOutput(); err != nil {
			t.Errorf("stop Postfix: %v\n%s", err, out)
		}
		<-ended
		if out, err := asRoot("rm", "-rf", filepath.Join(dir, "queue"), filepath.Join(dir, "data")).CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
		if t.Failed() {
			t.Log(log)
		}
	})
	select {
	case <-log.ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("Postfix did not start: %v\n%s", err, log)
	}
	return port
}

// started is the log of a mail system that says when it takes mail.
type started struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
	once  sync.Once
}

func (s *started) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	if bytes.Contains(s.text.Bytes(), []byte("daemon started")) {
		s.once.Do(func() { close(s.ready) })
	}
	return len(p), nil
}

func (s *started) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
