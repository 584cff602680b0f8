package providertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/verifyd/verifyd/provider"
)

func TestAnHonestProviderPasses(t *testing.T) {
	Run(t, subject(func(h honest) provider.Provider { return h }))
}

func TestAnyChannelGoesWhereTheFarEndDecides(t *testing.T) {
	s := subject(func(h honest) provider.Provider { return anyChannel{h} })
	s.Channels = nil
	Run(t, s)
}

// TestEveryFaultIsFound lets providers with one fault each sit the exam; the question named must
// fail them, and must say why.
func TestEveryFaultIsFound(t *testing.T) {
	type send func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error)
	for _, c := range []struct {
		fault    string
		question string
		says     string
		send     send
	}{
		{"a bare error", "a refusal shows its class/temporary", "want a *provider.Error",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				a, err := h.Send(ctx, m)
				if err != nil {
					err = errors.New("it failed")
				}
				return a, err
			}},
		{"one class for all", "a refusal shows its class/throttled", "got class temporary, want [throttled]",
			changing(func(e *provider.Error) { e.Class = provider.Temporary })},
		{"a class of its own", "a refusal shows its class/throttled", "none of the five classes",
			changing(func(e *provider.Error) { e.Class = 9 })},
		{"no code", "a refusal shows its class/bad_request", "the vendor's code is missing",
			changing(func(e *provider.Error) { e.Code = "" })},
		{"a wait of less than nothing", "a refusal shows its class/throttled", "RetryAfter is -1ns",
			changing(func(e *provider.Error) { e.RetryAfter = -1 })},
		{"surely not sent, of what was dropped", "a dropped message is perhaps sent", "got class temporary",
			changing(func(e *provider.Error) { e.Class = provider.Temporary })},
		{"perhaps sent, of what was not", "nobody listens", "got class unknown",
			changing(func(e *provider.Error) { e.Class = provider.Unknown })},
		{"success where nobody listens", "nobody listens", "it succeeded",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				a, _ := h.Send(ctx, m)
				return a, nil
			}},
		{"no end to patience", "a held message is given up when cancelled", "in vain for Send to return",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return h.Send(context.WithoutCancel(ctx), m)
			}},
		{"no deadline", "a held message is given up at the deadline", "in vain for Send to return",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return h.Send(context.WithoutCancel(ctx), m)
			}},
		{"a far end waited for too long", "a far end that never speaks", "in vain for Send to return",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return h.Send(context.WithoutCancel(ctx), m)
			}},
		{"sending although the context is over", "a context that is over sends nothing", "1 messages arrived, want none",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return h.Send(context.WithoutCancel(ctx), m)
			}},
		{"the vendor's words in Detail", "a refusal shows its class/unknown", `repeats "+34612`,
			changing(func(e *provider.Error) { e.Detail = "bad number +34612353597" })},
		{"the vendor's words in Code", "a refusal shows its class/unknown", `repeats "34612`,
			changing(func(e *provider.Error) { e.Code = "bad 34612353597" })},
		{"the password in a wrapped error", "a refusal shows its class/temporary", `repeats "` + password,
			changing(func(e *provider.Error) { e.Err = fmt.Errorf("login: %w", errors.New(password)) })},
		{"a code in the log", "accepts/sms", "the log repeats",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				h.deps.Log.Debug("sending", "text", m.Text)
				return h.Send(ctx, m)
			}},
		{"every channel", "refuses another's channel/rcs", "it succeeded",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return anyChannel{h}.Send(ctx, m)
			}},
		{"an identifier of its own", "accepts/sms", `Send gave the identifier "mine"`,
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				a, err := h.Send(ctx, m)
				a.ID = "mine"
				return a, err
			}},
		{"sending twice", "accepts/email", "2 messages arrived for pat.",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				h.Send(ctx, m)
				return h.Send(ctx, m)
			}},
		{"sending nothing", "accepts/email", "0 messages arrived for pat.",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				return provider.Accepted{}, nil
			}},
		{"a text without its code", "accepts/sms", "does not hold the code",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				m.Text = "your code is secret"
				return h.Send(ctx, m)
			}},
		{"a changed message", "accepts/email", "Send changed the message",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				m.Email.Subject = ""
				return h.Send(ctx, m)
			}},
		{"a panic", "a message without content", "Send panicked: boom",
			func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
				if m.Text == "" {
					panic("boom")
				}
				return h.Send(ctx, m)
			}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			s := subject(func(h honest) provider.Provider {
				return sendFunc(func(ctx context.Context, m provider.Message) (provider.Accepted, error) {
					return c.send(h, ctx, m)
				})
			})
			mustFail(t, s, c.question, c.says)
		})
	}
}

