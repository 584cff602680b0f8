//go:build full

package inbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	steered "github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/journal"
)

// oneJob is work that is due an hour after the beginning.
type oneJob struct {
	clock *steered.Clock
	due   time.Time
}

func (w *oneJob) Next(context.Context) (time.Time, bool, error) { return w.due, !w.due.IsZero(), nil }

func (w *oneJob) Settle(context.Context) error {
	if !w.due.After(w.clock.Now()) {
		w.due = time.Time{}
	}
	return nil
}

// The clock's control stops it and moves it, says what it shows, and the times on the page follow.
func TestTheClockInABrowser(t *testing.T) {
	ctx := startBrowser(t)
	c := steered.New(time.Now)
	happened := journal.New(c.Now)
	c.OnMove(func(s steered.State) { happened.Add("clock", s) })
	in := New(Options{Now: c.Now, Clock: true})
	mux := http.NewServeMux()
	mux.Handle("/dev/clock", c.Handler(&oneJob{c, c.Now().Add(time.Hour)}))
	mux.Handle("/dev/events", happened)
	mux.Handle("/", in.Handler())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(happened.Close)
	t.Cleanup(in.Close)
	for _, m := range samples() {
		m.Deadline = c.Now().Add(10 * time.Minute)
		send(t, in, m)
	}

	b := openTab(t, ctx, 1280, 800)
	b.prefer("light")
	b.do(chromedp.Navigate(server.URL + "/dev/inbox"))
	b.await(rowCount + ` === 5`)
	const (
		open  = `document.querySelector("#clock-panel").matches(":popover-open")`
		shift = `document.querySelector("#clock-shift").textContent`
		state = `document.querySelector("#clock-state").textContent`
		next  = `document.querySelector("#clock-next").textContent`
	)
	b.click("#clock")
	b.await(open + ` && ` + next + `.startsWith("Next: ")`)
	b.want(state, "running")
	b.want(shift, "")
	b.click("#clock-hold")
	b.await(state + ` === "frozen"`)
	b.want(shift, "frozen")
	b.want(`document.querySelector("#clock-hold").textContent`, "Resume")
	b.click(`[data-move="advance=10m"]`)
	b.click(`[data-move="advance=1m"]`)
	b.await(shift + ` === "+11 min"`)
	b.await(`document.body.innerText.includes("expired 1 min ago")`)

	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("%s: too faint:\n%s", scheme, got)
		}
		if os.Getenv("VERIFYD_SCREENSHOTS") != "" {
			b.shoot("clock-" + scheme)
		}
	}

	b.click("#clock-run")
	b.await(next + ` === "Nothing is due." && ` + shift + ` === "+1 h"`)
	b.want(`String(document.querySelector("#clock-run").disabled)`, "true")
	// Somebody else moves it: another tab, a test.
	if err := c.Advance(t.Context(), 24*time.Hour, &oneJob{clock: c}); err != nil {
		t.Fatal(err)
	}
	b.await(shift + ` === "+1 d 1 h"`)
	b.press(kb.Escape)
	b.await(`!` + open)

	b.do(chromedp.EmulateViewport(390, 844))
	b.click("#clock")
	b.await(open)
	b.want(`String(document.documentElement.scrollWidth <= innerWidth)`, "true")
	b.want(`String(document.querySelector("#clock-panel").getBoundingClientRect().left >= 0)`, "true")
	b.want(`String([...document.querySelectorAll(".bar > *, .tools > *")].every((e) => e.getBoundingClientRect().right <= innerWidth))`, "true")
	if os.Getenv("VERIFYD_SCREENSHOTS") != "" {
		for _, scheme := range []string{"light", "dark"} {
			b.prefer(scheme)
			b.shoot("clock-phone-" + scheme)
		}
	}
	b.click("#clock-hold")
	b.await(state + ` === "running"`)
	b.wantNoComplaints()
}
