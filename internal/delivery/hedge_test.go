package delivery_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// late is a provider that answers when the other one has, and reports.
type late struct {
	after  chan struct{} // closed when the other has the message
	id     string
	answer error
	asked  int
}

func (l *late) Send(ctx context.Context, _ provider.Message) (provider.Accepted, error) {
	l.asked++
	select {
	case <-l.after:
	case <-ctx.Done():
	}
	return provider.Accepted{ID: l.id}, l.answer
}

func (*late) ServeReport(http.ResponseWriter, *http.Request) {}

// quick is the one that is asked beside it.
type quick struct {
	*carrier
	before chan struct{}
}

func (q quick) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	defer close(q.before)
	return q.carrier.Send(ctx, m)
}

func (quick) ServeReport(http.ResponseWriter, *http.Request) {}

// hedge is as short as it can be: what is tested is what follows, not how long it takes.
const hedge = time.Nanosecond

func TestAHedgedMessageIsGivenToTheNextOneToo(t *testing.T) {
	for _, c := range []struct {
		name         string
		first        error
		second       []error
		want         []string
		state        verify.AttemptState
		by           string
		sendsOfThird int
	}{
		{"both take it", nil, nil, []string{"first accepted sent", "second accepted sent"}, verify.AttemptSent, "", 0},
		{"the first says nothing", &provider.Error{Class: unknown}, nil, []string{"first unknown sent", "second accepted sent"}, verify.AttemptSent, "second", 0},
		{"the first refuses late", &provider.Error{Class: badRequest}, nil, []string{"first bad_request sent", "second accepted sent"}, verify.AttemptSent, "second", 0},
		{"the second refuses", nil, fail(badRequest), []string{"second bad_request sent", "first accepted sent"}, verify.AttemptSent, "first", 0},
		{"neither takes it", &provider.Error{Class: badRequest}, fail(badRequest), []string{"second bad_request next", "first bad_request next", "third accepted sent"}, verify.AttemptSent, "third", 1},
		{"one is in doubt", &provider.Error{Class: unknown}, fail(badRequest), []string{"second bad_request next", "first unknown wait", "third accepted sent"}, verify.AttemptSent, "third", 1},
		{"both are in doubt", &provider.Error{Class: unknown}, fail(unknown), []string{"second unknown wait", "first unknown stop"}, verify.AttemptUnknown, "", 0},
		{"nobody reaches it", &provider.Error{Class: badRecipient}, fail(badRequest), []string{"second bad_request next", "first bad_recipient stop"}, verify.AttemptFailed, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			first := &late{after: make(chan struct{}), id: "of-first", answer: c.first}
			second := quick{&carrier{answers: c.second}, first.after}
			third := &carrier{}
			a := w.turns(delivery.Route{Name: "first", Provider: first, Hedge: hedge}, delivery.Route{Name: "second", Provider: second}, delivery.Route{Name: "third", Provider: third})
			got := told(a)
			earlier := slices.Concat([]string{c.want[1], c.want[0]}, c.want[2:]) // who answers first is theirs to say
			swapped := strings.Split(strings.NewReplacer("first", "second", "second", "first").Replace(strings.Join(c.want, "\n")), "\n")
			if !slices.Equal(got, c.want) && !slices.Equal(got, earlier) && !slices.Equal(got, swapped) || a.State != c.state || c.by != "" && a.Provider != c.by {
				t.Errorf("%s by %s: got %q, want %q", a.State, a.Provider, got, c.want)
			}
			if first.asked != 1 || len(second.keys) != 1 || len(third.keys) != c.sendsOfThird {
				t.Errorf("they were asked %d, %d and %d times", first.asked, len(second.keys), len(third.keys))
			}
		})
	}
}

func TestNothingIsHedgedUnlessTheRouteSaysSo(t *testing.T) {
	w := newWorld(t)
	first, second := &late{after: make(chan struct{}), id: "1"}, &carrier{}
	close(first.after)
	w.turns(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})
	if len(second.keys) != 0 {
		t.Error("the second one was given the message")
	}
}

