package rules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"rules":[{"to":"*","carrier":"flies"}]}`:          "none of delivers late",
		`{"rules":[{"carrier":"late"}]}`:                    "rule 1: to is missing",
		`{"rules":[{"to":"*"},{"to":"*","line":"pigeon"}]}`: "rule 2: line",
		`{"rules":[{"to":"*","code":"12 4"}]}`:              "code",
		`{"rules":[{"to":"*","channel":"fax"}]}`:            "channel",
		`{"rules":[{"to":"*","carier":"late"}]}`:            "carier",
		`{"rules":[{"to":"*","report":"sings"}]}`:           "none of never delivered late",
		`{"rules":[{"to":"*","after":"9s"}]}`:               "is late",

		`{"rules":[{"to":"*","carrier":"late","after":"0s"}]}`:   "from 1s to 24h",
		`{"rules":[{"to":"*","carrier":"late","after":"25h"}]}`:  "from 1s to 24h",
		`{"rules":[{"to":"*","carrier":"late","after":"soon"}]}`: "from 1s to 24h",
		`{"rules":[{"to":"+33*","country":"FR"}]}`:               "is not blocked",
		`{"rules":[{"to":"*@x.example","country":"blocked"}]}`:   "e-mail",
		`{"rules":[]} x`: "follows",
		`[]`:             "rules:",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
	got, err := Parse([]byte(`{"rules":[{"to":"+34*","carrier":"late"},{"to":"*","code":"123456","line":"voip"}]}`))
	if err != nil || len(got) != 2 || got[1].Code != "123456" {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"rules":[{"to":"+34*","carrier":"late","report":"late","after":"90s","line":"voip","code":"1234","channel":"sms"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := Parse([]byte(text))
		for _, r := range rules {
			if bad := r.Check(); bad != nil && err == nil {
				t.Errorf("%q: took %v: %v", text, r, bad)
			}
		}
	})
}

// counter is a carrier that counts what it gets.
type counter struct{ got int }

func (c *counter) Send(context.Context, provider.Message) (provider.Accepted, error) {
	c.got++
	return provider.Accepted{}, nil
}

// heard are the reports of a carrier, each with the second in which it came.
type heard struct {
	start, now time.Time
	said       []string
}

func (h *heard) tell(_ context.Context, r provider.Report) error {
	h.said = append(h.said, fmt.Sprint(h.now.Sub(h.start).Seconds(), " ", r.Key, " ", r.State, " ", r.Class))
	return nil
}

func newCarrier(b *Book, next provider.Provider, h *heard) *Carrier {
	h.start = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	h.now = h.start
	return NewCarrier(b, next, CarrierOptions{
		Now: func() time.Time { return h.now }, Report: h.tell, Log: slog.New(slog.DiscardHandler),
		ServiceOf: func(_ context.Context, m provider.Message) string { return "VA of " + m.Attempt },
	})
}

// What each carrier answers to three hand-overs, and how many messages arrived.
func TestWhatCarriersDo(t *testing.T) {
	want := map[string]string{
		"delivers": "ok ok ok 3", "late": "ok ok ok 0, then 3 after 1m30s", "twice": "ok ok ok 6", "loses": "ok ok ok 0",
		"refuses": "bad_recipient bad_recipient bad_recipient 0", "throttles": "throttled throttled ok 1",
		"breaks": "temporary temporary temporary 0", "doubts": "unknown unknown unknown 0",
	}
	for _, known := range behaviours {
		var b Book
		rule := Rule{To: "+34*", Carrier: known.name}
		if known.name == late {
			rule.After = "90s"
		}
		b.Set([]Rule{{To: "+34*", Channel: "call", Carrier: "refuses"}, {To: "+34*", Line: "landline"}, rule, {To: "*", Carrier: "breaks"}})
		var arrived counter
		var h heard
		c := newCarrier(&b, &arrived, &h)
		said := ""
		for range 3 {
			_, err := c.Send(t.Context(), provider.Message{Attempt: "VL1", Channel: "sms", To: "+34612345678"})
			failure, failed := errors.AsType[*provider.Error](err)
			if failed {
				said += failure.Class.String() + " "
			} else {
				said += "ok "
			}
		}
		said += fmt.Sprint(arrived.got)
		if waiting := c.Waiting(); len(waiting) > 0 {
			h.now = waiting[0].At
			if err := c.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			said += fmt.Sprint(", then ", arrived.got, " after ", h.now.Sub(h.start))
		}
		if got := said; got != want[known.name] {
			t.Errorf("%s: %s, want %s", known.name, got, want[known.name])
		}
	}
}

// What each carrier says of a message afterwards, and when.
func TestWhatCarriersReport(t *testing.T) {
	want := map[string]string{
		"": "", "never": "", "delivered": "1 VL1:1 1 Class(0)", "late": "300 VL1:1 1 Class(0)",
		"twice": "1 VL1:1 1 Class(0), 1 VL1:1 1 Class(0)", "failed": "1 VL1:1 3 bad_recipient",
	}
	for name, want := range want {
		var b Book
		rule := Rule{To: "+34*", Report: name}
		if name == late {
			rule.After = "5m"
		}
		b.Set([]Rule{rule})
		var h heard
		c := newCarrier(&b, &counter{}, &h)
		if _, err := c.Send(t.Context(), provider.Message{Attempt: "VL1", Key: "VL1:1", Channel: "sms", To: "+34612345678"}); err != nil {
			t.Fatal(err)
		}
		for len(c.Waiting()) > 0 {
			before := c.Done()
			if err := c.Settle(t.Context()); c.Done() != before || err != nil {
				t.Fatalf("%s: told before its time, %v", name, err)
			}
			h.now = c.Waiting()[0].At
			if err := c.Settle(t.Context()); c.Done() == before || err != nil {
				t.Fatalf("%s: not told at its time, %v", name, err)
			}
		}
		got := strings.Join(h.said, ", ")
		if strings.ReplaceAll(got, " "+provider.Class(0).String(), " Class(0)") != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// Reports come in their order; those of a carrier whose clock runs come by themselves.
func TestReportsComeInTheirOrderByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Book
		b.Set([]Rule{{To: "1", Report: "late", After: "10s"}, {To: "2", Report: "late", After: "5s"}, {To: "3", Report: "twice"}})
		var said []string
		c := NewCarrier(&b, &counter{}, CarrierOptions{
			Now: time.Now, Log: slog.New(slog.DiscardHandler), ServiceOf: func(context.Context, provider.Message) string { return "" },
			Report: func(_ context.Context, r provider.Report) error {
				said = append(said, r.Key)
				return nil
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		for _, to := range []string{"1", "2", "3"} {
			if _, err := c.Send(t.Context(), provider.Message{Key: to, To: to}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute) // of the bubble
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if got := strings.Join(said, " "); got != "3 3 2 1" {
			t.Errorf("reports came as %s", got)
		}
	})
}

// The reports of one service can be hastened, in their order; others are not.
func TestReportsOfOneServiceAreHastened(t *testing.T) {
	var b Book
	b.Set([]Rule{{To: "1", Report: "late", After: "10s"}, {To: "2", Report: "late", After: "20s"}})
	var h heard
	c := newCarrier(&b, &counter{}, &h)
	for _, m := range []provider.Message{{To: "1", Attempt: "a", Key: "a1"}, {To: "1", Attempt: "b", Key: "b1"}, {To: "2", Attempt: "b", Key: "b2"}} {
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	c.Hasten("VA of b", 15*time.Second)
	got := ""
	for _, w := range c.Waiting() {
		got += fmt.Sprint(w.Service, " ", w.At.Sub(h.start), ", ")
	}
	if want := "VA of b -5s, VA of b 5s, VA of a 10s, "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheRulesAboutAMessage(t *testing.T) {
	var b Book
	code, call, both := Rule{To: "+34*", Code: "123456"}, Rule{To: "*", Channel: "call", Carrier: "twice"}, Rule{To: "*", Carrier: "late", Report: "late"}
	b.Set([]Rule{{To: "+33*", Line: "voip"}, both, call, code, {To: "*", Code: "999999"}, {To: "*", Country: "blocked"}})
	got := fmt.Sprint(b.About(provider.Message{To: "+34612345678", Channel: "sms"}))
	if want := fmt.Sprint([]Rule{both, code}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.About(provider.Message{To: "a"}); len(got) != 2 {
		t.Errorf("about any: %v", got)
	}
}

func TestACountryIsBlockedByItsNumbers(t *testing.T) {
	var b Book
	b.Set([]Rule{{To: "+33*", Country: "blocked", Channel: "sms"}, {To: "+34*", Country: "blocked"}})
	for _, c := range []struct {
		to, channel string
		blocked     bool
	}{{"+33612345678", "sms", true}, {"+33612345678", "call", false}, {"+34612345678", "call", true}, {"+4915112345678", "sms", false}} {
		if got := b.Blocked(c.to, verify.Channel(c.channel)); got != c.blocked {
			t.Errorf("%s by %s: blocked %v", c.to, c.channel, got)
		}
	}
}

func TestCodesAndLines(t *testing.T) {
	var b Book
	b.Set([]Rule{{To: "+341*", Line: "landline"}, {To: "+34*", Code: "123456", Line: "voip"}})
	if got := b.Code("+34112345678") + " " + b.Code("+33612345678"); got != "123456 " {
		t.Errorf("codes %q", got)
	}
	for number, want := range map[string]verify.LineType{"+34112345678": verify.Landline, "+34612345678": verify.VoIP, "+33612345678": ""} {
		if line, err := b.Line(t.Context(), number); err != nil || line.Type != want {
			t.Errorf("%s is %q, %v; want %q", number, line.Type, err, want)
		}
	}
}

// The table of the documents is that of the code.
func TestTheTableOfTheDocuments(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	table := ""
	for _, b := range behaviours {
		table += fmt.Sprintf("| `carrier` | `%s` | %s |\n", b.name, b.about)
	}
	for _, r := range reportings {
		table += fmt.Sprintf("| `report` | `%s` | %s |\n", r.name, r.about)
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/testing.md has not\n%s", table)
	}
}
