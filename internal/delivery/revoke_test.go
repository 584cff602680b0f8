package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// recalling is a carrier that names its messages itself, knows them by their key and takes them back, as
// it is told, one answer a message.
type recalling struct {
	*carrier
	revokes []error
	asked   []provider.Sent
}

func (c *recalling) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	_, err := c.carrier.Send(ctx, m)
	return provider.Accepted{ID: "named " + m.Key[strings.LastIndex(m.Key, ":"):]}, err
}

func (*recalling) Repeatable()                                    {}
func (*recalling) ServeReport(http.ResponseWriter, *http.Request) {}

func (c *recalling) Revoke(_ context.Context, s provider.Sent) (err error) {
	s.Key = s.Key[strings.LastIndex(s.Key, ":"):]
	c.asked = append(c.asked, s)
	if len(c.revokes) > 0 {
		err, c.revokes = c.revokes[0], c.revokes[1:]
	}
	return err
}

// rcsWorld is a world in which one message of RCS waits to be sent, of a service whose codes go on by SMS.
func rcsWorld(t *testing.T) *world {
	return newWorld(t, func(e *verify.Engine, account, service string) error {
		chain := "rcs,sms"
		_, err := e.UpdateService(t.Context(), account, service, verify.ServiceParams{Fallback: &chain})
		return err
	}, func(e *verify.Engine, account, service string) error {
		to, channel := "+34612345679", "rcs"
		_, err := e.StartVerification(t.Context(), account, service, verify.StartParams{To: &to, Channel: &channel})
		return err
	})
}

// runAll runs the queued jobs of RCS, SMS and fallback, whenever they are due, and returns the attempt of
// RCS.
func (w *world) runAll(worker *delivery.Worker) *verify.Attempt {
	w.t.Helper()
	rcs := ""
	for range 100 {
		kind, due := "", time.Time{}
		for _, k := range []string{"rcs", "sms", verify.Fallback} {
			at, found, err := w.store.NextDue(w.t.Context(), k)
			if err != nil {
				w.t.Fatal(err)
			}
			if found && (kind == "" || at.Before(due)) {
				kind, due = k, at
			}
		}
		if kind == "" {
			return w.attempt(rcs)
		}
		if due.After(w.now) {
			w.now = due
		}
		jobs, err := w.store.Claim(w.t.Context(), kind, w.now, w.now.Add(time.Minute), 1)
		if err != nil || len(jobs) != 1 {
			w.t.Fatalf("claimed %v, %v", jobs, err)
		}
		if kind == "rcs" {
			rcs = jobs[0].Ref
		}
		work := worker.Work
		if kind == verify.Fallback {
			work = verify.Fallbacks{Engine: w.engine, Revoke: worker.Revoke}.Work
		}
		if err := work(w.t.Context(), jobs[0]); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("it has no end")
	return nil
}

func TestWhichMessagesAreTakenBack(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []error
		one, two      []error // revocations
		plain         bool    // the first cannot take messages back
		askedOf       [2]int
		goesOn        bool
		want          []string
	}{
		{name: "the one that was sent", askedOf: [2]int{1, 0}, goesOn: true,
			want: []string{"first accepted sent", "revoke first revoked other", "fallback other"}},
		{name: "it is kept", one: fail(badRequest), askedOf: [2]int{1, 0},
			want: []string{"first accepted sent", "revoke first kept stop"}},
		{name: "nobody knows it there", one: fail(badRecipient), askedOf: [2]int{1, 0},
			want: []string{"first accepted sent", "revoke first kept stop"}},
		{name: "silence, then yes", one: append(fail(unknown, temporary, throttled), errors.New("bare"), nil), askedOf: [2]int{5, 0}, goesOn: true,
			want: []string{"first accepted sent", "revoke first unclear retry", "revoke first unclear retry", "revoke first unclear retry", "revoke first unclear retry",
				"revoke first revoked other", "fallback other"}},
		{name: "silence", one: fail(unknown, unknown, unknown, unknown, unknown), askedOf: [2]int{5, 0},
			want: []string{"first accepted sent", "revoke first unclear retry", "revoke first unclear retry", "revoke first unclear retry", "revoke first unclear retry",
				"revoke first unclear stop"}},
		{name: "it cannot", plain: true,
			want: []string{"first accepted sent", "revoke first kept stop"}},
		{name: "RCS does not reach the telephone", first: fail(badRecipient), goesOn: true,
			want: []string{"first bad_recipient stop", "fallback other"}},
		{name: "nobody took it", first: fail(badRequest), second: fail(badRequest), goesOn: true,
			want: []string{"first bad_request next", "second bad_request next", "end stop", "fallback other"}},
		{name: "perhaps sent, twice", first: fail(unknown, unknown), askedOf: [2]int{1, 0}, goesOn: true,
			want: []string{"first unknown retry", "first unknown stop", "revoke first revoked other", "fallback other"}},
		{name: "perhaps sent, then not reached", first: fail(unknown, badRecipient), goesOn: true,
			want: []string{"first unknown retry", "first bad_recipient stop", "fallback other"}},
		{name: "perhaps sent, and then by another", first: fail(unknown, badRequest), askedOf: [2]int{1, 1}, goesOn: true,
			want: []string{"first unknown retry", "first bad_request next", "second accepted sent", "revoke first revoked other", "revoke second revoked other", "fallback other"}},
		{name: "one of the two is kept", first: fail(unknown, badRequest), two: fail(badRequest), askedOf: [2]int{1, 1},
			want: []string{"first unknown retry", "first bad_request next", "second accepted sent", "revoke first revoked other", "revoke second kept stop"}},
		{name: "what was taken back is not asked for again", first: fail(unknown, badRequest), two: append(fail(unknown), nil), askedOf: [2]int{1, 2}, goesOn: true,
			want: []string{"first unknown retry", "first bad_request next", "second accepted sent", "revoke first revoked other", "revoke second unclear retry",
				"revoke second revoked other", "fallback other"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := rcsWorld(t)
			first := &recalling{carrier: &carrier{answers: c.first}, revokes: c.one}
			second := &recalling{carrier: &carrier{answers: c.second}, revokes: c.two}
			sms := &carrier{}
			worker := w.worker(delivery.Route{Name: "sms", Provider: sms})
			routes := delivery.Anywhere(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})
			if c.plain {
				routes = delivery.Anywhere(delivery.Route{Name: "first", Provider: first.carrier})
			}
			worker.Routes[verify.RCS] = routes
			a := w.runAll(worker)
			if diff := cmp.Diff(c.want, told(a)); diff != "" {
				t.Errorf("the story:\n%s", diff)
			}
			if got := [2]int{len(first.asked), len(second.asked)}; got != c.askedOf {
				t.Errorf("the two were asked %v times, want %v", got, c.askedOf)
			}
			// One message of the world itself, and the one that goes on.
			if got := len(sms.keys) == 2; got != c.goesOn {
				t.Errorf("goes on: %v, want %v", got, c.goesOn)
			}
			if c.goesOn != (a.State == verify.AttemptUndelivered || a.State == verify.AttemptFailed) {
				t.Errorf("it is %s", a.State)
			}
		})
	}
}

