package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// patience is long enough for a slow machine and shorter than any provider's own time limit, so
// that a Send which heeds only that limit is found out.
const patience = 20 * time.Second

// sitting is one question being asked: a provider, its far end, and all that must stay unsaid.
type sitting struct {
	testing.TB
	subject  Subject
	provider provider.Provider
	far      Far

	mu     sync.Mutex
	log    bytes.Buffer
	unsaid []string
}

func newSitting(t testing.TB, s Subject) *sitting {
	t.Helper()
	if s.patience == 0 {
		s.patience = patience
	}
	x := &sitting{TB: t, subject: s, unsaid: slices.Clone(s.Secrets)}
	t.Cleanup(x.checkLog) // runs after the provider was closed
	return x
}

func (x *sitting) deps() provider.Deps {
	return provider.Deps{
		Log:    slog.New(slog.NewTextHandler(x, &slog.HandlerOptions{Level: slog.LevelDebug - 100})),
		HTTP:   &http.Client{},
		Now:    time.Now,
		Report: func(context.Context, provider.Report) error { return nil },
	}
}

// sit starts the provider and its far end.
func sit(t testing.TB, s Subject) *sitting {
	t.Helper()
	x := newSitting(t, s)
	x.provider, x.far = s.Start(t, x.deps())
	if r, ok := x.provider.(provider.Runner); ok {
		x.run(r)
	}
	if c, ok := x.provider.(io.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	return x
}

// run lets a provider keep its connection for as long as the question takes.
func (x *sitting) run(r provider.Runner) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		defer close(done)
		done <- r.Run(ctx)
	}()
	x.Cleanup(func() {
		select {
		case err := <-done:
			x.Errorf("Run returned before it was told to: %v", err)
		default:
		}
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			x.Errorf("Run: %v", err)
		}
	})
}

// Write takes the provider's log.
func (x *sitting) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.log.Write(p)
}

func (x *sitting) checkLog() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, word := range x.unsaid {
		if said(x.log.String(), word) {
			x.Errorf("the log repeats %q:\n%s", word, x.log.String())
		}
	}
}

// sending is a Send that is under way.
type sending struct {
	x        *sitting
	m        provider.Message
	done     chan struct{}
	accepted provider.Accepted
	err      error
	panicked string
}

func (x *sitting) begin(ctx context.Context, m provider.Message) *sending {
	x.mu.Lock()
	x.unsaid = append(x.unsaid, secretsOf(m)...)
	x.mu.Unlock()

	s := &sending{x: x, m: m, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer func() {
			if r := recover(); r != nil {
				s.panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
			}
		}()
		s.accepted, s.err = x.provider.Send(ctx, m)
	}()
	return s
}

// wait is Send's result, once it was found fit to be shown to an operator.
func (s *sending) wait() (provider.Accepted, *provider.Error) {
	s.x.Helper()
	s.x.await("Send to return", s.done)
	if s.panicked != "" {
		s.x.Fatalf("Send panicked: %s", s.panicked)
	}
	if s.err == nil {
		return s.accepted, nil
	}
	e, ok := errors.AsType[*provider.Error](s.err)
	if !ok {
		s.x.Fatalf("Send failed with a %T, want a *provider.Error: %v", s.err, s.err)
	}
	if _, ok := provider.ParseClass(e.Class.String()); !ok {
		s.x.Errorf("Send failed with %v, which is none of the five classes: %v", e.Class, e)
	}
	if e.RetryAfter < 0 {
		s.x.Errorf("RetryAfter is %v, want 0 or more", e.RetryAfter)
	}
	for err := s.err; err != nil; err = errors.Unwrap(err) {
		s.x.checkUnsaid(fmt.Sprintf("the error (%T)", err), fmt.Sprintf("%v\n%+v", err, err))
	}
	s.x.checkUnsaid("the error's fields", strings.Join([]string{e.Code, e.Detail}, "\n"))
	return s.accepted, e
}

func (x *sitting) send(ctx context.Context, m provider.Message) (provider.Accepted, *provider.Error) {
	x.Helper()
	return x.begin(ctx, m).wait()
}

// mustSend sends a message that has to be accepted, and finds it at the far end.
func (x *sitting) mustSend(when string, m provider.Message) {
	x.Helper()
	before := clone(m)
	accepted, err := x.send(x.Context(), m)
	if err != nil {
		x.Fatalf("%s: Send failed: %v", when, err)
	}
	if !reflect.DeepEqual(m, before) {
		x.Errorf("%s: Send changed the message\nfrom %+v\n  to %+v", when, before, m)
	}
	x.checkTaken(when, m, accepted)
}

// checkTaken finds m at the far end exactly once, unmixed, under the identifier that Send gave.
func (x *sitting) checkTaken(when string, m provider.Message, accepted provider.Accepted) {
	x.Helper()
	found := 0
	for _, taken := range x.far.Taken() {
		if taken.To != m.To {
			if mark := mark(m); mark != "" && strings.Contains(taken.Text, mark) {
				x.Errorf("%s: the code or challenge for %s went to %s", when, m.To, taken.To)
			}
			continue
		}
		found++
		if mark := mark(m); !strings.Contains(taken.Text, mark) {
			x.Errorf("%s: what arrived for %s does not hold the code or challenge %s: %q", when, m.To, mark, taken.Text)
		}
		if taken.ID != "" && accepted.ID != taken.ID {
			x.Errorf("%s: Send gave the identifier %q for %s, the far end %q", when, accepted.ID, m.To, taken.ID)
		}
	}
	if found != 1 {
		x.Errorf("%s: %d messages arrived for %s, want 1", when, found, m.To)
	}
}

// checkClass is for failures that leave the provider a choice; want lists what is true enough.
func (x *sitting) checkClass(when string, err *provider.Error, want ...provider.Class) {
	x.Helper()
	if err == nil {
		x.Fatalf("%s: it succeeded, want an error of class %v", when, want)
	}
	if slices.Contains(want, err.Class) {
		return
	}
	x.Errorf("%s: got class %v, want %v: %v", when, err.Class, want, err)
}

func (x *sitting) checkUnsaid(where, text string) {
	x.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, word := range x.unsaid {
		if said(text, word) {
			x.Errorf("%s repeats %q: %q", where, word, text)
		}
	}
}

// await gives up on what should long have happened. It is no measurement: only a hang ends it.
func (x *sitting) await(what string, happened <-chan struct{}) {
	x.Helper()
	patience := time.NewTimer(x.subject.patience)
	defer patience.Stop()
	select {
	case <-happened:
	case <-patience.C:
		x.Fatalf("waited %v in vain for %s", x.subject.patience, what)
	}
}

// secretsOf is what no error or log may repeat of a message.
func secretsOf(m provider.Message) []string {
	words := []string{m.To, m.Code}
	if number, ok := strings.CutPrefix(m.To, "+"); ok {
		words = append(words, number)
	}
	return words
}

func said(text, word string) bool {
	return word != "" && strings.Contains(strings.ToLower(text), strings.ToLower(word))
}

func clone(m provider.Message) provider.Message {
	if m.Template != nil {
		t := *m.Template
		m.Template = &t
	}
	if m.Speech != nil {
		s := *m.Speech
		s.Parts = append([]provider.SpeechPart(nil), s.Parts...)
		m.Speech = &s
	}
	if m.Email != nil {
		e := *m.Email
		m.Email = &e
	}
	if m.Push != nil {
		p := *m.Push
		p.Data = maps.Clone(p.Data)
		m.Push = &p
	}
	return m
}
