//go:build full

package smtp

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestAnotherServerReadsWhatWeSend sends to a server that is neither ours nor go-smtp's, by STARTTLS
// and AUTH. It has a parser of its own, which says what it read.
func TestAnotherServerReadsWhatWeSend(t *testing.T) {
	server := startAiosmtpd(t)
	for _, auth := range []string{"plain", "login"} {
		c := server.config
		c.Auth = auth
		p := mustNew(t, c, provider.Deps{})

		m := farFromASCII()
		accepted, err := p.Send(t.Context(), m)
		if err != nil {
			t.Fatalf("auth %s: %v", auth, err)
		}

		var got struct {
			ID       string
			TLS      bool
			MailFrom string   `json:"mail_from"`
			RcptTo   []string `json:"rcpt_to"`
			From     string
			FromName string `json:"from_name"`
			To       string
			Subject  string
			Headers  map[string]string
			Parts    [][2]string
			Defects  []string
		}
		line := server.line(t)
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if got.ID != accepted.ID || !got.TLS {
			t.Errorf("queued as %q, TLS %v; want the %q that Send returns, and TLS", got.ID, got.TLS, accepted.ID)
		}
		if got.MailFrom != "codes@acme.example" || !slices.Equal(got.RcptTo, []string{m.To}) {
			t.Errorf("the envelope is from %q to %q", got.MailFrom, got.RcptTo)
		}
		if got.From != "codes@acme.example" || got.FromName != m.Email.FromName || got.To != m.To {
			t.Errorf("the header is from %q %q to %q", got.FromName, got.From, got.To)
		}
		if got.Subject != m.Email.Subject {
			t.Errorf("got the subject %q, want %q", got.Subject, m.Email.Subject)
		}
		want := [][2]string{{"text/plain", m.Email.Text}, {"text/html", m.Email.HTML}}
		for i := range got.Parts {
			got.Parts[i][1] = strings.ReplaceAll(got.Parts[i][1], "\r\n", "\n")
		}
		if !slices.Equal(got.Parts, want) {
			t.Errorf("got the parts %q, want %q", got.Parts, want)
		}
		for name, want := range map[string]string{
			"Message-ID": "<" + m.Attempt + "@acme.example>", "Auto-Submitted": "auto-generated",
			"X-Auto-Response-Suppress": "All", "X-Entity-Ref-ID": m.Attempt,
		} {
			if got.Headers[name] != want {
				t.Errorf("header %s is %q, want %q", name, got.Headers[name], want)
			}
		}
		if len(got.Defects) > 0 {
			t.Errorf("the parser found %v", got.Defects)
		}
	}
}

func TestAnotherServerRefusesAWrongPassword(t *testing.T) {
	c := startAiosmtpd(t).config
	c.Password = "wrong-wrong"
	p := mustNew(t, c, provider.Deps{})
	_, err := p.Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.HasPrefix(e.Code, "535") {
		t.Errorf("got %v, want class bad_request by 535", err)
	}
}

func TestAnotherServerRefusesAtEachCommand(t *testing.T) {
	server := startAiosmtpd(t)
	p := mustNew(t, server.config, provider.Deps{})
	for _, c := range []struct {
		command string
		code    int
		class   provider.Class
	}{
		{"mail", 451, provider.Temporary},
		{"mail", 550, provider.BadRequest},
		{"rcpt", 450, provider.Temporary},
		{"rcpt", 554, provider.BadRequest},
		{"data", 451, provider.Temporary},
		{"data", 554, provider.BadRequest},
	} {
		m := providertest.Message("email", 1)
		address := fmt.Sprintf("%s-%d@acme.example", c.command, c.code)
		if c.command == "mail" {
			m.Email.From = address
		} else {
			m.To = address
		}
		_, err := p.Send(t.Context(), m)
		if e := provider.AsError(err); err == nil || e.Class != c.class || !strings.HasPrefix(e.Code, strconv.Itoa(c.code)) {
			t.Errorf("%s %d: got %v, want class %v", c.command, c.code, err, c.class)
		}
	}
	if _, err := p.Send(t.Context(), providertest.Message("email", 2)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// farFromASCII is a mail in which a server that reads it can go wrong.
func farFromASCII() provider.Message {
	m := providertest.Message("email", 1)
	m.Email.Subject = m.Code + " ist dein Bestätigungscode für Müller & Söhne"
	m.Email.Text += "\n.\nEin Punkt für sich: 验证码\n"
	m.Email.HTML = `<!doctype html><html lang="de"><body><p><b>` + m.Code + "</b> ist dein Code. Grüße!</p></body></html>\n"
	m.Email.FromName = "Müller & Söhne"
	return m
}

// files are a certificate for this host and its key, for a server that is another program.
func (a *authority) files(t *testing.T) (cert, key string) {
	t.Helper()
	issued := a.issue(time.Now().Add(time.Hour), "127.0.0.1")
	der, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", issued.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

// aiosmtpd is a server that runs testdata/relay.py.
type aiosmtpd struct {
	config Config
	out    *bufio.Reader
}

func startAiosmtpd(t *testing.T) *aiosmtpd {
	t.Helper()
	// By its path: the library belongs to the system's Python, and another may come first in PATH.
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import aiosmtpd").CombinedOutput(); err != nil {
		t.Fatalf("aiosmtpd is not installed: `make tools` does it (package python3-aiosmtpd): %v\n%s", err, out)
	}
	a := newAuthority(t)
	cert, key := a.files(t)
	cmd := exec.Command(python, "testdata/relay.py", cert, key, testUser, testPassword)
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
	s := &aiosmtpd{out: bufio.NewReader(stdout)}
	port, err := strconv.Atoi(s.line(t))
	if err != nil {
		t.Fatal(err)
	}
	s.config = Config{
		Host: "127.0.0.1", Port: port, Username: testUser, Password: testPassword,
		From: "codes@acme.example", FromName: "Acme", Timeout: "2m", CAFile: a.file,
	}
	return s
}

// line is the next one that the server printed.
func (s *aiosmtpd) line(t *testing.T) string {
	t.Helper()
	line, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatalf("aiosmtpd ended: %v", err)
	}
	return strings.TrimSpace(line)
}
