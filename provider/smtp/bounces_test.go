package smtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	gonetsmtp "net/smtp"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// bouncing is a provider that takes bounces.
type bouncing struct {
	*Provider
	address string
	reports chan provider.Report
	broken  error // what recording a report fails with
}

func newBouncing(t *testing.T, c Config) *bouncing {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bouncing{address: listener.Addr().String(), reports: make(chan provider.Report, 10)}
	c.BounceAddress = bounceAddress
	b.Provider = mustNew(t, c, provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		if b.broken != nil {
			return b.broken
		}
		b.reports <- r
		return nil
	}})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.takeBounces(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("taking bounces ended with %v", err)
		}
	})
	return b
}

// bring hands a bounce over, as a mail server would.
func (b *bouncing) bring(to string, content []byte) error {
	return gonetsmtp.SendMail(b.address, nil, "", []string{to}, content)
}

// TestABounceFindsItsMail goes once round: the address that a mail leaves with is where its bounce
// arrives.
func TestABounceFindsItsMail(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1"), dsn: true})
	b := newBouncing(t, r.config(a))
	m := providertest.Message("email", 0)
	m.Key = "VL0123456789abcdef0123456789abcdef:2"
	if _, err := b.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	mail := r.received()[0]
	if _, _, header := r.read(mail); header.Get("From") == "" || strings.Contains(header.Get("From"), "bounces") {
		t.Errorf("the person reads the sender %q", header.Get("From"))
	}
	if err := b.bring(mail.from, bounceOf(t, "postfix")); err != nil {
		t.Fatal(err)
	}
	if got := <-b.reports; got.Key != m.Key || got.State != provider.Failed || got.Class != provider.BadRecipient {
		t.Errorf("got %+v", got)
	}
	// Notes of absence and delays are taken, and say nothing.
	for _, name := range []string{"absent", "delayed"} {
		if err := b.bring(mail.from, bounceOf(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case got := <-b.reports:
		t.Errorf("a note became the report %+v", got)
	default:
	}
}

func TestOnlyBouncesAreTaken(t *testing.T) {
	b := newBouncing(t, (&script{}).config())
	for _, to := range []string{"pat@example.com", bounceAddress, "bounces+vl1-1@bounces.acme.example"} {
		if err := b.bring(to, bounceOf(t, "postfix")); err == nil || !strings.HasPrefix(err.Error(), "550 ") {
			t.Errorf("to %s: %v, want 550", to, err)
		}
	}
	const to = "bounces+vl0123456789abcdef0123456789abcdef-1@bounces.acme.example"
	if err := b.bring(to, append(bounceOf(t, "postfix"), strings.Repeat("And so on.\r\n", maxBounce/10)...)); err == nil || !strings.HasPrefix(err.Error(), "552 ") {
		t.Errorf("a large mail: %v, want 552", err)
	}
	// A bounce is only taken when it is recorded: the other side keeps it until then.
	b.broken = errors.New("the store is away")
	if err := b.bring(to, bounceOf(t, "postfix")); err == nil || !strings.HasPrefix(err.Error(), "451 ") {
		t.Errorf("while it cannot be recorded: %v, want 451", err)
	}
}

// Mail from anywhere is looked at, and a parser's complaint quotes the line that it does not understand.
func TestAMailThatIsNoBounceLeavesNothingInTheLog(t *testing.T) {
	const key, secret = "VL0123456789abcdef0123456789abcdef:1", "pat@example.com"
	report := "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
	for _, content := range []string{
		secret + " does not answer\r\n\r\n",
		report + secret + " is gone\r\n\r\n--b--\r\n",
		report + "Content-Type: message/delivery-status\r\n\r\n" + secret + " is gone\r\n--b--\r\n",
		report + "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n" + secret + " is gone\r\n--b--\r\n",
	} {
		var log bytes.Buffer
		config := (&script{}).config()
		config.BounceAddress = bounceAddress
		p := mustNew(t, config, provider.Deps{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		if err := p.bounce(t.Context(), key, []byte(content)); err != nil {
			t.Errorf("%q: %v", content, err)
		}
		if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), key) {
			t.Errorf("%q: the log is %s", content, &log)
		}
	}
}

func TestTooManyConnectionsAreAskedToComeAgain(t *testing.T) {
	b := newBouncing(t, (&script{}).config())
	hello := func() (*gosmtp.Client, error) {
		c, err := gosmtp.Dial(b.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, c.Hello("mx.example.com")
	}
	for range maxBouncers {
		if _, err := hello(); err != nil {
			t.Fatal(err)
		}
	}
	var refused *gosmtp.SMTPError
	if _, err := hello(); !errors.As(err, &refused) || refused.Code != 421 {
		t.Errorf("one more: %v, want 421", err)
	}
}

// Whoever says nothing is no session yet, and costs a descriptor all the same.
func TestMoreConnectionsThanThatAreClosed(t *testing.T) {
	b := newBouncing(t, (&script{}).config())
	dial := func() net.Conn {
		c, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	greeted := make([]byte, 1)
	for n := range bouncers.Most {
		if _, err := dial().Read(greeted); err != nil {
			t.Fatalf("connection %d: %v", n+1, err)
		}
	}
	if n, err := dial().Read(greeted); n != 0 || err == nil {
		t.Errorf("connection %d was greeted, want it closed", bouncers.Most+1)
	}
}

func TestBouncesNeedAnAddress(t *testing.T) {
	for _, c := range []struct{ address, listen, want string }{
		{"", "0.0.0.0:2525", "bounce_address is missing"},
		{"bounces", "", "not a bare address"},
		{"Acme <bounces@acme.example>", "", "not a bare address"},
		{"b+x@acme.example", "", "may hold no +"},
		{strings.Repeat("b", 21) + "@acme.example", "", "at most 20 characters"},
		{bounceAddress, "2525", "not an address like"},
	} {
		config := (&script{}).config()
		config.BounceAddress, config.BounceListen = c.address, c.listen
		if _, err := New(config, provider.Deps{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want %q", c.address, c.listen, err, c.want)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := (&script{}).config()
	config.BounceAddress, config.BounceListen = bounceAddress, taken.Addr().String()
	p := mustNew(t, config, provider.Deps{})
	if err := p.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "bounce_listen: ") {
		t.Errorf("a port that is taken: %v", err)
	}
}

func ExampleConfig() {
	p, err := New(Config{
		Host: "smtp.example.com", From: "codes@auth.example.com",
		BounceAddress: "bounces@bounces.example.com", BounceListen: "0.0.0.0:2525",
	}, provider.Deps{})
	fmt.Println(p != nil, err)
	// Output: true <nil>
}
