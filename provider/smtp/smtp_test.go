package smtp

import (
	"flag"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

var update = flag.Bool("update", false, "rewrite the recorded mail in testdata")

func TestExamWithSTARTTLS(t *testing.T) { exam(t, relayOptions{}, startTLS) }

func TestExamWithImplicitTLS(t *testing.T) { exam(t, relayOptions{implicit: true}, implicitTLS) }

func exam(t *testing.T, o relayOptions, mode string) {
	a := newAuthority(t)
	o.certificate = a.issue(time.Now().Add(time.Hour), "127.0.0.1")
	providertest.Run(t, providertest.Subject{
		Channels: []string{"email"},
		Secrets:  []string{testUser, testPassword},
		Never:    []provider.Class{provider.Unknown}, // only silence means that
		Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
			r := newRelay(t, o)
			c := r.config(a)
			c.TLS = mode
			return mustNew(t, c, deps), r
		},
	})
}

// TestTheMailAsItIsSent compares every byte but the boundary, which is random.
func TestTheMailAsItIsSent(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1"), dsn: true, utf8: true})
	p := mustNew(t, r.config(a), provider.Deps{
		Now: func() time.Time { return time.Date(2031, 1, 2, 3, 0, 0, 0, time.FixedZone("", 3600)) },
	})
	m := providertest.Message("email", 0)
	m.Email.Text += "\n.\nA dot of its own, and añña.\nA long line: " + strings.Repeat("one two three ", 10) + "\n"
	accepted, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	mails := r.received()
	if len(mails) != 1 || accepted.ID != mails[0].answered || accepted.Parts != 1 {
		t.Fatalf("got %+v for %+v", accepted, mails)
	}
	got := mails[0]
	if got.from != "codes@acme.example" || got.to != m.To || got.utf8 || !got.dsn {
		t.Errorf("the envelope is %+v", got)
	}
	text, html, header := r.read(got)
	if text != m.Email.Text || html != m.Email.HTML {
		t.Errorf("the bodies are\n%q\n%q\nwant\n%q\n%q", text, html, m.Email.Text, m.Email.HTML)
	}
	for _, never := range []string{"User-Agent", "X-Mailer", "List-Unsubscribe", "Precedence", "Bcc", "Cc"} {
		if v := header.Get(never); v != "" {
			t.Errorf("there is a header %s: %s", never, v)
		}
	}

	boundary := regexp.MustCompile(`boundary=([0-9a-f]+)`).FindStringSubmatch(got.raw)
	if boundary == nil {
		t.Fatalf("no boundary in\n%s", got.raw)
	}
	mailText := strings.ReplaceAll(strings.ReplaceAll(got.raw, boundary[1], "BOUNDARY"), "\r\n", "\n")
	const file = "testdata/mail.eml"
	if *update {
		if err := os.WriteFile(file, []byte(mailText), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if mailText != string(want) {
		t.Errorf("%s (go test -update rewrites it)\n got:\n%s\nwant:\n%s", file, mailText, want)
	}
}

func TestTheSenderOfTheMailWins(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1")})
	p := mustNew(t, r.config(a), provider.Deps{})
	for n, c := range []struct{ route, from, name, wantFrom, wantName string }{
		{"", "", "", "codes@acme.example", "Acme"},
		{"route@other.example", "", "", "route@other.example", "Acme"},
		{"route@other.example", "own@mail.example", "Ünïted “Bank”", "own@mail.example", "Ünïted “Bank”"},
		{"", "", `Quote " and, comma`, "codes@acme.example", `Quote " and, comma`},
	} {
		m := providertest.Message("email", n)
		m.From, m.Email.From, m.Email.FromName = c.route, c.from, c.name
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		got := r.received()[n]
		_, _, header := r.read(got)
		from, err := mail.ParseAddress(header.Get("From"))
		if err != nil || from.Address != c.wantFrom || from.Name != c.wantName || got.from != c.wantFrom {
			t.Errorf("%+v: From is %q (%v), the envelope's %q", c, header.Get("From"), err, got.from)
		}
		want := fmt.Sprintf("<%s@%s>", m.Attempt, c.wantFrom[strings.Index(c.wantFrom, "@")+1:])
		if id := header.Get("Message-ID"); id != want {
			t.Errorf("%+v: Message-ID is %q, want %q", c, id, want)
		}
	}
}

func TestSubjectsInAnyLanguageArrive(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1")})
	p := mustNew(t, r.config(a), provider.Deps{})
	for n, subject := range []string{
		"482913 is your Acme code",
		"482913 ist dein Bestätigungscode für Müller & Söhne, und der Betreff ist länger als eine Zeile",
		"482913 — 您的 Acme 验证码",
		"482913 هو رمز Acme الخاص بك",
		strings.Repeat("long ", 60) + "482913",
	} {
		m := providertest.Message("email", n)
		m.Email.Subject = subject
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", subject, err)
			continue
		}
		_, _, header := r.read(r.received()[n])
		if got, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject")); err != nil || got != subject {
			t.Errorf("subject %q arrived as %q: %v", subject, got, err)
		}
	}
}