// TestMixedMessagesAreFound: of two goroutines in Send at once, one sends to the other's number,
// as it happens when they share a field. The channel makes it happen every time.
func TestMixedMessagesAreFound(t *testing.T) {
	s := subject(func(h honest) provider.Provider {
		shared := make(chan string)
		return sendFunc(func(ctx context.Context, m provider.Message) (provider.Accepted, error) {
			select {
			case shared <- m.To:
			case m.To = <-shared:
			}
			return h.Send(ctx, m)
		})
	})
	mustFail(t, s, "messages sent at once do not mix", "at once: the code or challenge for")
	mustFail(t, s, "messages sent at once do not mix", "at once: 0 messages arrived for")
}

// TestAGrudgeIsFound: a provider that fails for good after one refusal.
func TestAGrudgeIsFound(t *testing.T) {
	s := subject(func(h honest) provider.Provider {
		var mu sync.Mutex
		var grudge error
		return sendFunc(func(ctx context.Context, m provider.Message) (provider.Accepted, error) {
			mu.Lock()
			defer mu.Unlock()
			if grudge != nil {
				return provider.Accepted{}, grudge
			}
			a, err := h.Send(ctx, m)
			grudge = err
			return a, err
		})
	})
	mustFail(t, s, "a refusal shows its class/temporary", "after a refusal: Send failed")
	mustFail(t, s, "a dropped message is perhaps sent", "after a message was dropped: Send failed")
	mustFail(t, s, "a held message is given up when cancelled", "after a message was held: Send failed")
}

func TestMessagesAreCompleteAndDiffer(t *testing.T) {
	for _, channel := range Channels {
		a, b := Message(channel, 1), Message(channel, 2)
		if a.To == b.To || mark(a) == mark(b) || a.Key == b.Key || a.Attempt == b.Attempt {
			t.Errorf("%s: two messages share something: %+v and %+v", channel, a, b)
		}
		if mark(a) == "" || channel != "push" && !strings.Contains(a.Text, a.Code) {
			t.Errorf("%s: the text %q lacks the code %s", channel, a.Text, a.Code)
		}
	}
}

type sendFunc func(context.Context, provider.Message) (provider.Accepted, error)

func (f sendFunc) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	return f(ctx, m)
}

// anyChannel sends whatever it is given.
type anyChannel struct{ honest }

func (p anyChannel) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	m.Channel = "sms"
	return p.honest.Send(ctx, m)
}

// changing spoils the errors of an honest provider.
func changing(spoil func(*provider.Error)) func(honest, context.Context, provider.Message) (provider.Accepted, error) {
	return func(h honest, ctx context.Context, m provider.Message) (provider.Accepted, error) {
		a, err := h.Send(ctx, m)
		if err != nil {
			e := *provider.AsError(err)
			spoil(&e)
			err = &e
		}
		return a, err
	}
}

func mustFail(t *testing.T, s Subject, name, says string) {
	t.Helper()
	got := failuresOf(t, s, name)
	if !strings.Contains(got, says) {
		t.Errorf("%q: the failures do not say %q; they are:\n%s", name, says, got)
	}
}

// failuresOf asks one question and returns what the exam complained of. It does so in a bubble,
// where patience costs no time.
func failuresOf(t *testing.T, s Subject, name string) (failures string) {
	t.Helper()
	for _, q := range questions(s) {
		if q.name != name {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{T: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer r.cleanUp() // also when Fatalf ends the goroutine
				q.ask(sit(r, s))
			}()
			<-done
			failures = strings.Join(r.failures, "\n")
		})
		return failures
	}
	t.Fatalf("the exam has no question %q", name)
	return ""
}

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	*testing.T
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) cleanUp() {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		f()
	}
}
