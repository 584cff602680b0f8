package delivery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// reporting is a carrier that may report.
type reporting struct{ *carrier }

func (reporting) ServeReport(http.ResponseWriter, *http.Request) {}

// hasty is one whose report comes before Send has returned.
type hasty struct {
	reporting
	report func(provider.Report)
	with   func(m provider.Message, id string) provider.Report
}

func (h hasty) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	a, err := h.carrier.Send(ctx, m)
	h.report(h.with(m, a.ID))
	return a, err
}

// reported is a world whose first message was taken by first, which reports, beside second.
func reported(t *testing.T, answers ...error) (*world, *delivery.Worker, *carrier) {
	w := newWorld(t)
	second := &carrier{}
	worker := w.worker(delivery.Route{Name: "first", Provider: reporting{&carrier{answers: answers}}}, delivery.Route{Name: "second", Provider: second})
	w.drain(worker)
	return w, worker, second
}

func (w *world) says(worker *delivery.Worker, name string, r provider.Report) {
	w.t.Helper()
	if err := worker.Report(w.t.Context(), name, r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) first() *verify.Attempt { return w.attempt(w.v.Sends[0].AttemptSID) }

// late runs the reports that wait, whenever they are due.
func (w *world) late(worker *delivery.Worker) (looks int) {
	w.t.Helper()
	for ; ; looks++ {
		due, found, err := w.store.NextDue(w.t.Context(), verify.LateReports)
		if err != nil {
			w.t.Fatal(err)
		}
		if !found {
			return looks
		}
		if due.After(w.now) {
			w.now = due
		}
		jobs, err := w.store.Claim(w.t.Context(), verify.LateReports, w.now, w.now.Add(time.Minute), 1)
		if err != nil || len(jobs) != 1 {
			w.t.Fatalf("claimed %v, %v", jobs, err)
		}
		if err := (delivery.LateReports{Worker: worker}).Work(w.t.Context(), jobs[0]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestAReportUpdatesTheAttempt(t *testing.T) {
	w, worker, _ := reported(t)
	w.now = w.now.Add(3 * time.Second)
	w.says(worker, "first", provider.Report{ID: "id-1", State: provider.Delivered, Price: provider.Price{Amount: "0.05", Currency: "EUR"}, MCC: "214", MNC: "07"})
	a := w.first()
	got := fmt.Sprint(a.State, a.Price, a.Currency, a.MCC, a.MNC, a.UpdatedAt.Sub(start), told(a))
	if want := fmt.Sprint("delivered", "0.05", "EUR", "214", "07", 3*time.Second, []string{"first accepted sent", "report first delivered"}); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	w.now = w.now.Add(time.Second)
	w.says(worker, "first", provider.Report{ID: "id-1", State: provider.Delivered})
	if again := w.first(); cmp.Diff(a, again) != "" {
		t.Errorf("a report that came twice changed the attempt:\n%s", cmp.Diff(a, again))
	}
}

func TestStatesMoveForwardAlone(t *testing.T) {
	const d, r, f = provider.Delivered, provider.Read, provider.Failed
	for _, c := range []struct {
		said []provider.ReportState
		want verify.AttemptState
	}{
		{[]provider.ReportState{d}, verify.AttemptDelivered},
		{[]provider.ReportState{d, r}, verify.AttemptRead},
		{[]provider.ReportState{r, d}, verify.AttemptRead},
		{[]provider.ReportState{f}, verify.AttemptUndelivered},
		{[]provider.ReportState{f, d}, verify.AttemptDelivered}, // a late receipt
		{[]provider.ReportState{d, f}, verify.AttemptDelivered},
		{[]provider.ReportState{f, f}, verify.AttemptUndelivered},
		{[]provider.ReportState{0}, verify.AttemptSent},
		{[]provider.ReportState{99}, verify.AttemptSent},
	} {
		t.Run(fmt.Sprint(c.said), func(t *testing.T) {
			w, worker, second := reported(t)
			for _, state := range c.said {
				w.says(worker, "first", provider.Report{ID: "id-1", State: state, Class: badRecipient, Code: "027"})
			}
			w.drain(worker)
			if a := w.first(); a.State != c.want || len(second.keys) != 0 {
				t.Errorf("%s, %d more messages; want %s", a.State, len(second.keys), c.want)
			}
		})
	}
}

func TestWhomAReportIsAbout(t *testing.T) {
	for _, c := range []struct {
		name     string
		provider string
		report   provider.Report
		want     verify.AttemptState
	}{
		{"by its identifier", "first", provider.Report{ID: "id-1"}, verify.AttemptDelivered},
		{"by our key", "first", provider.Report{Key: "$:1"}, verify.AttemptDelivered},
		{"another provider's identifier", "second", provider.Report{ID: "id-1"}, verify.AttemptSent},
		{"an identifier that nobody knows", "first", provider.Report{ID: "id-2"}, verify.AttemptSent},
		{"a key that is none", "first", provider.Report{Key: "x:1"}, verify.AttemptSent},
		{"nothing", "first", provider.Report{}, verify.AttemptSent},
		{"bytes", "first", provider.Report{ID: "id\x00\xff"}, verify.AttemptSent},
		{"a book", "first", provider.Report{ID: strings.Repeat("x", 1<<10)}, verify.AttemptSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, worker, _ := reported(t)
			c.report.State = provider.Delivered
			c.report.Key = strings.Replace(c.report.Key, "$", w.first().SID, 1)
			w.says(worker, c.provider, c.report)
			if a := w.first(); a.State != c.want {
				t.Errorf("%s, want %s", a.State, c.want)
			}
			w.late(worker)
		})
	}
}

// A provider that cannot report keeps nothing to be found by.
func TestOnlyThoseWhoReportAreFound(t *testing.T) {
	w := newWorld(t)
	if a := w.turns(delivery.Route{Name: "mute", Provider: &carrier{}}); a.ReportKey != "" || a.ProviderID != "id-1" {
		t.Errorf("report key %q of %q", a.ReportKey, a.ProviderID)
	}
}

func TestAReportThatIsEarlierThanSend(t *testing.T) {
	for name, with := range map[string]func(m provider.Message, id string) provider.Report{
		"by identifier": func(_ provider.Message, id string) provider.Report { return provider.Report{ID: id} },
		"by key":        func(m provider.Message, _ string) provider.Report { return provider.Report{Key: m.Key} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			worker := w.worker()
			h := hasty{reporting: reporting{&carrier{}}, with: with}
			h.report = func(r provider.Report) {
				r.State = provider.Delivered
				w.says(worker, "hasty", r)
			}
			worker.Routes = delivery.Routes{verify.SMS: delivery.Anywhere(delivery.Route{Name: "hasty", Provider: h})}
			w.drain(worker)
			if a := w.first(); a.State != verify.AttemptSent {
				t.Errorf("%s before the report was looked at again", a.State)
			}
			if looks := w.late(worker); looks != 1 {
				t.Errorf("%d looks, want 1", looks)
			}
			if a := w.first(); a.State != verify.AttemptDelivered || w.now.Sub(start) != time.Second {
				t.Errorf("%s after %s", a.State, w.now.Sub(start))
			}
		})
	}
}

func TestAReportThatNobodyKnowsIsDroppedAfterFiveMinutes(t *testing.T) {
	w, worker, _ := reported(t)
	w.says(worker, "first", provider.Report{ID: "other", State: provider.Delivered})
	looks := w.late(worker)
	if waited := w.now.Sub(start); waited != 5*time.Minute || looks > 12 {
		t.Errorf("dropped after %s and %d looks", waited, looks)
	}
	if !strings.Contains(w.log.String(), `"level":"WARN","msg":"report","provider":"first","id":"other"`) || !strings.Contains(w.log.String(), "dropped: nobody knows its attempt") {
		t.Errorf("the log does not say so:\n%s", w.log.String())
	}
}

func TestAMessageThatFailedGoesTheNextWay(t *testing.T) {
	failed := provider.Report{ID: "id-1", State: provider.Failed, Class: temporary, Code: "034"}
	for _, c := range []struct {
		name   string
		change func(*world, *provider.Report)
		resent bool
	}{
		{"in time", func(*world, *provider.Report) {}, true},
		{"without a class", func(_ *world, r *provider.Report) { r.Class = 0 }, true},
		{"as we wrote it wrongly for this one", func(_ *world, r *provider.Report) { r.Class = badRequest }, true},
		{"because nobody reaches it", func(_ *world, r *provider.Report) { r.Class = badRecipient }, false},
		{"a minute later", func(w *world, _ *provider.Report) { w.now = w.now.Add(time.Minute) }, false},
		{"after it was canceled", func(w *world, _ *provider.Report) {
			status := "canceled"
			if _, err := w.engine.UpdateVerification(w.t.Context(), w.acc, w.v.ServiceSID, w.v.SID, &status); err != nil {
				w.t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, worker, second := reported(t)
			r := failed
			c.change(w, &r)
			for range 2 { // it comes twice
				w.says(worker, "first", r)
			}
			w.drain(worker)
			a := w.first()
			if resent := len(second.keys) == 1; resent != c.resent {
				t.Fatalf("%d messages by the next route: %v", len(second.keys), told(a))
			}
			if !c.resent {
				if a.State != verify.AttemptUndelivered || a.ErrorCode != "034" {
					t.Errorf("%s %s", a.State, a.ErrorCode)
				}
				return
			}
			if diff := cmp.Diff([]string{"first accepted sent", "report first undelivered next", "second accepted sent"}, told(a)); diff != "" || a.State != verify.AttemptSent || a.HandOvers != 2 {
				t.Errorf("%s:\n%s", a.State, diff)
			}
			// The first carrier delivers after all.
			w.says(worker, "first", provider.Report{Key: a.SID + ":1", State: provider.Delivered})
			if a = w.first(); a.State != verify.AttemptDelivered {
				t.Errorf("%s after a late receipt of the first", a.State)
			}
		})
	}
}

func TestAFailedMessageHasNoEndlessWays(t *testing.T) {
	w := newWorld(t)
	var routes []delivery.Route
	var carriers []*carrier
	for i := range 5 {
		carriers = append(carriers, &carrier{})
		routes = append(routes, delivery.Route{Name: fmt.Sprint(i), Provider: reporting{carriers[i]}})
	}
	worker := w.worker(routes...)
	for i := range 5 {
		w.drain(worker)
		w.says(worker, fmt.Sprint(i), provider.Report{ID: "id-1", State: provider.Failed})
	}
	sent := 0
	for _, c := range carriers {
		sent += len(c.keys)
	}
	if a := w.first(); sent != 3 || a.State != verify.AttemptUndelivered {
		t.Errorf("%d sends, %s", sent, a.State)
	}
}

// Nobody knew whether it went out; the report says that it did, so there is no second message.
func TestAReportWithinTheGraceSparesTheSecondMessage(t *testing.T) {
	w := newWorld(t)
	second := &carrier{}
	worker := w.worker(delivery.Route{Name: "first", Provider: reporting{&carrier{answers: fail(unknown)}}}, delivery.Route{Name: "second", Provider: second})
	jobs, err := w.store.Claim(t.Context(), "sms", w.now, w.now.Add(time.Minute), 1)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	if err := worker.Work(t.Context(), jobs[0]); err != nil {
		t.Fatal(err)
	}
	w.says(worker, "first", provider.Report{Key: w.first().SID + ":1", State: provider.Delivered})
	w.drain(worker)
	if a := w.first(); a.State != verify.AttemptDelivered || len(second.keys) != 0 || w.now != start {
		t.Errorf("%s, %d messages by the second route", a.State, len(second.keys))
	}
}

// The next route has the message in hand when the report of the first comes.
func TestAReportDuringTheSecondHandOverStays(t *testing.T) {
	w := newWorld(t)
	worker := w.worker()
	h := hasty{reporting: reporting{&carrier{}}}
	h.with = func(provider.Message, string) provider.Report {
		return provider.Report{Key: w.v.Sends[0].AttemptSID + ":1", State: provider.Delivered}
	}
	h.report = func(r provider.Report) { w.says(worker, "first", r) }
	worker.Routes = delivery.Routes{verify.SMS: delivery.Anywhere(
		delivery.Route{Name: "first", Provider: reporting{&carrier{answers: fail(unknown)}}}, delivery.Route{Name: "second", Provider: h})}
	w.drain(worker)
	a := w.first()
	if diff := cmp.Diff([]string{"first unknown wait", "report first delivered", "second accepted sent"}, told(a)); diff != "" || a.State != verify.AttemptDelivered || a.HandOvers != 2 {
		t.Errorf("%s after %d hand-overs:\n%s", a.State, a.HandOvers, diff)
	}
}

// Whatever is reported, in whatever order and how often: what arrived stays arrived, no route has the
// message twice, and there are no more sends than the budget allows.
func TestReportsInAnyOrder(t *testing.T) {
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t)
		var routes []delivery.Route
		var carriers []*carrier
		for i := range 4 {
			c := &carrier{}
			if random.IntN(2) == 0 {
				c.answers = fail([]provider.Class{badRequest, temporary, throttled, unknown}[random.IntN(4)])
			}
			carriers = append(carriers, c)
			routes = append(routes, delivery.Route{Name: fmt.Sprint(i), Provider: reporting{c}})
		}
		worker := w.worker(routes...)
		arrived := false
		for range 12 {
			i := random.IntN(4)
			r := provider.Report{State: provider.ReportState(1 + random.IntN(3)), Class: []provider.Class{0, temporary, badRecipient}[random.IntN(3)]}
			if r.ID = "id-1"; random.IntN(2) == 0 {
				r.ID, r.Key = "", fmt.Sprintf("%s:%d", w.v.Sends[0].AttemptSID, i+1)
			}
			w.says(worker, fmt.Sprint(i), r)
			if random.IntN(2) == 0 {
				w.drain(worker)
			}
			state := w.first().State
			is := state == verify.AttemptDelivered || state == verify.AttemptRead
			if arrived && !is {
				t.Fatalf("seed %d: it had arrived, and is %s: %v", seed, state, told(w.first()))
			}
			arrived = is
		}
		w.drain(worker)
		sends := 0
		for _, s := range w.first().Story.Steps() {
			if s.Kind == verify.StepHandOver && (s.Outcome == "accepted" || s.Outcome == "unknown") {
				sends++
			}
		}
		if sends > 3 {
			t.Errorf("seed %d: %d sends: %v", seed, sends, told(w.first()))
		}
		for i, c := range carriers {
			if len(c.keys) > 3 {
				t.Errorf("seed %d: carrier %d had it %d times", seed, i, len(c.keys))
			}
		}
		if err := w.store.Close(); err != nil { // the next world has the same name
			t.Fatal(err)
		}
	}
}