// What is taken back is named by its key, and by the identifier that the provider gave last.
func TestHowAMessageToBeTakenBackIsNamed(t *testing.T) {
	w := rcsWorld(t)
	first, second := &recalling{carrier: &carrier{answers: fail(unknown, badRequest)}}, &recalling{carrier: &carrier{}}
	worker := w.worker(delivery.Route{Name: "sms", Provider: &carrier{}})
	worker.Routes[verify.RCS] = delivery.Anywhere(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})
	w.runAll(worker)
	want := []provider.Sent{
		{Key: ":1", Channel: "rcs", To: "+34612345679"},
		{ID: "named :2", Key: ":2", Channel: "rcs", To: "+34612345679"},
	}
	if diff := cmp.Diff(want, append(first.asked, second.asked...)); diff != "" {
		t.Error(diff)
	}
	if log := w.log.String(); !strings.Contains(log, `"msg":"revocation"`) || strings.Contains(log, "+34612345679") {
		t.Errorf("the log has\n%s", log)
	}
}

// A provider that names its messages itself is heard of one whose hand-over had an unknown outcome.
func TestAReportOfAMessageThatWasPerhapsSent(t *testing.T) {
	w := newWorld(t)
	first := &recalling{carrier: &carrier{answers: fail(unknown, unknown)}}
	worker := w.worker(delivery.Route{Name: "first", Provider: first})
	w.drain(worker)
	w.says(worker, "first", provider.Report{ID: "named :1", State: provider.Delivered})
	if a := w.first(); a.State != verify.AttemptDelivered {
		t.Errorf("%s, want delivered: %v", a.State, told(a))
	}
}

// On other channels a message that cannot be taken back is no reason to wait for it.
func TestAMessageOfAnotherChannelIsNotWaitedFor(t *testing.T) {
	for _, can := range []bool{false, true} {
		w := newWorld(t, func(e *verify.Engine, account, service string) error {
			chain := "sms,call"
			_, err := e.UpdateService(t.Context(), account, service, verify.ServiceParams{Fallback: &chain, FallbackAfter: new(30)})
			return err
		})
		carries := &recalling{carrier: &carrier{}, revokes: fail(badRequest)}
		route := delivery.Route{Name: "first", Provider: carries.carrier}
		if can {
			route.Provider = carries
		}
		worker := w.worker(route)
		w.drain(worker)
		got := worker.Revoke(t.Context(), w.first())
		if (len(got) == 1) != can || can && got[0].Outcome != verify.Kept {
			t.Errorf("it can take messages back: %v; got %+v", can, got)
		}
	}
}

func TestAProviderThatIsGoneTakesNothingBack(t *testing.T) {
	w := rcsWorld(t)
	worker := w.worker(delivery.Route{Name: "sms", Provider: &carrier{}})
	worker.Routes[verify.RCS] = delivery.Anywhere(delivery.Route{Name: "first", Provider: &recalling{carrier: &carrier{}}})
	job, err := w.store.Claim(t.Context(), "rcs", w.now, w.now.Add(time.Minute), 1)
	if err != nil || len(job) != 1 {
		t.Fatal(job, err)
	}
	if err := worker.Work(t.Context(), job[0]); err != nil {
		t.Fatal(err)
	}
	worker.Routes[verify.RCS] = delivery.Anywhere(delivery.Route{Name: "other", Provider: &recalling{carrier: &carrier{}}})
	got := worker.Revoke(t.Context(), w.attempt(job[0].Ref))
	if len(got) != 1 || got[0].Outcome != verify.Kept || !strings.Contains(got[0].Detail, "no provider of this route any more") {
		t.Errorf("%s", fmt.Sprint(got))
	}
}
