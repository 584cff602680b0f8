package webhook

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestEightCallsOfAURLAtATime(t *testing.T) {
	var g gate
	for range webhookPace.parallel {
		if _, ok := g.enter("A", "a", webhookPace, noon); !ok {
			t.Fatal("one of the first eight has to wait")
		}
	}
	if _, ok := g.enter("A", "b", webhookPace, noon); !ok {
		t.Error("another URL has to wait")
	}
	// A backlog comes back one by one.
	last := noon
	for range 100 {
		again, ok := g.enter("A", "a", webhookPace, noon)
		if ok || again.Sub(noon) < time.Second || again.Sub(last) < webhookPace.spread {
			t.Fatalf("a ninth call: %v, again at %s after %s", ok, again, last)
		}
		last = again
	}
	g.leave("A", "a", true, noon)
	if _, ok := g.enter("A", "a", webhookPace, noon); !ok {
		t.Error("a place that was left is not given again")
	}
}

// However many URLs an account has, it leaves as many places as it has to those that have none.
func TestAnAccountLeavesAsManyPlacesAsItHas(t *testing.T) {
	var g gate
	fill := func(account string) (n int) {
		for i := range Parallel {
			if _, ok := g.enter(account, fmt.Sprint(account, i), webhookPace, noon); ok {
				n++
			}
		}
		return n
	}
	a, b, c := fill("A"), fill("B"), fill("C")
	if a != Parallel/2 || b != Parallel/4 || c != Parallel/8 {
		t.Fatalf("%d, %d and %d places, want a half, then half of what is left", a, b, c)
	}
	// The first one gives places back, and the others may have as many as it.
	for i := range a {
		g.leave("A", fmt.Sprint("A", i), true, noon)
	}
	if b += fill("B"); b < Parallel/3 {
		t.Errorf("one of two accounts with much to tell has %d places", b)
	}
	if len(g.accounts) != 2 {
		t.Errorf("%d accounts are remembered, want those with calls under way", len(g.accounts))
	}
	// What waits comes back one by one, beyond that of each URL.
	last := noon
	for i := range 100 {
		again, ok := g.enter("B", fmt.Sprint("more", i), webhookPace, noon)
		if ok || again.Sub(noon) < time.Second || again.Sub(last) < accountSpread {
			t.Fatalf("call %d of another URL: %v, again at %s after %s", i, ok, again, last)
		}
		last = again
	}
}

// The sink has a lane to itself, whose places are the limit, and gets its backlog back faster.
func TestTheSinkIsCalledByItsWholeLane(t *testing.T) {
	var g gate
	for n := range 1000 {
		if _, ok := g.enter("A", "sink", sinkPace, noon); !ok {
			t.Fatalf("call %d has to wait", n)
		}
	}
	for range breakAfter {
		g.leave("A", "sink", false, noon)
	}
	last := noon
	for n := range 1000 {
		again, ok := g.enter("A", "sink", sinkPace, noon)
		if ok || again.Sub(noon) < breakFor || again.Sub(noon) > breakFor+time.Duration(n)*sinkPace.spread || !again.After(last) {
			t.Fatalf("delivery %d while it is closed: %v, again at %s after %s", n, ok, again, last)
		}
		last = again
	}
}

func TestABrokenURLIsClosedAndOpensAgain(t *testing.T) {
	var g gate
	fail := func(now time.Time) bool {
		_, ok := g.enter("A", "a", webhookPace, now)
		if ok {
			g.leave("A", "a", false, now)
		}
		return ok
	}
	for n := range breakAfter {
		if !fail(noon) {
			t.Fatalf("closed after %d failures", n)
		}
	}
	if fail(noon.Add(breakFor - time.Second)) {
		t.Error("called while it is closed")
	}
	if !fail(noon.Add(breakFor)) || fail(noon.Add(breakFor+time.Second)) {
		t.Error("after the pause one call is let through, and its failure closes it again")
	}
	later := noon.Add(3 * breakFor)
	if _, ok := g.enter("A", "a", webhookPace, later); !ok {
		t.Fatal("closed for good")
	}
	g.leave("A", "a", true, later)
	if len(g.urls) != 0 || len(g.accounts) != 0 || g.underWay != 0 {
		t.Errorf("a URL that works is remembered: %+v, %d accounts, %d calls", g.urls["a"], len(g.accounts), g.underWay)
	}
}

func TestTheMemoryOfURLsIsBounded(t *testing.T) {
	var g gate
	if _, ok := g.enter("A", "under way", webhookPace, noon); !ok {
		t.Fatal("refused")
	}
	for n := range 3 * maxURLs {
		target := fmt.Sprint(n)
		if _, ok := g.enter("A", target, webhookPace, noon); !ok {
			t.Fatal("refused")
		}
		g.leave("A", target, false, noon)
	}
	if len(g.urls) > maxURLs+1 {
		t.Errorf("%d URLs are remembered", len(g.urls))
	}
	g.leave("A", "under way", true, noon)
}
