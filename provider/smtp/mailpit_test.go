//go:build full

package smtp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestMailpitReadsWhatWeSend sends to Mailpit by STARTTLS and AUTH, and reads the mail back by its API: it
// has an SMTP server and a parser that no other counterpart here has.
func TestMailpitReadsWhatWeSend(t *testing.T) {
	pit := startMailpit(t)
	for _, auth := range []string{"plain", "login"} {
		c := pit.config
		c.Auth = auth
		p := mustNew(t, c, provider.Deps{})
		m := farFromASCII()
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Fatalf("auth %s: %v", auth, err)
		}

		type address struct{ Name, Address string }
		var got struct {
			ID, MessageID, ReturnPath, Subject, Text, HTML string
			From                                           address
			To                                             []address
			Attachments                                    []any
		}
		pit.api(t, "GET", "/message/latest", nil, &got)
		if got.From != (address{m.Email.FromName, "codes@acme.example"}) || len(got.To) != 1 || got.To[0].Address != m.To || got.ReturnPath != "codes@acme.example" {
			t.Errorf("it is from %+v to %+v, and goes back to %q", got.From, got.To, got.ReturnPath)
		}
		if got.Subject != m.Email.Subject || got.MessageID != m.Attempt+"@acme.example" || len(got.Attachments) > 0 {
			t.Errorf("got %+v", got)
		}
		for name, pair := range map[string][2]string{"text": {got.Text, m.Email.Text}, "HTML": {got.HTML, m.Email.HTML}} {
			if is, want := strings.ReplaceAll(pair[0], "\r\n", "\n"), pair[1]; strings.TrimSpace(is) != strings.TrimSpace(want) {
				t.Errorf("the %s is %q, want %q", name, is, want)
			}
		}
		var headers map[string][]string
		pit.api(t, "GET", "/message/"+got.ID+"/headers", nil, &headers)
		for name, want := range map[string]string{
			"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Entity-Ref-Id": m.Attempt,
		} {
			if is := http.Header(headers).Get(name); is != want {
				t.Errorf("header %s is %q, want %q", name, is, want)
			}
		}
		pit.api(t, "DELETE", "/messages", nil, nil)
	}
}

func TestMailpitRefusesAWrongPassword(t *testing.T) {
	c := startMailpit(t).config
	c.Password = "wrong-wrong"
	_, err := mustNew(t, c, provider.Deps{}).Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.HasPrefix(e.Code, "535") {
		t.Errorf("got %v, want class bad_request by 535", err)
	}
}

// TestMailpitRefusesAtEachStage has Mailpit's chaos refuse. Its replies have no enhanced code, so that none
// of them is held against the person.
func TestMailpitRefusesAtEachStage(t *testing.T) {
	pit := startMailpit(t)
	type trigger struct{ ErrorCode, Probability int }
	for _, c := range []struct {
		stage string
		code  int
		class provider.Class
	}{
		{"Authentication", 454, provider.Temporary},
		{"Authentication", 535, provider.BadRequest},
		{"Sender", 421, provider.Temporary},
		{"Sender", 451, provider.Temporary},
		{"Sender", 550, provider.BadRequest},
		{"Recipient", 450, provider.Temporary},
		{"Recipient", 452, provider.Temporary},
		{"Recipient", 550, provider.BadRequest},
		{"Recipient", 554, provider.BadRequest},
	} {
		pit.api(t, "PUT", "/chaos", map[string]trigger{c.stage: {c.code, 100}}, nil)
		// A provider of its own: a connection that is kept has authenticated.
		_, err := mustNew(t, pit.config, provider.Deps{}).Send(t.Context(), providertest.Message("email", 1))
		if e := provider.AsError(err); err == nil || e.Class != c.class || !strings.HasPrefix(e.Code, strconv.Itoa(c.code)) {
			t.Errorf("%s %d: got %v, want class %v", c.stage, c.code, err, c.class)
		}
	}
	pit.api(t, "PUT", "/chaos", map[string]trigger{}, nil)
	if _, err := mustNew(t, pit.config, provider.Deps{}).Send(t.Context(), providertest.Message("email", 2)); err != nil {
		t.Errorf("after the chaos: %v", err)
	}
}

// mailpit is a Mailpit that runs.
type mailpit struct {
	config Config
	url    string
}

func startMailpit(t *testing.T) *mailpit {
	t.Helper()
	program, err := filepath.Abs("../../.tools/bin/mailpit")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("Mailpit is not installed: `make tools` does it: %v", err)
	}
	a := newAuthority(t)
	cert, key := a.files(t)
	dir := t.TempDir()
	passwords := filepath.Join(dir, "passwords")
	if err := os.WriteFile(passwords, []byte(testUser+":"+testPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mail, web := freePort(t), freePort(t)
	var log bytes.Buffer
	cmd := exec.Command(program, "--smtp", fmt.Sprintf("127.0.0.1:%d", mail), "--listen", fmt.Sprintf("127.0.0.1:%d", web),
		"--smtp-tls-cert", cert, "--smtp-tls-key", key, "--smtp-require-starttls", "--smtp-auth-file", passwords,
		"--smtp-disable-rdns", "--disable-version-check", "--enable-chaos", "--database", filepath.Join(dir, "mailpit.db"))
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	// It says that it starts, and not when it has.
	for _, port := range []int{mail, web} {
		for {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				conn.Close()
				break
			}
			select {
			case <-ended:
				t.Fatalf("Mailpit ended:\n%s", log.String())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return &mailpit{url: fmt.Sprintf("http://127.0.0.1:%d/api/v1", web), config: Config{
		Host: "127.0.0.1", Port: mail, Username: testUser, Password: testPassword,
		From: "codes@acme.example", FromName: "Acme", Timeout: "2m", CAFile: a.file,
	}}
}

// api calls Mailpit's API.
func (p *mailpit) api(t *testing.T, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	got, err := io.ReadAll(answered.Body)
	if err == nil && answered.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", answered.StatusCode)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(got, into)
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, got)
	}
}
