package clock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// plan is work that does one thing after another, and notes when.
type plan struct {
	clock *Clock
	due   []time.Time
	done  []time.Time
	again map[time.Time]time.Duration // what is done at a time leaves something behind
	err   error
}

func (p *plan) Next(context.Context) (next time.Time, found bool, err error) {
	if len(p.due) == 0 {
		return next, false, p.err
	}
	return slices.MinFunc(p.due, time.Time.Compare), true, p.err
}

func (p *plan) Settle(ctx context.Context) error {
	for {
		due, found, _ := p.Next(ctx)
		if now := p.clock.Now(); !found || due.After(now) {
			return p.err
		} else {
			p.done = append(p.done, now)
			p.due = slices.DeleteFunc(p.due, due.Equal)
			if d, ok := p.again[due]; ok {
				p.due = append(p.due, now.Add(d))
			}
		}
	}
}

func since(times []time.Time) (text string) {
	for _, t := range times {
		text += fmt.Sprint(t.Sub(noon), " ")
	}
	return strings.TrimSpace(text)
}

func at(d ...time.Duration) (times []time.Time) {
	for _, d := range d {
		times = append(times, noon.Add(d))
	}
	return times
}

func TestWhatIsDueIsDoneAtItsTime(t *testing.T) {
	c := Stopped(noon, time.Now)
	p := &plan{clock: c, due: at(3*time.Minute, time.Minute, time.Hour), again: map[time.Time]time.Duration{noon.Add(time.Minute): 90 * time.Second}}
	if err := c.Advance(t.Context(), 10*time.Minute, p); err != nil {
		t.Fatal(err)
	}
	if got := since(p.done); got != "1m0s 2m30s 3m0s" {
		t.Errorf("done at %s", got)
	}
	if got := c.Now().Sub(noon); got != 10*time.Minute {
		t.Errorf("the clock is at %v, want 10 minutes", got)
	}
	if moved, err := c.RunToNext(t.Context(), p); !moved || err != nil || c.Now() != noon.Add(time.Hour) {
		t.Errorf("to the next: %v, %v, at %v", moved, err, c.Now())
	}
	if moved, err := c.RunToNext(t.Context(), p); moved || err != nil {
		t.Errorf("with nothing to do: %v, %v", moved, err)
	}
	broken := errors.New("broken")
	p.err = broken
	if err := c.Advance(t.Context(), time.Second, p); !errors.Is(err, broken) {
		t.Errorf("an error of the work: %v", err)
	}
}

func TestItStandsStillAndRunsOn(t *testing.T) {
	base := noon
	var told []State
	c := New(func() time.Time { return base })
	c.OnMove(func(s State) { told = append(told, s) })
	base = base.Add(time.Second)
	c.Freeze()
	base = base.Add(time.Hour)
	if got := c.Now().Sub(noon); got != time.Second {
		t.Errorf("frozen at %v, want 1s", got)
	}
	p := &plan{clock: c}
	for range 2 {
		if err := c.Advance(t.Context(), time.Minute, p); err != nil {
			t.Fatal(err)
		}
	}
	c.Resume()
	base = base.Add(time.Second)
	if got := c.Now().Sub(noon); got != 2*time.Minute+2*time.Second {
		t.Errorf("resumed it is at %v, want 2m2s", got)
	}
	if err := c.Advance(t.Context(), time.Minute, p); err != nil {
		t.Fatal(err)
	}
	base = base.Add(time.Second)
	if got := c.Now().Sub(noon); got != 3*time.Minute+3*time.Second {
		t.Errorf("advanced while it runs it is at %v, want 3m3s", got)
	}
	if got := fmt.Sprint(len(told), told[0].Frozen, told[3].Frozen); got != "5 true false" {
		t.Errorf("told: %s", got)
	}
}

