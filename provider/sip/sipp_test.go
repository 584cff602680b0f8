//go:build full

package sip

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// startSIPp runs a scenario of testdata/sipp for one call. replace fills in what the scenario leaves open.
func startSIPp(t *testing.T, scenario string, replace ...string) (p *program, address string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sipp", scenario+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, scenario+".xml"), strings.NewReplacer(replace...).Replace(string(text)))
	port, sound := freePort(t), freePort(t)
	p = startProgram(t, "", "sipp", "-sf", file, "-m", "1", "-nostdin", "-i", "127.0.0.1", "-p", fmt.Sprint(port),
		"-mi", "127.0.0.1", "-mp", fmt.Sprint(sound), "-timeout", "60", "-timeout_error", "-trace_err", "-error_file", filepath.Join(dir, "errors"))
	t.Cleanup(func() {
		if errors, err := os.ReadFile(filepath.Join(dir, "errors")); err == nil && t.Failed() {
			t.Logf("sipp complained:\n%s", errors)
		}
	})
	return p, fmt.Sprintf("127.0.0.1:%d", port)
}

// wantPlayed waits for the end of the scenario, which must have gone as it is written.
func (p *program) wantPlayed() {
	p.t.Helper()
	<-p.ended
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("sipp ended with %d: the call did not go as its scenario says", code)
	}
}

// TestSIPpAnswers is a trunk of another make: it verifies our digest, answers, and presses a key by RFC
// 4733, for which it needs a raw socket.
func TestSIPpAnswers(t *testing.T) {
	p, address := startSIPp(t, "answer")
	n := real(t, Config{Server: address, Domain: "acme.example", Username: "verifyd", Password: proxyPassword})
	m := spokenMessage("en", "Acme", "908172")
	if _, err := n.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if r := <-n.reports; r.State != provider.Delivered {
		t.Errorf("report %+v, want delivered: may sipp open a raw socket (scripts/install-test-tools)?", r)
	}
	p.wantPlayed()
}

func TestSIPpKnowsAWrongPassword(t *testing.T) {
	p, address := startSIPp(t, "answer")
	n := real(t, Config{Server: address, Domain: "acme.example", Username: "verifyd", Password: "another"})
	_, err := n.Send(t.Context(), spokenMessage("en", "Acme", "908172"))
	if e := provider.AsError(err); e.Class != provider.BadRequest || e.Code != "403" {
		t.Errorf("got %v", err)
	}
	p.wantPlayed()
}

// TestSIPpRefuses wants credentials as a proxy does, and then refuses.
func TestSIPpRefuses(t *testing.T) {
	for _, c := range []struct {
		status, extra string
		want          provider.Error
	}{
		{"486 Busy Here", `Reason: Q.850;cause=17;text="User busy"`, provider.Error{Class: provider.Temporary, Code: "486 Q.850 17", RetryAfter: busyWait}},
		{"404 Not Found", "Reason: Q.850;cause=1", provider.Error{Class: provider.BadRecipient, Code: "404 Q.850 1"}},
		{"503 Service Unavailable", "Retry-After: 7", provider.Error{Class: provider.Throttled, Code: "503"}},
		{"488 Not Acceptable Here", "Warning: 304 acme.example \"Media type not available\"", provider.Error{Class: provider.BadRequest, Code: "488"}},
		{"603 Decline", "X-Any: 1", provider.Error{Class: provider.BadRecipient, Code: "603"}},
	} {
		t.Run(c.status, func(t *testing.T) {
			p, address := startSIPp(t, "refuse", "[status]", c.status, "[extra]", c.extra)
			n := real(t, Config{Server: address, Domain: "acme.example", Username: "verifyd", Password: proxyPassword})
			_, err := n.Send(t.Context(), spokenMessage("en", "Acme", "908172"))
			e := provider.AsError(err)
			if e.Class != c.want.Class || e.Code != c.want.Code || c.want.RetryAfter > 0 && e.RetryAfter != c.want.RetryAfter {
				t.Errorf("got %+v, want %+v", e, c.want)
			}
			p.wantPlayed()
		})
	}
}

// TestSIPpIsNotAnswered rings until we give up.
func TestSIPpIsNotAnswered(t *testing.T) {
	p, address := startSIPp(t, "ring")
	n := real(t, Config{Server: address, RingTimeout: "1s"})
	if _, err := n.Send(t.Context(), spokenMessage("en", "Acme", "908172")); err != nil {
		t.Fatal(err)
	}
	if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Temporary || r.Code != "487" {
		t.Errorf("report %+v", r)
	}
	p.wantPlayed()
}

// TestSIPpIsChecked has a registrar that looks at the password of a check.
func TestSIPpIsChecked(t *testing.T) {
	for password, want := range map[string]string{proxyPassword: "", "another": "REGISTER is answered 403 Forbidden: the trunk wants nothing from this account"} {
		p, address := startSIPp(t, "register")
		n, err := New(Config{Server: address, Domain: "acme.example", Username: "verifyd", Password: password, Register: true,
			From: "+34910000000", Listen: "127.0.0.1:0"}, provider.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Check(t.Context()); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		p.wantPlayed()
	}
}
