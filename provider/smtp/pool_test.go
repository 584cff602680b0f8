package smtp

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func mustSend(t *testing.T, p *Provider, n int) {
	t.Helper()
	if _, err := p.Send(t.Context(), providertest.Message("email", n)); err != nil {
		t.Fatalf("message %d: %v", n, err)
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	s := (&script{}).start(t)
	p := mustNew(t, s.config(), provider.Deps{})
	for n := range 3 {
		mustSend(t, p, n)
	}
	if got := s.times("connect"); got != 1 {
		t.Errorf("%d connections were made, want 1", got)
	}
}

func TestAConnectionIsUsedAgainAfterARefusal(t *testing.T) {
	s := (&script{says: map[string]string{"RCPT": "550 5.1.1 no"}}).start(t)
	p := mustNew(t, s.config(), provider.Deps{})
	for n := range 3 {
		if _, err := p.Send(t.Context(), providertest.Message("email", n)); provider.AsError(err).Class != provider.BadRecipient {
			t.Fatalf("message %d: got %v, want class bad_recipient", n, err)
		}
	}
	if got := s.times("connect"); got != 1 {
		t.Errorf("%d connections were made, want 1: %q", got, s.lines())
	}
}

// TestAConnectionAtItsEndIsReplaced: what a relay says to a connection that has served its time
// is no answer to the mail.
func TestAConnectionAtItsEndIsReplaced(t *testing.T) {
	for _, c := range []struct{ verb, reply string }{
		{"RSET", drop},
		{"RSET", "421 4.4.2 idle for too long"},
		{"RSET", "500 what?"},
		{"MAIL", drop},
		{"MAIL", "421 4.7.0 too many mails in this session"},
	} {
		t.Run(c.verb+"/"+c.reply, func(t *testing.T) {
			s := (&script{later: map[string]string{c.verb: c.reply}}).start(t)
			p := mustNew(t, s.config(), provider.Deps{})
			mustSend(t, p, 1)
			mustSend(t, p, 2)
			if got := s.times("connect"); got != 2 {
				t.Errorf("%d connections were made, want 2: %q", got, s.lines())
			}
			if got := s.times("."); got != 2 {
				t.Errorf("%d mails were sent, want 2: %q", got, s.lines())
			}
		})
	}
}

// TestAFreshConnectionIsNotReplaced: the same words from a relay that we have just met are meant
// for us.
func TestAFreshConnectionIsNotReplaced(t *testing.T) {
	s := (&script{says: map[string]string{"MAIL": "421 4.7.0 too many"}}).start(t)
	p := mustNew(t, s.config(), provider.Deps{})
	_, err := p.Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Throttled {
		t.Errorf("got %v, want class throttled", err)
	}
	if got := s.times("connect"); got != 1 {
		t.Errorf("%d connections were made, want 1", got)
	}
}

// TestABrokenMailIsNotFinished: go-mail's QUIT ends an open mail with a dot, and half a mail would
// be sent.
func TestABrokenMailIsNotFinished(t *testing.T) {
	s := (&script{says: map[string]string{".": hang}}).start(t)
	p := mustNew(t, s.config(), provider.Deps{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &short{Conn: c, cancel: cancel}, err
	}
	m := providertest.Message("email", 1)
	m.Email.HTML = strings.Repeat("<p>long</p>\n", 10_000)
	_, err := p.Send(ctx, m)
	if e := provider.AsError(err); err == nil || e.Class != provider.Temporary || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want class temporary: the dot was not written", err)
	}
	p.Close()
	if s.times(".") != 0 || s.times("QUIT") != 0 {
		t.Errorf("the relay heard %q", s.lines())
	}
}

// short is a connection that is cut in the middle of a long mail.
type short struct {
	net.Conn
	cancel  func()
	written int
}

func (c *short) Write(p []byte) (int, error) {
	if c.written += len(p); c.written > 20_000 {
		c.cancel()
		c.Conn.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(p)
}

// TestThereAreNoMoreConnectionsThanTheRelayLikes waits in a bubble until nobody can go on.
func TestThereAreNoMoreConnectionsThanTheRelayLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{says: map[string]string{".": hang}, hanging: make(chan struct{}, 100)}
		p := mustNew(t, s.config(), provider.Deps{})
		p.dialer = s.pipe
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		for n := range 3 * maxConnections {
			go func() {
				_, err := p.Send(ctx, providertest.Message("email", n))
				failed <- err
			}()
		}
		synctest.Wait()
		if connections, held := s.times("connect"), len(s.hanging); connections != maxConnections || held != maxConnections {
			t.Errorf("%d connections hold %d mails, want %d and as many", connections, held, maxConnections)
		}
		cancel()
		classes := map[provider.Class]int{}
		for range 3 * maxConnections {
			classes[provider.AsError(<-failed).Class]++
		}
		// Who waited may have got the place of one that ended, before it ended too.
		unknown, temporary := classes[provider.Unknown], classes[provider.Temporary]
		if unknown < maxConnections || unknown+temporary != 3*maxConnections {
			t.Errorf("got the classes %v, want %d unknown, the others temporary", classes, maxConnections)
		}
	})
}

// TestAnIdleConnectionEndsAfterAMinute runs on net.Pipe, for the clock of a bubble knows no
// sockets.
func TestAnIdleConnectionEndsAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		c := s.config()
		p := mustNew(t, c, provider.Deps{})
		p.dialer = s.pipe
		mustSend(t, p, 1)
		time.Sleep(maxIdle - time.Second)
		mustSend(t, p, 2) // and the minute begins anew
		time.Sleep(maxIdle - time.Second)
		synctest.Wait()
		if s.times("gone") != 0 {
			t.Fatalf("the connection ended too early: %q", s.lines())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s.times("QUIT") != 1 || s.times("gone") != 1 {
			t.Errorf("the connection did not end with its minute: %q", s.lines())
		}
		mustSend(t, p, 3)
		if got := s.times("connect"); got != 2 {
			t.Errorf("%d connections were made, want 2", got)
		}
		p.Close()
		synctest.Wait()
		if got := s.times("gone"); got != 2 {
			t.Errorf("Close left a connection: %q", s.lines())
		}
		mustSend(t, p, 4) // after Close, nothing is kept
		synctest.Wait()
		if got := s.times("gone"); got != 3 {
			t.Errorf("a connection outlived its use after Close: %q", s.lines())
		}
	})
}

// TestTheTimeoutIsTheProvidersOwn: at every point where a relay can fall silent.
func TestTheTimeoutIsTheProvidersOwn(t *testing.T) {
	for verb, class := range map[string]provider.Class{
		"greeting": provider.Temporary, "EHLO": provider.Temporary, "AUTH": provider.Temporary,
		"MAIL": provider.Temporary, "RCPT": provider.Temporary, "DATA": provider.Temporary, ".": provider.Unknown,
	} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{says: map[string]string{verb: hang}, hanging: make(chan struct{}, 1)}
				c := s.config()
				c.Timeout = "30s"
				p := mustNew(t, c, provider.Deps{})
				p.dialer = s.pipe
				start := time.Now()
				_, err := p.Send(t.Context(), providertest.Message("email", 1))
				if e := provider.AsError(err); e.Class != class || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want class %v and a deadline exceeded", err, class)
				}
				if took := time.Since(start); took != 30*time.Second { // of the bubble's time
					t.Errorf("it took %v, want 30s", took)
				}
				synctest.Wait()
				if s.times("gone") != 1 {
					t.Errorf("the connection was left: %q", s.lines())
				}
			})
		})
	}
}