// What is minted while time stands still has a time of its own, and a clock that runs ticks by itself.
func TestEveryReadOfRandomnessTicks(t *testing.T) {
	c := Stopped(noon, time.Now)
	random := c.Random(Seeded(7))
	seen := map[time.Time]bool{}
	for range 100 {
		if _, err := io.ReadFull(random, make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		seen[c.Now()] = true
	}
	if len(seen) != 100 || c.Now().Sub(noon) >= time.Millisecond {
		t.Errorf("%d times in %v", len(seen), c.Now().Sub(noon))
	}
	running := New(func() time.Time { return noon })
	if running.Tick(); running.Now() != noon {
		t.Error("a clock that runs was moved")
	}
}

func TestASeedRepeats(t *testing.T) {
	read := func(seed uint64) string {
		b := make([]byte, 32)
		if _, err := io.ReadFull(Stopped(noon, time.Now).Random(Seeded(seed)), b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if one, again, other := read(7), read(7), read(8); one != again || one == other {
		t.Error("the same seed differs, or another does not")
	}
}

// Whatever is done to a clock, it never goes back, and everything is done at its time, in order.
func TestTimeNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := noon
		c := New(func() time.Time { return base })
		p := &plan{clock: c}
		last := c.Now()
		look := func() {
			if now := c.Now(); now.Before(last) {
				t.Fatalf("it went from %v to %v", last, now)
			} else {
				last = now
			}
		}
		span := rapid.Map(rapid.Int64Range(0, 1e6), func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond })
		t.Repeat(map[string]func(*rapid.T){
			"":       func(*rapid.T) { look() },
			"wait":   func(t *rapid.T) { base = base.Add(span.Draw(t, "for")) },
			"freeze": func(*rapid.T) { c.Freeze() },
			"resume": func(*rapid.T) { c.Resume() },
			"tick":   func(*rapid.T) { c.Tick() },
			"plan":   func(t *rapid.T) { p.due = append(p.due, c.Now().Add(span.Draw(t, "in"))) },
			"advance": func(t *rapid.T) {
				before, d := c.Now(), span.Draw(t, "by")
				if err := c.Advance(context.Background(), d, p); err != nil {
					t.Fatal(err)
				}
				if got := c.Now().Sub(before); got != d {
					t.Fatalf("advanced by %v, want %v", got, d)
				}
			},
			"next": func(t *rapid.T) {
				if _, err := c.RunToNext(context.Background(), p); err != nil {
					t.Fatal(err)
				}
			},
		})
		if !slices.IsSortedFunc(p.done, time.Time.Compare) {
			t.Fatalf("done out of order: %s", since(p.done))
		}
	})
}

func TestTheClockOverHTTP(t *testing.T) {
	c := Stopped(noon, time.Now)
	h := c.Handler(&plan{clock: c, due: at(time.Hour)})
	for _, step := range []struct{ method, query, want string }{
		{"GET", "", `200 {"now":"2026-11-24T12:00:00.000Z","frozen":true,"next":"2026-11-24T13:00:00.000Z"}`},
		{"POST", "?advance=10m", `200 {"now":"2026-11-24T12:10:00.000Z","frozen":true,"next":"2026-11-24T13:00:00.000Z"}`},
		{"POST", "?next=true", `200 {"now":"2026-11-24T13:00:00.000Z","frozen":true,"next":null}`},
		{"POST", "?freeze=true", `200 {"now":"2026-11-24T13:00:00.000Z","frozen":true,"next":null}`},
		{"POST", "?advance=-1s", "400 "}, {"POST", "?advance=100000h", "400 "}, {"POST", "?advance=", "400 "},
		{"POST", "", "400 "}, {"POST", "?freeze=true&next=true", "400 "}, {"POST", "?freeze=yes", "400 "}, {"POST", "?x=%zz", "400 "},
		{"DELETE", "", "405 "},
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(step.method, "/dev/clock"+step.query, nil))
		if got := fmt.Sprint(rec.Code, " ", strings.TrimSpace(rec.Body.String())); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %s: got %s, want %s", step.method, step.query, got, step.want)
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "/dev/clock?resume=true", nil))
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"frozen":false`) {
		t.Errorf("resumed: %d %s", rec.Code, rec.Body)
	}
}

func FuzzClockParameters(f *testing.F) {
	for _, seed := range []string{"advance=10m", "advance=9223372036854775807ns", "next=true&next=true", "freeze", "%zz", "advance=1e3h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		c := Stopped(noon, time.Now)
		r := httptest.NewRequest("POST", "/dev/clock", strings.NewReader(query))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		c.Handler(&plan{clock: c}).ServeHTTP(rec, r)
		if moved := c.Now().Sub(noon); rec.Code != 200 && (rec.Code != 400 || moved != 0) || moved < 0 {
			t.Errorf("%q: %d, moved by %v", query, rec.Code, moved)
		}
	})
}
