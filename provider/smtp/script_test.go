package smtp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// script is a relay of a few lines that says exactly what it is told, line breaks and all, where
// a real server would know better. It plays on this host without TLS.
type script struct {
	// says has the reply to each verb; "greeting" is the first word and "." ends a mail. A verb
	// that is missing gets its usual reply. Two replies are deeds: drop ends the connection, and
	// hang says nothing until the client has gone.
	says map[string]string
	// later is what a connection says instead, once it has taken a mail.
	later map[string]string

	port    int
	hanging chan struct{} // one value for each hang

	mu    sync.Mutex
	heard []string // "MAIL FROM:<…>" and the like, "connect" and "gone"
}

const (
	drop = "drop"
	hang = "hang"
)

var usual = map[string]string{
	"greeting": "220 relay.test ready",
	"EHLO":     "250-relay.test\r\n250 AUTH PLAIN LOGIN XOAUTH2",
	"HELO":     "250 relay.test",
	"AUTH":     "235 2.7.0 welcome",
	"MAIL":     "250 2.1.0 ok",
	"RCPT":     "250 2.1.5 ok",
	"DATA":     "354 go ahead",
	".":        "250 2.0.0 Ok: queued as 4bX",
	"RSET":     "250 2.0.0 ok",
	"QUIT":     "221 2.0.0 bye",
}

func (s *script) start(t testing.TB) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.hanging = make(chan struct{}, 100)
	var conns sync.WaitGroup
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { s.play(c) })
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		conns.Wait() // the provider was closed before, and with it the connections
	})
	return s
}

// pipe is a dialer that needs no socket: the clock of a bubble does not know them.
func (s *script) pipe(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go s.play(far)
	return near, nil
}

func (s *script) play(c net.Conn) {
	defer c.Close()
	says := s.says
	s.hear("connect")
	defer s.hear("gone")
	in := bufio.NewReader(c)
	if !s.say(c, in, says, "greeting") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.hear(line)
		verb, _, _ := strings.Cut(line, " ")
		if !s.say(c, in, says, verb) {
			return
		}
		switch {
		case verb == "QUIT":
			return
		case verb == "DATA" && strings.HasPrefix(replyTo(says, verb), "354"):
			for line != "." {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
				line = strings.TrimRight(line, "\r\n")
			}
			s.hear(".")
			if !s.say(c, in, says, ".") {
				return
			}
			if s.later != nil {
				says = s.later
			}
		}
	}
}

func replyTo(says map[string]string, verb string) string {
	if r, ok := says[verb]; ok {
		return r
	}
	if r, ok := usual[verb]; ok {
		return r
	}
	return "500 5.5.1 what?"
}

func (s *script) say(c net.Conn, in *bufio.Reader, says map[string]string, verb string) bool {
	switch reply := replyTo(says, verb); reply {
	case drop:
		return false
	case hang:
		s.hanging <- struct{}{}
		io.Copy(io.Discard, in)
		return false
	default:
		_, err := io.WriteString(c, reply+"\r\n")
		return err == nil
	}
}

func (s *script) hear(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, what)
}