// TestNothingCanBeInjected puts a line break, and what might pass for one, into every field. The
// message is refused, or it arrives as one mail for one person with the headers that it has always.
func TestNothingCanBeInjected(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1"), utf8: true})
	p := mustNew(t, r.config(a), provider.Deps{})
	if _, err := p.Send(t.Context(), providertest.Message("email", 0)); err != nil {
		t.Fatal(err)
	}
	_, _, usual := r.read(r.received()[0])

	fields := map[string]func(m *provider.Message, evil string){
		"to":           func(m *provider.Message, evil string) { m.To += evil },
		"to, in front": func(m *provider.Message, evil string) { m.To = evil + m.To },
		"to's local part": func(m *provider.Message, evil string) {
			m.To = `"a` + evil + `"@example.com`
		},
		"route's from": func(m *provider.Message, evil string) { m.From = "x@example.com" + evil },
		"mail's from":  func(m *provider.Message, evil string) { m.Email.From = "x@example.com" + evil },
		"from name":    func(m *provider.Message, evil string) { m.Email.FromName = "x" + evil },
		"subject":      func(m *provider.Message, evil string) { m.Email.Subject += evil },
		"attempt":      func(m *provider.Message, evil string) { m.Attempt += evil },
		"key":          func(m *provider.Message, evil string) { m.Key += evil },
		"brand":        func(m *provider.Message, evil string) { m.Brand += evil },
		"locale":       func(m *provider.Message, evil string) { m.Locale += evil },
		"text":         func(m *provider.Message, evil string) { m.Email.Text += evil },
		"html":         func(m *provider.Message, evil string) { m.Email.HTML += evil },
	}
	bodies := map[string]bool{"key": true, "brand": true, "locale": true, "text": true, "html": true}
	for field, put := range fields {
		for _, evil := range []string{
			"\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\rBcc: eve@example.com",
			"\r\n\r\nbody", "\r\n.\r\nMAIL FROM:<eve@example.com>\r\n", "\n.\n", "\r.\r", "\x00", "\x85x", "\u2028x", "\u0085x",
			">\r\nRCPT TO:<eve@example.com", "> NOTIFY=SUCCESS", ", eve@example.com", "; eve@example.com", " eve@example.com",
		} {
			before := len(r.received())
			m := providertest.Message("email", 1)
			put(&m, evil)
			_, err := p.Send(t.Context(), m)
			after := r.received()[before:]
			if err != nil {
				if e := provider.AsError(err); len(after) != 0 || e.Class != provider.BadRequest && e.Class != provider.BadRecipient {
					t.Errorf("%s %q: got %v and %d mails", field, evil, err, len(after))
				}
				if bodies[field] {
					t.Errorf("%s %q: refused, though it stands in no header: %v", field, evil, err)
				}
				continue
			}
			if len(after) != 1 {
				t.Errorf("%s %q: %d mails arrived, want 1", field, evil, len(after))
				continue
			}
			text, html, header := r.read(after[0])
			if len(header) != len(usual) {
				t.Errorf("%s %q: the headers are %v, want the usual", field, evil, header)
			}
			if strings.Contains(after[0].to, "eve") && field != "to" && field != "to, in front" && field != "to's local part" {
				t.Errorf("%s %q: the mail went to %s", field, evil, after[0].to)
			}
			if to, err := mail.ParseAddressList(header.Get("To")); err != nil || len(to) != 1 || to[0].Address != strings.ReplaceAll(after[0].to, `"`, "") {
				t.Errorf("%s %q: To is %q, the envelope's %q", field, evil, header.Get("To"), after[0].to)
			}
			if !strings.Contains(text, m.Code) || !strings.Contains(html, m.Code) {
				t.Errorf("%s %q: the bodies broke: %q, %q", field, evil, text, html)
			}
		}
	}
}

func TestInternationalAddressesNeedARelayForThem(t *testing.T) {
	a := newAuthority(t)
	for _, offered := range []bool{true, false} {
		r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1"), utf8: offered})
		p := mustNew(t, r.config(a), provider.Deps{})
		m := providertest.Message("email", 1)
		m.To = "josé@bücher.example"
		_, err := p.Send(t.Context(), m)
		if !offered {
			if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "SMTPUTF8") {
				t.Errorf("without SMTPUTF8: got %v, want class bad_request", err)
			}
		} else if got := r.received(); err != nil || len(got) != 1 || !got[0].utf8 || got[0].to != m.To {
			t.Errorf("with SMTPUTF8: got %+v, %v", got, err)
		}
		// The connection is none the worse.
		if _, err := p.Send(t.Context(), providertest.Message("email", 2)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if n := r.dialled(); n != 1 {
			t.Errorf("%d connections were made, want 1", n)
		}
	}
}

func TestQueueIdentifiers(t *testing.T) {
	for answer, want := range map[string]string{
		"2.0.0 Ok: queued as 4bX00Z1pQz9s7":                "4bX00Z1pQz9s7",
		"2.0.0 Ok: queued as <4bX00>.":                     "4bX00",
		"OK id=1qRZ0a-0003Xk-2B":                           "1qRZ0a-0003Xk-2B",
		"Ok 0100018d6c1fb3f1-5a2e0f4e-000000":              "0100018d6c1fb3f1-5a2e0f4e-000000",
		"2.0.0 OK  1706000000 d2e1a72fcca58-6dbcd8f5e5bsi": "VL1@acme.example",
		"Great success":                                    "VL1@acme.example",
		"queued as ":                                       "VL1@acme.example",
		"queued as ...":                                    "VL1@acme.example",
		"Ok done":                                          "VL1@acme.example",
		"":                                                 "VL1@acme.example",
		"id=\x00\nqueued":                                  "VL1@acme.example",
	} {
		if got := queueID(answer, "VL1@acme.example"); got != want {
			t.Errorf("queueID(%q): got %q, want %q", answer, got, want)
		}
	}
}

func FuzzQueueID(f *testing.F) {
	f.Add("2.0.0 Ok: queued as 4bX00Z1pQz9s7")
	f.Add("OK id=1qRZ0a-0003Xk-2B")
	f.Fuzz(func(t *testing.T, answer string) {
		if id := queueID(answer, "VL1@x"); id == "" || len(id) > 128 || strings.ContainsFunc(id, unicode.IsControl) {
			t.Errorf("queueID(%q) is %q", answer, id)
		}
	})
}
