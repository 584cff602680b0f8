//go:build full

package inbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	steered "github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/journal"
	"github.com/verifyd/verifyd/provider"
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

// choose chooses something in a select, as a person does.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(() => {
		const select = document.querySelector(%q);
		select.value = %q;
		return select.value === %[2]q && select.dispatchEvent(new Event("change", { bubbles: true }));
	})()`, selector, value))
}

// The clock's control stops it and moves it, says what it shows, and the times on the page follow.
func TestTheClockInABrowser(t *testing.T) {
	ctx := startBrowser(t)
	c := steered.New(time.Now)
	happened := journal.New(c.Now)
	c.OnMove(func(s steered.State) { happened.Add("clock", s) })
	in := New(Options{
		Now: c.Now, Clock: true, Sent: func(m Message) { happened.Add("message", m) },
		Rules: func(m provider.Message) any {
			if m.Channel != "sms" {
				return nil
			}
			return []map[string]string{{"to": "+4917*", "carrier": "late", "after": "90s", "report": "twice"}, {"to": "+49*", "code": "482913"}}
		},
	})
	mux := http.NewServeMux()
	one := steered.NewAhead(c)
	ofServer, ofService := c.Handler(&oneJob{c, c.Now().Add(time.Hour)}), one.Handler(&oneJob{one, c.Now().Add(12 * time.Hour)})
	mux.HandleFunc("/dev/clock", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("service") == "" {
			ofServer.ServeHTTP(w, r)
			return
		}
		r.Form.Del("service")
		ofService.ServeHTTP(w, r)
	})
	mux.HandleFunc("/dev/clock/services", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"services":[{"sid":"VA5c1d0e8f7a6b49325c1d0e8f7a6b4932","friendly_name":"Fernweh","now":"2026-11-28T12:00:00Z"}]}`)
	})
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
	b.await(open + ` && ` + next + `.startsWith("Next: ") && !document.querySelector("#clock-of").hidden`)
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

	// One service moves alone: the server's time, and with it the page's, stays.
	b.choose("#clock-service", "VA5c1d0e8f7a6b49325c1d0e8f7a6b4932")
	b.await(state + ` === "frozen, as the server"`)
	b.want(`String(document.querySelector("#clock-hold").hidden)`, "true")
	b.click(`[data-move="advance=24h"]`)
	b.await(state + ` === "frozen, 1 d ahead" && ` + next + ` === "Nothing is due."`)
	b.want(shift, "+11 min")
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("%s: too faint:\n%s", scheme, got)
		}
		if os.Getenv("VERIFYD_SCREENSHOTS") != "" {
			b.shoot("clock-service-" + scheme)
		}
	}
	b.choose("#clock-service", "")
	b.await(next + `.startsWith("Next: ")`)

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
	b.want(`document.querySelector("#happened .what").textContent.startsWith("clock") + ""`, "true")
	b.press(kb.Escape)

	// Beside the message are the rules that decided something about it.
	sms := in.Messages(t.Context(), Query{Channel: "sms"})[0]
	b.do(chromedp.Navigate(server.URL + "/dev/inbox#" + sms.SID))
	b.await(`document.querySelectorAll(".rules li").length === 2`)
	b.want(`getComputedStyle(document.querySelector(".masthead .clock")).position`, "static") // no part of the panel
	b.want(`document.querySelector(".rules li").innerText.replace(/\s+/g, " ")`, "+4917* after 90s carrier late report twice")
	for _, width := range []int64{390, 1280} {
		b.do(chromedp.EmulateViewport(width, 844))
		b.want(`String(document.documentElement.scrollWidth <= innerWidth)`, "true")
		for _, scheme := range []string{"light", "dark"} {
			b.prefer(scheme)
			if got := eval[string](b, dim); got != "" {
				t.Errorf("%s: too faint:\n%s", scheme, got)
			}
			if os.Getenv("VERIFYD_SCREENSHOTS") != "" {
				eval[bool](b, `document.querySelector(".rules").scrollIntoView({ block: "center" }) === undefined`)
				b.shoot(fmt.Sprintf("rules-%d-%s", width, scheme))
			}
		}
	}
	b.wantNoComplaints()
}