func (s *script) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// times is how often a line beginning with prefix was heard.
func (s *script) times(prefix string) int {
	n := 0
	for _, line := range s.lines() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func (s *script) config() Config {
	return Config{
		Host: "127.0.0.1", Port: s.port, TLS: "none", From: "codes@acme.example", Timeout: "2m",
		Username: testUser, Password: testPassword,
	}
}

// TestRepliesAndSilence is the table of docs/providers/smtp.md (channels 4.1), over a real
// connection: what the relay says at which point, and the class that it means.
func TestRepliesAndSilence(t *testing.T) {
	for _, c := range []struct {
		verb, reply string
		class       provider.Class
		code        string
	}{
		// Before AUTH nothing is held against us.
		{"greeting", "421 4.3.0 not now", provider.Temporary, "421 4.3.0"},
		{"greeting", "554 5.7.1 not you", provider.Temporary, "554 5.7.1"},
		{"greeting", "421 4.7.0 too many connections", provider.Throttled, "421 4.7.0"},
		{"greeting", "nonsense", provider.Temporary, ""},
		{"greeting", drop, provider.Temporary, ""},
		{"EHLO", drop, provider.Temporary, ""},
		{"EHLO", "421 closing", provider.Temporary, "421"},

		{"AUTH", "535 5.7.8 wrong", provider.BadRequest, "535 5.7.8"},
		{"AUTH", "534 5.7.9 mechanism too weak", provider.BadRequest, "534 5.7.9"},
		{"AUTH", "538 5.7.11 encryption required", provider.BadRequest, "538 5.7.11"},
		{"AUTH", "504 5.5.4 what mechanism", provider.BadRequest, "504 5.5.4"},
		{"AUTH", "454 4.7.0 try later", provider.Temporary, "454 4.7.0"},
		{"AUTH", "421 4.7.0 too many logins", provider.Throttled, "421 4.7.0"},
		{"AUTH", "334 not base64!", provider.Temporary, ""},
		{"AUTH", drop, provider.Temporary, ""},

		{"MAIL", "550 5.7.1 not your sender", provider.BadRequest, "550 5.7.1"},
		{"MAIL", "550 5.7.60 no SendAs", provider.BadRequest, "550 5.7.60"},
		{"MAIL", "553 5.7.1 not owned", provider.BadRequest, "553 5.7.1"},
		{"MAIL", "553 sender refused", provider.BadRequest, "553"},
		{"MAIL", "530 5.7.0 STARTTLS first", provider.BadRequest, "530 5.7.0"},
		{"MAIL", "550 5.1.1 no such sender", provider.BadRequest, "550 5.1.1"}, // it is not the recipient
		{"MAIL", "552 5.3.4 too big", provider.BadRequest, "552 5.3.4"},
		{"MAIL", "555 5.5.4 what parameter", provider.BadRequest, "555 5.5.4"},
		{"MAIL", "451 4.3.0 trouble", provider.Temporary, "451 4.3.0"},
		{"MAIL", "452 4.3.1 disk full", provider.Temporary, "452 4.3.1"},
		{"MAIL", "450 4.7.28 rate limit", provider.Throttled, "450 4.7.28"},
		{"MAIL", "421 4.3.2 shutting down", provider.Throttled, "421 4.3.2"},
		{"MAIL", drop, provider.Temporary, ""},

		{"RCPT", "550 5.1.1 user unknown", provider.BadRecipient, "550 5.1.1"},
		{"RCPT", "550 5.1.2 bad domain", provider.BadRecipient, "550 5.1.2"},
		{"RCPT", "553 5.1.3 bad syntax", provider.BadRecipient, "553 5.1.3"},
		{"RCPT", "551 5.1.6 moved", provider.BadRecipient, "551 5.1.6"},
		{"RCPT", "550 5.1.10 null MX", provider.BadRecipient, "550 5.1.10"},
		{"RCPT", "556 5.1.10 null MX", provider.BadRecipient, "556 5.1.10"}, // RFC 7505, 4.2
		{"RCPT", "550 5.2.1 mailbox disabled", provider.BadRecipient, "550 5.2.1"},
		{"RCPT", "550-5.1.1 user\r\n550 5.1.1 unknown", provider.BadRecipient, "550 5.1.1"},
		{"RCPT", "550 user unknown", provider.BadRequest, "550"},
		{"RCPT", "550 5.1.11 something new", provider.BadRequest, "550 5.1.11"},
		{"RCPT", "550 5.7.1 spam", provider.BadRequest, "550 5.7.1"},
		{"RCPT", "550 5.7.509 DMARC", provider.BadRequest, "550 5.7.509"},
		{"RCPT", "554 5.7.1 blocked", provider.BadRequest, "554 5.7.1"},
		{"RCPT", "554 [5.1.1.9] blocked", provider.BadRequest, "554"}, // go-mail reads 5.1.1 here
		{"RCPT", "550 [5.1.1.9] blocked", provider.BadRequest, "550"},
		{"RCPT", "550 5.1.1.9 is blocked", provider.BadRequest, "550"},
		{"RCPT", "450 4.2.0 greylisted", provider.Temporary, "450 4.2.0"},
		{"RCPT", "450 4.2.1 mailbox busy", provider.Temporary, "450 4.2.1"},
		{"RCPT", "450 4.7.1 greylisted", provider.Temporary, "450 4.7.1"},
		{"RCPT", "451 come back later", provider.Temporary, "451"},
		{"RCPT", "451 4.4.1 no answer from host", provider.Temporary, "451 4.4.1"},
		{"RCPT", "452 4.2.2 mailbox full", provider.Temporary, "452 4.2.2"},
		{"RCPT", "452 4.2.2 too many mails in it", provider.Temporary, "452 4.2.2"},
		{"RCPT", "552 5.2.2 mailbox full", provider.Temporary, "552 5.2.2"},
		{"RCPT", "552 5.3.4 too big", provider.BadRequest, "552 5.3.4"},
		{"RCPT", "501 5.5.2 what", provider.BadRequest, "501 5.5.2"},
		{"RCPT", "503 5.5.1 MAIL first", provider.BadRequest, "503 5.5.1"},
		{"RCPT", "450 4.1.1 Too Many recipients today", provider.Throttled, "450 4.1.1"},
		{"RCPT", "451 4.7.0 slow down", provider.Throttled, "451 4.7.0"},
		{"RCPT", "354 what?", provider.Temporary, "354"},
		{"RCPT", drop, provider.Temporary, ""},

		{"DATA", "554 5.5.1 no valid recipients", provider.BadRequest, "554 5.5.1"},
		{"DATA", "451 4.3.0 trouble", provider.Temporary, "451 4.3.0"},
		{"DATA", "250 what?", provider.Temporary, "250"},
		{"DATA", drop, provider.Temporary, ""},

		{".", "554 5.7.1 looks like spam", provider.BadRequest, "554 5.7.1"},
		{".", "550 5.1.1 no such user after all", provider.BadRecipient, "550 5.1.1"},
		{".", "552 5.2.2 full", provider.Temporary, "552 5.2.2"},
		{".", "552 5.3.4 too big", provider.BadRequest, "552 5.3.4"},
		{".", "451 4.3.0 queue trouble", provider.Temporary, "451 4.3.0"},
		{".", "421 4.3.2 shutting down", provider.Throttled, "421 4.3.2"},
		{".", "251 what?", provider.Unknown, "251"},
		{".", "354 go on", provider.Unknown, "354"},
		{".", "gibberish", provider.Unknown, ""},
		{".", drop, provider.Unknown, ""},
	} {
		t.Run(c.verb+"/"+c.reply, func(t *testing.T) {
			says := map[string]string{c.verb: c.reply}
			if c.verb == "EHLO" {
				says["HELO"] = c.reply // go-mail tries it next
			}
			s := (&script{says: says}).start(t)
			p := mustNew(t, s.config(), provider.Deps{})
			m := providertest.Message("email", 1)
			_, err := p.Send(t.Context(), m)
			if err == nil {
				t.Fatal("Send succeeded")
			}
			if e := provider.AsError(err); e.Class != c.class || e.Code != c.code {
				t.Errorf("got class %v, code %q, want %v, %q: %v", e.Class, e.Code, c.class, c.code, err)
			}
			if c.verb == "DATA" || c.verb == "." {
				return
			}
			if n := s.times("."); n != 0 {
				t.Errorf("a mail was sent all the same: %q", s.lines())
			}
		})
	}
}

// TestTheWholeConversation: one word too many may be one that a relay dislikes.
func TestTheWholeConversation(t *testing.T) {
	s := (&script{}).start(t)
	c := s.config()
	c.Helo = "verifyd.acme.example"
	p, err := New(c, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if _, err := p.Send(t.Context(), providertest.Message("email", n)); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
	want := []string{
		"connect", "EHLO verifyd.acme.example",
		"AUTH PLAIN AHN1Ym1pdHRlckBhY21lLmV4YW1wbGUAaHVudGVyMi1odW50ZXIy",
		"MAIL FROM:<codes@acme.example>", "RCPT TO:<pat.0000@example.com>", "DATA", ".",
		"RSET",
		"MAIL FROM:<codes@acme.example>", "RCPT TO:<pat.0001@example.com>", "DATA", ".",
		"QUIT",
	}
	heard := s.lines()
	if got := strings.Join(heard[:min(len(heard), len(want))], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the relay heard\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestARelayThatQuotesIsNotQuoted: some say what they did not understand.
func TestARelayThatQuotesIsNotQuoted(t *testing.T) {
	m := providertest.Message("email", 1)
	plain := "AHN1Ym1pdHRlckBhY21lLmV4YW1wbGUAaHVudGVyMi1odW50ZXIy"
	for _, c := range []struct{ verb, reply string }{
		{"AUTH", "500 5.5.2 unrecognised: AUTH PLAIN " + plain},
		{"AUTH", "535 5.7.8 bad password " + testPassword + " for " + strings.ToUpper(testUser)},
		{"RCPT", fmt.Sprintf("550-5.1.1 <%s>\r\n550-5.1.1 %s\r\n550 5.1.1 %s", m.To, m.Code, strings.ToUpper(m.To))},
		{".", "554 5.7.1 spam: " + m.Email.Subject},
		{".", "gibberish " + m.Code + " " + m.To},
		{"greeting", "gibberish " + m.Code + " " + m.To},
	} {
		s := (&script{says: map[string]string{c.verb: c.reply}}).start(t)
		p := mustNew(t, s.config(), provider.Deps{})
		_, err := p.Send(t.Context(), m)
		for _, never := range []string{m.To, m.Code, testUser, testPassword, plain} {
			if text := fmt.Sprint(err); strings.Contains(strings.ToLower(text), strings.ToLower(never)) {
				t.Errorf("%s: the error repeats %q: %s", c.reply, never, text)
			}
		}
	}
}