// A run that ends in the middle of a hand-over has no time to write what came of it, so there must be time for
// the second one too, which begins late.
func TestAHedgeIsNotBegunThatTheRunHasNoTimeFor(t *testing.T) {
	for pause, want := range map[time.Duration]int{time.Second: 1, 5 * time.Second: 0} {
		w := newWorld(t)
		second := &carrier{}
		worker := w.worker(
			delivery.Route{Name: "first", Provider: &carrier{answers: fail(badRequest)}},
			delivery.Route{Name: "second", Provider: second, Hedge: pause},
			delivery.Route{Name: "third", Provider: &carrier{}})
		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
		defer cancel()
		if err := worker.Work(ctx, job(w, 1, "ES")); err != nil || len(second.keys) != want {
			t.Errorf("with 13 s left and a hedge after %s it was given %d messages, want %d: %v", pause, len(second.keys), want, err)
		}
	}
}

// Reports of both find the attempt, by the identifier that each provider gave, and the first to say that
// the message arrived is believed.
func TestReportsOfBothHandOversAreMatched(t *testing.T) {
	for _, by := range []string{"first", "second"} {
		t.Run(by, func(t *testing.T) {
			w := newWorld(t)
			first := &late{after: make(chan struct{}), id: "of-first"}
			second := quick{&carrier{}, first.after}
			worker := w.worker(delivery.Route{Name: "first", Provider: first, Hedge: hedge}, delivery.Route{Name: "second", Provider: second})
			w.drain(worker)
			ids := map[string]string{"first": "of-first", "second": "id-1"}
			// That one of two messages failed says nothing, if it is not the one that the attempt went by.
			for name, id := range ids {
				if name == w.lastAttempt().Provider {
					continue
				}
				if err := worker.Report(t.Context(), name, provider.Report{ID: id, State: provider.Failed, Class: temporary}); err != nil {
					t.Fatal(err)
				}
				if a := w.lastAttempt(); a.State != verify.AttemptSent {
					t.Errorf("one of two messages failed, and the attempt is %s", a.State)
				}
			}
			if err := worker.Report(t.Context(), by, provider.Report{ID: ids[by], State: provider.Delivered}); err != nil {
				t.Fatal(err)
			}
			if a := w.lastAttempt(); a.State != verify.AttemptDelivered {
				t.Errorf("after the receipt of %s the attempt is %s: %v\n%s", by, a.State, told(a), &w.log)
			}
		})
	}
}

// broken is a provider whose code has a fault.
type broken struct{}

func (broken) Send(_ context.Context, m provider.Message) (provider.Accepted, error) {
	panic(fmt.Sprintf("parsing %q: for %s, %s", m.Code, m.To, m.Text))
}

// The fault of a provider is that of one hand-over, hedged or not: nothing else stops, and its place is free
// again.
func TestAProviderThatPanicsHasPerhapsSent(t *testing.T) {
	for _, hedge := range []time.Duration{0, time.Hour} {
		w := newWorld(t)
		second := &carrier{}
		a := w.turns(delivery.Route{Name: "first", Provider: broken{}, Hedge: hedge}, delivery.Route{Name: "second", Provider: second})
		if diff := cmp.Diff([]string{"first unknown wait", "second accepted sent"}, told(a)); diff != "" {
			t.Errorf("with a hedge of %s:\n%s", hedge, diff)
		}
		log := w.log.String()
		for _, secret := range []string{"34612345678", second.last.Code} {
			if strings.Contains(log, secret) {
				t.Errorf("with a hedge of %s the log has %q in it:\n%s", hedge, secret, log)
			}
		}
		if !strings.Contains(log, "for [to], ") {
			t.Errorf("with a hedge of %s the log does not say what it panicked with:\n%s", hedge, log)
		}
	}
}
