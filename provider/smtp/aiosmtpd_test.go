//go:build full

package smtp

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestMailpitReadsWhatWeSend sends to a server that is neither ours nor go-smtp's, by STARTTLS and
// AUTH, and reads the mail back by its API.
func TestMailpitReadsWhatWeSend(t *testing.T) {
	pit := startMailpit(t)
	p := mustNew(t, pit.config, provider.Deps{})

	m := providertest.Message("email", 1)
	m.Email.Subject = m.Code + " ist dein Bestätigungscode für Müller & Söhne"
	m.Email.Text += "\n.\nEin Punkt für sich: 验证码\n"
	m.Email.HTML = `<!doctype html><html lang="de"><body><p><b>` + m.Code + "</b> ist dein Code. Grüße!</p></body></html>\n"
	m.Email.FromName = "Müller & Söhne"
	accepted, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}

	var got struct {
		ID        string
		MessageID string
		From      struct{ Name, Address string }
		To        []struct{ Name, Address string }
		Subject   string
		Text      string
		HTML      string
		Date      time.Time
	}
	// Mailpit's queue identifier is its API's identifier, so ID must be what it answered.
	pit.get(t, "/api/v1/message/"+accepted.ID, &got)
	if got.ID != accepted.ID || got.MessageID != m.Attempt+"@acme.example" {
		t.Errorf("got ID %q, Message-ID %q, want %q, %q", got.ID, got.MessageID, accepted.ID, m.Attempt+"@acme.example")
	}
	if got.From.Name != m.Email.FromName || got.From.Address != "codes@acme.example" || len(got.To) != 1 || got.To[0].Address != m.To {
		t.Errorf("got from %+v to %+v", got.From, got.To)
	}
	if got.Subject != m.Email.Subject {
		t.Errorf("got the subject %q, want %q", got.Subject, m.Email.Subject)
	}
	if text := strings.ReplaceAll(got.Text, "\r\n", "\n"); strings.TrimSpace(text) != strings.TrimSpace(m.Email.Text) {
		t.Errorf("got the text %q, want %q", text, m.Email.Text)
	}
	if html := strings.ReplaceAll(got.HTML, "\r\n", "\n"); strings.TrimSpace(html) != strings.TrimSpace(m.Email.HTML) {
		t.Errorf("got the HTML %q, want %q", html, m.Email.HTML)
	}

	var header map[string][]string
	pit.get(t, "/api/v1/message/"+accepted.ID+"/headers", &header)
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Entity-Ref-Id": m.Attempt,
	} {
		if v := header[name]; len(v) != 1 || v[0] != want {
			t.Errorf("header %s is %q, want %q", name, v, want)
		}
	}
}

func TestMailpitRefusesAWrongPassword(t *testing.T) {
	pit := startMailpit(t)
	c := pit.config
	c.Password = "wrong-wrong"
	p := mustNew(t, c, provider.Deps{})
	_, err := p.Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.HasPrefix(e.Code, "535") {
		t.Errorf("got %v, want class bad_request by 535", err)
	}
}

// TestMailpitInATemper lets it refuse at each point (its "chaos triggers").
func TestMailpitInATemper(t *testing.T) {
	pit := startMailpit(t)
	p := mustNew(t, pit.config, provider.Deps{})
	for _, c := range []struct {
		trigger string
		code    int
		class   provider.Class
	}{
		{"Sender", 451, provider.Temporary},
		{"Sender", 550, provider.BadRequest},
		{"Recipient", 450, provider.Temporary},
		{"Recipient", 554, provider.BadRequest},
		{"Authentication", 535, provider.BadRequest},
	} {
		pit.chaos(t, fmt.Sprintf(`{%q:{"ErrorCode":%d,"Probability":100}}`, c.trigger, c.code))
		if c.trigger == "Authentication" {
			p.Close() // a connection that stands has logged in already
		}
		_, err := p.Send(t.Context(), providertest.Message("email", 1))
		if e := provider.AsError(err); err == nil || e.Class != c.class || !strings.HasPrefix(e.Code, fmt.Sprint(c.code)) {
			t.Errorf("%s %d: got %v, want class %v", c.trigger, c.code, err, c.class)
		}
	}
	pit.chaos(t, `{}`)
	if _, err := p.Send(t.Context(), providertest.Message("email", 2)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

type mailpit struct {
	api    string
	config Config
}

func startMailpit(t *testing.T) *mailpit {
	t.Helper()
	a := newAuthority(t)
	cert := a.issue(time.Now().Add(time.Hour), "127.0.0.1")
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	port, apiPort := freePort(t), freePort(t)
	pit := &mailpit{
		api: fmt.Sprintf("http://127.0.0.1:%d", apiPort),
		config: Config{
			Host: "127.0.0.1", Port: port, Username: testUser, Password: testPassword,
			From: "codes@acme.example", FromName: "Acme", CAFile: a.file,
		},
	}
	cmd := exec.Command(findMailpit(t),
		"--smtp", fmt.Sprintf("127.0.0.1:%d", port),
		"--listen", fmt.Sprintf("127.0.0.1:%d", apiPort),
		"--database", filepath.Join(dir, "mailpit.db"),
		"--smtp-tls-cert", write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})),
		"--smtp-tls-key", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"--smtp-require-starttls",
		"--smtp-auth-file", write("users", []byte(testUser+":"+testPassword+"\n")),
		"--enable-chaos", "--disable-version-check",
	)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})

	// It says when it is ready to nobody but those who ask.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !pit.ready(port) {
		select {
		case <-again.C:
		case <-ended:
			t.Fatal("mailpit ended before it was ready")
		case <-ctx.Done():
			t.Fatal("mailpit was not ready within a minute")
		}
	}
	return pit
}

// findMailpit looks where the Makefile installs tools.
func findMailpit(t *testing.T) string {
	t.Helper()
	places := []string{"../../.tools/bin/mailpit"}
	if dir := os.Getenv("VERIFYD_TOOLS"); dir != "" {
		places = append([]string{filepath.Join(dir, "bin", "mailpit")}, places...)
	}
	for _, place := range places {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	t.Fatalf("mailpit is missing in %v; at the root of the repository run\n"+
		"\tGOBIN=$PWD/.tools/bin go install github.com/axllent/mailpit@v1.27.11", places)
	return ""
}

func (m *mailpit) ready(port int) bool {
	resp, err := http.Get(m.api + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	c.Close()
	return resp.StatusCode == http.StatusOK
}

func (m *mailpit) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := http.Get(m.api + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

func (m *mailpit) chaos(t *testing.T, triggers string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, m.api+"/api/v1/chaos", strings.NewReader(triggers))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("PUT /api/v1/chaos %s: %s", triggers, resp.Status)
	}
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
